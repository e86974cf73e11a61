"""Taking images in so that a kill at any moment loses nothing and takes nothing twice.

The plan is written down first; every step of carrying it out may be done again. Order: copies under
their final names, the record, and only then the removal from the inbox.
"""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hdm.csv_cells import restored, write_rows
from hdm.dataset.manifest import GOOD
from hdm.errors import HDMError
from hdm.files import append_text, atomic_file, sync, write_json
from hdm.inbox import beneath
from hdm.inbox.intake_plan import Accepted, Plan, Refused, Step

RECORD = "intake.jsonl"
QUARANTINE = "quarantine"
REASONS = "reasons.csv"


@dataclass(frozen=True)
class Intake:
    """Where a line's files are: inbox, source folder, and the line's own folder data/<line>."""

    inbox: Path
    source: Path
    folder: Path

    @property
    def plan_file(self) -> Path:
        """The intake under way; gone when it is finished. Deleting it loses no image."""
        return self.folder / ".work" / "inbox" / "plan.json"

    @property
    def quarantine(self) -> Path:
        """Refused files, one folder a day."""
        return self.folder / QUARANTINE

    @property
    def record_file(self) -> Path:
        """One JSON object an intake, oldest first; never rewritten."""
        return self.folder / RECORD

    def unfinished(self) -> Plan | None:
        """The plan of an intake that was killed; None if there is none."""
        try:
            return Plan.model_validate_json(self.plan_file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            raise HDMError(f"{self.plan_file} is not a readable plan; delete it and run the same "
                           "command again.") from None

    def carry_out(self, plan: Plan, new_version: Callable[[], str]) -> dict[str, Any]:
        """Do, or finish, what `plan` says, and return its record.

        `new_version` makes a data version of the source and returns its name, '' if it has none;
        it is called once the images are in place. A file that has changed since it was checked
        stays in the inbox. Raises HDMError; calling again then goes on.
        """
        if not self.plan_file.is_file():
            write_json(self.plan_file, plan.model_dump(mode="json"))
        accepted = [one for one in plan.accepted
                    if all(self._copy(step, self.source) for step in one.steps)]
        refused = [one for one in plan.refused if self._copy(one.file, self.quarantine)]
        self._explain(refused)
        version = new_version() if accepted else ""
        record = self._record(plan, accepted, refused, version)
        taken = [*(step for one in accepted for step in one.steps), *(bad.file for bad in refused)]
        for step in taken:
            self._remove(step)
        # Or a loss of power brings them back when the plan that knows them is gone.
        for folder in {(self.inbox / step.origin).parent for step in taken}:
            sync(folder)
        self.plan_file.unlink()
        return record

    def _copy(self, step: Step, root: Path) -> bool:
        """Whether the file is at its target, copied now or before."""
        target, origin = root / step.target, self.inbox / step.origin
        if target.exists():
            return file_digest(root, step.target) == step.digest
        if file_digest(self.inbox, step.origin) != step.digest:
            return False
        with atomic_file(target) as temporary, beneath.opened(self.inbox, step.origin) as stream:
            # What was private stays so, and is private before there is anything to read.
            mode = os.fstat(stream.fileno()).st_mode & 0o777 | stat.S_IRUSR
            temporary.touch(mode | stat.S_IWUSR)
            with temporary.open("wb") as copy:
                shutil.copyfileobj(stream, copy)
            temporary.chmod(mode)
            if file_digest(temporary.parent, temporary.name) != step.digest:
                raise HDMError(f"{origin} changed while it was copied; run the same command "
                               "again.")
        return True

    def _explain(self, refused: list[Refused]) -> None:
        """One row a file in the day's reasons.csv."""
        for one in refused:
            day, _, name = one.file.target.partition("/")
            file = self.quarantine / day / REASONS
            known = _first_cells(file)
            if not known:
                append_text(file, _row("file", "reason", "from"))
            if name not in known:
                append_text(file, _row(name, one.reason, one.file.origin))

    def _record(self, plan: Plan, accepted: list[Accepted], refused: list[Refused],
                version: str) -> dict[str, Any]:
        """Append the record to intake.jsonl unless it is there."""
        for entry in records(self.record_file):
            if entry.get("id") == plan.id:
                return entry
        good = sum(one.defect_type == GOOD for one in accepted)
        record = {
            "id": plan.id, "time": plan.time, "data_version": version,
            "counts": {"accepted": len(accepted), "good": good, "defective": len(accepted) - good,
                       "refused": len(refused)},
            "accepted": [{"path": one.image.target, "sha256": one.pixels,
                          "defect_type": one.defect_type,
                          "masks": [mask.target for mask in one.masks], "from": one.image.origin}
                         for one in accepted],
            "refused": [{"from": one.file.origin, "reason": one.reason,
                         "quarantine": one.file.target} for one in refused]}
        if accepted or refused:
            append_text(self.record_file, json.dumps(record, ensure_ascii=False) + "\n")
        return record

    def _remove(self, step: Step) -> None:
        """Take the file out of the inbox; another one that came under its name stays."""
        origin = self.inbox / step.origin
        try:
            if file_digest(self.inbox, step.origin) == step.digest:
                beneath.remove(self.inbox, step.origin)
        except OSError as error:
            raise HDMError(f"{origin} was taken in, but cannot be removed ({error.strerror}); make "
                           "its folder writable and run the same command again.") from None


def records(file: Path) -> list[dict[str, Any]]:
    """All entries of an intake.jsonl, oldest first; one that a crash cut off is left out."""
    if not file.is_file():
        return []
    entries = []
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return [entry for entry in entries if isinstance(entry, dict)]


def file_digest(root: Path, path: str) -> str:
    """SHA-256 of the bytes of `path` in `root`; '' if there is no such file, or only by a link."""
    try:
        with beneath.opened(root, path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        if error.errno == errno.ELOOP:
            return ""
        raise


def _row(*cells: str) -> str:
    stream = io.StringIO()
    write_rows(stream, [" ".join(cell.split()) for cell in cells])
    return stream.getvalue()


def _first_cells(file: Path) -> set[str]:
    """The first cell of each row; line by line, so that one that was cut off harms no other."""
    if not file.is_file():
        return set()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return {restored(row[0]) for line in lines for row in csv.reader([line]) if row}
