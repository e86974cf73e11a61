"""Which region of a line's pictures is inspected: resolved by configure, taken by dagm_fit."""

from hdm.dataset.ignore_mask import IgnoreMask
from hdm.dataset.manifest import Manifest
from hdm.dataset.region_file import digest, ignored_pixels, read_region
from hdm.errors import ConfigError
from hdm.files import read_json
from hdm.line import REGION, Line


def resolved_region(line: Line) -> dict[str, str] | None:
    """File relative to the project and SHA-256 of the line's region; None if it has none.

    Raises ConfigError if it is none that can be used.
    """
    region = read_region(line.region_file)
    if region is None:
        return None
    ignored_pixels(line.region_file, region, 64, 64)
    return {"file": line.region_file.relative_to(line.project).as_posix(),
            "sha256": digest(line.region_file, region)}


def ignored_text(line: Line, normals: Manifest) -> str:
    """The line's ignore mask as text, at the size of its largest image; "" if it has none.

    Raises ConfigError if the region is not the one that `configure` resolved.
    """
    file = line.settings_file("dagm_fit")
    resolved = read_json(file).get(REGION) if file.is_file() else None
    if not resolved:
        return ""
    region = read_region(line.region_file)
    if region is None or digest(line.region_file, region) != resolved["sha256"]:
        raise ConfigError(f"{line.region_file} has changed since the settings were resolved; run "
                          f"`dvc repro dagm_fit@{line.name}`.")
    height, width = (int(normals.frame[side].max()) for side in ("height", "width"))
    return IgnoreMask.of(ignored_pixels(line.region_file, region, height, width)).text()
