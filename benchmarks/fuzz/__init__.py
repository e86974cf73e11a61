"""Damaged and hostile input of every kind before the project's readers."""
