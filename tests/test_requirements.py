"""What is installed by hash is what is pinned."""

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WITHOUT_HASH = {"torch"}
"""Its builds differ by place."""


def pins(name: str) -> dict[str, str]:
    """Distribution -> its pin."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {canonicalize_name(one.name): str(one.specifier) for one in found}


def test_every_pin_has_a_hash_but_those_that_differ_by_place() -> None:
    pinned, hashed = pins("requirements.txt"), pins("requirements.hashes.txt")
    assert {name: pin for name, pin in pinned.items() if name not in WITHOUT_HASH} == hashed
    assert set(pinned) >= WITHOUT_HASH and all(pin.startswith("==") for pin in pinned.values())
