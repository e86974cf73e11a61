"""An alarm; a look; two corrections; a retraining; a rollback."""

from pathlib import Path

from benchmarks.walks.quality_engineer import LINE
from benchmarks.walks.walk import Walk


def walk_operator(walk: Walk, shift: Path) -> None:
    """shift: a folder with the pictures of a shift whose lamp fades."""
    page = walk.page
    walk.type("A shift is judged, as a camera's folder is.", "hdm", "predict", LINE, str(shift),
              "--log")
    with walk.step("*Look for drift*: the alarm."):
        walk.go(f"/{LINE}")
        page.get_by_label("Your name").first.fill(walk.who)
        page.get_by_role("button", name="Look for drift").click()
        walk.ended()
    with walk.step("On the page of all lines it comes first."):
        walk.go("/")
    with walk.step("The trends: what has changed, and since when."):
        walk.go(f"/{LINE}/drift")
    with walk.step("What was stopped meanwhile."):
        walk.go(f"/{LINE}/seen?view=stopped")
        page.locator("main img").first.wait_for()
    for number in (1, 2):
        with walk.step(f"Correction {number} of 2: the part is good."):
            walk.go(f"/{LINE}/seen?view=stopped")
            place = page.locator("li", has_text="defect: score").filter(
                has=page.locator("summary", has_text="Say what it is")).first
            place.locator("summary").click()
            place.get_by_label("Your name").fill(walk.who)
            place.get_by_label("How you know").fill("a reflection; looked at by hand")
            place.get_by_role("button", name="Good part").click()
            place.get_by_role("button", name="Good part").wait_for(state="hidden", timeout=60_000)
    with walk.step("*Retrain*: it learns from both."):
        walk.go(f"/{LINE}")
        page.get_by_role("button", name="Retrain").click()
        walk.ended()
    with walk.step("The new version is let in, and looked at."):
        newest = int(page.locator("h2:has-text('Versions') ~ div tbody th").first.inner_text())
        name = f"Let version {newest} serve"
        if page.get_by_text(name).count():
            page.get_by_text(name).click()
            form = page.locator("details", has_text=name).locator("form")
            form.get_by_label("Your name").fill(walk.who)
            form.get_by_label("Why").fill("knows reflections")
            form.locator("button").click()
            walk.ended()
    with walk.step("It was wrong all the same: the version before serves again."):
        page.get_by_text("Roll back to the version before").click()
        form = page.locator("form", has=page.get_by_role("button", name="Roll back"))
        form.get_by_label("Your name").fill(walk.who)
        form.get_by_label("Why").fill("stops too many good parts on the night shift")
        form.get_by_role("button", name="Roll back").click()
        walk.ended()
    walk.type("Who served when, and why.", "hdm", "history", LINE)
