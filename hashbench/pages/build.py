"""A page from records and whoever judges them: a folder of results, or bundles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hashbench import __version__
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.evaluation.conventions import conventions as named
from hashbench.pages.data import PageData
from hashbench.pages.differs import differs
from hashbench.pages.gallery import CodesOf, Thumbnails, gallery
from hashbench.pages.places import (
    Tick,
    bench_of,
    cells_of,
    escaped_of,
    methods_of,
    metrics_of,
)
from hashbench.results.collect import collect, no_scores
from hashbench.results.images import dataset_of, images_of
from hashbench.results.scored import Judge
from hashbench.results.series import Series
from hashbench.store import Record

#: Bytes of thumbnails on a page.
THUMBNAILS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers of a page are from.

    Attributes:
        name: a folder.
        noun: what a cell is called there: "cell" or "entry".
        again: gives the command that recomputes the cell of a key.
        commands: others, a line each.
        facts: what is known of the cell of a key beyond its record.
    """

    name: str
    noun: str
    again: Callable[[str], str]
    commands: tuple[str, ...]
    facts: Callable[[str], dict[str, Any]] | None = None


def page_data(
    records: Sequence[Record],
    judge: Judge,
    conventions: Sequence[Convention],
    *,
    title: str,
    source: Source,
    all_versions: bool = False,
    tick: Tick = lambda _note: None,
) -> tuple[PageData, list[Series]]:
    """What a page says of some records, all but its gallery; and the series it is of.

    Args:
        records: which.
        judge: gives their scores.
        conventions: those to switch between; the first is shown first.
        title: the page's heading.
        source: what the records are from.
        all_versions: with results of older code and of earlier states of the data.
        tick: called with what is being read.

    Raises:
        InputError: if no record has a score.
    """
    house = conventions[0]
    series = collect(records, judge, convention=house, all_versions=all_versions)
    if not any(record.ok for one in series for record in one.records):
        raise InputError(no_scores(records))
    cells, environments = cells_of(series)
    for key, cell in cells.items():
        cell["again"] = source.again(key)
        cell["entry"] = source.facts(key) if source.facts else None
    metrics = metrics_of(conventions)
    benches = [bench_of(one, conventions, tick) for one in series]
    data = PageData(
        title=title,
        made={
            "source": source.name,
            "noun": source.noun,
            "commands": list(source.commands),
            "hashbench": __version__,
            "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "records": sum(len(one.records) for one in series),
        },
        conventions=[_convention(item) for item in conventions],
        metrics=metrics,
        methods=methods_of(series),
        benches=benches,
        escaped=escaped_of(benches, metrics),
        cells=cells,
        environments=environments,
        differs=[differs(one, tick) for one in series],
        gallery=[None for _ in series],
    )
    return data, series


def add_gallery(
    data: PageData,
    series: Sequence[Series],
    codes: CodesOf,
    data_root: Path | None,
    *,
    always: bool = False,
    tick: Tick = lambda _note: None,
) -> None:
    """Put retrievals on a page, of every bench whose images are at hand and may be passed on.

    Args:
        data: the page.
        series: what it is of.
        codes: gives the codes of a record.
        data_root: where data sets are kept.
        always: whatever the terms of the images are.
        tick: called with what is being read.
    """
    room = Thumbnails(THUMBNAILS)
    share = THUMBNAILS // max(1, len(series))
    for place, one in enumerate(series):
        tick(f"{one.title}: gallery")
        try:
            split = _images(one, data_root, always)
        except InputError as error:
            data.sources.append(f"{one.title} has no gallery: {error}.")
            continue
        if split is None:
            data.sources.append(
                f"{one.title} has no gallery: the terms of its images do not let this page pass "
                "them on (--gallery shows them all the same, on a page for yourself)."
            )
            continue
        room.room = share
        data.gallery[place] = gallery(one, codes, split, room, place)
    data.thumbnails = room.uris


def _images(series: Series, data_root: Path | None, always: bool) -> Split | None:
    """The split of a series with its images; None where these may not be passed on."""
    record = series.records[0]
    if always or dataset_of(record, data_root).shareable:
        return images_of(record, data_root)
    return None


def _convention(item: Convention) -> dict[str, Any]:
    base = named().get(item.name)
    return {
        "name": str(item),
        "source": item.source,
        "differs": item.differs if base == item else _changes(item),
        "choices": {name: str(value) for name, value in item.choices.items()},
    }


#: What a change of a convention means, where a few words say it.
_WORDS = {
    "empty=drop": "a query with an empty ball is left out of the mean",
    "nohit=drop": "a query whose ball holds only wrong items is left out of the mean",
    "order=best": "items at the same distance count with the relevant ones first",
    "order=worst": "items at the same distance count with the relevant ones last",
    "order=stable": "items at the same distance count in the order they are stored",
    "rank=outputs": "what is ranked is ranked by real-valued outputs",
}


def _changes(item: Convention) -> str:
    """What a convention without a name of its own does otherwise than the one it is made from."""
    inside = str(item).partition("(")[2].removesuffix(")").split(",")
    said = [_WORDS.get(change, change) for change in inside if change]
    return f"As {item.name}, but {'; '.join(said)}." if said else item.differs
