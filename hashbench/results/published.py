"""Published numbers beside ours, with everything that makes them unlike each other.

`published.csv` holds the mAP@H<=2 in the tables of Cao, Long, Liu and Wang,
"Deep Cauchy Hashing for Hamming Space Retrieval", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from hashbench.errors import InputError
from hashbench.registries import datasets, methods
from hashbench.results.rows import Row
from hashbench.results.series import SeedScores, Series
from hashbench.results.sheets import (
    TIES,
    Head,
    Line,
    Place,
    Sheet,
    dataset_bibtex,
    describe,
    place_of,
    spread,
)
from hashbench.results.sinks import one_line, remark, slug

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "DCH, CVPR 2018"
METRIC = "map@h2"
#: What the authors' released code computes and their maintainers call right.
CONVENTION = "deephash"
BACKBONE = "alexnet"
MODE = "full"

#: The data sets of the paper: their titles, and the images its protocols name,
#: queries / training / database.
TITLES = {"nuswide": "NUS-WIDE", "coco": "MS-COCO", "cifar10": "CIFAR-10"}
SPLITS = {
    "cifar10": "1,000 / 5,000 / 54,000; the lists released with it overlapped until November 2019, "
    "888 of the 1,000 queries lying in the database",
    "nuswide": "5,000 / 10,000 / the rest, 81 concepts",
    "coco": "5,000 / 10,000 / 117,218",
}
_PROTOCOLS = {"cifar10": ("cifar10",), "nuswide": ("nuswide81",), "coco": ("coco",)}

COLUMNS = (
    "method", "dataset", "bits", "metric", "published", "ours", "ours_std", "seeds", "difference",
    "published_convention", "ours_convention", "published_backbone", "ours_backbone",
    "published_training_mode", "ours_training_mode", "published_split", "ours_protocol",
    "ours_split", "ours_options", "variant", "ours_origin", "remark", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A method of the paper.

    Attributes:
        title: its printed name.
        values: its numbers by (data set, bits).
        guess: why ours is not the same method, "" where it is.
    """

    title: str
    values: dict[tuple[str, int], float]
    guess: str


@dataclass(frozen=True)
class Pair:
    """A published number and ours; each may be missing.

    Attributes:
        method: name of the method.
        label: how its row is printed.
        bits: code length.
        published: the paper's number.
        entry: ours.
        row: the row ours is of, None without.
        guess: why the two must not be subtracted, "" where they may.
    """

    method: str
    label: str
    bits: int
    published: float | None
    entry: SeedScores
    row: Row | None
    guess: str = ""

    @property
    def difference(self) -> float | None:
        """Ours minus published; None where one is missing or ours is a guess."""
        if self.published is None or self.entry.mean is None or self.guess:
            return None
        return self.entry.mean - self.published


@cache
def published() -> dict[str, Published]:
    """The methods of the paper by name, in its order."""
    import pandas as pd

    with files("hashbench.results").joinpath("published.csv").open() as stream:
        frame = pd.read_csv(stream, keep_default_na=False)
    found: dict[str, Published] = {}
    for row in frame.itertuples():
        method = found.setdefault(str(row.method), Published(str(row.title), {}, str(row.guess)))
        method.values[str(row.dataset), int(str(row.bits))] = float(str(row.value))
    return found


def references() -> list[tuple[str, str, str]]:
    """Kind, name and BibTeX entry of every method and data set of the paper."""
    names = [*(("method", name) for name in published()), *(("dataset", name) for name in TITLES)]
    return [(kind, name, _bibtex(kind, name)) for kind, name in names]


@cache
def _bibtex(kind: str, name: str) -> str:
    return str((methods() if kind == "method" else datasets()).get(name).bibtex)


def pairs(dataset: str, series: Series | None, bits: Sequence[int] = ()) -> list[Pair]:
    """Published and our numbers on a data set: every method of either, in the paper's order.

    Args:
        dataset: name of the data set.
        series: ours, if there are any.
        bits: code lengths; by default all of either.
    """
    known = published()
    there = {
        length for method in known.values() for name, length in method.values if name == dataset
    }
    lengths = sorted(bits or there | set(series.bits if series else ()))
    ours: dict[str, list[Row | None]] = {}
    for own in series.rows if series else ():
        ours.setdefault(own.method, []).append(own)
    found = []
    for name in [*known, *(name for name in ours if name not in known)]:
        method = known.get(name, Published(name, {}, ""))
        for row in ours.get(name) or [None]:
            label = series.labels[row] if series and row else method.title
            for length in lengths:
                found.append(
                    Pair(
                        method=name,
                        label=label,
                        bits=length,
                        published=method.values.get((dataset, length)),
                        entry=series.entry(row, length) if series and row else SeedScores(),
                        row=row,
                        guess=method.guess if row else "",
                    )
                )
    return found


def comparison_sheets(found: Sequence[Series], bits: Sequence[int] = ()) -> list[Sheet]:
    """One sheet a bench: published, ours and the difference, method by method.

    A data set of the paper that we have nothing of has the published numbers
    alone, unless others were asked for.

    Raises:
        InputError: if the metric is another, or no data set has published numbers.
    """
    return [_sheet(dataset, series, bits) for dataset, series in _paired(found)]


def comparison_frame(found: Sequence[Series], bits: Sequence[int] = ()) -> pd.DataFrame:
    """One line a method and code length."""
    import pandas as pd

    rows = [
        {
            "method": pair.method,
            "dataset": dataset,
            "bits": pair.bits,
            "metric": METRIC,
            "published": pair.published,
            "ours": pair.entry.mean,
            "ours_std": pair.entry.std,
            "seeds": pair.entry.n,
            "difference": pair.difference,
            "published_convention": CONVENTION,
            "ours_convention": str(series.convention) if series else "",
            "published_backbone": BACKBONE,
            "ours_backbone": series.bench.backbone if series else "",
            "published_training_mode": MODE,
            "ours_training_mode": pair.row.mode if pair.row else "",
            "published_split": SPLITS[dataset],
            "ours_protocol": series.bench.protocol if series else "",
            "ours_split": series.drawn if series else "",
            "ours_options": ", ".join(series.bench.said) if series else "",
            "variant": pair.label,
            "ours_origin": pair.row.origin if pair.row else "",
            "remark": pair.guess,
            "source": SOURCE,
        }
        for dataset, series in _paired(found)
        for pair in pairs(dataset, series, bits)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def unlike(dataset: str, series: Series) -> list[str]:
    """What differs between the published numbers and ours, one sentence each."""
    bench = series.bench
    modes = "/".join(series.modes) or "none"
    sentences = [
        f"Not like for like: ours with {words}, of which nothing is said of the published."
        for words in bench.said
    ]
    if str(series.convention) != CONVENTION:
        sentences.append(
            f"Not like for like: the published numbers follow the {CONVENTION} convention, "
            f"ours the {series.convention} convention."
        )
    if bench.backbone != BACKBONE:
        sentences.append(f"Not like for like: published on {BACKBONE}, ours on {bench.backbone}.")
    if modes != MODE:
        sentences.append(
            f"Not like for like: the published deep methods fine-tuned the whole network "
            f"({MODE}), ours: {modes}."
        )
    same = bench.protocol in _PROTOCOLS[dataset]
    sentences.append(
        f"{'Same protocol, another draw' if same else 'Not like for like: another protocol'}: "
        f"published split {SPLITS[dataset]}; ours {bench.protocol}, {series.drawn}."
    )
    return sentences


def _paired(found: Sequence[Series]) -> list[tuple[str, Series | None]]:
    if any(series.metric != METRIC for series in found):
        raise InputError(f"published numbers are {METRIC} only: leave --metric out")
    if not found:
        return [(name, None) for name in TITLES]
    matched: list[tuple[str, Series | None]] = [
        (name, series) for name in TITLES for series in found if series.bench.dataset == name
    ]
    if not matched:
        raise InputError(
            "no result here has a published counterpart: run `hashbench run --datasets cifar10 "
            "--methods dch,hashnet --bits 16,32,48,64` first"
        )
    return matched


def _sheet(dataset: str, series: Series | None, bits: Sequence[int]) -> Sheet:
    found = pairs(dataset, series, bits)
    lengths = sorted({pair.bits for pair in found})
    seeds = series.seeds if series else 0
    lines: list[Line] = []
    places: dict[tuple[int, int], Place] = {}
    footnotes: dict[str, int] = {}
    starts: dict[tuple[str, Row | None], int] = {}
    for pair in found:
        key = (pair.label, pair.row)
        if key not in starts:
            starts[key] = len(lines)
            kinds = ("published", "ours", "difference") if pair.row else ("published",)
            cites = pair.row.bibtex if pair.row else _bibtex("method", pair.method)
            lines += [Line(pair.label, cites, kind) for kind in kinds]
        start, column = starts[key], lengths.index(pair.bits)
        places[start, column] = Place(pair.published)
        if pair.row is None or series is None:
            continue
        reasons = [one_line(text) for text in (*pair.entry.failures, pair.guess) if text]
        notes = tuple(footnotes.setdefault(text, len(footnotes)) for text in dict.fromkeys(reasons))
        places[start + 1, column] = replace(place_of(pair.entry, series, seeds), notes=notes)
        places[start + 2, column] = Place(pair.difference, signed=True)
    ours = f"{series.what}, beside the" if series else "The"
    parts = [
        f"{ours} numbers published in {SOURCE}.",
        f"Published: {TITLES[dataset]}, mAP@H<=2, {CONVENTION} convention, {BACKBONE}, {MODE} "
        "fine-tuning of deep methods.",
        f"Ours: {describe(series)}. {spread([series])}" if series else "",
        TIES if any(place.bounds for place in places.values()) else "",
    ]
    title = series.title if series else TITLES[dataset]
    entry = dataset_bibtex(series) if series else _bibtex("dataset", dataset)
    remarks = [*unlike(dataset, series), *map(remark, series.notes)] if series else []
    return Sheet(
        name=slug("published", dataset, series.bench.backbone if series else ""),
        caption=" ".join(filter(None, parts)).strip(),
        lines=tuple(lines),
        heads=tuple(Head(title, length, entry) for length in lengths),
        places=places,
        footnotes=tuple(footnotes),
        remarks=tuple(remarks),
    )
