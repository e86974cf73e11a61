"""Procedural sample product lines for visual anomaly detection."""

from hdm.samples.contact_sheet import contact_sheet
from hdm.samples.dataset import SAMPLE_LINES, draw_line

__all__ = ["SAMPLE_LINES", "contact_sheet", "draw_line"]
