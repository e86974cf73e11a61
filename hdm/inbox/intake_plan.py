"""What one intake does: which file goes where, written down before anything is moved."""

from hdm.model_settings import Section


class Step(Section):
    """One file: from a path in the inbox to one in the source or in quarantine. digest: SHA-256 of
    the bytes that were checked."""

    origin: str
    target: str
    digest: str


class Accepted(Section):
    """An image that joins the source; pixels: SHA-256 of the decoded pixels."""

    image: Step
    masks: tuple[Step, ...]
    defect_type: str
    pixels: str

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its files; the masks first, so that no image is ever without its own."""
        return (*self.masks, self.image)


class Refused(Section):
    """A file that goes into quarantine."""

    file: Step
    reason: str


class Plan(Section):
    """One intake. time: UTC, ISO 8601."""

    id: str
    time: str
    accepted: tuple[Accepted, ...] = ()
    refused: tuple[Refused, ...] = ()
