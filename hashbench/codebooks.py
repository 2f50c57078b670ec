"""Codewords that lie far apart: one for each class, for methods that give classes fixed targets."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from hashbench.seeds import derive

#: Words drawn before the distance that is asked for is lowered by one.
PATIENCE = 1 << 14

#: The share of words that may be left to find the last codeword among.
RARE = 1000


def codebook(classes: int, bits: int, seed: int = 0) -> NDArray[np.int8]:
    """`(classes, bits)` codewords in {-1, +1}, the same for the same arguments everywhere.

    Two classes get a word and its opposite. Up to `2 bits` classes, where a Hadamard
    matrix H of that order is known (`hadamard`), get rows of [H; -H], in an order and
    with signs that the seed draws: any two are `bits / 2` or `bits` apart. The signs
    matter: the first column of H is constant, and so would be the first bit.

    Otherwise words are drawn at random and kept if they are far enough from those
    kept before, the distance being lowered where no more are found, to
    `certain_distance(classes, bits)` at the least.

    Args:
        classes: how many.
        bits: code length.
        seed: of the choice.
    """
    generator = np.random.default_rng(derive(seed, "codebook", classes, bits))
    if classes <= 2:
        word = generator.choice(np.array([-1, 1], np.int8), bits)
        return np.stack([word, -word])[:classes]
    rows = hadamard(bits) if classes <= 2 * bits else None
    if rows is None:
        return _drawn(classes, bits, generator)
    signs = generator.choice(np.array([-1, 1], np.int8), bits)[:, None]
    rows = generator.permutation(rows * signs)
    return np.concatenate([rows, -rows])[:classes]


def hadamard(order: int) -> NDArray[np.int8] | None:
    """An `(order, order)` Hadamard matrix of -1 and +1: any two rows differ in half their entries.

    Sylvester's construction for powers of two; Paley's two for `p + 1` and `2 (p + 1)`,
    p a prime (12, 20, 24, 28, 36, 44, 48, ...); and twice any of these. None for every
    other order, most of which have none.
    """
    if order < 1:
        return None
    if order & (order - 1) == 0:
        made = np.ones((1, 1), np.int8)
        while len(made) < order:
            made = _doubled(made)
        return made
    if order % 4:
        return None
    if _prime(order - 1):
        return _paley(order - 1)
    if order % 8 == 4 and _prime(order // 2 - 1):
        return _paley_twice(order // 2 - 1)
    half = hadamard(order // 2)
    return None if half is None else _doubled(half)


def certain_distance(classes: int, bits: int) -> int:
    """The distance that a random choice of `classes` words of `bits` bits keeps for certain.

    As Gilbert and Varshamov count: words nearer than d to one of those kept fill
    `classes - 1` balls of radius d - 1 at most. While these leave out one word in `RARE`,
    another is found in a few thousand draws.
    """
    ball = 0
    for distance in range(bits + 1):
        ball += comb(bits, distance)
        if RARE * (classes - 1) * ball > (RARE - 1) * 2**bits:
            return distance
    return bits


def minimum_distance(codes: NDArray[np.int8]) -> int:
    """The smallest Hamming distance between two of `(n, bits)` codewords of -1 and +1."""
    count, bits = codes.shape
    if count < 2:
        return bits
    inner = codes.astype(np.float64) @ codes.T.astype(np.float64)
    np.fill_diagonal(inner, -bits)
    return int(bits - inner.max()) // 2


def _drawn(classes: int, bits: int, generator: np.random.Generator) -> NDArray[np.int8]:
    certain = certain_distance(classes, bits)
    kept = np.empty((0, bits), np.int8)
    # No code of this size can do better (Plotkin), so nothing above is tried.
    distance = bits * classes // (2 * (classes - 1))
    while len(kept) < classes:
        words = generator.choice(np.array([-1, 1], np.int8), (PATIENCE, bits))
        reals = words.astype(np.float32)
        # The smallest distance from each word to those kept.
        nearest = (bits - (reals @ kept.T.astype(np.float32)).max(1, initial=-bits)) / 2
        while len(kept) < classes and len(found := np.flatnonzero(nearest >= distance)):
            word = words[found[0]]
            kept = np.concatenate([kept, word[None]])
            nearest = np.minimum(nearest, (bits - reals @ word.astype(np.float32)) / 2)
        distance = max(distance - 1, certain)
    return kept


def _doubled(made: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.block([[made, made], [made, -made]])


def _jacobsthal(prime: int) -> NDArray[np.int8]:
    """Whether the difference of row and column is a square modulo `prime`: +1, -1, and 0 for 0."""
    squares = np.full(prime, -1, np.int8)
    squares[np.arange(1, prime) ** 2 % prime] = 1
    squares[0] = 0
    index = np.arange(prime)
    return squares[(index[:, None] - index[None, :]) % prime]


def _paley(prime: int) -> NDArray[np.int8]:
    """Order `prime + 1`, for a prime that leaves 3 when divided by 4."""
    made = np.ones((prime + 1, prime + 1), np.int8)
    made[1:, 0] = -1
    made[1:, 1:] = _jacobsthal(prime) + np.eye(prime, dtype=np.int8)
    made[1:] *= -1
    return made


def _paley_twice(prime: int) -> NDArray[np.int8]:
    """Order `2 (prime + 1)`, for a prime that leaves 1 when divided by 4."""
    core = np.ones((prime + 1, prime + 1), np.int8)
    core[0, 0] = 0
    core[1:, 1:] = _jacobsthal(prime)
    # A conference matrix: 0 on the diagonal alone.
    plus = np.array([[1, 1], [1, -1]], np.int8)
    rest = np.array([[1, -1], [-1, -1]], np.int8)
    return np.kron(core, plus) + np.kron(np.eye(prime + 1, dtype=np.int8), rest)


def _prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))
