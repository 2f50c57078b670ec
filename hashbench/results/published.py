"""Published numbers beside ours, with everything that makes them unlike each other.

`published.csv` holds the mAP@H<=2 in the tables of Cao, Long, Liu and Wang,
"Deep Cauchy Hashing for Hamming Space Retrieval", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from hashbench.errors import InputError
from hashbench.results.names import dataset_name, dataset_order, method_name, method_order
from hashbench.results.sheets import Cell, Column, Row, Sheet, describe, slug, spread, what
from hashbench.results.tables import Table

SOURCE = "DCH, CVPR 2018"
METRIC = "map@h2"
#: What the authors' released code computes and their maintainers call right.
CONVENTION = "deephash"
BACKBONE = "alexnet"
TUNING = "full"

#: Images the paper's protocols name: queries / training / database.
SPLITS = {
    "cifar10": "1,000 / 5,000 / 54,000; the lists released with it overlapped until November 2019, "
    "888 of the 1,000 queries lying in the database",
    "nuswide": "5,000 / 10,000 / the rest, 81 concepts",
    "coco": "5,000 / 10,000 / 117,218",
}
#: Methods the paper names without defining: ours is a reading, and no difference says a thing.
READINGS = ("dch-e",)
_PROTOCOLS = {"cifar10": ("cifar10",), "nuswide": ("nuswide81",), "coco": ("coco",)}

COLUMNS = (
    "method", "dataset", "bits", "metric", "published", "ours", "ours_std", "seeds", "difference",
    "published_convention", "ours_convention", "published_backbone", "ours_backbone",
    "published_tuning", "ours_tuning", "published_split", "ours_protocol", "variant", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A published number and ours; ours is None where there is none."""

    method: str
    label: str
    bits: int
    published: float
    ours: float | None
    std: float | None
    seeds: int

    @property
    def difference(self) -> float | None:
        """Ours minus published; None where ours may be another method."""
        if self.ours is None or self.method in READINGS:
            return None
        return self.ours - self.published


def published() -> dict[tuple[str, str, int], float]:
    """mAP@H<=2 by (method, data set, bits)."""
    with files("hashbench.results").joinpath("published.csv").open() as stream:
        frame = pd.read_csv(stream)
    return {
        (str(row.method), str(row.dataset), int(str(row.bits))): float(str(row.value))
        for row in frame.itertuples()
    }


def pairs(table: Table) -> list[Pair]:
    """The published numbers of the methods and code lengths of one of our tables."""
    known = published()
    found = []
    for label in method_order(table.rows):
        method = label.partition(" [")[0]
        for bits in table.bits:
            value = known.get((method, table.setting.dataset, bits))
            if value is None:
                continue
            entry = table.entries.get((label, bits))
            found.append(
                Pair(
                    method=method,
                    label=label,
                    bits=bits,
                    published=value,
                    ours=None if entry is None else entry.mean,
                    std=None if entry is None else entry.std,
                    seeds=0 if entry is None else len(entry.values),
                )
            )
    return found


def comparison_sheets(tables: Sequence[Table]) -> list[Sheet]:
    """One sheet a setting: published, ours and the difference, method by method.

    Raises:
        InputError: if nothing of ours has a published counterpart.
    """
    return [_sheet(table, found) for table, found in _paired(tables)]


def comparison_csv(tables: Sequence[Table]) -> str:
    """One row a published number that has a counterpart here."""
    rows = [
        {
            "method": pair.method,
            "dataset": table.setting.dataset,
            "bits": pair.bits,
            "metric": table.metric,
            "published": pair.published,
            "ours": pair.ours,
            "ours_std": pair.std,
            "seeds": pair.seeds,
            "difference": pair.difference,
            "published_convention": CONVENTION,
            "ours_convention": table.convention,
            "published_backbone": BACKBONE,
            "ours_backbone": table.setting.backbone,
            "published_tuning": TUNING,
            "ours_tuning": _tuning(table, pair.label),
            "published_split": SPLITS[table.setting.dataset],
            "ours_protocol": table.setting.protocol,
            "variant": pair.label,
            "source": SOURCE,
        }
        for table, found in _paired(tables)
        for pair in found
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n")


def unlike(table: Table) -> list[str]:
    """What differs between the published numbers and a table of ours, one sentence each."""
    setting = table.setting
    tunings = "/".join(table.tunings) or "none"
    theirs = SPLITS[setting.dataset]
    sentences = []
    if table.convention != CONVENTION:
        sentences.append(
            f"Not like for like: the published numbers follow the {CONVENTION} convention, "
            f"ours the {table.convention} convention."
        )
    if setting.backbone != BACKBONE:
        sentences.append(f"Not like for like: published on {BACKBONE}, ours on {setting.backbone}.")
    if tunings != TUNING:
        sentences.append(
            f"Not like for like: the published deep methods fine-tuned the whole network "
            f"({TUNING}), ours: {tunings}."
        )
    same = setting.protocol in _PROTOCOLS[setting.dataset]
    sentences.append(
        f"{'Same protocol, another draw' if same else 'Not like for like: another protocol'}: "
        f"published split {theirs}; ours {setting.protocol}, split seed {setting.split_seed}."
    )
    return sentences


def _paired(tables: Sequence[Table]) -> list[tuple[Table, list[Pair]]]:
    if any(table.metric != METRIC for table in tables):
        raise InputError(f"published numbers are {METRIC} only: leave --metric out")
    order = dataset_order(table.setting.dataset for table in tables)
    found = [
        (table, matched)
        for table in sorted(tables, key=lambda table: order.index(table.setting.dataset))
        if (matched := pairs(table))
    ]
    if not found:
        raise InputError(
            "no result here has a published counterpart: run `hashbench run --datasets cifar10 "
            "--methods dch,hashnet --bits 16,32,48,64` first"
        )
    return found


def _tuning(table: Table, label: str) -> str:
    method = label.partition(" [")[0]
    found = {r.cell["tuning"] for r in table.records if r.cell["method"] == method}
    return "/".join(sorted(found))


def _sheet(table: Table, found: Sequence[Pair]) -> Sheet:
    labels = list(dict.fromkeys(pair.label for pair in found))
    lengths = sorted({pair.bits for pair in found})
    rows: list[Row] = []
    cells = {}
    for label in labels:
        start = len(rows)
        rows += [
            Row(method_name(label), label.partition(" [")[0], kind)
            for kind in ("published", "ours", "difference")
        ]
        for pair in (pair for pair in found if pair.label == label):
            column = lengths.index(pair.bits)
            cells[start, column] = Cell(pair.published)
            cells[start + 1, column] = Cell(pair.ours, pair.std)
            cells[start + 2, column] = Cell(pair.difference, signed=True)
    seeds = spread([table])
    name = dataset_name(table.setting.dataset)
    return Sheet(
        name=slug("published", table.setting.dataset, table.setting.backbone),
        caption=(
            f"{what(table)}, beside the numbers published in {SOURCE}. Published: {name}, "
            f"{CONVENTION} convention, {BACKBONE}, {TUNING} fine-tuning of deep methods. "
            f"Ours: {describe(table)}. {seeds}"
        ).strip(),
        rows=tuple(rows),
        columns=tuple(Column(table.setting.dataset, bits) for bits in lengths),
        cells=cells,
        remarks=tuple(unlike(table)),
    )
