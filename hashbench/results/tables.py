"""Tables as views over records: methods down, bits across, seeds averaged."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hashbench.errors import InputError, unknown
from hashbench.evaluation.metrics import describe_metric
from hashbench.parsing import parse_names, parse_seeds
from hashbench.results.record import Record


@dataclass(frozen=True)
class Entry:
    """One place of a table.

    Attributes:
        values: the scores, one a seed.
        failures: why seeds are missing, one sentence each.
    """

    values: tuple[float, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def mean(self) -> float | None:
        """Mean over seeds, None when there is no score."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def std(self) -> float | None:
        """Sample standard deviation over seeds, None below two seeds."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Setting:
    """What all scores of one table share."""

    dataset: str
    protocol: str
    split_seed: int
    backbone: str
    options: str = "{}"

    def __str__(self) -> str:
        seed = f", split seed {self.split_seed}" if self.split_seed else ""
        options = f", {self.options}" if self.options != "{}" else ""
        return f"{self.dataset}, protocol {self.protocol}{seed}, {self.backbone} features{options}"


@dataclass(frozen=True)
class Table:
    """Scores of one metric under one convention in one setting."""

    setting: Setting
    metric: str
    convention: str
    rows: tuple[str, ...]
    bits: tuple[int, ...]
    entries: dict[tuple[str, int], Entry]
    records: tuple[Record, ...] = field(repr=False, default=())

    def rank(self, row: str, bits: int) -> int | None:
        """1 for the best mean of a column, 2 for the second best, else None.

        Equal means share a rank; a column without a difference has no best.
        """
        means = {
            name: mean
            for name in self.rows
            if (mean := self.entries.get((name, bits), Entry()).mean) is not None
        }
        if row not in means or len({round(mean, 6) for mean in means.values()}) < 2:
            return None
        lower = describe_metric(self.metric).better == "lower"
        order = sorted({round(mean, 6) for mean in means.values()}, reverse=not lower)
        place = order.index(round(means[row], 6)) + 1
        return place if place <= 2 else None

    @property
    def tunings(self) -> tuple[str, ...]:
        """The tuning modes of the deep methods in this table."""
        found = {record.cell["tuning"] for record in self.records} - {"none"}
        return tuple(sorted(found))

    @property
    def failures(self) -> list[str]:
        """Why places are empty, one sentence each, without repetition."""
        return list(
            dict.fromkeys(reason for entry in self.entries.values() for reason in entry.failures)
        )


def tables(
    records: Iterable[Record], metric: str = "map@h2", convention: str = "house"
) -> list[Table]:
    """One table per setting; rows and settings in the order of first appearance."""
    groups: dict[Setting, list[Record]] = defaultdict(list)
    for record in records:
        groups[setting_of(record)].append(record)
    return [_table(setting, group, metric, convention) for setting, group in groups.items()]


def select(
    records: Iterable[Record], datasets: str | None = None, seeds: str | None = None
) -> list[Record]:
    """The records of some data sets and seeds, in the order of their cells.

    Raises:
        InputError: if none is left.
    """
    found = sorted(records, key=_order)
    if datasets is not None:
        names = parse_names(datasets)
        known = {record.cell["dataset"] for record in found}
        for name in names:
            if name not in known:
                raise unknown("data set in the results", name, known)
        found = [record for record in found if record.cell["dataset"] in names]
    if seeds is not None:
        wanted = parse_seeds(seeds)
        found = [record for record in found if record.cell["seed"] in wanted]
    if not found:
        raise InputError("no records match: run `hashbench run` first, or widen the selection")
    return found


def check_score(records: Iterable[Record], metric: str, convention: str) -> None:
    """Raise unless some record has `metric` under `convention`.

    Raises:
        InputError: saying what there is instead, or what to run.
    """
    scored = [record for record in records if record.ok]
    if not scored:
        raise InputError("no cell of these results has finished: run `hashbench run` again")
    conventions = {name for record in scored for name in record.scores}
    if convention not in conventions:
        raise InputError(
            f"no scores under convention '{convention}' in these results (there are: "
            f"{', '.join(sorted(conventions))}): run again with --convention {convention}"
        )
    known = {name for record in scored for name in record.scores.get(convention, {})}
    if metric not in known:
        raise unknown(f"metric of convention '{convention}'", metric, known)


def _order(record: Record) -> tuple[str, ...]:
    cell = record.cell
    numbers = (f"{int(cell[name]):012d}" for name in ("bits", "seed"))
    return (
        *(str(cell[name]) for name in ("dataset", "protocol", "backbone", "method")),
        *numbers,
        record.key,
    )


def row_labels(records: Sequence[Record]) -> dict[str, str]:
    """A row label per record key: the method, and what tells its variants apart.

    Variants are what competes at one code length: a method that is tuned for each
    length is one row.
    """
    variants: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    lengths = {record.key: record.cell["bits"] for record in records}
    for record in records:
        traits = {
            **record.cell["params"],
            "tuning": record.cell["tuning"],
            "code": record.cell["code"],
        }
        variants[record.cell["method"]][record.key] = traits
    labels = {}
    for method, group in variants.items():
        names = sorted({name for traits in group.values() for name in traits})
        differing = [
            name
            for name in names
            if len({(lengths[key], json.dumps(group[key].get(name))) for key in group})
            > len({lengths[key] for key in group})
        ]
        for key, traits in group.items():
            parts = ", ".join(f"{name}={traits.get(name)}" for name in differing)
            labels[key] = f"{method} [{parts}]" if parts else method
    return labels


def setting_of(record: Record) -> Setting:
    """The setting a record belongs to."""
    cell = record.cell
    return Setting(
        str(cell["dataset"]),
        str(cell["protocol"]),
        int(cell["split_seed"]),
        str(cell["backbone"]),
        json.dumps(cell.get("options", {}), sort_keys=True),
    )


def _table(setting: Setting, records: list[Record], metric: str, convention: str) -> Table:
    labels = row_labels(records)
    values: dict[tuple[str, int], list[float]] = defaultdict(list)
    failures: dict[tuple[str, int], list[str]] = defaultdict(list)
    for record in sorted(records, key=lambda item: int(item.cell["seed"])):
        place = (labels[record.key], int(record.cell["bits"]))
        value = record.scores.get(convention, {}).get(metric)
        if value is not None:
            values[place].append(value)
        elif not record.ok:
            failures[place].append(
                f"{place[0]} at {place[1]} bits: {record.status}, {record.reason}"
            )
        else:
            failures[place].append(f"{place[0]} has no {metric} under the {convention} convention")
    places = dict.fromkeys([*values, *failures])
    return Table(
        setting=setting,
        metric=metric,
        convention=convention,
        rows=tuple(dict.fromkeys(labels[record.key] for record in records)),
        bits=tuple(sorted({bits for _, bits in places})),
        entries={
            place: Entry(tuple(values.get(place, ())), tuple(failures.get(place, ())))
            for place in places
        },
        records=tuple(records),
    )
