"""What earlier stages left as JSON, as tables of the report."""

from collections.abc import Mapping
from typing import Any

from hdm.dataset.manifest import GOOD, SPLITS
from hdm.evaluation.percent import MISSING, percent
from hdm.report.page import Table

KEPT = "kept"
_FIRST_COLUMNS = ("", "split", "name", "source", GOOD, "defect")


def funnel_tables(funnel: Any) -> tuple[Table, ...]:
    """The POM funnel: why samples were rejected, and how each source fared; () if unknown."""
    if not isinstance(funnel, Mapping) or not isinstance(funnel.get("reasons"), Mapping):
        whole = table_of("Synthetic defects through the POM filter", funnel)
        return (whole,) if whole else ()
    total = funnel.get("candidates") or sum(r["count"] for r in funnel["reasons"].values())
    ordered = sorted(funnel["reasons"].items(),
                     key=lambda item: (item[0] == KEPT, -item[1]["count"], item[0]))
    rows = tuple((f"{_plain(code)}: {reason.get('meaning', '')}".rstrip(": "),
                  f"{reason['count']:,}", percent(reason["count"] / total) if total else MISSING)
                 for code, reason in ordered)
    tables = [Table("Synthetic defects through the POM filter", ("reason", "samples", "share"),
                    (("candidates", f"{total:,}", percent(1.0)), *rows))]
    if isinstance(funnel.get("by_source"), Mapping):
        codes = [code for code, _ in ordered]
        shares = funnel.get("shares") or {}
        columns = ("source", *map(_plain, codes), "share of training")
        tables.append(Table("By source", columns, tuple(
            (_plain(source), *(f"{counts.get(code, 0):,}" for code in codes),
             percent(shares[source]) if source in shares else MISSING)
            for source, counts in sorted(funnel["by_source"].items()))))
    return tuple(tables)


def feedback_tables(feedback: Any) -> tuple[Table, ...]:
    """What each picture that people spoke of scored when they did, and now; () without any."""
    if not feedback:
        return ()
    rows = tuple((row["name"], row["said"], row["who"] or MISSING, row["version_then"] or MISSING,
                  _scored(row["then"]), _scored(row["now"])) for row in feedback)
    columns = ("picture", "said", "by", "version then", "then", "now")
    return (Table("What people said", columns, rows,
                  "Score / threshold, and what was decided. This version has learned from these "
                  "pictures, so they do not show how well it does on others."),)


def _scored(answer: Mapping[str, Any]) -> str:
    if answer["score"] is None:
        return str(answer["decision"] or MISSING)
    limit = MISSING if answer["threshold"] is None else f"{answer['threshold']:.2f}"
    return f"{answer['score']:.2f} / {limit} {answer['decision']}"


def table_of(title: str, content: Any) -> Table | None:
    """A table of a list of records, a mapping of records or a mapping of values; else None."""
    if isinstance(content, Mapping):
        nested = bool(content) and all(isinstance(v, Mapping) for v in content.values())
        content = [{"": _plain(k), **content[k]} for k in sorted(content, key=_split_order)] \
            if nested else [{"": _plain(k), "value": v} for k, v in content.items()
                            if not isinstance(v, Mapping | list)]
    if not isinstance(content, list) or not content or \
            not all(isinstance(row, Mapping) for row in content):
        return None
    columns = sorted(dict.fromkeys(key for row in content for key in row), key=_column_order)
    return Table(title, tuple(map(_plain, columns)),
                 tuple(tuple(_cell(row.get(key)) for key in columns) for row in content))


def _split_order(name: Any) -> int:
    """Splits in their own order, other names after them as they come (sorting is stable)."""
    return SPLITS.index(name) if name in SPLITS else len(SPLITS)


def _column_order(name: Any) -> int:
    return _FIRST_COLUMNS.index(name) if name in _FIRST_COLUMNS else len(_FIRST_COLUMNS)


def _plain(name: Any) -> str:
    return str(name).replace("_", " ")


def _cell(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
