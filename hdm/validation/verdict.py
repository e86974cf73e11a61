"""The decision whether a line may be trained on its data."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hdm.cluster.spreading import HERE
from hdm.dataset.manifest import Manifest
from hdm.settings import Validate
from hdm.validation.evidence_table import evidence_table
from hdm.validation.expectations import Expectation, Severity, catalogue
from hdm.validation.statistics import measure
from hdm.validation.suite import Finding, examine

_NAMED = 5
_EXPLAINED = 3
_BATCH = 2**14  # rows that are text at once


@dataclass(frozen=True)
class Result:
    """One expectation's outcome, with its reason code.

    observed: rows examined (for the `enough_...` codes: images counted). paths: all offending
    images, relative to the source root; found: the unexpected value of each of them, as text.
    """

    expectation: str
    severity: Severity
    passed: bool
    promise: str
    remedy: str
    observed: int
    paths: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def message(self) -> str:
        """What is wrong, with up to five images named, and what to do."""
        promise = self.promise.removesuffix(".")
        if self.passed:
            return f"{promise}: holds"
        if not self.paths:
            return f"{promise}: found {self.observed}; {self.remedy}"
        named = ", ".join(self.paths[:_NAMED])
        more = len(self.paths) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        return (f"{promise}: not true of {len(self.paths)} of {self.observed} images "
                f"({named}{rest}); {self.remedy}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"expectation": self.expectation, "severity": self.severity,
                "passed": self.passed, "message": self.message, "observed": self.observed,
                "paths": list(self.paths)}


@dataclass(frozen=True)
class Verdict:
    """Whether the data may be trained on, and the evidence: one statistics row an image."""

    strictness: str
    results: tuple[Result, ...]
    statistics: pd.DataFrame

    @property
    def passed(self) -> bool:
        """True if no critical expectation is unmet."""
        return not self.critical

    @property
    def failures(self) -> tuple[Result, ...]:
        """Every unmet expectation, the critical ones first."""
        unmet = [result for result in self.results if not result.passed]
        return tuple(sorted(unmet, key=lambda result: result.severity != "critical"))

    @property
    def critical(self) -> tuple[Result, ...]:
        """The unmet expectations that stop the line."""
        return tuple(f for f in self.failures if f.severity == "critical")

    @property
    def warnings(self) -> tuple[Result, ...]:
        """The unmet expectations that do not."""
        return tuple(f for f in self.failures if f.severity == "warning")

    @property
    def reason(self) -> str:
        """Why the line stops, as one sentence without its full stop; empty if it does not."""
        text = "; ".join(failure.message for failure in self.critical[:_EXPLAINED])
        more = len(self.critical) - _EXPLAINED
        return f"{text}; and {more} more expectations are unmet" if more > 0 else text

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; equal data give equal values."""
        return {"passed": self.passed, "strictness": self.strictness,
                "images": len(self.statistics),
                "expectations": [result.as_dict() for result in self.results]}


def validate(manifest: Manifest, settings: Validate, *, name: str = "images", threads: int = 2,
             cluster: str = HERE, site: Path | None = None, aside: Mapping[str, str] | None = None,
             cache: Path | None = None,
             progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Measure every image and hold the line's expectations against what was found.

    name: of the suite, usually the line's. site: folder for great_expectations' own Data Docs.
    aside: image files of the source that are not used, and why. cluster: as `spread` takes it.
    cache: see `measure`. progress(done, total): called after each image. Data that are not as
    expected do not raise.
    """
    frame = manifest.frame.reset_index(drop=True)
    statistics = measure(manifest, threads=threads, cluster=cluster, cache=cache,
                         progress=progress)
    table = evidence_table(frame, statistics, aside)
    expectations = catalogue(settings, table)
    findings = examine(table, expectations, settings.strictness, name=name,
                       run_name=fingerprint(frame), site=site)
    return Verdict(settings.strictness, tuple(
        _result(expectation, finding, settings.strictness)
        for expectation, finding in zip(expectations, findings, strict=True)), statistics)


def fingerprint(frame: pd.DataFrame) -> str:
    """Twelve hexadecimal digits that name the content of a manifest."""
    digest = hashlib.sha256()
    for start in range(0, max(1, len(frame)), _BATCH):
        part = frame.iloc[start:start + _BATCH]
        digest.update(part.to_csv(index=False, header=not start).encode())
    return digest.hexdigest()[:12]


def _result(expectation: Expectation, finding: Finding, strictness: str) -> Result:
    return Result(expectation.code, expectation.severity(strictness), finding.met,
                  expectation.promise, expectation.remedy, finding.observed, finding.paths,
                  finding.found)
