"""Which records a verb is about: what the user selects, and what is out of date."""

from __future__ import annotations

import difflib
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import index
from pathlib import Path

from hashbench.arguments import is_whole
from hashbench.cell import Bench
from hashbench.errors import InputError, command, shown, unknown
from hashbench.evidence import Evidence
from hashbench.parsing import in_number, parse_names, parse_numbers, parse_seeds
from hashbench.runtime import DEFAULT_RESULTS
from hashbench.spelling import composed
from hashbench.store import Record, Store, StoreError


class Selected(list[Record]):
    """Records that were chosen, and those they were chosen among.

    Whether a result is out of date is a question to all results: the newest state of the data
    may be known from a method that was not chosen.

    Args:
        records: the chosen ones.
        among: all.
    """

    def __init__(self, records: Iterable[Record], among: Sequence[Record]) -> None:
        super().__init__(records)
        self.among = among


def select(
    records: Iterable[Record],
    *,
    methods: str | Sequence[str] | None = None,
    bits: str | int | Sequence[int] | None = None,
    datasets: str | Sequence[str] | None = None,
    seeds: str | Sequence[int] | None = None,
) -> Selected:
    """The records of some methods, code lengths, data sets and seeds, in the order of their cells.

    Each of them may be as typed, such as "16,32", or a sequence; None takes all.

    Raises:
        InputError: for one that no record has, or if none is left.
    """
    every = sorted(records, key=_order)
    found = every
    names: Sequence[str] = ()
    if datasets:
        known = {name for record in found for name in _names(record)}
        typed = parse_names(datasets, lambda name: composed(name) in known)
        wanted_data = set(map(composed, typed))
        for name in map(composed, typed):
            if name not in known:
                raise unknown("data set in the results", name, known)
        found = [record for record in found if _names(record) & wanted_data]
    if methods and methods != "all":
        names = parse_names(methods)
        there = {record.cell.method for record in found}
        for name in names:
            if name not in there:
                if near := difflib.get_close_matches(name, there, cutoff=0.8):
                    raise InputError(
                        f"no result of method '{shown(name)}': did you mean {' or '.join(near)}?"
                    )
                raise InputError(
                    f"no result of method '{shown(name)}' (there are: {', '.join(sorted(there))}): "
                    f"run `{command('run', '--methods', shown(name))}` first"
                )
        found = [record for record in found if record.cell.method in names]
    if wanted := bits_of(bits):
        lengths = {record.cell.bits for record in found}
        for number in wanted:
            if number not in lengths:
                raise InputError(
                    f"no result has {in_number(number, 'bit', 'bits')} (there are: "
                    f"{_listed(lengths)}): run `hashbench run --bits {number}` first"
                )
        found = [record for record in found if record.cell.bits in wanted]
    if seeds is not None:
        wanted = parse_seeds(seeds) if isinstance(seeds, str) else tuple(seeds)
        every_seed = {record.cell.seed for record in found}
        found = [record for record in found if record.cell.seed in wanted]
        if every_seed and not found:
            raise InputError(
                f"no result has a seed of {shown(_listed(wanted), 60)} (there are: "
                f"{_listed(every_seed)}): choose others with --seeds"
            )
    if not found:
        raise InputError("no records match: run `hashbench run` first, or widen the selection")
    for name in set(names) - {record.cell.method for record in found}:
        # What was asked for by name is not passed over in silence.
        warnings.warn(
            f"{name} has no result at the code lengths and seeds that were chosen", stacklevel=2
        )
    return Selected(found, every)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def bits_of(bits: str | int | Iterable[int] | None) -> tuple[int, ...]:
    """Code lengths as typed, one alone, or several."""
    if isinstance(bits, str):
        return parse_numbers(bits, "--bits", low=1, high=4096) if bits else ()
    if bits is None:
        return ()
    found = tuple(bits) if isinstance(bits, Iterable) and not is_whole(bits) else (bits,)
    for number in found:
        if not is_whole(number):
            raise InputError(f"code lengths must be whole numbers, got {shown(number, 40)}")
    return tuple(index(number) for number in found)  # type: ignore[arg-type]


def current(
    records: Sequence[Record], results: Path | None = None
) -> tuple[list[Record], dict[str, list[str]]]:
    """The records that are not out of date, and sentences on those that are, by bench.

    Of one bench the state of the data that a run found last counts, and of
    one question on it the code that a run found last.

    Args:
        records: any; `Selected` ones are held against all they were chosen among.
        results: the folder they are of, where it is not the default one.
    """
    among = records.among if isinstance(records, Selected) else records
    newest: dict[str, Record] = {}
    for record in among:
        name = bench_key(record.cell.bench)
        if name not in newest or record.age > newest[name].age:
            newest[name] = record
    kept: dict[str, Record] = {}
    for record in among:
        question = record.cell.question
        if record.evidence != newest[bench_key(record.cell.bench)].evidence:
            continue
        if question not in kept or record.age > kept[question].age:
            kept[question] = record
    keys = {record.key for record in kept.values()}
    other_data: dict[str, int] = {}
    older_code: dict[str, int] = {}
    for record in records:
        name = bench_key(record.cell.bench)
        if record.evidence != newest[name].evidence:
            other_data[name] = other_data.get(name, 0) + 1
        elif record.key not in keys:
            older_code[name] = older_code.get(name, 0) + 1
    sentences: dict[str, list[str]] = {}
    place = () if results in (None, DEFAULT_RESULTS) else ("--results", results)
    drop = command("forget", "--superseded", *place)
    for found, why in ((other_data, "another state of the data"), (older_code, "other code")):
        for name, count in found.items():
            verb = "is" if count == 1 else "are"
            sentences.setdefault(name, []).append(
                f"{in_number(count, 'result', 'results')} of {why} {verb} left out: "
                f"--all-versions shows them, {drop} drops them."
            )
    return [record for record in records if record.key in keys], sentences


def find_again(
    store: Store, keys: Sequence[str], when: str, read: Mapping[str, Record]
) -> dict[str, Record]:
    """Note which results are right though others are told to be later, of other data or code.

    Data or code were put back, or a clock was.

    Args:
        store: where they are.
        keys: of the results that a run has just found to be right.
        when: the time, as ISO 8601 in UTC.
        read: records that have been read, by key.

    Returns:
        The records that have been read, as they are then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged records, which others tell
        every = [read.get(key) or store.get(key) for key in list(store.keys())]
    there = [record for record in every if record]
    kept = {record.key for record in current(there)[0]}
    found = dict(read)
    try:
        for key in keys:
            if key not in kept and key in read:
                store.put_found(key, _after(when, there))
                found[key] = store.get(key) or read[key]
    except StoreError as error:
        warnings.warn(f"tables show other data than were found here: {error}", stacklevel=2)
    return found


def _after(when: str, records: Iterable[Record]) -> str:
    """A time, or, where a clock was set back since some records, the moment after the last."""
    last = max((record.age[0] for record in records), default="")
    if when > last:
        return when
    try:
        moment = datetime.fromisoformat(last) + timedelta(milliseconds=1)
    except (ValueError, OverflowError):  # no time, or the last there is
        return when
    return moment.isoformat(timespec="milliseconds")


def bench_key(bench: Bench) -> str:
    """A text that equal benches share and no others."""
    return json.dumps(vars(bench), sort_keys=True, default=str)


def ground_key(record: Record) -> tuple[str, Evidence]:
    """What results must share to stand in one table: the bench and what was found of it."""
    return bench_key(record.cell.bench), record.evidence


def _names(record: Record) -> set[str]:
    """What a record's data set may be called: its name, and what was typed for it."""
    names = record.cell.bench.dataset, str(record.request.get("dataset", ""))
    return set(map(composed, names)) - {""}


def _order(record: Record) -> tuple[object, ...]:
    cell = record.cell
    bench = (cell.bench.dataset, cell.bench.protocol, cell.bench.backbone)
    return (*bench, cell.method, cell.bits, cell.seed, record.key)
