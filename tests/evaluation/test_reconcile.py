"""`hashbench reconcile`: the conventions behind a number."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.codes import Codes
from hashbench.commands.reconcile import command
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.reconcile import Claim, reconcile


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        (".827", 0.827, 0.0005),
        ("0.8270", 0.827, 0.00005),
        ("82.7", 0.827, 0.0005),
        (" 82.7% ", 0.827, 0.0005),
        ("0.5%", 0.005, 0.0005),
        ("1.00", 1.0, 0.005),
        ("83", 0.83, 0.005),
    ],
)
def test_a_claim_is_as_wide_as_its_digits(text, value, half):
    claim = Claim.parse(text)
    assert (claim.value, claim.half) == pytest.approx((value, half), rel=1e-12)
    assert claim.admits(value + 0.999 * half)
    assert not claim.admits(value - 1.001 * half)


@pytest.mark.parametrize(
    "text", ["", "a", "nan", "inf", "-0.5", "101%", "1", "0.8", "1e-40", "9" * 99]
)
def test_what_is_no_claim_is_refused(text):
    with pytest.raises(InputError, match="claimed number must") as refusal:
        Claim.parse(text)
    assert len(str(refusal.value)) < 200


#: One query; at distance 1 a relevant and an irrelevant item tie, then, far off, a relevant one.
TIE = (
    Codes.from_bits([[0, 0, 0, 0, 0, 0]]),
    Codes.from_bits([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]),
    np.array([[1]], np.uint8),
    np.array([[0], [1], [1]], np.uint8),
)


def found(claim, metric="map@h2", codes=TIE):
    return reconcile(*codes, Claim.parse(claim), metric)


def gives(accounts, name):
    """Whether a convention is among those that give a value."""
    wanted = Convention.parse(name)
    return any(wanted in (account.convention, *account.same) for account in accounts)


def test_values_worked_out_by_hand():
    # In the ball: 1 if the relevant item is first, 1/2 if last, 3/4 on average.
    by_ties = found(".75")
    assert by_ties.matches[0].convention == Convention()
    assert (by_ties.matches[0].worst, by_ties.matches[0].best) == (0.5, 1.0)
    assert gives(found(".500").matches, "house(order=stable,scope=ball)")
    assert gives(found("1.00").matches, "house(order=best,scope=ball)")
    # Of the two relevant items of the database one is found.
    assert gives(found(".375").matches, "house(denominator=total,scope=ball)")
    # The whole list: 1/2 * (1 + 2/3), 1/2 * (1/2 + 2/3), and their mean.
    assert gives(found(".708", "map").matches, "house")
    assert gives(found(".833", "map").matches, "house(order=best,scope=list)")
    # Without its last item, as deephash-pytorch has it.
    assert gives(found(".75", "map").matches, "deephash-pytorch")


def test_a_number_nothing_gives_has_a_nearest_miss_and_what_ties_allow():
    outcome = found(".80")
    assert outcome.matches == ()
    assert outcome.nearest.value == 0.75
    assert str(outcome.possible[0].convention) == "house"
    assert all(item.worst <= 0.8 <= item.best for item in outcome.possible)
    assert found(".20").possible == ()


def drawn(digits):
    """Codes with real outputs, exact zeros among them if rounded, and a query without label."""
    rng = np.random.default_rng(0)
    sides = [Codes.from_real(rng.normal(size=(n, 10)).round(digits)) for n in (12, 150)]
    labels = [(rng.random((n, 5)) < 0.3).astype(np.uint8) for n in (12, 150)]
    labels[0][0] = 0
    return *sides, *labels


@pytest.mark.parametrize(
    ("digits", "name", "metric"),
    [
        (9, "deephash", "map@h2"),
        (9, "house(empty=drop,nohit=drop,unlabelled=drop,denominator=min,scope=ball)", "map@h2"),
        (1, "house(rank=rerank,order=numpy,norelevant=drop,sgn0=symbol,scope=ball)", "map@h2"),
        (9, "dcmh(cutoff=100)", "map@100"),
        (9, "house(rank=outputs,norelevant=drop,cutoff=100,scope=list)", "map@100"),
    ],
)
def test_what_a_convention_gives_is_traced_back_to_it(digits, name, metric):
    codes = drawn(digits)
    assert (codes[1].zeros > 0) == (digits == 1)
    value = score(*codes, [Convention.parse(name)])[0][metric]
    outcome = found(f"{value:.9f}", metric, codes)
    assert outcome.left_out == 0
    assert gives(outcome.matches, name)


def test_without_real_outputs_what_needs_them_is_counted():
    assert found(".75").left_out > 0


def test_bounds_are_those_of_the_orders_of_ties():
    rng = np.random.default_rng(0)
    codes = [Codes.from_bits(rng.integers(0, 2, (n, 8))) for n in (20, 100)]
    ids = [rng.integers(0, 3, n) for n in (20, 100)]
    ends = [
        score(*codes, *ids, [Convention.parse(f"house(order={order})")])[0]["map"]
        for order in ("worst", "best")
    ]
    middle = score(*codes, *ids)[0]["map"]
    match = found(f"{middle:.9f}", "map", codes=(*codes, *ids)).matches[0]
    assert [match.worst, match.best] == ends


@pytest.mark.parametrize("metric", ["nonsense", "map@h", "ndcg@10"])
def test_a_metric_no_convention_defines_is_refused(metric):
    with pytest.raises(InputError, match="no convention defines"):
        found(".75", metric)


@pytest.fixture
def file(tmp_path):
    np.savez(
        tmp_path / "mine.npz",
        qB=TIE[0].signs(),
        rB=TIE[1].signs(),
        qL=TIE[2],
        labels=TIE[3],
    )
    return tmp_path / "mine.npz"


def run(*arguments):
    result = CliRunner().invoke(command, [str(item) for item in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_command(file):
    given = ("--codes", file, "--names", "labels=database_labels", "--claimed")
    text = run(*given, "75%", "--metric", "map@h2")
    assert "1 query, 3 database items" in text
    assert "75% is" in text
    assert "[0.5000, 1.0000]" in text
    assert "house" in text.splitlines()[4]
    text = run(*given, ".80", "--metric", "map@h2")
    assert "none gives .80." in text
    assert "Within reach of .80 by the order of ties alone" in text
    assert "Nearest miss: map@h2 under house, 0.7500 (-0.0500)." in text
    body = json.loads(run(*given, ".75", "--json"))
    assert body["interval"] == pytest.approx([0.745, 0.755])
    assert {"map", "map@h2"} <= {item["metric"] for item in body["matches"]}
    with pytest.raises(InputError, match="no array 'database_labels'"):
        run("--codes", file, "--claimed", ".75")
