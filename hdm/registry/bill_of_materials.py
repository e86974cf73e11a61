"""What a registered model is made of, as a CycloneDX document (SBOM): files, libraries, licences.

It is written for people and scanners; nothing of ours reads it.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from safetensors import SafetensorError, safe_open

LONGEST_NAME = 100
"""Characters of a licence's name; some libraries put the whole text there."""


def bill_of_materials(model: str, folder: Path, hashes: Mapping[str, str],
                      requirements: Sequence[str], facts: Mapping[str, str]) -> str:
    """The document as JSON.

    Args:
        folder: the model's files. hashes: path in it -> SHA-256.
        requirements: libraries, as name==version.
        facts: what else is to be known, such as data and commit; empty ones are left out.
    """
    described = Component(
        name=model, type=ComponentType.MACHINE_LEARNING_MODEL,
        properties=[Property(name=key if key.startswith("hdm.") else f"hdm.{key}", value=value)
                    for key, value in facts.items() if value])
    files = (Component(name=path, type=ComponentType.FILE, bom_ref=f"file:{path}",
                       hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
                       licenses=_weights_licence(folder / path))
             for path, digest in hashes.items())
    bom = Bom(components=[*files, *map(_library, requirements)])
    bom.metadata.component = described
    bom.register_dependency(described, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _library(requirement: str) -> Component:
    found = Requirement(requirement)
    version = next(iter(found.specifier)).version
    address = PackageURL("pypi", name=found.name, version=version)
    return Component(name=found.name, version=version, type=ComponentType.LIBRARY, purl=address,
                     bom_ref=str(address), licenses=list(_library_licences(found.name)))


def _library_licences(name: str) -> Iterator[DisjunctiveLicense]:
    """As the installed distribution says."""
    try:
        said = metadata(name).json
    except PackageNotFoundError:
        return
    licence = str(said.get("license_expression") or said.get("license") or "")
    if licence and len(licence) <= LONGEST_NAME:
        yield DisjunctiveLicense(name=" ".join(licence.split()))
        return
    for kind in said.get("classifier", []):
        if kind.startswith("License ::"):
            yield DisjunctiveLicense(name=kind.split(" :: ")[-1])


def _weights_licence(file: Path) -> list[DisjunctiveLicense]:
    """What a file of weights says of itself; the encoder's do."""
    if file.suffix != ".safetensors":
        return []
    try:
        with safe_open(file, "numpy") as weights:
            licence = (weights.metadata() or {}).get("licence", "")
    except (OSError, SafetensorError):
        return []
    return [DisjunctiveLicense(name=licence)] if licence else []
