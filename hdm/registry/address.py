"""Where the MLflow store is, and whether it answers: all without importing mlflow."""

import os
import socket
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

from hdm.errors import RegistryError
from hdm.registry.sqlite_reading import reading

PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
PATIENCE = 5.0  # seconds


def tracking_off() -> bool:
    """True if the user switched MLflow off (HDM_TRACKING=off)."""
    return os.environ.get("HDM_TRACKING", "").lower() in ("off", "0", "false", "no")


def tracking_uri(project: Path) -> str:
    """MLFLOW_TRACKING_URI, or the SQLite file of the project.

    A relative SQLite path is taken from the project's folder, whatever the current folder is.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri:
        return f"sqlite:///{project.resolve() / 'mlflow.db'}"
    file = _relative_sqlite(uri)
    return f"sqlite:///{project.resolve() / file}" if file else uri


def sqlite_file(uri: str) -> Path | None:
    """The database file of an absolute SQLite address, None for any other address."""
    prefix = "sqlite:////"
    return Path("/" + uri.removeprefix(prefix).split("?")[0]) if uri.startswith(prefix) else None


def is_http(uri: str) -> bool:
    """True for an MLflow server."""
    return uri.startswith(("http://", "https://"))


def check_reachable(uri: str) -> None:
    """Raise RegistryError within seconds if nothing can be stored at `uri`.

    MLflow itself would try again for minutes.
    """
    file = sqlite_file(uri)
    if file:
        _check_sqlite(file)
        return
    parts = urlsplit(uri)
    scheme = parts.scheme.split("+")[0]
    if scheme in PORTS and parts.hostname:
        try:
            address = (parts.hostname, parts.port or PORTS[scheme])
            socket.create_connection(address, timeout=PATIENCE).close()
        except (OSError, ValueError) as error:
            raise unreachable(uri, str(error)) from None
    elif scheme in ("file", ""):
        raise RegistryError(f"MLFLOW_TRACKING_URI is {uri!r}, a folder of files, which MLflow no "
                            "longer supports; unset it or use sqlite:////absolute/path.db.")


def unreachable(uri: str, reason: str) -> RegistryError:
    """The error for a store that does not answer; passwords in the address are not shown."""
    return RegistryError(
        f"MLflow at {without_password(uri)} cannot be used: {' '.join(reason.split())[:300]}. "
        "Start that server or correct MLFLOW_TRACKING_URI (HDM_TRACKING=off runs without MLflow).")


def without_password(uri: str) -> str:
    """The address as it may be printed."""
    parts = urlsplit(uri)
    return uri.replace(f":{parts.password}@", ":***@") if parts.password else uri


def _relative_sqlite(uri: str) -> str | None:
    if not uri.startswith("sqlite:///") or uri.startswith("sqlite:////"):
        return None
    return uri.removeprefix("sqlite:///")


def _check_sqlite(file: Path) -> None:
    uri = f"sqlite:///{file}"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
        elif not os.access(file, os.W_OK):
            raise unreachable(uri, "the database file is read-only")
        else:
            with reading(file) as connection:
                connection.execute("select count(*) from sqlite_master").fetchone()
        if not os.access(file.parent, os.W_OK):
            raise unreachable(uri, "its folder is read-only")
    except OSError as error:
        raise unreachable(uri, error.strerror or str(error)) from None
    except sqlite3.Error as error:
        raise unreachable(uri, str(error)) from None
