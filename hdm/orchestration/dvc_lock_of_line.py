"""dvc.lock, read and written as far as one line is concerned.

DVC reads all of it for each stage, and writes all of it anew with what a person may have put around
it: a third of a second of processor time for each line that is there, so that at a hundred lines
each stage of each line would wait half a minute. Here a stage's record takes the place of its last
one in the text, which then is what DVC would have written, and a new file replaces the old one, so
that whoever is killed leaves no half of it.
"""

from pathlib import Path
from typing import Any

from dvc.dvcfile import Lockfile, logger
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import dumps_yaml, parse_yaml

from hdm.files import write_text
from hdm.orchestration.dvc_lock import HEAD, records_of

DRAWN = "samples@"
"""Stages whose pictures another line may read."""


def only(line: str) -> None:
    """Let DVC in this process, which works on stages of the line, read and write so. A file that is
    not as DVC writes it is left to DVC."""
    load, dump = Lockfile._load_yaml, Lockfile.dump_stages

    def loaded(self: Any, **how: Any) -> tuple[Any, str]:
        records = None if how else _records(self)
        if records is None:
            return load(self, **how)
        own = [text for name, text in records.items()
               if name.endswith(f"@{line}") or name.startswith(DRAWN)]
        text = HEAD + "".join(own) if own else HEAD.replace("stages:", "stages: {}")
        return self.validate(parse_yaml(text, self.path), self.relpath), text

    def dumped(self: Any, stages: Any, **how: Any) -> None:
        records = _records(self)
        if records is None:
            dump(self, stages, **how)
            return
        new = dict(records)
        for stage in stages:
            for name, content in to_lockfile(stage, **how).items():
                new[name] = dumps_yaml({"stages": {name: content}}).removeprefix("stages:\n")
        if new != records:
            logger.info("Updating lock file '%s'", self.relpath)
            write_text(Path(self.path), HEAD + "".join(new.values()))
            self.repo.scm_context.track_file(self.relpath)

    Lockfile._load_yaml, Lockfile.dump_stages = loaded, dumped


def _records(lock: Any) -> dict[str, str] | None:
    try:
        return records_of(Path(lock.path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
