"""The ablation table: DCH, and DCH with one part left out or exchanged."""

from __future__ import annotations

from collections.abc import Sequence

from hashbench.errors import InputError
from hashbench.results.published import published
from hashbench.store import Record

#: The full method first, then one part of it left out or exchanged at a time.
ABLATION = ("dch", "dch-q", "dch-c", "dch-e")


def ablation(records: Sequence[Record]) -> tuple[list[Record], list[tuple[str, str]]]:
    """The records of DCH and its variants, and (name, title) of those to show, in order.

    Raises:
        InputError: if there is none of the variants.
    """
    found = [record for record in records if record.cell.method in ABLATION]
    if not {record.cell.method for record in found} - {"dch"}:
        raise InputError(
            "there is no ablation in these results: run "
            f"`hashbench run --methods {','.join(ABLATION)}` first"
        )
    return found, [(name, published()[name].title) for name in ABLATION]
