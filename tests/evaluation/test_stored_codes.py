"""Stored codes, scored again, give what the run gave, or say that they cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, conventions, score


def outputs(seed, zeros):
    rng = np.random.default_rng(seed)
    sides = [rng.normal(size=(n, 11)).astype(np.float32) for n in (25, 70)]
    if zeros:
        for side in sides:
            side[rng.random(side.shape) < 0.1] = 0
    labels = [(rng.random((n, 5)) < 0.3).astype(np.uint8) for n in (25, 70)]
    return sides, labels


def stored(codes, keep_relaxed):
    """What a file keeps of codes: packed bits, where outputs were zero and, if asked, outputs."""
    return Codes(
        codes.packed.copy(),
        codes.bits,
        codes.relaxed.copy() if keep_relaxed else None,
        codes.at_zero,
    )


@pytest.mark.parametrize("name", sorted(conventions()))
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), zeros=st.booleans(), keep=st.booleans())
def test_every_preset_scores_stored_codes_as_the_run_did(name, seed, zeros, keep):
    sides, labels = outputs(seed, zeros)
    convention = Convention.parse(name)
    run = [Codes.from_real(side) for side in sides]
    wanted = score(*run, *labels, [convention])[0]
    kept = [stored(side, keep) for side in run]
    if not convention.applies_to(*kept):
        assert not keep
        assert convention.needs_relaxed
        with pytest.raises(InputError, match="keep-relaxed"):
            score(*kept, *labels, [convention])
        return
    found = score(*kept, *labels, [convention])[0]
    assert found.to_dict() == wanted.to_dict()
    assert str(found.curves) == str(wanted.curves)  # NaN where a mean is undefined
    assert found.bounds == wanted.bounds
    for metric, values in wanted.per_query.items():
        np.testing.assert_array_equal(found.per_query[metric], values)
