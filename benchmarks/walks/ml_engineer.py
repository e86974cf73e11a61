"""Two presets of a line are compared, and one of them is promoted."""

import json

from benchmarks.walks.quality_engineer import LINE
from benchmarks.walks.walk import Walk

BEFORE = "overrides: {preset: instant}"
AFTER = "overrides: {preset: fast, register: {approval: true}}"


def walk_ml_engineer(walk: Walk) -> None:
    """The line, the last one in pipelines.yaml, was trained at `instant` before."""
    page, settings = walk.page, walk.project / "pipelines.yaml"
    with walk.step("In `pipelines.yaml`, `preset: instant` of the line becomes `preset: fast`, "
                   "with `register: {approval: true}`: the last word is to be hers."):
        before, found, after = settings.read_text(encoding="utf-8").rpartition(BEFORE)
        if not found or f"  {LINE}:" not in before:
            raise RuntimeError(f"{settings} does not end with {LINE} at `instant`")
        settings.write_text(f"{before}{AFTER}{after}", encoding="utf-8")
        walk.go(f"/{LINE}")
    walk.type(f"`hdm run {LINE}`: only what depends on it is done again.", "hdm", "run", LINE)
    newest = json.loads(walk.type("What there is.", "hdm", "history", LINE, "--json"))[0]["version"]
    walk.steps.pop()  # for this program, not for her
    with walk.step("Both side by side: figures, and the pictures on which they disagree."):
        walk.go(f"/{LINE}/compare?first=1&second={newest}")
    with walk.step("She lets the new one serve, with a reason."):
        form = page.locator("form", has=page.get_by_role("button", name="Promote"))
        form.get_by_label("Version that is to serve").select_option(str(newest))
        form.get_by_label("Your name").fill(walk.who)
        form.get_by_label("Why").fill("trained for longer, and it lets nothing escape")
        form.get_by_role("button", name="Promote").click()
        page.wait_for_url(f"**/{LINE}")
        walk.ended()
    walk.type("Who served when, and why.", "hdm", "history", LINE)
