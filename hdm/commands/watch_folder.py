"""`hdm watch`: judge the pictures that drop into a folder."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from filelock import FileLock, Timeout

from hdm.commands.dropped_pictures import PATIENCE, LenientRecorder, Watcher, Writing
from hdm.commands.followed_model import FollowedModel
from hdm.commands.judged_row import counted
from hdm.commands.line_name import LineName
from hdm.commands.model_choice import Version, named
from hdm.commands.prediction_recorder import Recorder
from hdm.commands.prediction_table import Overlays
from hdm.console import Console
from hdm.dataset import decoding_pool
from hdm.dataset.part_rule import part_reader
from hdm.errors import ConfigError
from hdm.files import cannot_write, make_folder
from hdm.line import Line
from hdm.registry.answering import Choice
from hdm.serving.line_in_use import serving
from hdm.terminal import harmless
from hdm.watching.dropped_files import DroppedFiles, FolderAway
from hdm.watching.results_file import RESULTS, ResultsFile, sweep

LONGEST = 30.0
"""Seconds that --once waits for files that are still being written."""
SLICE = 0.1
"""Seconds after which a request to end is seen while nothing happens."""


def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=(
        "The folder into which pictures drop; it is never written to."))],
    line: LineName,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Where results and pictures go; data/LINE/watch if left out."))] = None,
    version: Version = "",
    lot: Annotated[str, typer.Option(metavar="NAME", help=(
        "The lot that the pictures are of, for `hdm lot`."))] = "",
    every: Annotated[float, typer.Option(min=0.05, metavar="SECONDS", help=(
        "Time between two looks at the folder."))] = 1.0,
    once: Annotated[bool, typer.Option("--once", help=(
        "Judge what is there, and end."))] = False,
    overlays: Annotated[Overlays, typer.Option(help=(
        "Of which images one with outlines is written: those not called good, all, or none."))
    ] = Overlays.STOPPED,
    heatmaps: Annotated[bool, typer.Option("--heatmaps", help="Write heat maps, too.")] = False,
    log: Annotated[bool, typer.Option(help="Log the predictions for `hdm monitor`.")] = True,
) -> None:
    """Judge the pictures that drop into a folder, each once, until it is told to end."""
    chosen = Line.load(line)
    target = output or chosen.folder / "watch"
    _check(folder, target)
    with _alone(target), serving(chosen.project, [line]):
        results = ResultsFile(target / RESULTS, line)
        for pictures in ("overlays", "heatmaps"):
            sweep(target / pictures, results.next)
        decoding_pool.start()
        with Console().status("loading the detector"):
            model = FollowedModel(chosen, Choice(version))
        _introduce(folder, target, model)
        with _asked_to_end() as stopped:
            watcher = Watcher(
                line, DroppedFiles(folder, results.known), results, model,
                Writing(target, lot, overlays, heatmaps, part_reader(chosen.entry.source.part_rule),
                        _recorder(chosen) if log else None), _tell, stopped)
            _go_on(watcher, every, once)
    _tell(f"{counted(watcher.counts, named(model.version))}: {target / RESULTS}")
    if lot:
        place = f" --from {shlex.quote(str(output))}" if output else ""
        _tell(f"report of the lot: hdm lot {line} --lot {shlex.quote(lot)}{place}")
    if once and watcher.counts["unreadable"]:
        raise typer.Exit(1)


def _go_on(watcher: Watcher, every: float, once: bool) -> None:
    """Until somebody asks to end, or with `once` until nothing is left that may be complete soon.
    """
    began = time.monotonic()
    while not watcher.stopped():
        look = watcher.turn()
        if once:
            if look is None:
                raise FolderAway("not all pictures were judged (see above); run the same command "
                                 "again.")
            unsettled = watcher.files.unsettled(PATIENCE)
            if not unsettled or time.monotonic() - began > LONGEST:
                for path in unsettled:
                    _tell(f"waits: {path}: it is still being written")
                return
        until = time.monotonic() + every
        while not watcher.stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))


def _check(folder: Path, target: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"expected a folder at {folder}, found none; name the folder into which "
                          "the pictures drop.")
    inside = Path(os.path.realpath(target)).is_relative_to(os.path.realpath(folder))
    if inside:
        raise ConfigError(f"the results would be written to {target}, inside the watched folder, "
                          "which is never written to; choose another --output.")


def _introduce(folder: Path, target: Path, model: FollowedModel) -> None:
    from hdm.detector.promise import promise  # late: scipy, which comes with the detector

    for note in filter(None, (promise(model.detector.operating_point), model.note)):
        _tell(f"note: {note}")
    _tell(f"watching {folder} with {named(model.version)}; results in {target}; Ctrl-C ends it")


def _recorder(line: Line) -> Callable[[str], Recorder]:
    # Late: pandas, which only those who log need.
    from hdm.monitoring.prediction_log import PredictionLog

    log, part_of = PredictionLog(line.log_folder, line.params.monitor), part_reader(
        line.entry.source.part_rule)
    said: set[str] = set()

    def once(text: str) -> None:
        if text not in said:
            _tell(text)
        said.add(text)

    return lambda version: LenientRecorder(log, version, part_of, "watch", once)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Only one process writes into a folder of results."""
    try:
        make_folder(target)
        with FileLock(target / ".watch.lock", timeout=0):
            yield
    except Timeout:
        raise ConfigError(f"another `hdm watch` writes to {target}; end that one, or choose "
                          "another --output.") from None
    except PermissionError as error:
        raise cannot_write(target, error) from error


@contextmanager
def _asked_to_end() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM came: what is being judged is finished first. A second one ends at
    once; nothing that was written is lost then either."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before: dict[int, Any] = {number: signal.signal(number, ask)
                              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(text: str) -> None:
    print(harmless(text.replace("\n", "\\n")), file=sys.stdout, flush=True)
