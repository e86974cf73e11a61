"""Prefect flows: order, retries and schedules of the DVC stages. No arithmetic, no torch."""
