"""What pipelines.yaml may say: the product lines, where their images are, when they retrain."""

from typing import Any, Literal

from pydantic import Field, field_validator

from hdm.model_settings import Positive, Section

Column = Literal["path", "split", "label", "is_good", "is_defect", "defect_type", "mask_path",
                 "group"]
"""What a column of a table may be."""
Role = Literal["good", "defect", "masks", "aside"]
"""What a folder of images may hold."""


class Source(Section):
    """Where a line's images come from."""

    path: str = Field(min_length=1, description="Folder or table; may lie outside the project.")
    format: Literal["auto", "mvtec", "folder", "visa", "btad", "ksdd2", "dagm", "table", "coco",
                    "yolo", "labelme", "lookout"] = Field(
        "auto", description="Layout of the source; auto looks at it.")
    columns: dict[Column, str] = Field({}, description=(
        "Columns of a table whose names do not tell: what it is -> the column's name, or '' if "
        "there is none. If one of label, is_good, is_defect and defect_type is given, no others "
        "are asked which images are good."))
    folders: dict[str, Role] = Field({}, description=(
        "What is in folders of the source whose names do not tell, by their path in it."))
    part_rule: str = Field("", description=(
        "Where names tell which physical part a picture shows: the name without suffix, with "
        "{part} for the part's name, * for any text, ? for one character and / for folders, such "
        "as {part}_cam*. Also read from the names of pictures that are judged."))

    @field_validator("part_rule")
    @classmethod
    def _a_rule_names_the_part(cls, value: str) -> str:
        if value and "{part}" not in value:
            raise ValueError("expected {part} where the part's name stands, such as {part}_cam*")
        return value


class Schedule(Section):
    """When the line is retrained by itself."""

    cron: str = Field(min_length=9, description="Five-field cron expression.")
    timezone: str = Field("UTC", description="IANA name.")
    active: bool = Field(True, description="False keeps the schedule but does not run it.")


class ProductLine(Section):
    """One entry of `lines` in pipelines.yaml."""

    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    source: Source
    schedule: Schedule | None = None
    monitor_schedule: Schedule | None = Field(None, description="When it is looked at for drift.")
    inbox: str = Field("", description="Folder into which new images of the line are dropped.")
    test_set: str = Field("", description=(
        "Frozen test set of test_sets/<line>/; empty: what the source and the split rule make."))
    overrides: dict[str, Any] = Field({}, description="Any key of params.yaml, for this line.")


class Pipelines(Section):
    """pipelines.yaml."""

    sample_lines: tuple[str, ...] = Field((), description="Lines whose images `hdm samples` draws.")
    parallel: Positive = Field(1, description="Lines that `hdm-retrain/all` trains side by side.")
    lines: dict[str, ProductLine]
