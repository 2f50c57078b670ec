"""The conformance kit passes what keeps the contract, and names what does not."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from deep_faults import Deep
from methods_for_tests import FAULTS, FlipsAfterThree, Good, ThrowsSwitches

from hashbench.codes import Codes
from hashbench.testing import CheckError, check_hasher, checks_of, parametrize_with_checks
from hashbench.testing.toy import separation, toy


@parametrize_with_checks([Good, Deep])
def test_a_method_that_keeps_the_contract_passes(check) -> None:
    check()


def test_every_check_has_a_fault_that_shows_it_can_fail() -> None:
    assert {check.name for check in checks_of(Good)} == set(FAULTS)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        pytest.param(name, cls, id=f"{name}-{cls.__name__}")
        for name, classes in FAULTS.items()
        for cls in classes
    ],
)
def test_each_fault_fails_its_check_with_advice(name: str, cls) -> None:
    check = next(check for check in checks_of(cls) if check.name == name)
    with pytest.raises(CheckError) as failure:
        check()
    advice = str(failure.value)
    assert len(advice) > 40
    assert ":" in advice  # what is wrong: what to do


def test_check_hasher_reports_every_failure_at_once() -> None:
    class TwoFaults(Good):
        citation = ""

        def fit(self, train):
            super().fit(train)
            train.labels[:] = 0

    with pytest.raises(CheckError) as failure:
        check_hasher(TwoFaults)
    message = str(failure.value)
    assert "TwoFaults fails" in message
    for name in ("description", "fit-returns-self", "inputs-unchanged"):
        assert f"\n{name}: " in message


def test_an_unexpected_error_says_where_it_was_raised() -> None:
    class Crashes(Good):
        def _learn(self, X, labels):
            return {}["no such key"]

    check = next(check for check in checks_of(Crashes) if check.name == "beats-chance")
    with pytest.raises(CheckError, match=r"KeyError: 'no such key' \(raised in .*test_kit\.py:\d+"):
        check()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: os._exit(0), "SystemExit: os._exit"),
        (lambda: sys.exit(0), "SystemExit: 0"),
        (lambda: next(_press()), "NotPressed: KeyboardInterrupt"),
        (lambda: os.close(1), "Good"),
    ],
)
def test_a_method_cannot_end_its_check(act, said) -> None:
    class Ends(Good):
        def _learn(self, X, labels):
            act()
            raise ValueError("Good")

    check = next(check for check in checks_of(Ends) if check.name == "fit-returns-self")
    with pytest.raises(CheckError, match=said):
        check()
    os.fstat(1)  # what was closed is open


def _press():
    raise KeyboardInterrupt
    yield


def test_test_params_are_used_and_must_be_hyperparameters() -> None:
    class Slow(Good):
        test_params = {"ridge": 3.0}  # noqa: RUF012

    class Typo(Good):
        test_params = {"rigde": 3.0}  # noqa: RUF012

    assert checks_of(Slow)[0].subject.make().ridge == 3.0
    with pytest.raises(CheckError, match="rigde"):
        checks_of(Typo)[0]()


def test_separation_counts_pairs_of_pairs() -> None:
    rng = np.random.default_rng(0)
    one, two = (Codes.from_bits(rng.integers(0, 2, (n, 5))) for n in (6, 7))
    similar = rng.random((6, 7)) < 0.4
    distance = (one.unpack()[:, None] != two.unpack()[None]).sum(axis=2)
    wins = [
        (near < far) + (near == far) / 2 for near in distance[similar] for far in distance[~similar]
    ]
    assert separation(one, two, similar) == pytest.approx(np.mean(wins))
    equal = Codes.from_bits(np.ones((6, 5)))
    assert separation(equal, equal, np.eye(6, dtype=bool)) == 0.5


def test_the_easy_problem_is_balanced_and_its_parts_are_disjoint_draws() -> None:
    problem = toy()
    assert (problem.train.labels.sum(axis=0) == 30).all()
    assert not np.isin(problem.train.features(), problem.query.features()).any()
    assert not np.isin(problem.query.features(), problem.database.features()).any()


def test_switches_that_one_method_throws_fail_no_other() -> None:
    for cls in (ThrowsSwitches, Deep):
        check = next(check for check in checks_of(cls) if check.name == "other-process")
        check()
    for check in checks_of(FlipsAfterThree):  # whatever was encoded in checks before
        if check.name == "encode-forgets":
            with pytest.raises(CheckError, match="after others were encoded"):
                check()
        elif check.name == "deterministic":
            check()
