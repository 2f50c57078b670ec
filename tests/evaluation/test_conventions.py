"""Convention names, and every choice shown to matter."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import HOUSE, Convention, conventions, score
from hashbench.evaluation.convention import CHOICES

conventions_of_any_kind = st.builds(
    Convention,
    radius=st.integers(0, 9),
    order=st.sampled_from(["expected", "best", "worst", "stable", "numpy"]),
    rank=st.sampled_from(["distance", "outputs", "rerank"]),
    empty=st.sampled_from(["zero", "drop"]),
    nohit=st.sampled_from(["zero", "drop"]),
    norelevant=st.sampled_from(["zero", "drop", "nan"]),
    unlabelled=st.sampled_from(["zero", "drop"]),
    denominator=st.sampled_from(["hits", "min", "total"]),
    cutoff=st.sampled_from([None, -1, 7, 5000]),
    counting=st.sampled_from(["items", "hits"]),
    sgn0=st.sampled_from(["negative", "positive", "zero", "symbol", "random"]),
    scope=st.sampled_from(["all", "ball", "list"]),
)


@given(conventions_of_any_kind)
def test_a_name_parses_back(convention):
    assert Convention.parse(str(convention)) == convention


def test_presets_print_as_their_names():
    known = conventions()
    assert [str(preset) for preset in known.values()] == list(known)
    assert Convention.parse("house") == HOUSE == Convention()
    assert all(item.source and item.differs for item in known.values())


@given(conventions_of_any_kind, st.sampled_from(sorted(conventions())))
def test_a_changed_preset_is_written_as_a_change_of_it(changed, name):
    other = replace(conventions()[name], radius=changed.radius, order="stable", scope="list")
    text = str(other)
    assert text.split("(")[0] == name
    assert Convention.parse(text) == other
    assert str(Convention.parse(text)) == text


def test_a_preset_can_be_changed_and_a_list_of_names_read():
    listed = Convention.parse_list("deephash, house(radius=3, order=best),house,deephash()")
    assert [str(item) for item in listed] == ["deephash", "house(radius=3,order=best)", "house"]
    assert Convention.parse("hashnet(cutoff=none)").cutoff is None
    assert Convention.parse("hashnet(cutoff=1000)") == replace(
        conventions()["hashnet"], cutoff=1000
    )
    assert Convention.parse("house(order=relaxed)") == Convention(rank="outputs")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hous", "did you mean house"),
        ("house(order=expectd)", "did you mean expected"),
        ("house(radios=2)", "did you mean radius"),
        ("house(radius=two)", "whole number"),
        ("house(radius=-1)", "0 or more"),
        ("house(cutoff=0)", "1 or more"),
        ("house(radius=1,radius=2)", "given once"),
        ("house(radius)", "given once"),
        ("house(scope=graded,order=best)", "order=expected"),
        ("house(empty=database,rank=outputs)", "leave rank=outputs out"),
        ("house(", "cannot read"),
        ("", "cannot read"),
    ],
)
def test_a_bad_name_says_what_is_wrong(text, words):
    with pytest.raises(InputError, match=words) as caught:
        Convention.parse(text)
    assert "\n" not in str(caught.value)


def test_an_empty_list_of_names_is_refused():
    with pytest.raises(InputError, match="at least one"):
        Convention.parse_list(" , ")


@pytest.fixture(scope="module")
def world():
    """Ties, zeros, empty balls, balls without a hit, queries with nothing relevant."""
    rng = np.random.default_rng(3)
    query = Codes.from_real(rng.normal(size=(60, 10)).round(0))
    database = Codes.from_real(rng.normal(size=(90, 10)).round(0))
    query_labels = (rng.random((60, 6)) < 0.2).astype(np.uint8)
    database_labels = (rng.random((90, 6)) < 0.2).astype(np.uint8)
    assert query.zeros
    assert (query_labels.sum(axis=1) == 0).any()
    return query, database, query_labels, database_labels


ALTERNATIVES = [
    *[("radius", value) for value in (0, 1, 3)],
    *[("order", value) for value in ("best", "worst", "stable", "numpy")],
    *[("rank", value) for value in ("outputs", "rerank")],
    *[("empty", value) for value in ("drop", "database")],
    ("nohit", "drop"),
    *[("norelevant", value) for value in ("drop", "nan")],
    ("unlabelled", "drop"),
    *[("denominator", value) for value in ("min", "total")],
    *[("cutoff", value) for value in (None, -1, 31)],
    ("counting", "hits"),
    *[("sgn0", value) for value in ("positive", "zero", "symbol", "random")],
    *[("scope", value) for value in ("ball", "list")],
]


@pytest.mark.parametrize(("knob", "value"), ALTERNATIVES)
@pytest.mark.parametrize("order", ["expected", "stable"])
def test_each_choice_changes_a_score(world, order, knob, value):
    base = Convention(radius=2, order=order, cutoff=30)
    changed = replace(base, **{knob: value})
    if changed == base:
        return
    before, after = score(*world, [base, changed])
    shared = set(before) & set(after)
    assert set(before) != set(after) or any(
        before[name] != pytest.approx(after[name], abs=1e-9, nan_ok=True) for name in shared
    )


def test_every_choice_is_among_those_shown_to_matter():
    assert {knob for knob, _ in ALTERNATIVES} == set(CHOICES)


def test_a_convention_that_needs_real_outputs_says_so():
    codes = Codes.from_bits(np.eye(4, dtype=int))
    labels = np.ones((4, 1), np.uint8)
    convention = Convention.parse("deephash")
    assert convention.needs_relaxed
    assert not convention.applies_to(codes, codes)
    with pytest.raises(InputError, match=r"deephash.*real-valued"):
        score(codes, codes, labels, labels, [convention])


def test_exact_zeros_are_coded_anew_without_real_outputs():
    codes = Codes.from_real(np.array([[0.0, 1.0], [1.0, -1.0]]), keep_relaxed=False)
    labels = np.ones((2, 1), np.uint8)
    assert score(codes, codes, labels, labels, [HOUSE])[0]["map"] == 1
    whole = Codes.from_real(np.array([[0.0, 1.0], [1.0, -1.0]]))
    for rule in ("zero", "positive", "random"):
        convention = Convention(sgn0=rule)
        kept, dropped = (score(c, c, labels, labels, [convention])[0] for c in (whole, codes))
        assert kept.to_dict() == dropped.to_dict()
