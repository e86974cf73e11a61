"""What a person decides of single files in an inbox: what an image shows, or that it stays out."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from hdm.errors import ConfigError, HDMError
from hdm.inbox import beneath
from hdm.inbox.contents import Contents, check_label
from hdm.inbox.drafting import refusal
from hdm.inbox.intake import Intake, file_digest
from hdm.inbox.intake_plan import Plan


def give_label(intake: Intake, contents: Contents, path: str, label: str) -> None:
    """Put an image that has no label into the folder of one: good, or a kind of defect.

    Raises ConfigError for a file that does not wait in the inbox or a name that cannot be a label,
    HDMError where it cannot be moved.
    """
    check_label(label)
    if not label:
        raise ConfigError(f"{path}: expected good or the name of a defect, received nothing.")
    if path not in contents.waiting:
        raise ConfigError(f"{path!r}: no file of that name waits for a label in {intake.inbox}.")
    try:
        beneath.move(intake.inbox, path, label)
    except OSError as error:
        raise HDMError(f"{path} cannot be put into {label}/ ({error.strerror}); move it there "
                       "under another name.") from None


def rejection(intake: Intake, contents: Contents, paths: Sequence[str], reason: str) -> Plan:
    """The plan that puts files, with the masks of images, into quarantine for a person's reason.

    Raises ConfigError for a file that is not in the inbox, or without a reason.
    """
    if not reason.strip():
        raise ConfigError("expected --why with the reason of the rejection.")
    masks = {record.path: record.masks for record in contents.images}
    known = {*masks, *contents.waiting, *contents.not_images}
    for path in paths:
        if path not in known:
            raise ConfigError(f"{path!r}: no file of that name is in {intake.inbox}.")
    now = datetime.now(UTC)
    files = dict.fromkeys(file for path in paths for file in (path, *masks.get(path, ())))
    return Plan(id=uuid.uuid4().hex, time=now.isoformat(timespec="seconds"), refused=tuple(
        refusal(intake, file, file_digest(intake.inbox, file), f"Rejected: {reason.strip()}", now)
        for file in files))
