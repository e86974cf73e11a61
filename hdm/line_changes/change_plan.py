"""What a change of a line does, written down before anything is moved: killed anywhere, it is
finished by the same command.

While the plan is there nobody else loads the line (see hdm.line): half of it has another name.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hdm.errors import HDMError
from hdm.files import cannot_write, make_folder, sync, write_json
from hdm.line import CHANGE
from hdm.model_settings import Section


class Move(Section):
    """A file or folder that gets another place; both relative to the project."""

    origin: str
    target: str


class ChangePlan(Section):
    """One change, of the line `old`.

    new: the line's name from then on, or of its copy; '' where it is removed. command: as it can be
    typed. time: UTC, ISO 8601. by, why: for the record. pid: who carries it out. archive: where a
    removed line goes, relative to the project. discarded: what of it is deleted there. recorded:
    MD5 of settings files that name files of the line, by stage. region: digest of the line's
    region. values: what a copy has that differs, by key. copied: 'region' and 'test sets'.
    """

    action: Literal["rename", "clone", "remove"]
    old: str
    new: str = ""
    command: str
    time: str
    by: str
    why: str = ""
    pid: int = 0
    moves: tuple[Move, ...] = ()
    archive: str = ""
    discarded: tuple[str, ...] = ()
    recorded: dict[str, str] = Field(default_factory=dict)
    region: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    copied: tuple[str, ...] = ()

    def begin(self, project: Path) -> "ChangePlan":
        """Write it down as this process's; returns that."""
        own = self.model_copy(update={"pid": os.getpid()})
        write_json(project / CHANGE, own.model_dump(mode="json"))
        return own

    def move_all(self, project: Path) -> None:
        """Do, or finish, the moves. Raises HDMError; where nothing had moved, the plan is dropped.
        """
        for number, move in enumerate(self.moves):
            origin, target = project / move.origin, project / move.target
            if not os.path.lexists(origin):
                continue
            if os.path.lexists(target):
                raise HDMError(f"expected {target} to be free, found something there, and {origin} "
                               "as well; move one of them away, then run the same command again.")
            try:
                make_folder(target.parent)
                origin.rename(target)
                sync(target.parent)
                sync(origin.parent)
            except OSError as error:
                if not number:
                    self.end(project)
                raise cannot_write(target, error) from error

    def end(self, project: Path) -> None:
        """All is done."""
        (project / CHANGE).unlink(missing_ok=True)
        sync((project / CHANGE).parent)


def unfinished(project: Path) -> ChangePlan | None:
    """The change that was cut off; None if there is none. Raises HDMError if it is unreadable."""
    file = project / CHANGE
    try:
        return ChangePlan.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise HDMError(f"{file} is not a readable plan of a change of a line; look what has moved, "
                       "put it right by hand and delete that file.") from None
