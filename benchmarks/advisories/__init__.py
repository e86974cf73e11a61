"""Pinned versions against known vulnerabilities, without a network."""
