"""What a figure is drawn from, and the records of it a kind needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.results.names import dataset_name, method_order
from hashbench.results.record import Record
from hashbench.results.sheets import slug
from hashbench.results.store import Store
from hashbench.results.tables import Setting, row_labels, setting_of

#: Shown where nobody asks for another code length, if there.
DEFAULT_BITS = 48


def _silent(_share: float, _note: str) -> None:
    return None


@dataclass(frozen=True)
class Request:
    """The records to draw and the choices of a figure.

    Attributes:
        records: what the user selected, sorted.
        store: where codes and splits lie; None for kinds without records.
        methods: method names to show; empty for all.
        bits: code lengths to show; empty for the kind's default.
        convention: whose scores and curves.
        data_root: where images are; None for the default folder.
        points: database codes in a t-SNE.
        queries: queries of a retrieval strip.
        worst: strips of the worst queries rather than of random ones.
        seed: draws points and queries.
        progress: called with the share done and a note.
    """

    records: Sequence[Record] = ()
    store: Store | None = None
    methods: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()
    convention: str = "house"
    data_root: Path | None = None
    points: int = 5000
    queries: int = 3
    worst: bool = False
    seed: int = 0
    progress: Callable[[float, str], None] = field(default=_silent, repr=False)


@dataclass(frozen=True)
class Group:
    """The finished records of one setting, by row label and code length.

    Attributes:
        setting: what all share.
        name: letters, digits and dashes; unique among the groups of a request.
        records: (label, bits) -> one record a seed.
    """

    setting: Setting
    name: str
    records: dict[tuple[str, int], list[Record]]

    @property
    def title(self) -> str:
        """The data set's printed name."""
        return dataset_name(self.setting.dataset)

    @property
    def labels(self) -> list[str]:
        """Row labels as papers order them."""
        return method_order(label for label, _ in self.records)

    @property
    def lengths(self) -> list[int]:
        """Code lengths, ascending."""
        return sorted({bits for _, bits in self.records})

    def at(self, bits: int) -> dict[str, list[Record]]:
        """The records of one code length by label, in order."""
        return {
            label: self.records[label, bits]
            for label in self.labels
            if (label, bits) in self.records
        }


def groups(request: Request) -> list[Group]:
    """The finished records of a request, a group a setting.

    Raises:
        InputError: if none is left, or a method or code length has not been run.
    """
    found = [record for record in request.records if record.ok]
    if not found:
        raise InputError("no cell of these results has finished: run `hashbench run` again")
    known = {str(record.cell["method"]) for record in found}
    for name in request.methods:
        if name not in known:
            raise InputError(
                f"no finished cell of method '{name}' in these results (there are: "
                f"{', '.join(sorted(known))}): run `hashbench run --methods {name}` first"
            )
    if request.methods:
        found = [record for record in found if record.cell["method"] in request.methods]
    for bits in request.bits:
        if bits not in {int(record.cell["bits"]) for record in found}:
            raise InputError(
                f"no finished cell has {bits} bits: run `hashbench run --bits {bits}` first"
            )
    if request.bits:
        found = [record for record in found if int(record.cell["bits"]) in request.bits]
    by_setting: dict[Setting, list[Record]] = {}
    for record in found:
        by_setting.setdefault(setting_of(record), []).append(record)
    names = _names(list(by_setting))
    result = []
    for setting, part in by_setting.items():
        labels = row_labels(part)
        places: dict[tuple[str, int], list[Record]] = {}
        for record in part:
            places.setdefault((labels[record.key], int(record.cell["bits"])), []).append(record)
        result.append(Group(setting, names[setting], places))
    return result


def lengths_of(request: Request, group: Group) -> list[int]:
    """The code lengths to draw one figure each for: those asked for, or one good default."""
    if request.bits:
        return [bits for bits in group.lengths if bits in request.bits]
    return [DEFAULT_BITS if DEFAULT_BITS in group.lengths else group.lengths[-1]]


def mean_curve(records: Sequence[Record], convention: str, name: str) -> NDArray[np.float64]:
    """A curve averaged over seeds, `(points,)` with NaN where undefined.

    Raises:
        InputError: if a record has no such curve.
    """
    curves = []
    for record in records:
        curve = record.curves.get(convention, {}).get(name)
        if not curve:
            raise InputError(
                f"{record.cell['method']} at {record.cell['bits']} bits has no curve '{name}' "
                f"under convention '{convention}': choose another with --convention, "
                f"such as house, or run again with it"
            )
        curves.append(np.array(curve, dtype=np.float64))
    shortest = min(map(len, curves))
    return np.asarray(np.mean([curve[:shortest] for curve in curves], axis=0))


def _names(settings: Sequence[Setting]) -> dict[Setting, str]:
    """Short names, longer ones where a data set comes in several settings."""
    names = {}
    for setting in settings:
        rivals = [other for other in settings if other.dataset == setting.dataset]
        parts = [setting.dataset]
        for trait in ("protocol", "backbone", "split_seed", "options"):
            if len({getattr(other, trait) for other in rivals}) > 1:
                parts.append(str(getattr(setting, trait)))
        names[setting] = slug(*parts)
    return names
