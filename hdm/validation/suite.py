"""The expectations as a great_expectations suite: run on the evidence, with its Data Docs."""

import os

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read while the library is imported

import datetime
import html
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.checkpoint import UpdateDataDocsAction
from great_expectations.core import ExpectationValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context import AbstractDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.row_conditions import Column

from hdm.validation.expectations import Expectation

_RUN_TIME = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)  # equal data, equal pages
_SHOWN_VALUES = 100


@dataclass(frozen=True)
class Finding:
    """What came of one expectation.

    observed: rows examined, or counted for a count. paths: the offending images, in order.
    found: the unexpected value of each of them, as text.
    """

    met: bool
    observed: int
    paths: tuple[str, ...]
    found: tuple[str, ...]


def examine(table: pd.DataFrame, expectations: Sequence[Expectation], strictness: str, *,
            name: str, run_name: str, site: Path | None = None) -> list[Finding]:
    """Hold `expectations` against `table`; findings are in the same order.

    With `site`, great_expectations builds its Data Docs in that folder.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = _context(site)
        definition = context.validation_definitions.add(gx.ValidationDefinition(
            name=name,
            data=context.data_sources.add_pandas("line").add_dataframe_asset("images")
            .add_batch_definition_whole_dataframe("all"),
            suite=context.suites.add(gx.ExpectationSuite(
                name=name, expectations=[_rule(e, strictness) for e in expectations])),
        ))
        checkpoint = context.checkpoints.add(gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            actions=[UpdateDataDocsAction(name="docs", site_names=["line"])] if site else [],
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["path"],
                           "partial_unexpected_count": _SHOWN_VALUES},
        ))
        outcome = checkpoint.run(batch_parameters={"dataframe": _escaped(table)},
                                 run_id=RunIdentifier(run_name=run_name, run_time=_RUN_TIME))
    (validation,) = outcome.run_results.values()
    by_code = {_code(result): result for result in validation.results}
    return [_finding(by_code[e.code], e.arguments.get("column", "path")) for e in expectations]


def _context(site: Path | None) -> AbstractDataContext:
    """A context in memory, silent, which writes nothing but `site`."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False), analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    if site:
        context.add_data_docs_site("line", {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend",
                              "base_directory": str(site)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        })
    return context


def _rule(expectation: Expectation, strictness: str) -> Any:
    conditions = [Column(column) == value for column, value in expectation.where]
    severity = expectation.severity(strictness)
    return getattr(gxe, expectation.check)(
        **expectation.arguments,
        row_condition=reduce(lambda a, b: a & b, conditions) if conditions else None,
        severity=severity,
        description=f"[{severity}] {expectation.promise}",
        meta={"code": expectation.code},
    )


def _escaped(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with names that are safe in HTML: great_expectations writes them as they are."""
    texts = table.select_dtypes("str")
    return table.assign(**{column: texts[column].map(_escape, na_action="ignore").astype("str")
                           for column in texts})


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _code(result: ExpectationValidationResult) -> str:
    config = result.expectation_config
    return str((config.meta or {}).get("code")) if config else ""


def _finding(result: ExpectationValidationResult, column: str) -> Finding:
    if result.exception_info.get("raised_exception", True):
        raise RuntimeError(f"the expectation {_code(result)} could not be evaluated: "
                           f"{result.exception_info}")
    evidence = result.result
    if "observed_value" in evidence:
        return Finding(bool(result.success), int(evidence["observed_value"]), (), ())
    offending = {html.unescape(row["path"]): html.unescape(str(row[column]))
                 for row in evidence["unexpected_index_list"] or ()}
    return Finding(bool(result.success), evidence["element_count"] - evidence["missing_count"],
                   tuple(sorted(offending)), tuple(offending[p] for p in sorted(offending)))
