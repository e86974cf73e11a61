"""Readers of source formats, splits, duplicates: from a source folder to the manifest."""
