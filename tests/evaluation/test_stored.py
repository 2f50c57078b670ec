"""Ranking in storage order by counting gives what a stable sort gives, to the last bit."""

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.evaluation import Convention, score, stored
from hashbench.evaluation.histograms import count
from hashbench.evaluation.ranking import Wanted, rank


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(stored, "WORTH_IT", 0)


def world(bits, classes, items, single, seed=0):
    rng = np.random.default_rng(seed)
    sides = [rng.integers(0, classes, n) for n in (7, items)]
    hot = [np.eye(classes, dtype=np.uint8)[ids] for ids in sides]
    if not single:
        hot = [side | (rng.random(side.shape) < 1.5 / classes) for side in hot]
    hot[0][0] = 0
    plane = rng.normal(size=(classes, bits))
    codes = [Codes.from_bits(side @ plane + rng.normal(size=(len(side), bits)) > 0) for side in hot]
    return *codes, *hot


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize(
    ("bits", "classes", "items"), [(1, 2, 3), (12, 3, 700), (64, 70, 200), (70, 2, 9000)]
)
def test_sums_are_those_of_a_sort(bits, classes, items, single):
    sides = world(bits, classes, items, single)
    # Lengths on both sides of where sums are taken in halves and by eights.
    lengths = tuple(n for n in (1, 7, 8, 9, 130, 600, 3000, items - 1, items) if n <= items)
    wanted = [Wanted(0, bound, "zero", lengths, (1, 10, 400)) for bound in ("hits", "min", "total")]
    counted = stored.rank_stored(*sides, count(*sides), wanted)
    sorted_ = rank(*sides, Convention(order="stable"), wanted)
    for one, other in zip(counted, sorted_, strict=True):
        assert one.gains.any()
        assert (one.gains == other.gains).all()
        for mine, theirs in ((one.top, other.top), (one.first, other.first)):
            assert mine.keys() == theirs.keys()
            for n in mine:
                assert (mine[n].ap == theirs[n].ap).all()
                assert (mine[n].hits == theirs[n].hits).all()


@pytest.mark.parametrize("labels", ["multi-hot", "ids"])
def test_scores_are_those_of_a_sort(labels, monkeypatch):
    sides = world(16, 5, 400, True)
    if labels == "ids":
        sides = (*sides[:2], *(side.argmax(axis=1) for side in sides[2:]))
    for names in ("house(order=stable)", "house(order=stable,scope=ball),deephash-all(radius=1)"):
        conventions = Convention.parse_list(names)
        monkeypatch.setattr(stored, "WORTH_IT", 0)
        counted = score(*sides, conventions)
        monkeypatch.setattr(stored, "WORTH_IT", 10**9)
        for one, other in zip(counted, score(*sides, conventions), strict=True):
            assert one.to_dict() == other.to_dict()
            assert one.curves == other.curves


def test_the_order_of_the_database_is_followed():
    """Reversed, the ties come the other way round."""
    sides = world(8, 3, 300, True)
    turned = sides[0], Codes(sides[1].packed[::-1], 8), sides[2], sides[3][::-1]
    convention = [Convention.parse("house(order=stable)")]
    one, other = score(*sides, convention)[0], score(*turned, convention)[0]
    ends = [score(*sides, [Convention(order=order)])[0]["map"] for order in ("worst", "best")]
    assert one["map"] != other["map"]
    assert all(ends[0] <= found["map"] <= ends[1] for found in (one, other))
