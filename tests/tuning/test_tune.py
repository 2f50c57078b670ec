"""The verb: a grid run as any sweep is, from the defaults on, and kept."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashbench import registries
from hashbench.commands import tune as verb
from hashbench.errors import InputError
from hashbench.params import at_length, read_params
from hashbench.runner import run as runner
from hashbench.runner.execute import Limits

PEAK = """
from dataclasses import dataclass
import numpy as np
import hashbench

FAR = hashbench.Metric(
    name="far", title="items that are not at distance 0", better="lower",
    per_query=lambda counts: 1 - counts.total[:, 0] / counts.items,
)

@dataclass(kw_only=True)
class Peak(hashbench.Hasher):
    "Good where `x` is near `best`: noise grows with the distance from there."
    name = "peak"
    summary = "A method with one good hyper-parameter."
    citation = "these tests"
    space = {"x": (0.0, 1.0)}

    bits: int = 12
    seed: int = 0
    x: float = 0.0
    best: float = 0.6
    mode: str = ""

    def fit(self, train):
        self.classes_ = train.labels.shape[1]
        if self.x > 0.9 and self.mode == "raise":
            raise RuntimeError(f"broke at x={self.x}")
        X = train.features()
        self.mean_ = X.mean(0)
        gram = (X - self.mean_).T @ (X - self.mean_) + np.eye(X.shape[1])
        rng = np.random.default_rng(self.seed)
        codes = np.sign(rng.standard_normal((self.classes_, self.bits)))
        self.weights_ = np.linalg.solve(gram, (X - self.mean_).T @ (train.labels @ codes))
        return self

    def encode(self, items):
        out = (items.features() - self.mean_) @ self.weights_
        rng = np.random.default_rng(self.seed)
        out += rng.standard_normal(out.shape) * (0.02 + abs(self.x - self.best))
        if self.x > 0.9 and self.mode == "nan":
            out *= np.nan
        return hashbench.Codes.from_real(out)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    Path("peak.py").write_text(PEAK)


def _invoke(*args: str):
    registries.made.clear()
    return CliRunner().invoke(verb.command, list(args), standalone_mode=False)


COMMON = ("--datasets", "digits", "--workers", "0", "--bits", "12")
HELD_OUT = ("--criterion", "held-out")
ON_PEAK = ("--method", "peak", "--plugin", "peak.py", *COMMON)


def _json(*args: str):
    done = _invoke(*args, "--json")
    assert done.exception is None, done.exception
    return json.loads(done.output)


def test_it_finds_the_good_value_at_each_length_and_run_takes_it() -> None:
    args = (*ON_PEAK[:-1], "8,12", "--space", "x=0:1", "--trials", "6", *HELD_OUT)
    body = _json(*args)
    for one, bits in zip(body["lengths"], (8, 12), strict=True):
        assert one["bits"] == bits
        assert one["params"] == {"x": 0.6}
        assert one["gain"] > one["error"] > 0
        rows = one["trials"]
        assert [row["params"] for row in rows] == [{}, *({"x": x / 5} for x in range(6))]
        assert rows[0]["worth"] == pytest.approx(rows[1]["worth"])  # x=0 is the default
        assert (rows[1]["gain"], rows[1]["error"]) == (0, 0)
    path = Path(body["file"])
    assert at_length(read_params(path)["peak"], 12) == {"x": 0.6}
    assert at_length(read_params(path)["peak"], 16) is None
    text = path.read_text()
    for bits in (8, 12):
        above = text.split(f"\n[peak.{bits}]")[0].splitlines()[-1]
        for said in ("held-out map@h2 (house)", "6 points of x=0:1", "against", "gain +", "±"):
            assert said in above, (said, above)


def test_what_is_done_is_not_trained_again(monkeypatch) -> None:
    """Ctrl-C and start again: the store of trials is that of any run."""
    args = ("--method", "itq-cca", *COMMON, "--space", "scaling=0|2|4")
    honest = runner.run_job
    trained = []

    def counted(job, display, begun):
        outcome = honest(job, display, begun)
        trained.append(outcome.trained)
        return outcome

    class StopError(Exception): ...

    def stopped(job, display, _begun):
        honest(type(job)(job.asks[:2], job.settings, job.limits), display)
        raise StopError

    monkeypatch.setattr("hashbench.tuning.search.run_job", stopped)
    assert isinstance(_invoke(*args).exception, StopError)
    monkeypatch.setattr("hashbench.tuning.search.run_job", counted)
    body = _json(*args)
    assert trained[0] == 2  # the defaults and three points, two of them done before
    del trained[:]
    again = _json(*args)
    assert set(trained) == {0}
    assert again == body
    assert not list(Path("hashbench-results").glob("records/*"))  # in a store of their own


def test_the_table_begins_with_the_defaults_and_says_what_next() -> None:
    args = ("--datasets", "digits", "--workers", "1", "--bits", "12", "--set", "iterations=5")
    args += ("--allow-missing",)
    done = _invoke("--method", "itq-cca", *args, "--out", "mine.toml")
    assert done.exception is None, done.exception
    assert "[1/9] itq-cca 12 bits, defaults: mAP@H<=2" in done.output
    table = done.output.split("itq-cca, 12 bits\n")[1].splitlines()
    assert table[0].startswith("  defaults ")
    assert [("±" in line) for line in table[1:9]] == [True] * 8
    following = done.output.split("Next: hashbench run --methods itq-cca --params mine.toml ")[1]
    words = "--datasets digits --bits 12 --allow-missing --set itq-cca.iterations=5"
    assert following == f"{words}\n"
    assert "iterations" not in at_length(read_params(Path("mine.toml"))["itq-cca"], 12)


@pytest.mark.parametrize("mode", ["nan", "raise"])
def test_a_trial_that_fails_costs_that_trial_alone(mode) -> None:
    args = (*ON_PEAK, "--space", "x=0.5|1", "--set", f"mode={mode}", *HELD_OUT)
    (one,) = _json(*args)["lengths"]
    assert one["params"] == {"x": 0.5}
    good, bad = one["trials"][1:]
    assert good["worth"] > 0
    assert (bad["worth"], bad["gain"]) == (None, None)
    assert {"nan": "NaN", "raise": "broke at x=1.0"}[mode] in bad["reason"]


def test_defaults_that_fail_are_a_row() -> None:
    args = (*ON_PEAK, "--space", "x=0.5|0.7", "--set", "mode=raise", "--set", "x=1.0")
    done = _invoke(*args)
    assert done.exception is None, done.exception
    assert "defaults  failed (failed, RuntimeError: broke at x=1.0)" in done.output
    assert "and the defaults failed" in done.output
    (one,) = _json(*args)["lengths"]
    assert one["params"]["x"] in (0.5, 0.7)
    assert one["default"] is None


def test_what_is_searched_from_another_value_is_not_set_again() -> None:
    args = (*ON_PEAK, "--set", "x=0.1", "--set", "mode=none", "--out", "mine.toml", *HELD_OUT)
    for space, there in (("x=0.6", {"x": 0.6}), ("x=0.0", {"x": 0.1})):
        done = _invoke(*args, "--space", space)
        assert done.exception is None, done.exception
        assert at_length(read_params(Path("mine.toml"))["peak"], 12) == there
        assert done.output.endswith("--plugin peak.py --set peak.mode=none\n")


def test_a_convention_that_needs_outputs_can_be_asked_for_later() -> None:
    args = (*ON_PEAK, "--space", "x=0.6", *HELD_OUT)
    assert _json(*args)["lengths"][0]["worth"] > 0
    for _ in range(2):
        (one,) = _json(*args, "--convention", "deephash")["lengths"]
        assert one["worth"] > 0
        assert "(deephash)" in one["note"]


def test_when_every_trial_fails_the_reason_is_given() -> None:
    args = (*ON_PEAK, "--space", "x=0.95|1", "--set", "mode=raise", "--set", "x=1.0")
    failure = _invoke(*args).exception
    assert isinstance(failure, InputError), failure
    assert "no trial succeeded" in str(failure)
    assert "broke at x=" in str(failure)


def test_limits_and_workers_are_those_of_a_run(monkeypatch) -> None:
    seen = []

    def stopped(job, display, _begun):
        seen.append(job)
        raise InputError("stopped here")

    monkeypatch.setattr("hashbench.tuning.search.run_job", stopped)
    given = ("--workers", "3", "--timeout", "2m", "--memory", "1G", "--executor", "slurm")
    _invoke("--method", "itq-cca", *COMMON[:2], *given)
    (job,) = seen
    assert job.limits == Limits(workers=3, timeout=120, memory=2**30)
    assert (job.executor, job.settings.threads, job.settings.keep_hashers) == ("slurm", 1, False)


def test_a_lower_score_is_better_where_the_metric_says_so() -> None:
    (one,) = _json(*ON_PEAK, "--space", "x=0.5|0.1", "--metric", "far", *HELD_OUT)["lengths"]
    assert one["params"] == {"x": 0.5}
    default, near, far = (row["worth"] for row in one["trials"])
    assert -1 < max(default, far) < near < 0


def test_the_criterion_can_be_asked_for() -> None:
    worths = []
    for name in ("extrapolated", "inflated", "held-out"):
        body = _json("--method", "itq-cca", *COMMON, "--space", "scaling=2", "--criterion", name)
        assert body["lengths"][0]["note"].startswith(f"{name} map@h2 (house), 100 held-out")
        worths.append(body["lengths"][0]["default"])
        assert all(math.isfinite(row["worth"]) for row in body["lengths"][0]["trials"])
    assert len({round(worth, 3) for worth in worths}) == 3


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--method", "dhc"), "unknown method 'dhc'"),
        (("--method", "lsh"), "lsh declares no search space"),
        (("--method", "itq-cca", "--space", "rigde=1:2"), "did you mean ridge"),
        (("--method", "itq-cca", "--space", "ridge=1|2", "--trials", "1"), "more than 1 points"),
        (("--method", "itq-cca", "--datasets", "a,b"), "one data set"),
        (("--method", "itq-cca", "--set", "lsh.x=1"), "method in --set"),
        (("--method", "itq-cca", "--convention", "huose"), "house"),
        (("--method", "itq-cca", "--criterion", "inflatd"), "did you mean inflated"),
        (("--method", "itq-cca", "--plugin", "no.py"), "no plugin file"),
        (("--method", "itq-cca", "--metric", "mpa@h2"), "did you mean map@h2"),
        (("--method", "itq-cca", "--metric", "p@1000"), "p@1000 has no value for each query"),
        (("--method", "itq-cca", "--space", "ridge=1,ridge=2"), "--space names ridge twice"),
        (("--method", "itq-cca", "--out", "peak.py"), "peak.py is no TOML file"),
        (
            ("--method", "dch", "--criterion", "inflated", "--train", "partial"),
            "starts from pixels",
        ),
    ],
)
def test_bad_input_is_one_sentence(args, says) -> None:
    done = _invoke(*args)
    assert isinstance(done.exception, InputError), done.exception
    assert says in str(done.exception)
    assert not Path("hashbench-results/tuning/records").exists()  # before anything is trained
