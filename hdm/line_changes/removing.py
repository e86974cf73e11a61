"""A line taken out of the project: its files are put aside, its models stay in the registry.

Nothing that was measured, decided or registered is lost, and no image is deleted.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from hdm.config import STAGES, load_pipelines
from hdm.errors import ConfigError
from hdm.files import write_text
from hdm.line import Line
from hdm.line_changes.belongings import belongings, inside, is_sample, readers_of, shown
from hdm.line_changes.change_plan import ChangePlan, Move
from hdm.orchestration import prefect_yaml
from hdm.orchestration.dvc_lock_stages import remove_stages, stages_text
from hdm.orchestration.entry_text import FILE, without_entry
from hdm.registry.decision_log import note, noted, now, person
from hdm.registry.renamed_line import in_registry, mark_removed, model_of

ARCHIVE, ENTRY, RECORDED = Path("data", ".removed"), "entry.yaml", "dvc.lock.yaml"
MADE_AGAIN = (*STAGES, "config", "page", "reports", ".work")
"""What the pipeline makes of a line, from its images and the registry."""


def plan_removal(line: Line, why: str, *, delete_results: bool) -> ChangePlan:
    """What removing the line means. Raises ConfigError if another line reads its images,
    RegistryError if the registry does not answer."""
    if others := readers_of(line):
        raise ConfigError(f"{', '.join(others)} reads images in data/{line.name}; give it another "
                          f"source in {FILE} first, or rename {line.name} instead.")
    without_entry((line.project / FILE).read_text(encoding="utf-8"), line.name)
    in_registry(line, line.name)
    archive = ARCHIVE / f"{line.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    return ChangePlan(
        action="remove", old=line.name, command=f"hdm lines remove {line.name}", time=now(),
        by=person(), why=why, archive=archive.as_posix(),
        moves=tuple(Move(origin=path.relative_to(line.project).as_posix(),
                         target=(archive / _place(line, path)).as_posix())
                    for path in belongings(line)),
        discarded=MADE_AGAIN if delete_results else ())


def foretold_removal(line: Line, plan: ChangePlan) -> list[str]:
    """What will happen, in sentences."""
    paths, (there, count) = belongings(line), in_registry(line, line.name)
    told = [f"{FILE}: the entry {line.name} is taken out; it is kept in {plan.archive}/{ENTRY}."]
    if paths:
        told.append(f"{shown(line, paths)}: moved to {plan.archive}, with what DVC recorded of it.")
    told.append(f"Its images move along: {line.entry.source.path}."
                if inside(line, line.source) else f"Its images stay where they are: {line.source}.")
    if line.inbox and not inside(line, line.inbox):
        told.append(f"Its inbox stays where it is, and nobody looks into it: {line.inbox}.")
    if plan.discarded and line.folder in paths:
        told.append("Of that, what the pipeline made is deleted (--delete-results): "
                    f"{', '.join(name for name in plan.discarded if (line.folder / name).exists())}"
                    "; images, decisions, logs and quarantine are kept.")
    if is_sample(line):
        told.append(f"{line.name} is taken out of sample_lines.")
    told.append(f"Model registry: {model_of(line.name)} stays with its {count} version"
                f"{'s' if count != 1 else ''}, aliases and runs, and gets the tag hdm.removed; no "
                "line can be given its name while it has that."
                if count else f"Model registry: no version of {line.name}; its runs stay."
                if there else f"Model registry: it knows nothing of {line.name}.")
    told.append("prefect.yaml is written anew. On a Prefect server say `hdm deployments apply` "
                f"afterwards, and delete the two deployments of {line.name} that it names; a "
                "schedule of theirs would start runs that fail.")
    return told


def carry_out_removal(project: Path, plan: ChangePlan) -> None:
    """Do, or finish, it; each step may be done again. Raises HDMError."""
    archive, there = project / plan.archive, plan.old in load_pipelines(project).lines
    if there:
        line = Line.load(plan.old, project)
        mark_removed(line, plan.old, f"{plan.time} by {plan.by}: {plan.why}")
        if line.folder.exists() and not any(e.get("plan") == plan.time for e in noted(line)):
            note(line, "remove", "", plan.why or "the line was removed", plan=plan.time)
    plan.move_all(project)
    if there:
        line.store_file.unlink(missing_ok=True)
        text, entry = without_entry((project / FILE).read_text(encoding="utf-8"), plan.old)
        write_text(archive / ENTRY, f"lines:\n{entry}")
        if recorded := stages_text(project, plan.old):
            write_text(archive / RECORDED, recorded)
        remove_stages(project, plan.old)
    for name in plan.discarded:
        _delete(archive / "data" / name)
    if there:
        write_text(project / FILE, text)
    prefect_yaml.write(project)


def _place(line: Line, path: Path) -> Path:
    """Where it lies in the archive: data, test_sets, feedback, or regions/<file>."""
    return Path("regions", path.name) if path.is_file() else Path(path.parent.name)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
