"""A new line with the settings of another, and no models: those it trains for itself."""

import os
import shutil
from pathlib import Path

from hdm.config import check_line_name, load_pipelines
from hdm.dataset.images import read_mask
from hdm.dataset.region_file import read_region, write_region
from hdm.errors import ConfigError
from hdm.files import atomic_folder, write_text
from hdm.line import Line
from hdm.line_changes.belongings import check_free, is_sample
from hdm.line_changes.change_plan import ChangePlan
from hdm.orchestration import prefect_yaml
from hdm.orchestration.entry_text import FILE, copied_entry
from hdm.registry.decision_log import now, person
from hdm.registry.renamed_line import removed_since

REGION, TEST_SETS = "region", "test sets"


def plan_clone(line: Line, new: str, source: str, *, region: bool, test_sets: bool) -> ChangePlan:
    """What copying the line means. source: the copy's images, relative to the current folder; ''
    for the same. Raises ConfigError for a bad or taken name, or what does not go together."""
    check_line_name(new)
    check_free(line, new)
    if said := removed_since(line.project, new):
        raise ConfigError(f"the registry keeps the models of a line {new!r} that was removed "
                          f"({said}); choose another name.")
    if source and test_sets:
        raise ConfigError("a frozen test set names images of the source; leave out --test-sets or "
                          "--source.")
    if region and not line.region_file.is_file():
        raise ConfigError(f"{line.name} has no region to copy; leave out --region.")
    values = {}
    if source:
        path = Path.cwd() / source
        if not path.exists():
            raise ConfigError(f"expected a folder or table of images at {path}, found nothing.")
        values["source"] = source if Path(source).is_absolute() else \
            Path(os.path.relpath(path, line.project)).as_posix()
    if line.entry.inbox:
        values["inbox"] = ""
    if line.entry.test_set and not test_sets:
        values["test_set"] = ""
    copied_entry((line.project / FILE).read_text(encoding="utf-8"), line.name, new, values)
    copied = ((REGION,) if region else ()) + ((TEST_SETS,) if test_sets else ())
    return ChangePlan(action="clone", old=line.name, new=new, time=now(), by=person(),
                      command=f"hdm lines clone {line.name} {new}", values=values, copied=copied)


def foretold_clone(line: Line, plan: ChangePlan) -> list[str]:
    """What will happen, in sentences."""
    told = [f"{FILE}: an entry {plan.new} behind {plan.old}, with the same settings and schedule."]
    source = plan.values.get("source", line.entry.source.path)
    told.append(f"Its images are those in {source}" + (
        "." if "source" in plan.values else f", as {plan.old}'s; --source names others."))
    if "inbox" in plan.values:
        told.append("It has no inbox: one folder cannot be two lines'.")
    told.append(f"Of its own it gets {plan.old}'s {' and '.join(plan.copied)}; commit that."
                if plan.copied else "It has no region and no frozen test set (--region, "
                "--test-sets).")
    if is_sample(line):
        told.append(f"{plan.new} is no sample line: `hdm samples` draws {plan.old} alone.")
    told.append(f"It has no models, logs, feedback or decisions: `hdm run {plan.new}` trains it.")
    told.append("prefect.yaml is written anew; on a Prefect server say `hdm deployments apply`.")
    return told


def carry_out_clone(project: Path, plan: ChangePlan) -> None:
    """Do, or finish, it; each step may be done again. Raises HDMError."""
    line = Line.load(plan.old, project)
    new = Line(plan.new, project, line.entry, line.params)
    if TEST_SETS in plan.copied and line.frozen_folder.is_dir():
        with atomic_folder(new.frozen_folder) as folder:
            shutil.copytree(line.frozen_folder, folder, dirs_exist_ok=True)
    region = read_region(line.region_file) if REGION in plan.copied else None
    if region:
        mask = read_mask(line.region_file.with_name(region.mask)) if region.mask else None
        write_region(new.region_file, region, mask)
    if plan.new not in load_pipelines(project).lines:
        text = (project / FILE).read_text(encoding="utf-8")
        write_text(project / FILE, copied_entry(text, plan.old, plan.new, plan.values))
    prefect_yaml.write(project)
