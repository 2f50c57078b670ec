from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
QUICK = ("--set", "epochs=5", "--workers", "0")


def test_default_run_takes_digits_and_says_how_to_get_the_others(hashbench) -> None:
    done = hashbench("run", "--methods", "dch,itq-cca", "--bits", "16,32", *QUICK)
    assert done.code == 0, done.err
    assert "Taking digits" in done.out
    assert "hashbench datasets" in done.out
    assert "mAP@H<=2" in done.out
    assert "empty balls" in done.out
    assert "hashbench-results" in done.out
    assert "Next: hashbench export" in done.out
    rows = re.findall(r"^(dch|itq-cca)(?: \[.*\])? +0\.\d{3}", done.out, flags=re.MULTILINE)
    assert sorted(rows) == ["dch", "itq-cca"]


def test_a_second_run_computes_nothing_and_shows_the_same_table(hashbench) -> None:
    args = ("run", "--no-floors", "--methods", "itq-cca", "--bits", "16,32")
    hashbench(*args)
    before = {path: path.stat().st_mtime_ns for path in Path("hashbench-results").rglob("*.npz")}
    again = hashbench(*args)
    assert "already" in again.out
    after = {path: path.stat().st_mtime_ns for path in Path("hashbench-results").rglob("*.npz")}
    assert before == after
    assert len(before) == 7  # codes and scores under two conventions of two cells, one split


def test_floors_are_in_a_table_of_methods_unless_told_not_to(hashbench) -> None:
    def methods(*args: str) -> list[str]:
        done = hashbench("run", "--bits", "16", "--workers", "0", "--json", *args)
        assert done.code == 0, done.err
        return sorted(record["cell"]["method"] for record in json.loads(done.out)["records"])

    every = ["class-codes", "itq-cca", "lsh", "sign"]
    assert methods("--methods", "itq-cca") == every
    assert methods("--methods", "sign,itq-cca") == every
    assert methods("--methods", "itq-cca", "--no-floors") == ["itq-cca"]
    assert methods("--methods", "lsh") == ["lsh"]
    Path("sweep.toml").write_text('methods = ["itq-cca"]\nfloors = false\n')
    assert methods("sweep.toml") == ["itq-cca"]
    table = hashbench("run", "--bits", "16", "--methods", "itq-cca").out
    assert re.search(r"^class-codes +\(floor\) +0\.\d{3}", table, flags=re.MULTILINE)
    assert "un-hashed pixels features has a full mAP of 0." in " ".join(table.split())


def test_order_of_arguments_does_not_change_the_cells(hashbench) -> None:
    first = hashbench("run", "--no-floors", "--methods", "itq-cca,lsh", "--bits", "32,16", "--json")
    second = hashbench(
        "run", "--no-floors", "--methods", "lsh,itq-cca", "--bits", "16,32", "--json"
    )
    keys = [{r["key"] for r in json.loads(done.out)["records"]} for done in (first, second)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 4


def test_json_is_json_and_nothing_else(hashbench) -> None:
    done = hashbench("run", "--methods", "itq-cca", "--bits", "16", "--json")
    record = json.loads(done.out)["records"][0]
    assert record["status"] == "ok"
    assert 0 < record["scores"]["house"]["map@h2"] <= 1
    assert record["cell"]["mode"] == "none"
    assert len(record["evidence"]["split"]) == 64


def test_export_csv_is_tidy(hashbench) -> None:
    hashbench("run", "--no-floors", "--methods", "itq-cca", "--bits", "16", "--seeds", "0-1")
    done = hashbench("export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    metrics = {row["metric"] for row in rows if row["convention"] == "house"}
    assert {"map@h2", "p@h2", "r@h2"} <= metrics
    assert {row["seed"] for row in rows} == {"0", "1"}
    assert all(row["method"] == "itq-cca" and row["dataset"] == "digits" for row in rows)


def test_export_to_what_is_no_folder_is_one_sentence(hashbench) -> None:
    hashbench("run", "--methods", "itq-cca", "--bits", "16")
    Path("nowhere").write_text("")
    done = hashbench("export", "--format", "latex", "--out", "nowhere/table.tex")
    assert done.code == 2
    assert "nowhere/table.tex" in done.err
    assert "Traceback" not in done.err


def test_the_readmes_method_runs(hashbench) -> None:
    block = next(
        code
        for code in re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
        if "my_hash.py" in code
    )
    assert block.count("\n") < 40
    Path("my_hash.py").write_text(block)
    done = hashbench(
        "run", "--methods", "random-targets", "--plugin", "my_hash.py", "--bits", "16", "--json"
    )
    assert done.code == 0, done.err
    record = json.loads(done.out)["records"][0]
    assert record["scores"]["house"]["map@h2"] > 0.3  # ten balanced classes: chance is 0.1
    checked = hashbench("check", "my_hash.py")
    assert checked.code == 0, checked.out


def test_an_edited_plugin_makes_a_new_cell(hashbench) -> None:
    text = "from hashbench.baselines.lsh import LSH\nclass Mine(LSH):\n    name = 'mine'\n"
    keys = []
    for edit in ("", "", "# edited\n"):
        path = Path(f"mine{len(keys)}.py")
        path.write_text(text + edit)
        args = ("--methods", "mine", "--plugin", str(path), "--bits", "8", "--json")
        keys.append(json.loads(hashbench("run", *args).out)["records"][0]["key"])
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("run", "--methods", "dhc"), ["unknown method 'dhc'", "did you mean", "dch"]),
        (("run", "--datasets", "cifr10"), ["unknown data set", "cifar10"]),
        (("run", "--bits", "16,x"), ["'x' in --bits", "whole number"]),
        (("run", "--bits", "0"), ["'0' in --bits", "out of range"]),
        (("run", "--bits", ""), ["--bits is empty"]),
        (("run", "--set", "dch.gama=3"), ["hyper-parameter of dch", "gamma"]),
        (("run", "--set", "dch.gamma=wide"), ["dch.gamma", "'wide'", "number"]),
        (("run", "--set", "gamma"), ["METHOD.NAME=VALUE"]),
        (("run", "--convention", "hous"), ["convention", "house"]),
        (("run", "--protocol", "cifar"), ["protocol of digits"]),
        (("run", "--backbone", "efficientnet_lite"), ["backbone", "efficientnet_lite0"]),
        (("run", "--methdos", "dch"), ["--methdos", "--methods"]),
        (("run", "--datasets", "cifar10"), ["cifar10"]),
        (("run", "--plugin", "none.py"), ["none.py"]),
        (("rnu",), ["unknown command 'rnu'", "run"]),
        (("export", "--format", "csv"), ["no results in hashbench-results", "hashbench run"]),
        (("export", "--format", "pdf"), ["pdf", "csv"]),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(hashbench, args, parts) -> None:
    done = hashbench(*args)
    assert done.code == 2, done.out
    assert done.err.count("\n") == 1, done.err
    for part in parts:
        assert part in done.err


def test_a_broken_plugin_is_listed_and_stops_nothing(hashbench) -> None:
    Path("broken.py").write_text("raise RuntimeError('half written')\n")
    Path("thief.py").write_text(
        "from hashbench.baselines.lsh import LSH\nclass Thief(LSH):\n    name = 'dch'\n"
    )
    done = hashbench("methods", "--plugin", "broken.py", "--plugin", "thief.py")
    assert done.code == 0
    assert "half written" in done.out
    assert "belongs to hashbench" in done.out
    assert re.search(r"^dch +deep", done.out, flags=re.MULTILINE)


def test_a_method_that_fails_leaves_a_footnote_and_the_others_finish(hashbench) -> None:
    Path("bad.py").write_text(
        "from hashbench.baselines.lsh import LSH\n"
        "class Bad(LSH):\n"
        "    name = 'bad'\n"
        "    def fit(self, train, y=None):\n"
        "        raise RuntimeError('no luck today')\n"
    )
    done = hashbench("run", "--methods", "bad,itq-cca", "--plugin", "bad.py", "--bits", "16")
    assert done.code == 1, done.err  # not every cell that was asked for has scores
    assert "no luck today" in done.out
    assert re.search(r"^bad.* -", done.out, flags=re.MULTILINE)
    assert re.search(r"^itq-cca +0\.\d{3}", done.out, flags=re.MULTILINE)


@pytest.mark.parametrize("verb", ["run", "export", "methods", "datasets"])
def test_help_has_examples(hashbench, verb) -> None:
    done = hashbench(verb, "--help")
    assert done.code == 0
    assert "Examples:" in done.out
    assert f"hashbench {verb}" in done.out


def test_a_run_ends_with_what_it_left_and_what_lies_beside_it(hashbench) -> None:
    run = ("run", "--no-floors", "--bits", "8", "--workers", "0", "--methods")
    assert "\n1 record of this run in hashbench-results\n" in hashbench(*run, "lsh").out
    done = hashbench(*run, "lsh,sign")
    assert "\n2 records of this run in hashbench-results\nNext: " in done.out
    Path("odd.py").write_text(
        "from hashbench.baselines.lsh import LSH\nclass Odd(LSH):\n    name = 'odd'\n"
        "    def fit(self, train, y=None): raise ValueError('no')\n"
    )
    done = hashbench(*run, "odd", "--plugin", "odd.py")
    assert done.code == 1
    assert done.out.endswith(
        "\n1 record of this run in hashbench-results, 1 of them of cells that failed; "
        "2 of other cells beside them\n"  # and nothing to be exported
    )


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--methods", "dch,lsh", "--datasets", "cifar10"),
        ("run", "--methods", "dch,lsh", "--datasets", "cifar10", "--dry-run"),
        ("run", "sweep.toml"),
        ("tune", "--method", "sdh", "--datasets", "cifar10"),
        ("tune", "--method", "sdh", "--datasets", "digits", "--out", "file/tuned.toml"),
        ("report", "--out", "file/page.html"),
        ("export", "--format", "csv", "--out", "file/table.csv"),
    ],
)
def test_what_is_refused_is_refused_before_any_other_word(hashbench, words) -> None:
    Path("sweep.toml").write_text('methods = ["dch", "lsh"]\ndatasets = ["cifar10"]\n')
    Path("file").write_text("")
    done = hashbench(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    assert not Path("hashbench-results", "sweeps").exists()
    assert not Path("hashbench-results", "tuning", "records").exists()
    if "file" in words[-1]:
        assert f"cannot write {words[-1]}: Not a directory; choose another --out" in done.err


@pytest.mark.parametrize(("letters", "deviation"), [("ascii", r"\xb1"), ("latin-1", "±")])
def test_a_terminal_that_lacks_a_letter_ends_no_run(
    hashbench, monkeypatch, letters, deviation
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), letters)
    monkeypatch.setattr(sys, "stdout", stdout)
    words = ("--methods", "itq-cca,sdh", "--bits", "8", "--seeds", "2", "--workers", "0")
    assert hashbench("run", *words, "--no-floors").code == 0
    stdout.flush()
    said = stdout.buffer.getvalue().decode(letters)
    assert f" {deviation}0.0" in said
    assert r"\u2020 significantly better" in said
