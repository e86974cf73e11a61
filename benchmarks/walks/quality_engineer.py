"""A folder of pictures becomes a line that judges a new picture, in the browser alone."""

from pathlib import Path

from benchmarks.walks.walk import Walk

LINE = "filter_mesh"


def walk_quality_engineer(walk: Walk, source: Path, new: Path) -> None:
    """source: her folder of pictures. new: a picture that the line has never seen."""
    page = walk.page
    with walk.step("`hdm home` opens all lines."):
        walk.go("/")
    with walk.step("She names her folder and looks at what HDM makes of it."):
        page.get_by_role("link", name="Add a line").click()
        page.get_by_label("Folder, or table, of the pictures").fill(str(source))
        page.get_by_label("Name of the line").fill(LINE)
        page.get_by_label("What is inspected").fill("Woven filter mesh, area camera")
        page.get_by_label("Who answers for it").fill("quality@example.com")
        page.get_by_label("How much to train at first").select_option("instant")
        page.get_by_role("button", name="Look at it").click()
        page.locator("pre", has_text="images:").wait_for(timeout=60_000)
    with walk.step("She adds it."):
        page.get_by_role("button", name="Add it").click()
        page.wait_for_url(f"**/{LINE}", timeout=60_000)
    with walk.step("*Retrain*, and what it is at."):
        page.get_by_label("Your name").first.fill("Quality engineer")
        page.get_by_role("button", name="Retrain").click()
        page.locator("#order[data-state=running]").wait_for(timeout=20_000)
        page.wait_for_timeout(15_000)
    with walk.step("It is trained, measured and in service."):
        walk.ended()
        page.get_by_text("serves since").wait_for()
    with walk.step("A picture that the line has never seen: the verdict."):
        page.get_by_role("link", name="Judge a picture").click()
        page.locator("#files").set_input_files(new)
        page.locator("#found article").first.wait_for(timeout=60_000)
    with walk.step("What it got wrong on the test pictures."):
        walk.go(f"/{LINE}/pictures")
