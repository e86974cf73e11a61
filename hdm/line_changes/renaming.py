"""A line under another name: its files, what DVC recorded, its models, its entry."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from hdm.config import check_line_name
from hdm.dataset.region_file import digest, read_region
from hdm.errors import ConfigError
from hdm.files import read_json, write_json, write_text
from hdm.line import REGION, TEST_SET, Line
from hdm.line_changes.belongings import belongings, check_free, inside, is_sample, shown
from hdm.line_changes.change_plan import ChangePlan, Move
from hdm.orchestration import prefect_yaml
from hdm.orchestration.dvc_lock_stages import Content, rename_stages
from hdm.orchestration.entry_text import FILE, renamed_entry
from hdm.registry.decision_log import note, noted, now, person
from hdm.registry.renamed_line import in_registry, model_of, rename_in_registry

NAMING = {"ingest": TEST_SET, "dagm_fit": REGION}
"""Stages whose settings name a file of the line, and the key below which they do."""


def plan_rename(line: Line, new: str, why: str) -> ChangePlan:
    """What renaming the line means. Raises ConfigError if the name is bad or taken, RegistryError
    if the registry does not answer."""
    old = line.name
    check_line_name(new)
    check_free(line, new)
    renamed_entry((line.project / FILE).read_text(encoding="utf-8"), old, new)
    if in_registry(line, new)[0]:
        raise ConfigError(f"the registry has runs or models of a line {new!r} already, of one that "
                          "was removed, or another project's; choose another name.")
    in_registry(line, old)
    region = read_region(line.region_file)
    return ChangePlan(
        action="rename", old=old, new=new, command=f"hdm lines rename {old} {new}", time=now(),
        by=person(), why=why,
        moves=tuple(Move(origin=_relative(line, path), target=_relative(line, _renamed(
            path, old, new))) for path in belongings(line)),
        recorded={stage: _md5(file) for stage in NAMING
                  if (file := line.settings_file(stage)).is_file()},
        region=digest(line.region_file, region) if region else "")


def foretold_rename(line: Line, plan: ChangePlan) -> list[str]:
    """What will happen, in sentences."""
    old, new = plan.old, plan.new
    paths = belongings(line)
    there, count = in_registry(line, old)
    told = [f"{FILE}: the entry {old} is called {new}, in its place, with its comments."]
    if line.folder in paths:
        told.append(f"data/{old} becomes data/{new}, with results, decisions, logs and history; "
                    "dvc.lock follows, so that nothing is computed again.")
    told.append(f"Its images move along: {plan_source(line)} becomes "
                f"{plan_source(line).replace(f'data/{old}', f'data/{new}', 1)}."
                if inside(line, line.source) else f"Its images stay where they are: {line.source}.")
    if paths[1:] or (paths and line.folder not in paths):
        kept = [path for path in paths if path != line.folder]
        told.append(f"{shown(line, kept)}: renamed likewise; commit that with {FILE}.")
    if line.inbox and not inside(line, line.inbox):
        told.append(f"Its inbox stays where it is: {line.inbox}.")
    if is_sample(line):
        told.append(f"`hdm samples` draws {old} by its name, so {new} is no sample line any more: "
                    f"the images that are there stay and are its source; `dvc add data/{new}/raw` "
                    "makes a version of them.")
    told.append(f"Model registry: {model_of(old)} becomes {model_of(new)} with its {count} "
                f"version{'s' if count != 1 else ''}, and the experiment hdm/{old} becomes "
                f"hdm/{new}; aliases, tags, runs and files stay. models:/{model_of(old)}/... is "
                "no address any more." if count else
                f"Model registry: no version of {old}; the experiment hdm/{old} is renamed."
                if there else f"Model registry: it knows nothing of {old}.")
    if line.folder in paths:
        told.append(f"decisions.jsonl keeps what it says of {old}, and gets an entry about this.")
    told.append(f"prefect.yaml is written anew. On a Prefect server say `hdm deployments apply` "
                f"afterwards, and delete the two deployments of {old} that it names; a schedule of "
                "theirs would start runs that fail.")
    told.append(f"Programs that ask hdm serve use /v1/{new}/predict from then on.")
    return told


def carry_out_rename(project: Path, plan: ChangePlan) -> None:
    """Do, or finish, it; each step may be done again. Raises HDMError."""
    old, new = plan.old, plan.new
    plan.move_all(project)
    text = (project / FILE).read_text(encoding="utf-8")
    known = _loaded(project, old) or _loaded(project, new)
    if known is None:
        raise ConfigError(f"{FILE} has neither {old} nor {new} any more; put the entry back, then "
                          "run the same command again.")
    line = Line(new, project, known.entry, known.params)
    _rename_mask(line, old)
    rename_stages(project, old, new, {
        line.settings_file(stage).relative_to(project).as_posix(): (before, now_)
        for stage, before in plan.recorded.items()
        if (now_ := _follow(line, stage, old, plan.region))})
    rename_in_registry(line, old, new)
    before = replace(line, name=old).store_file
    if before.is_file():
        before.replace(line.store_file)
    if known.name == old:
        write_text(project / FILE, renamed_entry(text, old, new))
    if line.folder.is_dir() and not any(e.get("plan") == plan.time for e in noted(line)):
        note(line, "rename", "", plan.why or f"{old} is called {new}", before=old, plan=plan.time)
    prefect_yaml.write(project)


def plan_source(line: Line) -> str:
    """The source as pipelines.yaml has it."""
    return line.entry.source.path


def _loaded(project: Path, name: str) -> Line | None:
    try:
        return Line.load(name, project)
    except ConfigError:
        return None


def _rename_mask(line: Line, old: str) -> None:
    """The region's file names its mask, which has the line's new name by now."""
    region = read_region(line.region_file)
    if region and re.fullmatch(rf"{re.escape(old)}-[0-9a-f]+\.png", region.mask):
        mask = f"{line.name}{region.mask.removeprefix(old)}"
        write_json(line.region_file, region.model_copy(update={"mask": mask}).model_dump(
            mode="json", exclude_defaults=True))


def _follow(line: Line, stage: str, old: str, region: str) -> Content | None:
    """A settings file names the line's file by its new place, as `configure` will; what it holds
    then. That says the same as before, so the stage need not run again."""
    file = line.settings_file(stage)
    if not file.is_file():
        return None
    content, key = read_json(file), NAMING[stage]
    named = content.get(key)
    if named:
        place = named["file"].replace(f"regions/{old}.json", f"regions/{line.name}.json", 1) \
            .replace(f"test_sets/{old}/", f"test_sets/{line.name}/", 1)
        renamed = {**named, "file": place}
        if key == REGION and named["sha256"] == region and (now_ := read_region(line.region_file)):
            renamed["sha256"] = digest(line.region_file, now_)
        if renamed != named:
            write_json(file, {**content, key: renamed})
    return Content(_md5(file), file.stat().st_size)


def _renamed(path: Path, old: str, new: str) -> Path:
    """The same place for the new name: of a folder <old>, or of regions/<old>.json and its mask."""
    return path.with_name(f"{new}{path.name.removeprefix(old)}")


def _relative(line: Line, path: Path) -> str:
    return path.relative_to(line.project).as_posix()


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
