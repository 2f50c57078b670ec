"""Scores of entries, computed from their codes: what pages and tables of a board show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hashbench.bundles.bundle import Bundle
from hashbench.bundles.checks import MOST_BITS, MOST_ITEMS
from hashbench.bundles.folder import open_codes
from hashbench.bundles.splits import Splits
from hashbench.cell import Bench
from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.evaluation import CUTOFFS, Convention, Scores, split_view
from hashbench.evaluation.views import score_views
from hashbench.evidence import Evidence
from hashbench.store.record import Record

#: Lengths of lists that an entry may claim scores of beside the usual ones.
MOST_CUTOFFS = 20

_LENGTH = re.compile(r"[a-z-]+@(\d{1,8})")


class BundleJudge:
    """The scores of entries by their records, as `results.scored.Judge` wants them.

    Args:
        bundles: the entries; of two with one key the first counts.
        splits: where their labels come from.
    """

    def __init__(self, bundles: Iterable[Bundle], splits: Splits) -> None:
        self.splits = splits
        self._bundles: dict[str, Bundle] = {}
        for bundle in bundles:
            self._bundles.setdefault(bundle.record().key, bundle)
        self._found: dict[tuple[str, str], Scores | InputError] = {}

    def scores(self, record: Record, convention: Convention) -> Scores:
        """The scores of an entry under a convention.

        Raises:
            InputError: if its codes or labels cannot be had, or lack what the convention needs.
        """
        place = (record.key, str(convention))
        if place not in self._found:
            try:
                bundle = self._bundles[record.key]
                split = self.splits.find(bundle.cell.bench, bundle.evidence.split)
                self._found[place] = recomputed(bundle, open_codes(bundle), split, [convention])[0]
            except InputError as error:
                self._found[place] = error
        found = self._found[place]
        if isinstance(found, InputError):
            raise found
        return found

    def lookup(self, record: Record) -> dict[str, Any]:
        """Nothing: an entry says nothing of the time that lookup takes."""
        return {}

    def ceiling(self, bench: Bench, evidence: Evidence) -> Mapping[str, float]:
        """Nothing: an entry brings no features."""
        return {}


def unfit(convention: Convention, codes: tuple[Codes, Codes]) -> str:
    """Why nobody recomputes a convention's scores from codes and labels alone; "" if all can."""
    if convention.radius > MOST_BITS or (convention.cutoff or 0) > MOST_ITEMS:
        return "reaches further than any code or database does"
    if convention.order == "numpy":
        return "orders ties as the machine at hand sorts them"
    if not convention.applies_to(*codes):
        return "ranks by real-valued outputs, which entries do not carry"
    return ""


def recomputed(
    bundle: Bundle,
    codes: tuple[Codes, Codes],
    split: Split,
    conventions: Sequence[Convention],
) -> list[Scores]:
    """The scores of an entry's codes under each convention.

    Raises:
        InputError: if codes and split do not fit, or a convention needs more than codes.
    """
    query, database = codes
    return score_views(
        query,
        database,
        split.query_labels,
        split.database_labels,
        split.views,
        conventions,
        cutoffs=lengths(bundle),
    )


def lengths(bundle: Bundle) -> tuple[int, ...]:
    """The lengths N of `map@N` and so on that are wanted: the usual and the claimed ones."""
    claimed = {
        int(match[1])
        for claims in bundle.scores.values()
        for name in claims
        if (match := _LENGTH.fullmatch(split_view(name)[0])) and int(match[1]) > 0
    }
    extra = sorted(claimed - set(CUTOFFS))[:MOST_CUTOFFS]
    return tuple(sorted({*CUTOFFS, *extra}))
