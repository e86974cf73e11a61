"""Home in a real browser: nothing leaves the machine, every control has a name, it can be used by
keyboard, in light and dark, wide and on a phone."""

import re
import shutil
import threading

import pytest
from test_home_pages import project  # noqa: F401  the same trained plant

from hdm.home.home_app import build_home
from hdm.serving.http_server import http_server
from hdm.serving.listening import listen
from hdm.serving.serving_options import Options

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="axe-playwright-python is not installed")
pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
PAGES = ("/", "/plate", "/plate/pictures", "/plate/compare", "/plate/threshold", "/plate/seen",
         "/plate/inbox", "/plate/region", "/plate/judge", "/-/add", "/-/enter", "/nothing")


@pytest.fixture(scope="module")
def address(project):  # noqa: F811
    listener = listen("127.0.0.1", 0)
    options = Options()
    server = http_server(build_home(project, options), options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_page(chromium, **options):
    """A page, and what went wrong on it and was asked of others than Home."""
    page = chromium.new_context(**options).new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: problems.append(asked.url) if not re.match(
        r"http://127\.0\.0\.1:|data:|blob:", asked.url) else None)
    return page, problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(chromium, address, scheme) -> None:
    page, problems = open_page(chromium, color_scheme=scheme, bypass_csp=True)
    axe = axe_api.Axe()
    for path in PAGES:
        page.goto(address + path)
        found = axe.run(page).response["violations"]
        assert [(path, one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert [one for one in problems if "404" not in one] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen_and_none_breaks_its_policy(chromium, address, width
                                                                     ) -> None:
    page, problems = open_page(chromium, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert [one for one in problems if "404" not in one] == []


def test_the_slider_is_moved_by_keyboard_and_says_what_it_means(chromium, address) -> None:
    page, problems = open_page(chromium)
    page.goto(f"{address}/plate/threshold")
    slider = page.get_by_role("slider")
    slider.focus()
    seen = {}
    for key in ("Home", "End"):
        page.keyboard.press(key)
        escaped = page.locator("#escaped").inner_text()
        assert escaped in slider.get_attribute("aria-valuetext").replace(" defective parts", "")
        seen[key] = (float(page.locator("#threshold").inner_text()), int(escaped.split()[0]))
    assert seen["End"][0] < seen["Home"][0] and seen["End"][1] <= seen["Home"][1]
    assert problems == []


def test_an_order_without_a_reason_is_not_sent_and_a_refusal_is_read_out(chromium, address) -> None:
    page, _ = open_page(chromium)
    page.goto(f"{address}/plate")
    page.get_by_text("Roll back to the version before").click()
    form = page.locator("form", has=page.get_by_role("button", name="Roll back"))
    form.get_by_label("Your name").fill("Ann")
    form.get_by_role("button", name="Roll back").click()
    assert page.evaluate("document.activeElement.name") == "why", "the browser asks for it"
    form.get_by_label("Why").fill("a trial")
    form.get_by_role("button", name="Roll back").click()
    page.get_by_text("Did not get through").wait_for(timeout=60_000)
    page.reload()
    assert page.get_by_label("Your name").first.input_value() == "Ann", "it is remembered"
    assert "no previous version" in page.locator("#order pre").inner_text()
