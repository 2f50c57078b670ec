"""Scores of stored records, computed where they are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hashbench.cell import Bench
from hashbench.errors import InputError
from hashbench.evaluation import Convention, Scores
from hashbench.evidence import Evidence
from hashbench.store import Record, Store
from hashbench.store.ceilings import get_ceiling
from hashbench.store.judge import judge
from hashbench.store.scorefiles import get_lookup


class Judge(Protocol):
    """Whoever gives the scores of a record under a convention."""

    def scores(self, record: Record, convention: Convention) -> Scores:
        """The scores.

        Raises:
            InputError: if there are none, saying why.
        """

    def lookup(self, record: Record) -> dict[str, Any]:
        """What was measured of lookup in the record's codes."""

    def ceiling(self, bench: Bench, evidence: Evidence) -> Mapping[str, float]:
        """The mAP by cosine of un-hashed features, by view of the split; empty if not known."""


class StoredJudge:
    """The scores of a store's records; each is asked of the store once.

    Args:
        store: where records and codes are. Scores that had to be computed are
            kept there if it can be written to.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._found: dict[tuple[str, str], Scores | InputError] = {}
        self._names: dict[int, tuple[Convention, str]] = {}

    def scores(self, record: Record, convention: Convention) -> Scores:
        """The scores of a record under a convention.

        Raises:
            InputError: if its codes are missing, damaged, or lack what the convention needs.
        """
        if id(convention) not in self._names:  # it takes as long to spell as to look up scores
            self._names[id(convention)] = convention, str(convention)
        place = (record.key, self._names[id(convention)][1])
        if place not in self._found:
            self._found[place] = self._ask(record, convention)
        found = self._found[place]
        if isinstance(found, InputError):
            raise found
        return found

    def lookup(self, record: Record) -> dict[str, Any]:
        """What was measured of lookup in the record's codes; empty if nothing was."""
        return get_lookup(self.store, record)

    def ceiling(self, bench: Bench, evidence: Evidence) -> Mapping[str, float]:
        """The mAP by cosine of un-hashed features, by view of the split; empty if not known."""
        return get_ceiling(self.store, evidence, bench.backbone)

    def _ask(self, record: Record, convention: Convention) -> Scores | InputError:
        if not record.ok:
            return InputError(f"{record.status}, {record.reason}")
        try:
            found = judge(self.store, record, [convention], keep=False)[str(convention)]
        except InputError as error:
            return error
        if found is not None:
            return found
        how = (
            "run the cell again with --keep-relaxed"
            if record.relaxed
            else "which this method does not give"
        )
        return InputError(
            f"the {convention} convention needs real-valued outputs, "
            f"{'which were not kept: ' if record.relaxed else ''}{how}"
        )
