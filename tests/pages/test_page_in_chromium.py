"""The page in a real Chromium: drawn, sorted, filtered, switched; by keyboard, on a phone."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashbench.commands import report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("there is no chromium: apt-get install chromium", allow_module_level=True)

PARTS = ("leaderboard", "charts", "methods", "gallery", "differs", "provenance")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

#: What a copy puts on the clipboard, which a file's page may not read.
COPIED = """document.execCommand = () => { window.copied = document.activeElement.value; };
Object.defineProperty(navigator, 'clipboard', { value: undefined });"""


@pytest.fixture(scope="module")
def page(page_file: Path) -> Iterator:
    """The page, opened once; what it asks for or complains of fails the module."""
    trouble: list[str] = []
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        context = browser.new_context(viewport=DESK, color_scheme="light", reduced_motion="reduce")
        context.add_init_script(COPIED)
        opened = context.new_page()

        def asked(request) -> None:
            if not request.url.startswith(("file:", "data:", "blob:")):
                trouble.append(request.url)

        opened.on("request", asked)
        opened.on(
            "console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None
        )
        opened.on("pageerror", lambda error: trouble.append(str(error)))
        opened.goto(page_file.as_uri())
        yield opened
        assert opened.evaluate("window.pwned") is None
        browser.close()
    assert trouble == []


@pytest.fixture(autouse=True)
def _fresh(page) -> None:
    """Every test begins at the desk, with the page as it opens."""
    page.set_viewport_size(DESK)
    page.evaluate("location.hash = ''")
    page.reload()


def go(page, part: str) -> None:
    page.locator(f"nav a[href='#{part}']").click()
    page.locator(f"[data-view='{part}']").wait_for()


def methods(page) -> list[str]:
    """The methods of the table from the top, as the table calls them."""
    found = page.locator("#tables tbody th a").all_inner_texts()
    return [name.partition(" ")[0].partition("<")[0] or "evil" for name in found]


def test_every_chart_draws(page) -> None:
    counts = {}
    for part in ("charts", "differs"):
        go(page, part)
        figures = page.locator("figure:visible")
        counts[part] = figures.count()
        for figure in figures.all():
            assert figure.locator(".main-svg").count() >= 1
            drawn = "figure => figure.querySelectorAll('.scatterlayer path').length"
            assert figure.evaluate(drawn) > 0, figure.inner_text()
    # Four metrics, precision-recall and items in the ball; a picture of distances a method.
    assert counts == {"charts": 6 + 2, "differs": 1}
    go(page, "methods")
    page.get_by_role("link", name="Steady").click()
    section = page.locator("[data-method=steady]")
    assert section.locator("figure").count() == 2
    assert "Training: loss" in section.inner_text()
    go(page, "charts")
    page.locator("#chart-rows label", has_text="LSH").click()
    assert page.locator("#distance-grid figure").count() == 3
    page.locator("figure summary").first.click()
    numbers = page.locator("figure table").first.inner_text()
    assert "0.4000" in numbers


def test_hovering_says_the_number(page) -> None:
    go(page, "charts")
    plot = page.locator("#chart-grid .plot").first
    plot.locator(".points path").first.hover(force=True)
    plot.locator(".hoverlayer text").first.wait_for()
    assert "bits" in plot.locator(".hoverlayer").text_content()


def test_a_convention_turns_the_ranking_over(page) -> None:
    assert methods(page) == ["Steady", "evil", "LSH"]
    page.locator("#conventions label", has_text="empty=drop").click()
    assert methods(page) == ["evil", "Steady", "LSH"]
    assert "2 of 2 methods change places" in page.locator("#moved").inner_text()
    first = page.locator("#tables tbody tr").first
    assert first.locator(".rank").inner_text() == "1"
    assert "▲1" in first.locator(".move").inner_text()
    assert first.locator(".num").first.inner_text().startswith("1.000")
    go(page, "differs")
    assert "1 of 1 pairs of methods change their order" in page.locator("#bump").inner_text()
    assert "0.400 becomes 1.000" in page.locator("[data-view=differs] .choices").first.inner_text()


def test_sorting_and_filters(page) -> None:
    head = page.locator("#tables thead th.n", has_text="16 bits")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert methods(page)[-1] == "LSH"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert methods(page)[0] == "LSH"
    form = page.locator("#filters")
    form.locator("[name=tuned]").select_option("tuned")
    assert methods(page) == ["evil"]
    form.locator("[name=tuned]").select_option("")
    form.locator("[name=mode]").select_option("none")
    assert methods(page) == ["LSH"]
    form.locator("[name=mode]").select_option("")
    form.locator("[name=search]").fill("stea")
    assert methods(page) == ["Steady"]
    form.locator("[name=bits]").select_option("16")
    heads = page.locator("#tables thead").inner_text()
    assert "16 bits" in heads
    assert "32 bits" not in heads
    assert "first in draws" in heads
    form.locator("[name=metric]").select_option("map")
    form.locator("[name=search]").fill("")
    assert "0.654" in page.locator("tr.ceiling").inner_text()
    form.locator("[name=search]").fill("nothing is called this")
    assert "No method is left" in page.locator("#tables").inner_text()
    for name in ("dataset", "protocol", "backbone"):
        assert form.locator(f"[name={name}] option").count() == 2


def test_the_tables_are_copied_in_three_formats(page) -> None:
    copied = {}
    for format_ in ("latex", "csv", "markdown"):
        page.locator(f"[data-copy={format_}]").click()
        page.wait_for_function("document.getElementById('said').textContent !== ''")
        copied[format_] = page.evaluate("window.copied")
    assert r"\toprule" in copied["latex"]
    assert r"$<$/script$>$" in copied["latex"]
    assert r"\$x\$" in copied["latex"]
    assert r"\textbf{" in copied["latex"]
    rows = list(csv.DictReader(io.StringIO(copied["csv"])))
    found = {(row["method"][:6], row["bits"]): float(row["mean"]) for row in rows}
    assert found["</scri", "32"] == 0.4
    assert len(rows) == 6
    assert r"\<script\>" in copied["markdown"]
    assert "| <u>0.400</u> ± 0.000" in copied["markdown"]


def test_a_number_says_where_it_is_from_and_the_keyboard_is_enough(page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the numbers"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('num')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    text = dialog.inner_text()
    assert "Steady [defaults], 16 bits, Digits" in text
    assert "hashbench explain" in text
    assert '"rate":0.1' in text
    assert dialog.locator("tbody tr").count() == 2
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_two_methods_are_looked_at_side_by_side(page) -> None:
    go(page, "gallery")
    assert page.locator("#gallery-queries button").count() == 8
    assert page.locator(".tiles").count() == 2
    assert page.locator(".tiles").first.locator("li").count() == 10
    page.locator("#gallery-choice [name=kind]").select_option("worst")
    page.locator("#gallery-choice [name=left]").select_option(index=0)
    loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
    assert page.locator("#gallery-view img").evaluate_all(loaded)


def test_everyone_can_read_it_and_a_phone_shows_it_all(page) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shots = os.environ.get("HASHBENCH_SCREENSHOTS")
    found = []
    for theme in ("light", "dark"):
        if theme == "dark":
            page.locator("#theme").click()
        for part in PARTS:
            go(page, part)
            for size in (DESK, PHONE):
                page.set_viewport_size(size)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part
                if shots:
                    name = f"page-{part}-{size['width']}-{theme}.png"
                    page.screenshot(path=Path(shots) / name, full_page=True)
            page.set_viewport_size(DESK)
            if theme == "dark" and part not in ("leaderboard", "gallery"):
                continue  # the same elements in other colours, which those two have all of
            report = axe.run(page).response
            found += [(theme, part, item["id"], item["impact"]) for item in report["violations"]]
    go(page, "leaderboard")
    page.locator(".num").first.click()
    report = axe.run(page).response
    found += [("dark", "dialog", item["id"], item["impact"]) for item in report["violations"]]
    assert [item for item in found if item[-1] in ("serious", "critical")] == []


def test_a_page_of_the_ranked_list_opens_with_what_its_convention_has(page, results, tmp_path):
    out = tmp_path / "list.html"
    words = [str(results), "--out", str(out), "--no-gallery", "--convention", "dpsh,house"]
    assert CliRunner().invoke(report.command, words, catch_exceptions=False).exit_code == 0
    with page.context.expect_page() as opened:
        page.evaluate("address => window.open(address)", out.as_uri())
    other = opened.value
    assert other.locator("[name=metric] option:checked").inner_text() == "mAP"
    first = other.locator("#tables tbody tr").first
    assert 0 < float(first.locator(".num").first.inner_text().split()[0]) <= 1
    other.locator("#conventions label", has_text="house").click()
    assert "choose another metric" not in other.locator("#moved").inner_text()
    other.close()
