"""A hidden draw: an entry's hasher is scored on queries drawn after it was handed in.

The images it was trained on are no queries, and are searched only where the protocol
searches training images; queries are drawn from all the others, as the protocol draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.backbones import feature_table
from hashbench.bundles.bundle import Bundle
from hashbench.bundles.folder import FILES, open_hasher
from hashbench.bundles.splits import open_bench
from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.data.dataset import make_split, present
from hashbench.errors import InputError, shown
from hashbench.evaluation import HOUSE, Scores, score
from hashbench.hasher import Hasher
from hashbench.items import Items, rows_of, source_of
from hashbench.parsing import in_number
from hashbench.saved import load_hasher

METRIC = "map@h2"

#: Share of bits of the entry's own query codes that its hasher may give otherwise: features
#: differ in the last place between machines.
DIFFERING = 0.01

#: Standard errors by which a score on fresh queries may fall behind.
ERRORS = 4.0


@dataclass(frozen=True)
class Fresh:
    """The score of a hasher on a fresh draw.

    Attributes:
        seed: of the draw.
        queries: how many were drawn, and `known` of them were queries of the entry.
        score: mAP@H<=2 in the house convention.
        error: standard error of the score over queries.
        fault: why it speaks against the entry; "" where it does not.
    """

    seed: int
    queries: int
    known: int
    score: float
    error: float
    fault: str = ""

    def __str__(self) -> str:
        return (
            f"{METRIC} {self.score:.4f} ± {self.error:.4f} on "
            f"{in_number(self.queries, 'query', 'queries')} drawn with seed {self.seed}"
        )


def draw_fresh(
    bundle: Bundle, codes: tuple[Codes, Codes], data_root: Path | None, seed: int
) -> Fresh:
    """Score the hasher of an entry on a fresh split of its protocol.

    Args:
        bundle: an entry that brings its hasher.
        codes: its (query, database) codes.
        data_root: where its images are.
        seed: of the draw.

    Raises:
        InputError: if there is no hasher, no image of the data set, no image left to ask with,
            or the hasher is not the one that gave the codes.
    """
    data = open_hasher(bundle)
    if data is None:
        raise InputError("it brings no hasher: pack it with --with-hasher")
    hasher = load_hasher(data, f"its {FILES['hasher']}")
    if (hasher.name, hasher.bits) != (bundle.cell.method, bundle.cell.bits):
        raise InputError(f"its hasher is {hasher.name} of {hasher.bits} bits, and no {bundle.name}")
    split, fresh, known = _splits(bundle, data_root, seed)
    backbone = bundle.cell.bench.backbone
    table = _Table(split, backbone)
    given = _encoded(hasher, split.query.with_features(table, backbone))
    share = float(np.bitwise_count(given.packed ^ codes[0].packed).sum()) / (
        len(given) * bundle.cell.bits
    )
    if share > DIFFERING:
        raise InputError(
            f"its hasher gives other codes of its own queries ({share:.1%} of the bits differ): "
            "it is not the one that was scored"
        )
    before = score(*codes, split.query_labels, split.database_labels, [HOUSE], curves=False)[0]
    after = _scored(hasher, fresh.with_features(table, backbone))
    fallen = before[METRIC] - after[METRIC]
    fault = ""
    if fallen > ERRORS * float(np.hypot(_error(before), _error(after))):
        fault = (
            f"it scores {after[METRIC]:.4f} on fresh queries and {before[METRIC]:.4f} on its own, "
            "which no chance explains"
        )
    return Fresh(seed, len(fresh.query), known, after[METRIC], _error(after), fault)


def _splits(bundle: Bundle, data_root: Path | None, seed: int) -> tuple[Split, Split, int]:
    """The entry's split, a fresh one, and how many queries they share."""
    bench = bundle.cell.bench
    dataset = open_bench(bench, data_root)
    protocol = dataset.protocol(bench.protocol)
    if protocol.variant:
        raise InputError(f"fresh queries are not drawn for '{protocol.variant}' protocols")
    split: Split = dataset.split(bench.protocol, bench.split_seed)
    if split.digest != bundle.evidence.split:
        raise InputError("the images here give another split than the entry's")
    images = present(dataset.load(protocol), dataset.allow_missing)
    trained = np.zeros(len(images.source), bool)
    trained[rows_of(split.train)] = True
    others = np.flatnonzero(~trained)
    if len(others) <= len(split.query):
        raise InputError(
            "every image but its queries was trained on, so that none is left to ask with: fresh "
            "queries need a protocol that keeps images back"
        )
    drawing = replace(
        protocol,
        queries=len(split.query),
        train=None,
        train_in_database=True,
        database=None,
    )
    asked, _, searched = drawing.draw(images.labels[others], seed)
    database: NDArray[np.int64] = others[searched]
    if protocol.train_in_database:
        database = np.concatenate([database, rows_of(split.train)])
    fresh = make_split(images, (others[asked], rows_of(split.train), database))
    known = int(np.isin(others[asked], rows_of(split.query)).sum())
    return split, fresh, known


class _Table:
    """Features of a split's images, extracted when first asked for: pixels need none."""

    def __init__(self, split: Split, backbone: str) -> None:
        self._source, self._backbone = source_of(split.train), backbone

    def __call__(self) -> NDArray[np.float32]:
        return feature_table(self._source, self._backbone)


def _encoded(hasher: Hasher, items: Items) -> Codes:
    """Codes of items by a stranger's hasher.

    Raises:
        InputError: if it fails, or gives anything else.
    """
    try:
        codes = hasher.encode(items)
    except Exception as error:  # what a file restores may fail in any way
        raise InputError(f"its hasher fails ({type(error).__name__}: {shown(error)})") from error
    if not isinstance(codes, Codes) or (len(codes), codes.bits) != (len(items), hasher.bits):
        raise InputError("its hasher gives no codes of its length")
    return codes


def _scored(hasher: Hasher, split: Split) -> Scores:
    query, database = _encoded(hasher, split.query), _encoded(hasher, split.database)
    return score(query, database, split.query_labels, split.database_labels, [HOUSE], curves=False)[
        0
    ]


def _error(scores: Scores) -> float:
    each = scores.per_query[METRIC]
    return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0
