"""The page in a real Chromium: by mouse, by keyboard, on a phone, without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("uvicorn")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("there is no chromium: apt-get install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def address(indexes: Path) -> Iterator[str]:
    """Where `hashbench serve` answers with indexes."""
    yield from serve(indexes)


def serve(folder: Path) -> Iterator[str]:
    """The address of `hashbench serve`, a process of its own."""
    start = "import sys; from hashbench.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", start, "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        found = re.match(r"(http://127\.0\.0\.1:\d+/)", line)
        assert found, line
        yield found[1]
        process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


def follow(page, link) -> None:
    """Click and wait for where it leads: what is read next is not the page left behind."""
    with page.expect_navigation():
        link.click()


@pytest.fixture
def page(browser, address: str, request: pytest.FixtureRequest) -> Iterator:
    """The page of indexes."""
    yield from watched(browser, address, request)


@pytest.fixture
def cells_page(browser, results: Path, request: pytest.FixtureRequest) -> Iterator:
    """The page of results."""
    for address in serve(results):
        yield from watched(browser, address, request)


def watched(browser, address: str, request: pytest.FixtureRequest) -> Iterator:
    """A page that may reach nothing but the server, and fails the test if it tries or errs."""
    width = getattr(request, "param", 1200)
    context = browser.new_context(viewport={"width": width, "height": 800})
    opened = context.new_page()
    trouble: list[str] = []

    def seen(call) -> None:
        if not call.url.startswith((address, "data:")):
            trouble.append(call.url)

    opened.on("request", seen)

    def said(line) -> None:
        if line.type == "error" and "400 (Bad Request)" not in line.text:  # a refusal, as it should
            trouble.append(line.text)

    opened.on("console", said)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.goto(address)
    yield opened
    folder = os.environ.get("HASHBENCH_SCREENSHOTS")
    if folder:
        name = re.sub(r"\W+", "-", request.node.name)
        opened.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    context.close()
    assert trouble == []


def test_two_methods_stand_side_by_side(page) -> None:
    form = page.locator("main form").nth(1)
    form.locator("select[name=left]").select_option("lsh")
    form.locator("select[name=right]").select_option("itq-cca")
    follow(page, page.get_by_role("button", name="Choose"))
    follow(page, page.get_by_role("link", name="red/02"))
    assert page.get_by_role("heading", level=1).inner_text() == "red/02 <&>.png"
    left, right = page.locator(".sides > section").all()
    assert left.bounding_box()["y"] == right.bounding_box()["y"]
    assert page.locator("h2").all_inner_texts() == ["lsh, 24 bits", "itq-cca, 24 bits"]
    assert "There are no codes of itq-cca at 24 bits." in right.inner_text()
    page.select_option("select[name=bits]", "12")
    follow(page, page.get_by_role("button", name="Look"))
    assert page.locator("h2").all_inner_texts() == ["lsh, 12 bits", "itq-cca, 12 bits"]
    assert "looked up among 45 codes" in page.locator(".sides").inner_text()
    loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
    page.wait_for_load_state("networkidle")
    assert page.locator(".query img, .sides li:first-child img").evaluate_all(loaded)


def test_a_picture_is_dropped_in_and_a_bad_one_refused(page, indexes, tmp_path) -> None:
    photo = indexes.parent / "photos" / "blue" / "03 <&>.png"
    page.set_input_files("input[type=file]", photo)
    page.select_option("main form >> nth=0 >> select[name=bits]", "12")
    follow(page, page.get_by_role("button", name="Search with it"))
    assert page.get_by_role("heading", level=1).inner_text() == "Your picture"
    assert "Distance 0" in page.locator(".sides").inner_text()
    (tmp_path / "evil.png").write_bytes(b"<script>alert(1)</script>")
    page.goto(page.url.replace("/look", "/"))
    page.set_input_files("input[type=file]", tmp_path / "evil.png")
    with page.expect_response("**/look") as answer:
        page.get_by_role("button", name="Search with it").click()
    assert answer.value.status == 400


def test_the_worst_failures_lead_to_their_balls(page) -> None:
    page.goto(page.url + "?left=lsh&bits=12")
    follow(page, page.get_by_role("link", name="Worst failures of lsh"))
    assert "Worst failures of lsh, 12 bits" in page.get_by_role("heading", level=1).inner_text()
    follow(page, page.locator(".tiles a").first)
    assert page.locator(".sides > section").count() == 2


def test_the_keyboard_alone_is_enough(page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the pictures"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.tiles') !== null"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/look?**")
    assert page.locator(".sides > section").count() == 2


@pytest.mark.parametrize("page", [390], indirect=True)
def test_a_phone_shows_everything_in_its_width(page) -> None:
    wide = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(wide)
    follow(page, page.locator(".tiles a").nth(4))
    assert page.evaluate(wide)
    one, two = page.locator(".sides > section").all()
    assert one.bounding_box()["y"] + one.bounding_box()["height"] <= two.bounding_box()["y"]
    small = "parts => parts.filter(part => part.getBoundingClientRect().height < 44).length"
    assert page.locator("button, select, .button, .tiles a").evaluate_all(small) == 0


def test_cells_of_results_are_walked_from_failure_to_ball(cells_page) -> None:
    page = cells_page
    form = page.locator("main form").nth(1)
    form.locator("select[name=left]").select_option("lsh")
    form.locator("select[name=right]").select_option("itq-cca")
    form.locator("select[name=bits]").select_option("24")
    follow(page, page.get_by_role("button", name="Choose"))
    follow(page, page.get_by_role("link", name="Worst failures of lsh"))
    follow(page, page.locator(".tiles li", has_text="empty ball").first)
    left, right = page.locator(".sides > section").all()
    assert "The ball is empty" in left.inner_text()
    assert "There are no codes of itq-cca at 24 bits." in right.inner_text()
    page.select_option("select[name=bits]", "12")
    page.select_option("select[name=left]", "itq-cca")
    follow(page, page.get_by_role("button", name="Look"))
    assert page.locator("h2").all_inner_texts() == ["itq-cca, 12 bits"] * 2
    follow(page, page.locator(".sides a").first)  # a picture of the database, as a query
    assert "looked up among 1,097 codes" in page.locator(".sides").inner_text()
    page.wait_for_load_state("networkidle")
    loaded = "image => image.complete && image.naturalWidth > 0"
    assert page.locator(".query img").evaluate(loaded)
    assert page.locator(".sides img").first.evaluate(
        loaded
    )  # others load when they are scrolled to
