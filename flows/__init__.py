"""Prefect flows: order, retries and schedules of the DVC stages. No arithmetic, no torch."""

from flows.plain_call import prepare

prepare()
