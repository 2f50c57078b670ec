"""Harmonic numbers and log factorials of whole numbers: tables, and series beyond them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Numbers below this are looked up.
TABLE = 1 << 17
EULER = 0.57721566490153286061


def harmonic(n: Counts) -> Floats:
    """1 + 1/2 + ... + 1/n for whole numbers n >= 0; accurate to about 1e-15."""
    table = _harmonic_table()
    if n.size == 0 or int(n.max()) < TABLE:
        return np.asarray(table[n])
    large = np.maximum(n, TABLE).astype(np.float64)
    # Euler-Maclaurin; the next term is below 1e-30 here.
    series = np.log(large) + EULER + 1 / (2 * large) - 1 / (12 * large**2)
    return np.where(n < TABLE, table[np.minimum(n, TABLE - 1)], series)


def log_factorial(n: Counts) -> Floats:
    """log(n!) for whole numbers n >= 0; accurate to about 1e-15 of its size."""
    table = _log_factorial_table()
    if n.size == 0 or int(n.max()) < TABLE:
        return np.asarray(table[n])
    large = np.maximum(n, TABLE).astype(np.float64)
    series = large * np.log(large) - large + np.log(2 * np.pi * large) / 2 + 1 / (12 * large)
    return np.where(n < TABLE, table[np.minimum(n, TABLE - 1)], series)


@cache
def _harmonic_table() -> Floats:
    terms = np.arange(TABLE, dtype=np.longdouble)  # rounding does not add up
    terms[1:] = 1 / terms[1:]
    return np.cumsum(terms).astype(np.float64)


@cache
def _log_factorial_table() -> Floats:
    terms = np.arange(TABLE, dtype=np.longdouble)
    terms[1:] = np.log(terms[1:])
    return np.cumsum(terms).astype(np.float64)
