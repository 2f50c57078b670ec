"""The conventions a page switches between where nobody names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.parsing import in_number
from hashbench.store import Record, Store
from hashbench.store.judge import missing_scores
from hashbench.store.scorefiles import kept_conventions

#: Worth having on every page: what its readers argue about.
WANTED = ("house", "house(empty=drop,nohit=drop)")

#: Records that are looked at for what is stored, and scores that are computed without being
#: asked for.
SAMPLE, MOST = 60, 300


def usual(
    store: Store, records: Sequence[Record], tick: Callable[[str], None]
) -> tuple[list[Convention], list[str]]:
    """House first, then what most records have scores of, then what is cheap to have.

    Args:
        store: where the records are.
        records: which.
        tick: called with what will be computed.

    Returns:
        The conventions, and a sentence on each that was left out for it would take long.
    """
    done = [record for record in records if record.ok]
    step = max(1, len(done) // SAMPLE)
    sample = done[::step]
    kept = Counter(name for record in sample for name in kept_conventions(store, record))
    stored = [name for name, count in kept.items() if 2 * count > len(sample)]
    found: list[Convention] = []
    sentences = []
    for name in dict.fromkeys([*WANTED, *sorted(stored)]):
        try:
            convention = Convention.parse(name)
        except InputError:  # of a plugin that is not loaded
            continue
        if name != "house" and name not in stored:
            missing = sum(bool(missing_scores(store, record, [convention])) for record in done)
            if missing > MOST:
                sentences.append(
                    f"{in_number(missing, 'cell has', 'cells have')} no scores under {name}, "
                    "which is left out: "
                    f"--convention house,{name} computes them."
                )
                continue
            if missing:
                tick(
                    f"{in_number(missing, 'cell is', 'cells are')} scored under {name} from their "
                    "codes, once"
                )
        found.append(convention)
    return found, sentences
