"""From the content of an inbox to a plan: which images join the line, which do not, and why."""

import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path

from hdm.dataset.manifest import Manifest, Row
from hdm.inbox.contents import Contents
from hdm.inbox.intake import Intake, file_digest, records
from hdm.inbox.intake_plan import Accepted, Plan, Refused, Step
from hdm.inbox.objections import objections
from hdm.inbox.placing import Places
from hdm.ingest.decoding import Facts, decode_all
from hdm.ingest.ground_truth import GroundTruth, mask_path, resolve
from hdm.ingest.readers.image_record import Record
from hdm.settings import Validate


def draft(intake: Intake, contents: Contents, line: Manifest, places: Places, settings: Validate, *,
          marks: str | tuple[int, ...] = "auto", known: Path | None = None,
          threads: int = 2) -> Plan:
    """Check every image of `contents` against the line's manifest and plan where it goes.

    marks: what marks a defect in masks (ingest.masks). known: statistics of the line that are
    there already. Nothing is written or moved.
    """
    now = datetime.now(UTC)
    digests = {path: file_digest(intake.inbox, path) for path in _paths(contents)}
    reasons = dict(contents.not_images)
    facts, bad, _ = decode_all(intake.inbox, [record.path for record in contents.images])
    truth = resolve(intake.inbox, contents.images, facts, marks)
    fit = []
    for record in contents.images:
        unusable = [mask for mask in record.masks if mask in truth.bad]
        if record.path in bad or unusable:
            which, problem = ("image", bad[record.path]) if record.path in bad else \
                ("mask", truth.bad[unusable[0]])
            reasons[record.path] = f"The {which} cannot be used: found {problem}"
        else:
            fit.append(record)
    reasons |= _copies(fit, facts, _present(intake, line))
    fit = [record for record in fit if record.path not in reasons]
    if fit:
        with tempfile.TemporaryDirectory(prefix="hdm-inbox-") as folder:
            new = _manifest(fit, facts, truth, line, intake.inbox, Path(folder))
            reasons |= objections(line, new, settings, known=known, threads=threads)
    masks = {record.path: record.masks for record in contents.images}
    refused = []
    for path, reason in reasons.items():
        refused.append(refusal(intake, path, digests[path], reason, now))
        for mask in masks.get(path, ()):
            refused.append(refusal(intake, mask, digests[mask], f"It is the mask of {path}, "
                                   "which was refused", now))
    return Plan(id=uuid.uuid4().hex, time=now.isoformat(timespec="seconds"),
                accepted=tuple(_accept(record, places, facts[record.path].sha256, digests)
                               for record in fit if record.path not in reasons),
                refused=tuple(refused))


def _paths(contents: Contents) -> set[str]:
    images = {path for record in contents.images for path in (record.path, *record.masks)}
    return {path for path in (*images, *contents.not_images) if path}


def _present(intake: Intake, line: Manifest) -> dict[str, str]:
    """Hash of the pixels -> path in the source, of what the line has or has taken in since."""
    taken = {entry["sha256"]: entry["path"] for record in records(intake.record_file)
             for entry in record["accepted"] if (intake.source / entry["path"]).is_file()}
    return taken | dict(zip(line.frame["sha256"], line.frame["path"], strict=True))


def _copies(images: list[Record], facts: dict[str, Facts], present: dict[str, str],
            ) -> dict[str, str]:
    """Images with the pixels of one that the line has, or of an earlier one in the inbox."""
    found, seen = {}, dict(present)
    for record in images:
        digest = facts[record.path].sha256
        if digest in seen:
            where = "in the line" if digest in present else "in the inbox"
            found[record.path] = f"Its pixels are those of {seen[digest]} {where}"
        seen.setdefault(digest, record.path)
    return found


def _manifest(records: list[Record], facts: dict[str, Facts], truth: GroundTruth, line: Manifest,
              inbox: Path, folder: Path) -> Manifest:
    """The new images as a manifest, their masks written to `folder`."""
    truth.write(folder)
    bits = int(line.frame["bits"].max())
    rows = []
    for record in records:
        found = facts[record.path]
        mask = mask_path(record.path) if record.path in truth.masks else None
        rows.append(Row(record.path, "holdout", record.label, record.defect_type, mask, record.path,
                        found.width, found.height, found.channels, found.bit_depth,
                        min(bits, found.bit_depth), found.sha256))
    return Manifest.of(rows, inbox, folder)


def _accept(record: Record, places: Places, pixels: str, digests: dict[str, str]) -> Accepted:
    image, masks = places.take(record, pixels)
    return Accepted(
        image=Step(origin=record.path, target=image, digest=digests[record.path]),
        masks=tuple(Step(origin=origin, target=target, digest=digests[origin])
                    for origin, target in zip(record.masks, masks, strict=True)),
        defect_type=record.defect_type, pixels=pixels)


def refusal(intake: Intake, path: str, digest: str, reason: str, now: datetime) -> Refused:
    """How a file of the inbox goes into quarantine; reason: a sentence without its full stop."""
    target = f"{now:%Y-%m-%d}/{path}"
    if (intake.quarantine / target).exists():  # another file of this name was refused today
        bare = Path(target)
        target = bare.with_name(f"{bare.stem}-{digest[:8]}{bare.suffix}").as_posix()
    return Refused(file=Step(origin=path, target=target, digest=digest), reason=reason + ".")
