"""Two presets of a line are compared, and one of them is promoted."""

from benchmarks.walks.quality_engineer import LINE
from benchmarks.walks.walk import Walk


def walk_ml_engineer(walk: Walk) -> None:
    """The line was trained at `instant` before."""
    settings = walk.project / "pipelines.yaml"
    with walk.step("In `pipelines.yaml`, `preset: instant` of the line becomes `preset: fast`."):
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(
            "overrides: {preset: instant}", "overrides: {preset: fast}", 1)
            if LINE in text else text, encoding="utf-8")
        walk.go(f"/{LINE}/compare")
    walk.type(f"`hdm run {LINE}`: only what depends on it is done again.", "hdm", "run", LINE)
    with walk.step("Both side by side: figures, and the pictures on which they disagree."):
        walk.go(f"/{LINE}/compare?first=1&second=2")
    with walk.step("She lets the second one serve, with a reason, or it does already."):
        page = walk.page
        if page.locator("select[name=version] option", has_text="2").count():
            form = page.locator("form", has=page.get_by_role("button", name="Promote"))
            form.get_by_label("Your name").fill(walk.who)
            form.get_by_label("Why").fill("as good, and trained for longer")
            form.get_by_role("button", name="Promote").click()
            page.wait_for_url(f"**/{LINE}")
            walk.ended()
        else:
            walk.go(f"/{LINE}")
    walk.type("Who served when, and why.", "hdm", "history", LINE)
