"""What MLflow and SQLAlchemy say of a failure, as one line."""

import logging

import pytest

from hdm.registry.mlflow_client import first_line, load_mlflow

FULL = "(sqlite3.OperationalError) database or disk is full"
ASIDE = ("(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush "
         "block if this flush is occurring prematurely)")


@pytest.mark.parametrize(("message", "line"), [
    (f"{ASIDE}\n{FULL}\n[SQL: INSERT INTO runs VALUES (?)]", FULL),
    (f"{FULL}\n[SQL: INSERT]", FULL),
    (f"\n  {FULL}", FULL),
    (ASIDE, "RuntimeError"),
    ("", "RuntimeError")])
def test_the_reason_is_told(message: str, line: str) -> None:
    assert first_line(RuntimeError(message)) == line


@pytest.mark.parametrize("name", ["mlflow", "mlflow.store.db.utils", "sqlalchemy.engine"])
def test_libraries_print_no_traceback_of_what_they_raise(name: str) -> None:
    load_mlflow()
    assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
