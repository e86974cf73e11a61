"""Metrics, bootstrap intervals, what chance gives, curves."""
