"""The commands that are disturbed, and the plant that each of them begins with."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from plant import LINE, make_plant, read_yaml, write_yaml
from recorded_stages import record_outputs

from hdm.config import STAGES

from . import forked

KEEP = 1


class Deed(NamedTuple):
    """A command, and the name of the plant that it begins with."""

    name: str
    words: tuple[str, ...]
    begin: str


DEEDS = (
    *(Deed(stage, ("stage", stage, LINE), "trained") for stage in STAGES[:-1]),
    Deed("register", ("stage", "register", LINE), "trained"),
    Deed("promote", ("promote", LINE, "3", "--why", "trial"), "registered"),
    Deed("rollback", ("rollback", LINE, "--why", "alarms", "--to", "1"), "promoted"),
    Deed("retention", ("prune", LINE), "promoted"),
    Deed("inbox", ("inbox", LINE), "trained"),
    Deed("feedback", ("feedback", LINE, "../fresh/part.png", "good"), "trained"),
    Deed("region", ("region", LINE, "--polygon", "0.1,0.1 0.4,0.1 0.4,0.3"), "trained"),
    Deed("test set", ("testset", "freeze", LINE, "--name", "spring"), "trained"))


class Plants:
    """One plant at the same place again and again: a store names its folders by absolute paths."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "live"
        self.project = self.root / "plant"

    def make(self, deeds: Sequence[Deed]) -> None:
        """Train the line, register it three times, promote: a copy is kept of each state that the
        deeds begin with."""
        from hdm.samples import draw_line

        make_plant(self.root, LINE, git=False)
        for room in ("hdm", "flows"):
            shutil.rmtree(self.project / room)
        params = read_yaml(self.project / "params.yaml")
        params["retention"] = {"versions": KEEP}
        write_yaml(self.project / "params.yaml", params)
        lines = read_yaml(self.project / "pipelines.yaml")
        lines["lines"][LINE]["inbox"] = "../drop"
        write_yaml(self.project / "pipelines.yaml", lines)
        fresh = self.folder / "fresh"
        draw_line("brushed_plate", fresh, scale=0.13, seed=9)
        pictures = sorted((fresh / "train" / "good").glob("*.png"))
        (self.root / "fresh").mkdir()
        shutil.copyfile(pictures[0], self.root / "fresh" / "part.png")
        for target, some in (("good", pictures[1:4]), ("burr", pictures[4:6])):
            (self.root / "drop" / target).mkdir(parents=True)
            for picture in some:
                shutil.copyfile(picture, self.root / "drop" / target / f"new_{picture.name}")
        (self.root / "drop" / "good" / "text.png").write_text("no picture")
        forked.learn(self.project, *(["stage", stage, LINE] for stage in (
            "configure", *STAGES[:-1], "store_probe")))
        record_outputs(self.project, LINE)
        self.keep("trained")
        if any(deed.begin != "trained" for deed in deeds):
            for _ in range(3):
                forked.learn(self.project, ["stage", "register", LINE])
            self.keep("registered")
            forked.learn(self.project, ["promote", LINE, "2", "--why", "trial"])
            forked.learn(self.project, ["promote", LINE, "3", "--why", "trial"])
            self.keep("promoted")
        for deed in deeds:  # so that forks find all that these import
            if deed.words[0] != "stage":
                self.take(deed.begin)
                forked.learn(self.project, deed.words)

    def grown(self) -> int:
        """Bytes that a command may need: as many as the line has."""
        return sum(file.stat().st_size for file in (self.folder / "trained").rglob("*")
                   if file.is_file() and "/data/" in file.as_posix())

    def keep(self, name: str) -> None:
        shutil.copytree(self.root, self.folder / name, symlinks=True)

    def take(self, name: str) -> None:
        """The plant is again as it was."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.folder / name, self.root, symlinks=True)


def chosen_deeds(names: Sequence[str]) -> list[Deed]:
    """The deeds of these names, all where none is named."""
    return [deed for deed in DEEDS if not names or deed.name in names]


@contextlib.contextmanager
def plants(folder: Path, deeds: Sequence[Deed]) -> Iterator[Plants]:
    """Plants for `deeds` below `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    forked.warm()
    made = Plants(folder)
    made.make(deeds)
    yield made
