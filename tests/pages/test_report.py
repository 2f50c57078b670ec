"""The page as a file: complete, small, its texts escaped, and the rules it is held by."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashbench.commands import report
from hashbench.errors import InputError

pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[report]'")


@pytest.fixture(scope="module")
def text(page_file: Path) -> str:
    return page_file.read_text()


@pytest.fixture(scope="module")
def data(text: str, data_of) -> dict:
    return data_of(text)


def test_the_numbers_are_those_of_the_codes(data) -> None:
    (bench,) = data["benches"]
    rows = {row["method"]: row for row in bench["rows"]}
    places = rows["sparse"]["places"]["32"]["scores"]
    # Two of five queries find their whole class and nothing else, three find nothing.
    assert places["house"]["map@h"] == [0.4, 0.0, {"0": 0.4, "1": 0.4}]
    assert places["house"]["empty@h"][0] == 0.6
    assert places["house(empty=drop,nohit=drop)"]["map@h"][0] == 1.0
    assert rows["steady"]["places"]["32"]["scores"]["house"]["empty@h"][0] == 0.0
    assert bench["ceiling"] == 0.6543
    assert rows["lsh"]["block"] == "floor"
    shares = [rows[name]["places"]["32"]["first"]["house"] for name in ("steady", "sparse")]
    assert shares == [1.0, 0.0]  # .8 against .4 in every draw
    marked = {name: row["places"]["32"]["marked"] for name, row in rows.items()}
    assert marked == {"steady": ["house"], "sparse": [], "lsh": []}
    told = {name for name, sentence in bench["dagger"].items() if "significantly" in sentence}
    assert told == {"house"}
    assert rows["lsh"]["places"]["32"]["first"] == {}
    assert rows["steady"]["places"]["32"]["history"]["loss"] == [[1, 2, 3], [1, 0.5, 0.3333]]


def test_the_gallery_is_of_the_digits_and_of_the_worst(data) -> None:
    (gallery,) = data["gallery"]
    assert sum(query["random"] for query in gallery["queries"]) == 8
    rows = {row["method"]: str(place) for place, row in enumerate(data["benches"][0]["rows"])}
    worst = [query for query in gallery["queries"] if not query["random"]]
    for query in worst:
        assert set(map(str, query["worst_of"])) <= {rows["steady"], rows["sparse"]} != set()
    assert all(query["worst_of"] for query in worst)
    for query in gallery["queries"]:
        for _, distance, hit, labels in query["found"][rows["sparse"]]:
            assert hit == (labels == query["labels"])
            assert distance == 0 or distance > 2
    assert all(uri.startswith("data:image/") for uri in data["thumbnails"])


def test_texts_of_records_are_escaped_and_nothing_else_may_run(text) -> None:
    assert "<script>window.pwned" not in text
    assert "<img src=x" not in text
    kinds = re.findall(r"<script([^>]*)>", text)
    assert kinds.count("") == 2
    assert len(kinds) == 3  # the data, the library, the page's own
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    allowed = re.findall(r"sha256-([^&']*)", policy)
    runs = [
        body for tag, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.S) if not tag
    ]
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in runs]
    assert allowed == digests
    assert "default-src &#39;none&#39;" in policy
    assert not re.findall(r"<(?:link|img|script)[^>]*(?:src|href)=\"(?!data:)", text)


def test_a_page_of_terms_that_forbid_it_has_no_thumbnails(
    results, tmp_path, monkeypatch, data_of
) -> None:
    from hashbench.data.digits import Digits

    monkeypatch.setattr(Digits, "shareable", False)
    out = tmp_path / "page.html"
    for extra, there in (([], False), (["--gallery"], True), (["--no-gallery"], False)):
        found = CliRunner().invoke(report.command, [str(results), "--out", str(out), *extra])
        assert found.exit_code == 0, found.output
        assert bool(data_of(out.read_text())["thumbnails"]) == there


def test_what_cannot_be_written_is_said(results, tmp_path) -> None:
    (tmp_path / "no").touch()
    for arguments, words in (
        ([str(tmp_path)], "no results in"),
        ([str(results), "--convention", "hause"], "hause"),
        ([str(results), "--out", str(tmp_path / "no" / "page.html")], "cannot write"),
    ):
        found = CliRunner().invoke(report.command, arguments)
        assert isinstance(found.exception, InputError)
        assert words in str(found.exception)
