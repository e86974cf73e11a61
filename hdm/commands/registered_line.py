"""A line that has models in the registry, for the commands about them."""

from typing import Any

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.mlflow_client import connect
from hdm.registry.store import identify


def registered_line(name: str) -> tuple[Line, str]:
    """The line and the address of its store, which exists; raises RegistryError otherwise."""
    line = Line.load(name)
    uri = tracking_uri(line.project)
    if tracking_off() or identify(uri, line.name) is None:
        raise RegistryError(f"the registry has no model of {name} yet; make one with "
                            f"`hdm run {name}`.")
    return line, uri


def open_registry(name: str) -> tuple[Line, Any]:
    """The line and MLflow's client of its store, which exists; raises RegistryError otherwise."""
    line, uri = registered_line(name)
    return line, connect(uri)
