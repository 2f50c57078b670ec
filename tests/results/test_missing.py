from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from made_records import TUNED

from hashbench.evidence import Evidence
from hashbench.origin import Origin
from hashbench.parsing import parse_seeds
from hashbench.results import missing
from hashbench.results.collect import collect
from hashbench.results.missing import gap


def words(series, **options) -> list[list[str]]:
    return [shlex.split(line) for line in gap(series, **options).commands]


def option(line: list[str], name: str) -> str:
    return line[line.index(name) + 1]


def test_a_whole_grid_has_no_gap(judge) -> None:
    (series,) = collect([judge.add(m, 16, 0.5) for m in ("dch", "ksh")], judge)
    assert gap(series) is None


def test_the_command_asks_for_exactly_what_is_missing(judge) -> None:
    bench = {
        "dataset": "lists",
        "protocol": "lists",
        "split_seed": 3,
        "backbone": "my net",
        "options": {
            "allow_missing": True,
            "allow_overlap": False,
            "distractors": "/other pictures",
            "mirrored": True,
        },
        "request": {"dataset": "lists:my lists; rm -rf $HOME", "plugins": ["/tmp/my hash.py"]},
    }
    records = [judge.add(m, 16, 0.5, **bench) for m in ("lsh", "itq-cca")]
    records += [judge.add("lsh", 32, 0.5, **bench)]
    (series,) = collect(records, judge)
    (line,) = words(series, results=Path("my results"))
    assert line == [
        "hashbench", "run", "--datasets", "lists:my lists; rm -rf $HOME", "--protocol", "lists",
        "--split-seed", "3", "--backbone", "my net", "--allow-missing", "--distractors",
        "/other pictures", "--mirrored", "--plugin", "/tmp/my hash.py", "--methods", "itq-cca",
        "--bits", "32", "--no-floors", "--results", "my results",
    ]  # fmt: skip
    assert gap(series).sentence.startswith("1 of 4 cells")


def test_trials_of_a_search_are_no_grid_that_run_could_fill(judge) -> None:
    records = [judge.add("ksh", bits, 0.5, options={"held_out": 1}) for bits in (16, 32)]
    records += [judge.add("sdh", 16, 0.5, options={"held_out": 1})]
    assert gap(collect(records, judge)[0]) is None


def test_settings_and_training_mode_come_along(judge, monkeypatch) -> None:
    monkeypatch.setattr(missing, "shipped_params", lambda setting: {"hashnet": {}})
    given = Origin(
        sources=dict.fromkeys(("gamma", "kind", "point", "word"), "command line"),
    )
    params = {"gamma": 5.0, "kind": "10", "point": ".5", "word": "a b"}
    records = [
        judge.add("dch", 16, 0.5, params=params, origins=(given,), mode="full"),
        judge.add("hashnet", 16, 0.5, origins=(TUNED,), mode="full"),
        judge.add("ksh", 32, 0.5, params={"a": 1}, origins=(Origin(base="tuned.toml"),)),
    ]
    (series,) = collect(records, judge)
    lines = {option(line, "--methods"): line for line in words(series)}
    dch = lines["dch"]
    assert option(dch, "--train") == "full"
    assert "--untuned" in dch
    assert [dch[i + 1] for i, word in enumerate(dch) if word == "--set"] == [
        "dch.gamma=5.0", 'dch.kind="10"', 'dch.point=".5"', "dch.word=a b",
    ]  # fmt: skip
    assert "--untuned" not in lines["hashnet"]
    assert option(lines["ksh"], "--params") == "tuned.toml"
    assert option(lines["ksh"], "--bits") == "16"
    assert "--train" not in lines["ksh"]


@pytest.mark.parametrize("absent", [(2,), (1, 2), (0,), (0, 1), (0, 2)])
def test_seeds_that_some_rows_lack_are_asked_for(judge, absent) -> None:
    records = [judge.add("lsh", 16, 0.5, seed) for seed in range(3)]
    records += [judge.add("ksh", 16, 0.5, seed) for seed in range(3) if seed not in absent]
    (series,) = collect(records, judge)
    (line,) = words(series)
    asked = option(line, "--seeds") if "--seeds" in line else "1"
    assert parse_seeds(asked) == absent


def test_older_code_and_earlier_data_cannot_be_run_again(judge) -> None:
    later = {"code": "2", "finished": "2026-02-02T00:00:00+00:00"}
    records = [judge.add("ksh", bits, 0.5) for bits in (16, 32)]
    records += [judge.add("ksh", 16, 0.6, **later)]
    (series,) = collect(records, judge)
    assert len(series.rows) == 2
    (line,) = words(series)
    assert option(line, "--bits") == "32"
    assert gap(series).sentence.startswith("1 of 2 cells")
    records += [judge.add("lsh", 16, 0.5, **later, evidence=Evidence("1" * 64, "2" * 64))]
    both = collect(records, judge, all_versions=True)
    assert [gap(series) for series in both] == [None, None]


def test_a_length_nobody_searched_is_no_gap_of_a_tuned_row(judge, monkeypatch) -> None:
    found = {"64": {"gamma": 20.0}, "16": {}}
    monkeypatch.setattr(missing, "shipped_params", lambda setting: {"hashnet": found})
    records = [judge.add("hashnet", bits, 0.5) for bits in (16, 48, 64)]
    records += [judge.add("hashnet", 64, 0.6, origins=(TUNED,), params={"gamma": 20.0})]
    (series,) = collect(records, judge)
    (line,) = words(series)
    assert option(line, "--bits") == "16"
    assert gap(series).sentence.startswith("1 of 5 cells")


def test_a_length_that_a_file_of_hyper_parameters_lacks_is_no_gap(judge, here) -> None:
    mine = Origin(sources={"gamma": "file"}, base="mine.toml", note="a digest")
    records = [judge.add("dch", 16, 0.5, origins=(mine,))]
    records += [judge.add("ksh", bits, 0.5) for bits in (16, 32, 48)]
    (series,) = collect(records, judge)
    (here / "mine.toml").write_text("[dch.16]\ngamma = 10.0\n[dch.48]\ngamma = 20.0\n")
    (line,) = words(series)
    assert (option(line, "--params"), option(line, "--bits")) == ("mine.toml", "48")
    assert gap(series).sentence.endswith("not been run.")
    (here / "mine.toml").unlink()  # nobody knows here what it says
    (line,) = words(series)
    assert option(line, "--bits") == "32,48"
    assert gap(series).sentence.endswith("not been run. Write where mine.toml lies.")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
