"""Procedural sample product lines for visual anomaly detection."""

from hdm.samples.dataset import SAMPLE_LINES, draw_line
from hdm.samples.sheet import contact_sheet

__all__ = ["SAMPLE_LINES", "contact_sheet", "draw_line"]
