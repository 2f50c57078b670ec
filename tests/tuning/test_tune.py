"""Tuning sees the training set alone, goes on where it stopped, and finds what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench import registry
from hashbench.commands import tune as verb
from hashbench.data.split import Split
from hashbench.errors import InputError
from hashbench.evaluation import HOUSE, score
from hashbench.items import Items, TrainItems, ids_of, rows_of, source_of, train_from_features
from hashbench.params import read_params
from hashbench.runner import benches
from hashbench.runner.plan import Request, plan
from hashbench.seeds import derive
from hashbench.tuning.space import Range
from hashbench.tuning.study import Goal, evaluate, tune
from hashbench.tuning.validation import carve

PEAK = """
import numpy as np
import hashbench

class Peak(hashbench.Hasher):
    "Good where `x` is near 0.7: noise grows with the distance from there."
    name = "peak"
    summary = "A method with one good hyper-parameter."
    citation = "these tests"
    space = {"x": (0.0, 1.0)}

    def __init__(self, bits=12, seed=0, x=0.0):
        self.bits, self.seed, self.x = bits, seed, x

    def fit(self, train):
        if self.x > 0.95:
            raise RuntimeError("diverged")
        assert not hasattr(self, "fitted_on_")
        self.fitted_on_ = train.tokens
        return self

    def encode(self, items):
        assert not hasattr(items, "labels")
        assert not set(items.tokens) & set(self.fitted_on_)
        classes = items.features()[:, 0].astype(int)
        rng = np.random.default_rng(self.seed)
        codes = np.sign(rng.standard_normal((4, self.bits)))[classes]
        noise = rng.standard_normal(codes.shape) * abs(self.x - 0.7) * 3
        return hashbench.Codes.from_real(codes + noise)
"""


def _train(n: int = 100) -> TrainItems:
    classes = np.arange(n) % 4
    return train_from_features(
        np.column_stack([classes, np.arange(n)]), np.eye(4, dtype=np.uint8)[classes]
    )


@pytest.fixture
def peak(tmp_path: Path) -> Path:
    path = tmp_path / "peak.py"
    path.write_text(PEAK)
    registry.registry.cache_clear()
    assert registry.methods().add_file(path) == ["peak"]
    yield path
    registry.registry.cache_clear()


def _goal(**changes) -> Goal:
    asks = plan(Request(methods=("peak",), bits=(12,), datasets=("digits",)), Path("data"))
    cells = [ask.cell for ask in asks]
    return replace(Goal(cells, {"x": Range(0.0, 1.0)}), **changes)


# --- the validation split


@pytest.mark.parametrize("n", [50, 101, 333])
def test_the_parts_are_disjoint_stratified_and_the_training_set(n: int) -> None:
    parts = carve(_train(n), 3)
    rows = [rows_of(part) for part in (parts.train, parts.first, parts.second)]
    assert sorted(np.concatenate(rows)) == list(range(n))
    assert abs(len(parts.first) - n / 5) < 1
    assert abs(len(parts.second) - n / 5) < 1
    for part, share in ((parts.train, 0.6), (parts.first, 0.2), (parts.second, 0.2)):
        counts = part.labels.sum(axis=0)
        np.testing.assert_allclose(
            counts, share * _train(n).labels.sum(axis=0), atol=2 if part is parts.train else 1
        )


def test_the_carving_depends_on_its_seed_alone() -> None:
    one, same, other = (carve(_train(), seed) for seed in (0, 0, 1))
    assert ids_of(one.first) == ids_of(same.first) != ids_of(other.first)


def test_several_labels_keep_their_shares() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((1000, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]).astype(np.uint8)
    parts = carve(train_from_features(rng.random((1000, 2)), labels), 0)
    np.testing.assert_allclose(parts.first.labels.mean(0), labels.mean(0), atol=0.02)


def test_too_small_a_training_set_is_one_sentence() -> None:
    with pytest.raises(InputError, match="49 items are too few"):
        carve(_train(49), 0)


# --- the study


def test_each_held_out_part_searches_in_the_other(peak) -> None:
    goal, parts = _goal(), carve(_train(), 0)
    cell = goal.cells[0]
    hasher = (
        registry.methods()
        .get("peak")(bits=12, seed=derive(cell.seed, "method"), x=0.5)
        .fit(parts.train)
    )
    first, second = (hasher.encode(part.without_labels()) for part in (parts.first, parts.second))
    one, two = parts.first.labels, parts.second.labels
    wanted = [
        score(first, second, one, two, [HOUSE])[0]["map@h2"],
        score(second, first, two, one, [HOUSE])[0]["map@h2"],
    ]
    assert evaluate(goal, parts, {"x": 0.5}) == pytest.approx(np.mean(wanted))


def test_it_finds_the_good_value_and_beats_the_defaults(peak, tmp_path) -> None:
    best = tune(_goal(), _train(), 20, tmp_path / "tuning")
    assert abs(best.params["x"] - 0.7) < 0.15
    assert best.value > best.default + 0.2
    assert best.trials == 20


def test_an_interrupted_study_ends_as_an_uninterrupted_one(peak, tmp_path) -> None:
    class StopError(Exception): ...

    def stop(done, value, best):
        if done == 4:
            raise StopError

    whole = tune(_goal(), _train(), 9, tmp_path / "whole")
    with pytest.raises(StopError):
        tune(_goal(), _train(), 9, tmp_path / "parts", stop)
    seen: list[int] = []
    rest = tune(_goal(), _train(), 9, tmp_path / "parts", lambda done, *_: seen.append(done))
    assert seen == [5, 6, 7, 8, 9]
    assert replace(rest, journal=whole.journal) == whole
    more = tune(_goal(), _train(), 9, tmp_path / "parts", lambda *_: pytest.fail("ran again"))
    assert more == rest


def test_another_goal_is_another_study(peak) -> None:
    keys = {
        _goal().key,
        _goal(metric="p@h2").key,
        _goal(convention="deephash").key,
        _goal(space={"x": Range(0.0, 0.5)}).key,
        _goal(cells=[replace(cell, bits=16) for cell in _goal().cells]).key,
    }
    assert len(keys) == 5


def test_a_trial_that_fails_costs_that_trial_alone(peak, tmp_path) -> None:
    goal = _goal(space={"x": Range(0.9, 1.0)})
    values: list[float | None] = []
    best = tune(goal, _train(), 8, tmp_path, lambda done, value, _: values.append(value))
    assert best.failed == values.count(None) > 0
    assert best.trials == 8


def test_defaults_stay_where_no_trial_is_better(peak, tmp_path) -> None:
    goal = _goal(
        cells=[replace(cell, params={"x": 0.7}) for cell in _goal().cells],
        space={"x": Range(0.0, 0.3)},
    )
    best = tune(goal, _train(), 5, tmp_path)
    assert best.params == {}
    assert best.value == best.default


def test_when_every_trial_fails_the_reason_is_given(peak, tmp_path) -> None:
    with pytest.raises(InputError, match=r"no trial succeeded .*diverged.*--space"):
        tune(_goal(space={"x": Range(0.96, 1.0)}), _train(), 3, tmp_path)


def test_a_metric_that_does_not_exist_is_named_before_any_trial(peak, tmp_path) -> None:
    with pytest.raises(InputError, match="did you mean map@h2"):
        tune(_goal(metric="mpa@h2"), _train(), 3, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(peak, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot keep trials in"):
        tune(_goal(), _train(), 3, tmp_path / "file" / "tuning")


def test_without_optuna_it_says_how_to_get_it(peak, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install '\.\[tune\]'"):
        tune(_goal(), _train(), 3, tmp_path)


# --- the verb


class _Poison:
    """The images of a data set, of which only the training set may be looked at."""

    def __init__(self, inner, allowed: set[int]) -> None:
        self.inner, self.allowed = inner, allowed
        self.ids, self.fingerprint = inner.ids, inner.fingerprint

    def __len__(self) -> int:
        return len(self.inner)

    def read(self, row: int):
        assert row in self.allowed, "an image outside the training set was read"
        return self.inner.read(row)


def _poisoned(split: Split, features: np.ndarray, seed: int) -> Split:
    """The same training set; random query and database labels, unusable images and features."""
    rng = np.random.default_rng(seed)
    table = np.full_like(features, np.nan)
    table[rows_of(split.train)] = features[rows_of(split.train)]
    source = _Poison(source_of(split.train), set(rows_of(split.train).tolist()))

    def bound(items: Items) -> Items:
        return replace(items, _source=source, _table=lambda: table)

    def shuffled(labels: np.ndarray) -> np.ndarray:
        return rng.permuted(labels, axis=1)

    return replace(
        split,
        train=bound(split.train),
        query=bound(split.query),
        database=bound(split.database),
        query_labels=shuffled(split.query_labels),
        database_labels=shuffled(split.database_labels),
    )


def _invoke(*args: str):
    registry.registry.cache_clear()
    return CliRunner().invoke(verb.command, list(args), standalone_mode=False)


ITQ = ("--method", "itq-cca", "--space", "ridge=0.01:100:log", "--trials", "3", "--bits", "16,24")


def test_query_and_database_change_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    honest = benches.bound_split
    results = []
    for poison in (None, 1, 2):

        def bound(cell, root, progress=None, poison=poison):
            split = honest(cell, root, progress)
            if poison is None:
                return split
            return _poisoned(split, np.array(split.train._table()), poison)

        monkeypatch.setattr(benches, "bound_split", bound)
        done = _invoke(*ITQ, "--json", "--results", f"store{poison}")
        assert done.exception is None, done.exception
        body = json.loads(done.output)
        results.append((body["params"], body["value"], body["default"]))
    assert results[0] == results[1] == results[2]


def test_the_verb_writes_what_run_reads(tmp_path, monkeypatch, peak) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    args = (*ITQ, "--set", "iterations=5", "--out", "mine.toml", "--datasets", "digits")
    done = _invoke(*args)
    assert done.exception is None, done.exception
    assert "[3/3] map@h2" in done.output
    assert "Next: hashbench run --methods itq-cca --params mine.toml" in done.output
    params = read_params(Path("mine.toml"))["itq-cca"]
    assert "iterations" not in params
    if params:  # empty where the defaults are best
        assert 0.01 <= params["ridge"] <= 100
    again = _invoke(*args)
    assert "[" not in again.output.split("\n\n")[0]  # nothing was left to do
    assert "3 trials" in Path("mine.toml").read_text()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--method", "dhc"), "unknown method 'dhc'"),
        (("--method", "itq-cca", "--space", "rigde=1:2"), "did you mean ridge"),
        (("--method", "itq-cca", "--space", "ridge=1:2", "--datasets", "a,b"), "one data set"),
        (("--method", "itq-cca", "--space", "ridge=1:2", "--set", "lsh.x=1"), "method in --set"),
        (("--method", "itq-cca", "--space", "ridge=1:2", "--convention", "huose"), "house"),
        (("--method", "itq-cca", "--space", "ridge=1:2", "--plugin", "no.py"), "no plugin file"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, args, says) -> None:
    monkeypatch.chdir(tmp_path)
    done = _invoke(*args)
    assert isinstance(done.exception, InputError), done.exception
    assert says in str(done.exception)
