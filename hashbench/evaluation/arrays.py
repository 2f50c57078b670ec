"""Scoring a stranger's codes: plain numpy arrays in, scores out."""

from __future__ import annotations

import operator
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import BITORDER, Codes, zero_mask
from hashbench.errors import InputError, shown
from hashbench.evaluation.convention import Convention
from hashbench.evaluation.conventions.house import HOUSE
from hashbench.evaluation.labels import doubtful, read_labels
from hashbench.evaluation.overlap import overlap
from hashbench.evaluation.referee import score
from hashbench.evaluation.scores import Scores
from hashbench.given import given
from hashbench.parsing import in_number

Array = NDArray[Any]


class CodesAndLabels(NamedTuple):
    """What `score` takes, in its order."""

    query: Codes
    database: Codes
    query_labels: Array
    database_labels: Array


def evaluate(
    query_codes: Array | Codes,
    database_codes: Array | Codes,
    query_labels: Array,
    database_labels: Array,
    convention: str | Convention = HOUSE,
    relaxed: tuple[Array, Array] | None = None,
    bits: int | None = None,
) -> Scores:
    """Score codes you have as arrays; no method, data set or run is needed.

    Args:
        query_codes: `(queries, bits)` of -1/+1 or 0/1 in any dtype, or with
            `bits` given `(queries, ceil(bits / 8))` uint8 packed least
            significant bit first (`np.packbits(..., bitorder="little")`); or
            the `Codes` that a hasher's `encode` gives.
        database_codes: the same of the database; packed codes may be a memory
            map.
        query_labels: `(queries, classes)` multi-hot of 0/1 or -1/+1, or class
            ids, numbers or words, as `(queries,)` or a column.
        database_labels: the same of the database.
        convention: a name such as "house", "deephash" or
            "house(radius=3,order=best)", or a `Convention`.
        relaxed: `(queries, bits)` and `(items, bits)` real-valued outputs, for
            conventions that rank by them.
        bits: code length of packed codes.

    Returns:
        Every metric by name, such as `scores["map@h2"]`.

    Raises:
        InputError: for arrays that are not as above, or an unknown convention.

    Example:
        >>> import hashbench, numpy as np
        >>> query = np.array([[0, 0, 1, 1]])
        >>> database = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
        >>> scores = hashbench.evaluate(query, database, np.array([7]), np.array([7, 3, 7]))
        >>> scores["map@h2"], scores["r@h2"], round(scores["map"], 3)
        (1.0, 0.5, 0.833)
    """
    if isinstance(convention, str):
        convention = Convention.parse(convention)
    if not isinstance(convention, Convention):
        raise InputError(f"evaluate scores under one convention, got {shown(convention, 40)}")
    inputs = from_arrays(
        query_codes, database_codes, query_labels, database_labels, relaxed=relaxed, bits=bits
    )
    return score(*inputs, [convention])[0]


def from_arrays(
    query_codes: Array | Codes,
    database_codes: Array | Codes,
    query_labels: Array,
    database_labels: Array,
    *,
    relaxed: tuple[Array, Array] | None = None,
    bits: int | None = None,
) -> CodesAndLabels:
    """The codes and labels that arrays stand for, see `evaluate`.

    Raises:
        InputError: for arrays that are not as there described.
    """
    outputs: tuple[Array | None, Array | None] = (None, None) if relaxed is None else relaxed
    stacked = getattr(outputs, "ndim", 0) == 3  # both in one array
    if not (stacked or isinstance(outputs, (tuple, list))) or len(outputs) != 2:
        raise InputError("relaxed must be two arrays: the query's outputs and the database's")
    if bits is None:
        _demand_rows((query_codes, database_codes), (query_labels, database_labels))
    inputs = CodesAndLabels(
        _codes("query", query_codes, outputs[0], bits),
        _codes("database", database_codes, outputs[1], bits),
        *read_labels(query_labels, database_labels),
    )
    if found := overlap(*inputs):
        warnings.warn(
            f"{found:,} of {len(inputs.query):,} queries seem to be rows of the database (same "
            "code, same labels): they find themselves; leave the queries out of the database",
            stacklevel=3,
        )
    for side, given_codes in (("query", query_codes), ("database", database_codes)):
        if getattr(given_codes, "dtype", None) == np.bool_ and np.asarray(given_codes).all():
            warnings.warn(
                f"every bit of the {side} codes is true: -1/+1 cast to bool is true everywhere",
                stacklevel=3,
            )
    if doubt := doubtful(*inputs[2:]):
        warnings.warn(doubt, stacklevel=3)
    return inputs


def _demand_rows(codes: tuple[Any, Any], labels: tuple[Any, Any]) -> None:
    """Raise where codes are stored a column an item, as MATLAB's often are.

    Raises:
        InputError: saying so.
    """
    shapes: list[tuple[int, ...]] = [getattr(side, "shape", ()) for side in codes]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
        return
    counts = [max(getattr(side, "shape", (0,)), default=0) for side in labels]
    items = [len(side) if hasattr(side, "__len__") else 0 for side in labels]
    columns = [shape[1] for shape in shapes]
    if columns in (counts, items) and [shape[0] for shape in shapes] != items:
        raise InputError(
            f"codes of shapes {shapes[0]} and {shapes[1]} have a column an item: give their "
            "transposes, (n, bits)"
        )


def _codes(side: str, codes: Array | Codes, relaxed: Array | None, bits: int | None) -> Codes:
    if isinstance(codes, Codes):  # what a hasher's encode gives
        if relaxed is None:
            return codes
        bits, codes = codes.bits, codes.packed
    codes = given(f"{side} codes", codes)
    if codes.ndim != 2 or not codes.shape[1]:
        raise InputError(
            f"{side} codes must be two-dimensional, a row an item, got shape {codes.shape}"
        )
    made = _plain(side, codes) if bits is None else _packed(side, codes, bits)
    if relaxed is None:
        return made
    outputs = given(f"relaxed outputs of the {side}", relaxed)
    if outputs.dtype.kind not in "biuf":
        raise InputError(f"relaxed outputs of the {side} must be numbers, got {outputs.dtype}")
    zeros = zero_mask(outputs) if outputs.ndim == 2 else None
    with np.errstate(over="ignore"):  # beyond float32's range is as far as infinity
        outputs = outputs.astype(np.float32, copy=False)
    if outputs.shape != (len(made), made.bits):
        raise InputError(
            f"relaxed outputs of the {side} must be ({len(made)}, {made.bits}), got {outputs.shape}"
        )
    if np.isnan(outputs).any():
        raise InputError(f"relaxed outputs of the {side} hold NaN: the model has diverged")
    return Codes(made.packed, made.bits, outputs, zeros)  # zeros of before: float32 underflows


def _plain(side: str, codes: Array) -> Codes:
    try:
        return Codes.from_bits(codes)
    except (ValueError, TypeError):
        if codes.dtype.kind == "u" and np.isin(codes, (1, np.iinfo(codes.dtype).max)).all():
            hint = "they are -1 in numbers without a sign, give them as int8 or float"
        elif codes.dtype == np.uint8:
            hint = "for packed codes say how many bits they have (bits=)"
        else:
            hint = "give real-valued outputs as relaxed, and their signs as codes"
        raise InputError(f"{side} codes must be -1/+1 or 0/1: {hint}") from None


def _packed(side: str, codes: Array, bits: int) -> Codes:
    try:
        bits = operator.index(bits)
    except TypeError:
        raise InputError(f"bits must be a whole number, got {shown(bits, 30)}") from None
    if bits < 1:
        raise InputError(f"codes need at least 1 bit, got bits={bits}")
    width = (bits + 7) // 8
    if codes.dtype != np.uint8 or codes.shape[1] != width:
        raise InputError(
            f"{side} codes of {in_number(bits, 'bit', 'bits')} must be packed as (n, {width}) "
            f"uint8, got {codes.shape} {codes.dtype}; leave bits out for -1/+1 or 0/1 codes"
        )
    if bits % 8 and (codes[:, -1] >> (bits % 8)).any():
        raise InputError(
            f"{side} codes have bits set beyond the {in_number(bits, 'bit', 'bits')} of a code: "
            f"pack them with np.packbits(..., bitorder='{BITORDER}')"
        )
    return Codes(codes, bits)
