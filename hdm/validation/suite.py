"""The expectations as a great_expectations suite: run on the evidence, with its Data Docs."""

import os

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read while the library is imported

import datetime
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
    """What came of one expectation. observed: rows examined, or counted for a count."""

    met: bool
    observed: int
    paths: tuple[str, ...]


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
        outcome = checkpoint.run(batch_parameters={"dataframe": table},
                                 run_id=RunIdentifier(run_name=run_name, run_time=_RUN_TIME))
    (validation,) = outcome.run_results.values()
    by_code = {r.expectation_config.meta["code"]: r for r in validation.results}
    return [_finding(by_code[e.code]) for e in expectations]


def _context(site: Path | None) -> AbstractDataContext:
    """A context in memory, silent, which writes nothing but `site`."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False), analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    if site:
        context.add_data_docs_site("line", {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend",
                              "base_directory": str(site)},
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


def _finding(result: ExpectationValidationResult) -> Finding:
    if result.exception_info.get("raised_exception", True):
        raise RuntimeError(f"the expectation {result.expectation_config.meta['code']} could not "
                           f"be evaluated: {result.exception_info}")
    found = result.result
    paths = {row["path"] for row in found.get("unexpected_index_list") or ()}
    if "observed_value" in found:
        observed = found["observed_value"]
    else:
        observed = found["element_count"] - found["missing_count"]
    return Finding(bool(result.success), int(observed), tuple(sorted(paths)))
