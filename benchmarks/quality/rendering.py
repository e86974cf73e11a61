"""Rows as Markdown tables: mean ± standard deviation over seeds, and the mean over sets."""

import math
from collections.abc import Callable, Iterable
from statistics import fmean, stdev, variance

from benchmarks.quality.false_alarms import judged
from benchmarks.quality.methods.names import NAMES
from benchmarks.quality.results import Row, find

NOTHING = "–"
NORMAL_QUANTILE = 1.96
Figure = Callable[[Row], float | None]


def quality(rows: list[Row], figure: str) -> str:
    """A line a method, a column a set; the mean over sets where a method has all of them."""
    sets = _sets(row for row in rows if row.get(figure) is not None)
    body = []
    for method in _methods(rows):
        means, cells = [], []
        for name in sets:
            values = _values(rows, method, name, lambda row: row[figure])
            cells.append(spread(values))
            means += [fmean(values)] if values else []
        if means:
            body.append([method, *cells, mean_over(means, len(sets))])
    return table(["method", *sets, "mean"], body)


def types(rows: list[Row], only: str) -> str:
    """Image AUROC by kind of defect on one set, a line a method."""
    chosen = [row for row in rows if row["set"] == only]
    kinds = sorted({kind for row in chosen for kind in row["by_type"]})
    body = []
    for method in _methods(chosen):
        body.append([method, *(spread(_values(chosen, method, only, _kind(kind)))
                               for kind in kinds)])
    return table(["method", *kinds], body)


def against(rows: list[Row]) -> str:
    """Image AUROC minus that of `hdm` on the same set with the same seed, in points of 0.01, with a
    95 % interval; the mean where a method has all sets.

    The interval is a normal one, from the differences in the resamples that both rows keep. Rows
    without them count as if they had judged different parts: wider than it has to be.
    """
    sets = _sets(rows)
    body = []
    for method in _methods(rows):
        if method == "hdm":
            continue
        found = [_against(rows, method, name) for name in sets]
        known = [one for one in found if one]
        if known:
            away = fmean(mean for mean, _ in known)
            error = math.sqrt(sum(variance for _, variance in known)) / len(known)
            body.append([method, *(_away(one[0], math.sqrt(one[1])) if one else NOTHING
                                   for one in found),
                         _away(away, error) if len(known) == len(sets) else NOTHING])
    return table(["method", *sets, "mean"], body)


def false_alarms(rows: list[Row]) -> str:
    """Share of good test images above the threshold for a stated share, mean over sets and seeds;
    in brackets the largest of any set and seed."""
    rates = sorted({rate for row in rows for rate in row["false_alarm_rates"]})
    body = []
    for method in _methods(rows):
        mine = [row for row in rows if row["method"] == method]
        cells = []
        for rate in rates:
            values = [row["false_alarm_rates"][rate] for row in mine]
            cells.append(f"{fmean(values):.3f} ({max(values):.3f})")
        body.append([method, *cells, str(sum(row["test_normals"] for row in mine))])
    return table(["method", *(f"stated {rate}" for rate in rates), "good images judged"], body)


def calibration(rows: list[Row]) -> str:
    """How many false-alarm rates lie within the binomial 95 % interval of the stated one, of how
    many; in brackets how many are expected to where all good images are exchangeable."""
    sets = _sets(rows)
    body = []
    for method in _methods(rows):
        mine = [row for row in rows if row["method"] == method]
        columns = [[row for row in mine if row["set"] == name] for name in sets]
        body.append([method, *(_inside(column) for column in [*columns, mine])])
    return table(["method", *sets, "all"], body)


def lighting(rows: list[Row]) -> str:
    """Change of image AUROC under changed light, in points of 0.01, mean over sets and seeds of
    the rows that were measured in it."""
    rows = [row for row in rows if row["lighting"]]
    names = sorted({name for row in rows for name in row["lighting"]})
    body = []
    for method in _methods(rows):
        mine = [row for row in rows if row["method"] == method]
        body.append([method, *(
            f"{100 * fmean(row['lighting'][name] - row['image_auroc'] for row in mine):+.1f}"
            for name in names)])
    return table(["method", *names], body)


def cost(rows: list[Row]) -> str:
    """What a run takes, mean over sets and seeds."""
    body = []
    for method in _methods(rows):
        mine = [row for row in rows if row["method"] == method]

        def mean(name: str, own: list[Row] = mine) -> float:
            return fmean(row[name] for row in own)

        body.append([method, f"{mean('train_seconds'):.0f}", f"{mean('train_flop') / 1e12:.1f}",
                     f"{mean('parameters') / 1e6:.2f}", f"{mean('ms_per_image'):.1f}",
                     f"{mean('peak_memory_mb'):.0f}",
                     ", ".join(sorted({f"{row['device']} × {row['threads']}" for row in mine}))])
    return table(["method", "training s", "training TFLOP", "million parameters", "ms an image",
                  "peak memory MB", "device × threads"], body)


def spread(values: list[float]) -> str:
    """Mean ± standard deviation; without the latter if there is one value only."""
    if not values:
        return NOTHING
    mean = f"{fmean(values):.3f}"
    return f"{mean} ± {stdev(values):.3f}" if len(values) > 1 else mean


def mean_over(means: list[float], sets: int) -> str:
    """The mean over sets; methods that were not run on all of them cannot be compared by it."""
    return f"{fmean(means):.3f}" if len(means) == sets else NOTHING


def table(header: list[str], body: list[list[str]]) -> str:
    """A Markdown table; the first column is words, the others are figures."""
    if not body:
        return "Not measured yet."
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _against(rows: list[Row], method: str, name: str) -> tuple[float, float] | None:
    """Mean difference over the seeds that both have, and its sampling variance, in points."""
    pairs = [(row, whole) for row in rows if row["method"] == method and row["set"] == name
             if (whole := find(rows, method="hdm", set=name, seed=row["seed"]))]
    if not pairs:
        return None
    # Seeds judge the same test images, so that more of them do not narrow the interval.
    return (fmean(100 * (row["image_auroc"] - whole["image_auroc"]) for row, whole in pairs),
            fmean(_variance_between(row, whole) for row, whole in pairs))


def _variance_between(row: Row, whole: Row) -> float:
    both = zip(row.get("resamples", []), whole.get("resamples", []), strict=False)
    away = [100 * (one - other) for one, other in both if None not in (one, other)]
    return variance(away) if len(away) > 1 else _variance(row) + _variance(whole)


def _variance(row: Row) -> float:
    low, high = row["interval"]["image_auroc"]
    return float((100 * (high - low) / (2 * NORMAL_QUANTILE)) ** 2)


def _away(mean: float, error: float) -> str:
    reach = NORMAL_QUANTILE * error
    return f"{mean:+.1f} ({mean - reach:+.1f} to {mean + reach:+.1f})"


def _inside(rows: list[Row]) -> str:
    found = list(judged(rows))
    if not found:
        return NOTHING
    inside, expected = (sum(column) for column in zip(*found, strict=True))
    return f"{inside} of {len(found)} ({expected:.1f})"


def _kind(kind: str) -> Figure:
    return lambda row: row["by_type"].get(kind)


def _values(rows: list[Row], method: str, name: str, figure: Figure) -> list[float]:
    found = [figure(row) for row in rows if row["method"] == method and row["set"] == name]
    return [value for value in found if value is not None]


def _sets(rows: Iterable[Row]) -> list[str]:
    return sorted({row["set"] for row in rows})


def _methods(rows: list[Row]) -> list[str]:
    there = {row["method"] for row in rows}
    return [*(name for name in NAMES if name in there), *sorted(there - set(NAMES))]
