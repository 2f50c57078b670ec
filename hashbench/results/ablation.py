"""The ablation table: DCH, and DCH with one part left out or exchanged."""

from __future__ import annotations

from collections.abc import Sequence

from hashbench.errors import InputError
from hashbench.results.names import ABLATION
from hashbench.results.record import Record


def ablation_rows(records: Sequence[Record]) -> tuple[list[Record], tuple[str, ...]]:
    """The records of DCH and its variants, and the rows to show in the paper's order.

    Raises:
        InputError: if there is none of the variants.
    """
    found = [record for record in records if record.cell["method"] in ABLATION]
    present = {record.cell["method"] for record in found}
    if not present - {"dch"}:
        raise InputError(
            "there is no ablation in these results: run "
            f"`hashbench run --methods {','.join(ABLATION)}` first"
        )
    return found, ABLATION
