"""What the arrays of a file of codes and of a split are called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.store.arrays import Arrays


def split_arrays(
    labels: Mapping[str, NDArray[np.uint8]],
    ids: Mapping[str, list[str]],
    classes: tuple[str, ...],
    views: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]] | None = None,
) -> Arrays:
    """The arrays `Store.put_split` keeps.

    Args:
        labels: multi-hot labels of "query" and "database".
        ids: their ids.
        classes: class names, in label order.
        views: parts that are scored by themselves: query and database positions by name.
    """
    parts = {
        f"view{place}_{side}": positions
        for place, view in enumerate((views or {}).values())
        for side, positions in zip(("query", "database"), view, strict=True)
    }
    return {
        **{f"{part}_labels": values for part, values in labels.items()},
        **{f"{part}_ids": np.array(values) for part, values in ids.items()},
        "classes": np.array(list(classes)),
        **({"views": np.array(list(views)), **parts} if views else {}),
    }


def code_arrays(query: Codes, database: Codes) -> Arrays:
    """The arrays of a file of codes, see `codes_of`."""
    arrays = {
        "query_codes": query.packed,
        "database_codes": database.packed,
        "bits": np.array(query.bits),
    }
    for part, codes in (("query", query), ("database", database)):
        if codes.at_zero is not None:
            arrays[f"{part}_at_zero"] = codes.at_zero
    return arrays


def codes_of(arrays: Arrays, outputs: Arrays) -> tuple[Codes, Codes]:
    """The (query, database) codes in the arrays of a file.

    Args:
        arrays: of the file of codes.
        outputs: of the file of their real-valued outputs; empty where none were kept.

    Raises:
        KeyError, TypeError, ValueError: if they are not those of codes.
    """
    bits = int(arrays["bits"])
    query, database = (
        Codes(
            arrays[f"{part}_codes"],
            bits,
            outputs.get(f"{part}_relaxed"),
            arrays.get(f"{part}_at_zero"),
        )
        for part in ("query", "database")
    )
    return query, database
