"""Names typed with letters and accents in one or apart, and names with commas in them."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_lists import make

from hashbench import InputError
from hashbench.cli import group
from hashbench.data import dataset_label, dataset_names, open_dataset
from hashbench.data.lists import import_lists, imported_names
from hashbench.evaluation.foreign.names import assign
from hashbench.parsing import parse_names
from hashbench.spelling import typed

ONE, APART = "B\u00fccher", "Bu\u0308cher"
#: A third spelling of a name of two accents: the first letter in one, the second apart.
BOTH_IN_ONE, BOTH_APART, MIXED = "\u00fc\u00e9", "u\u0308e\u0301", "\u00fce\u0301"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(("kept", "said"), [(ONE, APART), (APART, ONE)])
def test_a_path_is_found_however_its_accents_are_typed(here, kept, said):
    (here / kept / "x" / kept).mkdir(parents=True)
    assert typed(f"{said}/x/{said}") == Path(kept, "x", kept)
    assert typed(f"{here}/{said}/x/new{said}") == here / kept / "x" / f"new{said}"
    assert typed(f"{kept}/{said}.csv") == Path(kept, f"{said}.csv")
    assert typed("~/x") == here / "home" / "x"
    assert typed("~nobody-has-this-name/x") == Path("~nobody-has-this-name/x")


def test_what_is_there_as_typed_is_meant_and_a_third_spelling_is_refused(here):
    (here / BOTH_IN_ONE).mkdir()
    (here / BOTH_APART).mkdir()
    if len(os.listdir(here)) < 2:  # noqa: PTH208
        pytest.skip("this file system spells names in one way")
    assert typed(BOTH_IN_ONE) == Path(BOTH_IN_ONE)
    assert typed(BOTH_APART) == Path(BOTH_APART)
    with pytest.raises(InputError, match="twice, with letters and accents in one and apart"):
        typed(MIXED)


def test_a_list_whose_image_is_there_in_two_spellings_is_refused(here):
    make(here / "t")
    for name in (ONE, APART):
        (here / "t" / f"{name}.png").write_bytes((here / "t" / "c0" / "000.png").read_bytes())
    if len(list((here / "t").glob("B*"))) < 2:
        pytest.skip("this file system spells names in one way")
    with (here / "t" / "database.txt").open("a") as stream:
        stream.write(f"{APART}.png 1 0 0\n")
    with pytest.raises(InputError, match="rename one of the two"):
        open_dataset("lists:t").split()


def test_names_of_data_sets_may_have_commas_where_such_a_folder_is_there(here):
    (here / "a").mkdir()
    assert dataset_names("lists:a,b, digits") == ("lists:a", "b", "digits")
    (here / "a,b").mkdir()
    assert dataset_names("digits,lists:a,b,lists:a") == ("digits", "lists:a,b", "lists:a")
    assert dataset_names("b,lists:a") == ("b", "lists:a")
    assert dataset_names(["lists:a", "b"]) == ("lists:a", "b")
    several = tuple(f"lists:{number}{'x' * 90}" for number in range(3))  # no name is as long as all
    assert dataset_names(",".join(several)) == several
    assert dataset_names("lists:a,b", here / "a") == ("lists:a", "b")
    assert parse_names("x,y,z", lambda name: name == "y,z") == ("x", "y,z")


def test_imported_names_and_names_of_arrays_are_taken_in_either_spelling(here):
    make(here / "t")
    import_lists(here / "t", APART, here / "root")
    assert imported_names(here / "root") == [ONE]
    for said in (ONE, APART):
        assert open_dataset(said, here / "root").split().counts["query"] == 10
        assert dataset_label(said) == ONE
        with pytest.raises(InputError, match="is there already"):
            import_lists(here / "t", said, here / "root")
        assert assign([APART, "x"], {said: "query_codes"}) == {"query_codes": APART}


def run(*words: object):
    found = CliRunner().invoke(group, list(map(str, words)))
    assert found.exit_code == 0, found.output
    return found.stdout


def test_verbs_take_either_spelling_and_commas(here):
    make(here / f"{APART}, alle")
    make(here / "other")
    asked = ("--backbone", "pixels", "--methods", "lsh", "--workers", 0)
    run("run", "--datasets", f"lists:{ONE}, alle", *asked, "--bits", 8, "--results", f"r{APART}")
    sweep = here / "sweep.toml"
    sweep.write_text(
        f'datasets = ["lists:{ONE}, alle", "lists:other"]\nmethods = "lsh"\nbits = 16\n'
        f'backbone = "pixels"\nworkers = 0\nresults = "r{ONE}"\n'
    )
    run("run", sweep)
    assert [path.name for path in here.glob("r*")] == [f"r{APART}"]
    label = dataset_label(f"lists:{APART}, alle")
    assert label == f"lists:{ONE}, alle"  # on whatever disk it lies
    for said in (ONE, APART):
        out = run(
            "export", "--format", "csv", "--results", f"r{said}", "--datasets",
            f"lists:{said}, alle,lists:other",
        )  # fmt: skip
        cells = {(row["dataset"], row["bits"]) for row in csv.DictReader(io.StringIO(out))}
        assert cells == {(label, "8"), (label, "16"), ("lists:other", "16")}
