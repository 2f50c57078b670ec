"""What a reader of a table's numbers must know, a sentence each."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

from hashbench.evaluation import in_view, split_view
from hashbench.evaluation.statistics import SEEDS
from hashbench.results.rows import BLOCKS, Row

if TYPE_CHECKING:
    from hashbench.results.series import Series

_TIMED = (
    "Seconds are wall time, whatever else the machine did, with features at hand; each record has "
    "its machine and threads."
)


def notes(series: Series) -> tuple[str, ...]:
    """Every sentence, each once."""
    first = _TIMED if series.timed else ceiling(series)
    found = [first, uneven(series), *series.left_out]
    found += [elsewhere(series, row) for row in series.rows if row.external]
    found += [by_labels(series), *sizes(series)]
    for record in series.records:
        found += [str(note) for note in record.split.get("notes", [])]
        if record.adjusted:
            found.append(
                f"{record.title('method')} at {record.cell.bits} bits ran with "
                f"{json.dumps(dict(record.adjusted), default=str)}, for its own settings took "
                "more memory than there is."
            )
    return tuple(dict.fromkeys(filter(None, found)))


def certificate(series: Series) -> str:
    """Which row is first of each column how often; "" where no two of them compete."""
    parts = []
    for bits in series.bits:
        shares = series.first(bits)
        if len({series.column(bits).same[row] for row in shares}) > 1:
            first = max(shares, key=lambda row: shares[row])
            apart = "" if first in series.ranked else f" ({BLOCKS[first.block]})"
            parts.append(f"{series.labels[first]}{apart} {shares[first]:.0%} at {bits} bits")
    if not parts:
        return ""
    seeds = "" if series.seeds < SEEDS else " and seeds"
    return f"First of all in draws of queries{seeds}: {', '.join(parts)}."


def uneven(series: Series) -> str:
    """Which rows have fewer seeds than others; "" where none has."""
    fewer: dict[str, list[tuple[int, int]]] = {}
    for row in series.rows:
        for bits in series.bits:
            entry = series.entry(row, bits)
            if 0 < entry.n < series.seeds:
                fewer.setdefault(series.labels[row], []).append((bits, entry.n))
    if not fewer:
        return ""
    parts = []
    for label, places in fewer.items():
        counts = Counter(n for _, n in places)
        if len(counts) == 1 and len(places) == len(series.bits):
            parts.append(f"{label} {places[0][1]}")
        else:
            parts.append(f"{label} {', '.join(f'{n} at {bits} bits' for bits, n in places)}")
    return f"Means are over {series.seeds} seeds, but of {'; '.join(parts)}."


def ceiling(series: Series) -> str:
    """What the features give before anything is hashed, a mean over draws; "" if not known."""
    plain, view = split_view(series.metric)
    values = [draw.judge.ceiling(draw.bench, draw.evidence).get(view) for draw in series.draws]
    found = [value for value in values if value is not None]
    if not found or len(found) < len(values):
        return ""
    value = fmean(found)
    where = f" [{view}]" if view else ""
    there = "the methods' full mAP is in this table"
    if plain != "map":
        named = shlex.quote(in_view("map", view))
        there = f"hold the methods' full mAP (--metric {named}) against it, not {plain}"
    return (
        f"Ceiling on {series.title}: ranking by cosine of the un-hashed {series.bench.backbone} "
        f"features has a full mAP{where} of {value:.3f} (house convention): {there}."
    )


def by_labels(series: Series) -> str:
    """Which methods without labels were tuned, and so chosen by some; "" where none was."""
    tuned = [
        series.labels[row]
        for row in series.rows
        if row.block == "unsupervised" and row.origin.startswith("tuned")
    ]
    if not tuned:
        return ""
    return (
        "The search chose by labels of training images, of methods that learn without any, too: "
        f"{', '.join(tuned)}."
    )


def sizes(series: Series) -> list[str]:
    """How many parameters the networks of a method's rows have, where they differ."""
    found = []
    for method in dict.fromkeys(row.method for row in series.rows):
        for bits in series.bits:
            counts = {
                series.labels[row]: count
                for row in series.rows
                if row.method == method
                for record in series.places.get((row, bits), ())
                if isinstance(count := record.parts.get("method", {}).get("parameters"), int)
            }
            if len(set(counts.values())) > 1:
                said = ", ".join(f"{label} {count:,}" for label, count in counts.items())
                found.append(f"Parameters of the network at {bits} bits: {said}.")
                break
    return found


def elsewhere(series: Series, row: Row) -> str:
    """What is not known of a row whose codes were made elsewhere."""
    made = [
        record
        for (other, _), found in series.places.items()
        if other == row
        for record in found
    ]  # fmt: skip
    named = (str(record.request.get("codes", "")) for record in made)
    files = ", ".join(dict.fromkeys(filter(None, named)))  # entries of boards name none
    unchecked = any(record.request.get("labels") == "not in the file" for record in made)
    order = "; without labels in it, the order of its items is not checked" if unchecked else ""
    return (
        f"{row.title} is external: codes made elsewhere{f' ({files})' if files else ''}, of whose "
        f"features and training nothing is known here{order}."
    )
