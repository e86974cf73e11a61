"""Fixtures of this room: see toy_project."""

from toy_project import project, template

__all__ = ["project", "template"]
