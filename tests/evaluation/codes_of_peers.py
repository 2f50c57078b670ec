"""Codes and labels that tests keep as others do."""

import numpy as np

RNG = np.random.default_rng(0)
OUTPUTS = [RNG.normal(size=(n, 12)).astype(np.float32) for n in (6, 15)]
SIGNS = [np.sign(side) for side in OUTPUTS]
LABELS = [(RNG.random((n, 4)) < 0.4).astype(np.uint8) for n in (6, 15)]
IDS = [RNG.integers(0, 5, n) for n in (6, 15)]
WORDS = np.array(["cat", "sports car", "é tü", "dög", "bird"])


def same(inputs, labels=LABELS, relaxed=False) -> None:
    for codes, signs in zip((inputs.query, inputs.database), SIGNS, strict=True):
        assert (codes.signs() == signs).all()
        assert (codes.relaxed is not None) == relaxed
    for found, wanted in zip(inputs[2:], labels, strict=True):
        assert (found == wanted).all()


def same_ids(inputs) -> None:
    """Items are relevant to each other where their ids are equal."""
    same(inputs, inputs[2:])
    relevant = inputs.query_labels[:, None] == inputs.database_labels[None]
    assert (relevant == (IDS[0][:, None] == IDS[1][None])).all()
