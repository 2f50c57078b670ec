"""Tables that fit the terminal, and listings that are made once."""

import json

import pytest
from click.testing import CliRunner

from hashbench.commands import listing
from hashbench.commands.listing import remembered
from hashbench.commands.methods import command as methods
from hashbench.commands.output import echo_table


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


ROWS = [("a", "deep", "one two three four five six seven"), ("long", "x", "eight nine ten")]


def test_the_last_column_is_wrapped_to_the_width(capsys):
    echo_table(ROWS, 34)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "a     deep  one two three four",
        "            five six seven",
        "long  x     eight nine ten",
    ]


@pytest.mark.parametrize("width", [0, 12, 20])
def test_without_room_a_row_is_one_line(capsys, width):
    echo_table(ROWS, width)
    assert capsys.readouterr().out.splitlines() == [
        "a     deep  one two three four five six seven",
        "long  x     eight nine ten",
    ]


def test_a_listing_is_made_once_until_code_changes(cache, monkeypatch):
    made = []

    def describe():
        made.append(1)
        return [{"name": "x", "number": 3}], True

    assert remembered("hashbench.methods", describe) == [{"name": "x", "number": 3}]
    assert remembered("hashbench.methods", describe) == [{"name": "x", "number": 3}]
    assert len(made) == 1
    (kept,) = (cache / "listings").iterdir()
    kept.write_text("[1, 2")
    assert remembered("hashbench.methods", describe) == [{"name": "x", "number": 3}]
    assert len(made) == 2
    monkeypatch.setattr(listing, "_times", lambda *_: ["another time"])
    remembered("hashbench.methods", describe)
    assert len(made) == 3
    assert len(list((cache / "listings").iterdir())) == 1


def test_what_is_broken_today_is_looked_at_again(cache):
    made = []

    def describe():
        made.append(1)
        return [{"name": "x"}], False

    remembered("hashbench.methods", describe)
    remembered("hashbench.methods", describe)
    assert len(made) == 2


def test_what_is_remembered_of_one_part_stays_beside_the_listing_of_all(cache):
    remembered("hashbench.methods", lambda: ([{"name": "all"}], True))
    for found in ({"name": "one"}, {"name": "another"}):
        one = remembered("hashbench.methods", lambda found=found: ([found], True), "part-one")
        assert one == [{"name": "one"}]
    assert len(list((cache / "listings").iterdir())) == 2


def test_a_changed_file_changes_the_stamp(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "sub" / "x.py").write_text("a")
    before = listing._times(tmp_path / "__init__.py", True)
    assert len(before) == 2
    (tmp_path / "sub" / "y.py").write_text("a")
    assert len(listing._times(tmp_path / "__init__.py", True)) == 3
    assert len(listing._times(tmp_path / "__init__.py", False)) == 1


def test_methods_are_the_same_from_the_cache_and_as_json():
    first = CliRunner().invoke(methods, [])
    again = CliRunner().invoke(methods, [])
    assert first.exit_code == 0
    assert again.output == first.output
    assert "dch " in first.output
    body = json.loads(CliRunner().invoke(methods, ["--json"]).output)
    found = {item["name"]: item for item in body["methods"]}
    assert found["dch"]["kind"] == "deep"
    assert "gamma" in found["dch"]["hyperparameters"]
