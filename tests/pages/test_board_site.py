"""A site of entries: verified, in one table with a stranger's, to be verified again from it."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from strangers import digits, put, stranger

from hashbench.bundles import entries
from hashbench.bundles.splits import Splits
from hashbench.bundles.verify import Verifier
from hashbench.commands import board, pack
from hashbench.errors import InputError

pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[report]'")

__all__ = ["digits", "put", "stranger"]


def made(folder: Path, out: Path) -> Result:
    """What `hashbench board` does with a folder of entries."""
    arguments = [str(folder), "--out", str(out)]
    return CliRunner().invoke(board.command, arguments, standalone_mode=False)


def test_entries_become_a_site_that_can_be_verified(results, put, tmp_path, data_of) -> None:
    folder, out = tmp_path / "entries", tmp_path / "site"
    given = ["--results", str(results), "--out", str(folder), "--bits", "32", "--author", "<b>Ada"]
    packed = CliRunner().invoke(pack.command, given, catch_exceptions=False)
    assert packed.exit_code == 0, packed.output
    put(folder / "theirs")
    liar = put(folder / "a-liar", method={"name": "liar"}, scores={"house": {"empty@h2": 0.25}})

    found = made(folder, out)
    assert found.return_value == 1, found.output  # one of them is left out
    assert "with 7 entries" in found.output
    page = (out / "index.html").read_text()
    data = data_of(page)
    (bench,) = data["benches"]  # a stranger's entry states no images, and stands with the others
    rows = {row["method"]: row for row in bench["rows"]}
    assert set(rows) == {"steady", "sparse", "lsh", "projections"}
    assert rows["sparse"]["places"]["32"]["scores"]["house"]["map@h"][0] == 0.4
    stated = json.loads((folder / "theirs" / "entry.json").read_text())["scores"]["house"]
    theirs = rows["projections"]["places"]["24"]
    for metric in ("empty@h", "ball@h"):
        told = theirs["scores"]["house"][metric][0]
        assert told == pytest.approx(stated[f"{metric}2"], abs=1e-4)
    entry = data["cells"][theirs["cells"][0]]["entry"]
    assert (entry["author"], entry["images"], entry["claims"]) == ("Ada", False, 2)
    assert [sentence for sentence in data["sources"] if sentence.startswith(f"{liar.name} is left")]
    assert "<b>Ada" not in page

    kept = list(entries(out / "entries"))
    assert len(kept) == 7
    verifier = Verifier(Splits(Path(), [out / "entries"]))
    assert all(not verifier.verify(one).problems for one in kept)
    again = CliRunner().invoke(
        board.command, [str(out / "entries"), "--out", str(tmp_path / "two")]
    )
    assert again.exit_code == 0, again.output


def test_methods_of_two_authors_and_one_name_stand_beside_each_other(
    put, digits, tmp_path, data_of
) -> None:
    folder = tmp_path / "entries"
    put(folder / "ada")
    put(folder / "eve", 1 - digits.bits, entry={"author": "Eve"})  # at the same distances
    put(folder / "dch", digits.bits, entry={"author": "Eve"}, method={"name": "dch"})
    found = made(folder, tmp_path / "site")
    assert "with 3 entries" in found.output
    data = data_of((tmp_path / "site" / "index.html").read_text())
    (bench,) = data["benches"]
    labels = {row["label"]: row["places"]["24"]["cells"] for row in bench["rows"]}
    assert set(labels) == {"projections (Ada)", "projections (Eve)", "dch"}
    for label, (key,) in labels.items():
        assert data["cells"][key]["entry"]["author"] == ("Ada" if "Ada" in label else "Eve")
    assert len(data["methods"]) == 3


def test_a_folder_that_no_site_wrote_is_left_alone(put, tmp_path) -> None:
    put(tmp_path / "entries" / "theirs")
    arguments = [str(tmp_path / "entries"), "--out", str(tmp_path), "--no-gallery"]
    found = CliRunner().invoke(board.command, arguments)
    assert isinstance(found.exception, InputError)
    assert "is not of a site" in str(found.exception)
    assert (tmp_path / "entries" / "theirs" / "entry.json").is_file()
    (tmp_path / "none").mkdir()
    found = CliRunner().invoke(board.command, [str(tmp_path / "none")])
    assert "there is no entry" in str(found.exception)


def test_a_site_is_not_written_over_the_entries_it_is_made_of(put, tmp_path) -> None:
    entries_of = tmp_path / "board"
    put(entries_of / "theirs", method={"kind": "external"})
    assert made(entries_of, tmp_path / "site").return_value == 0
    page = (tmp_path / "site" / "index.html").read_text()
    assert "is external: codes made elsewhere, of whose" in page  # no file is named
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for read, out in (
        (tmp_path / "site", tmp_path / "site"),
        (tmp_path / "site" / "entries", tmp_path / "site"),
        (entries_of, entries_of),
        (tmp_path, tmp_path / "site"),
    ):
        found = made(read, out)
        assert isinstance(found.exception, InputError)
        assert "among the entries" in str(found.exception)
        assert "verifying" not in found.output  # refused before any work
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_a_site_that_cannot_be_written_whole_leaves_the_old_one(
    put, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "board", tmp_path / "site"
    put(folder / "theirs")
    assert made(folder, out).return_value == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hashbench.pages.board.shutil.copyfile", full)
    found = made(folder, out)
    assert "cannot write the site" in str(found.exception)
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert after == before
