"""Real outputs of exactly zero: the code each convention gives them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.seeds import derive


@dataclass(frozen=True, eq=False)
class Recoded:
    """Codes as a convention reads them.

    Attributes:
        query: query codes.
        database: database codes.
        steps: how many bits differ per unit of Hamming distance: 1; 4 where
            zeros are kept and distances may be half-integers; 2 where they are
            a third symbol.
    """

    query: Codes
    database: Codes
    steps: int = 1


def check_relaxed(side: str, codes: Codes) -> None:
    """Raise if real outputs are not those the codes were made from.

    Args:
        side: "query" or "database", for the message.
        codes: codes, with or without real outputs.

    Raises:
        InputError: for NaN, or an output whose sign its bit contradicts.
    """
    if codes.relaxed is None:
        return
    for start in range(0, len(codes), 1 << 16):  # bounds memory
        rows = slice(start, start + (1 << 16))
        outputs = np.asarray(codes.relaxed[rows])
        if np.isnan(outputs).any():
            raise InputError(f"relaxed outputs of the {side} hold NaN: the model has diverged")
        bits = Codes(codes.packed[rows], codes.bits).unpack().astype(bool)
        wrong = ((outputs > 0) != bits) & (outputs != 0)
        if wrong.any():
            row, bit = np.argwhere(wrong)[0]
            raise InputError(
                f"relaxed outputs of the {side} contradict its codes: row {start + row} has "
                f"{outputs[row, bit]:.4g} and bit {int(bits[row, bit])} in column {bit}; "
                "a bit is 1 where the output is positive"
            )


def recode(query: Codes, database: Codes, sgn0: str) -> Recoded:
    """Code exact zeros as `sgn0` says; a no-op where there are none.

    Args:
        query: query codes.
        database: database codes.
        sgn0: see `Convention`.
    """
    if sgn0 == "negative" or not (query.zeros or database.zeros):
        return Recoded(query, database)
    if sgn0 == "zero":
        # The Hamming distance of these words is 4 (1 - product of the signs) / 2.
        signs = (0, 0, 0, 0), (1, 1, 1, 1)
        return Recoded(
            _worded(query, *signs, (0, 0, 1, 1)), _worded(database, *signs, (0, 1, 0, 1)), 4
        )
    if sgn0 == "symbol":  # any two of these words differ in two places
        symbols = (0, 1, 1), (1, 0, 1), (1, 1, 0)
        return Recoded(_worded(query, *symbols), _worded(database, *symbols), 2)
    return Recoded(_filled(query, sgn0, "query"), _filled(database, sgn0, "database"))


def _filled(codes: Codes, sgn0: str, side: str) -> Codes:
    if not codes.zeros:
        return codes
    bits = codes.unpack()
    at = codes.zero_places()
    if sgn0 == "random":
        bits[at] = np.random.default_rng(derive(0, "sgn0", side)).integers(0, 2, at.sum())
    else:
        bits[at] = 1
    return replace(Codes.from_bits(bits), relaxed=codes.relaxed)


def _worded(
    codes: Codes, negative: tuple[int, ...], positive: tuple[int, ...], zero: tuple[int, ...]
) -> Codes:
    """A word of bits in place of each sign."""
    words = np.array([negative, positive, zero], np.uint8)
    signs = codes.unpack()
    if codes.zeros:
        signs[codes.zero_places()] = 2
    return Codes.from_bits(words[signs].reshape(len(codes), -1))
