"""What the verbs of a trained hash share: which one, on which pictures, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.parsing import in_number
from hashbench.spelling import typed

if TYPE_CHECKING:
    from hashbench.codes import Codes
    from hashbench.encoder import Encoder
    from hashbench.encoder.pictures import Pictures
    from hashbench.search.index import Entries

#: What a verb says of its first argument.
HASHER = (
    "HASHER is a cell of --results, METHOD:BITS:SEED or the beginning of a key, or the folder "
    "of a kept encoder."
)


def open_encoder(name: str, results: Path) -> Encoder:
    """The encoder that HASHER means.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    from hashbench.api import load
    from hashbench.errors import InputError, shown

    if typed(name).is_dir():
        return load(name)
    if not results.is_dir():
        raise InputError(
            f"{shown(name)} is no encoder: it is neither a folder that holds one nor a cell of "
            f"{results}, where there are no results"
        )
    return load(results, name)


def stored_database(name: str, results: Path) -> tuple[Codes, Entries]:
    """The codes that a cell gave of its database, and what is known of those images.

    Raises:
        InputError: if `name` is no cell of `results`, or its files are damaged.
    """
    from hashbench.errors import InputError, shown
    from hashbench.results.explain import find_cell
    from hashbench.search.index import Entries
    from hashbench.store import Store

    if typed(name).is_dir():
        raise InputError(
            f"{shown(name)} is an encoder, which knows no pictures: name some with --images"
        )
    store = Store(results)
    record = find_cell(store, name)
    _, codes = store.open_codes(record, relaxed=False)
    split = store.open_split(record)
    return codes, Entries(
        split["database_ids"].tolist(), split["database_labels"], tuple(split["classes"].tolist())
    )


def open_pictures(images: Path) -> Pictures:
    """The pictures of a folder, of an image, or of a list of paths.

    Raises:
        InputError: if there is none.
    """
    from hashbench.data.images import SUFFIXES
    from hashbench.encoder.pictures import Pictures

    if images.is_dir() or images.suffix.lower() in SUFFIXES or not images.exists():
        return Pictures.of(images)
    return Pictures.listed(images)


def root_of(images: Path) -> str:
    """The folder that the pictures' names are relative to."""
    from hashbench.data.images import SUFFIXES

    if images.is_dir():
        return str(images.resolve())
    return "" if images.suffix.lower() in SUFFIXES else str(images.resolve().parent)


def encode(encoder: Encoder, images: Path, *, quiet: bool) -> tuple[Codes, list[str], list[str]]:
    """Codes and names of the pictures that can be read, and one sentence for each other.

    Raises:
        InputError: if there is no picture at all.
    """
    pictures = open_pictures(images)
    with counting(len(pictures), quiet=quiet) as progress:
        codes, kept, bad = encoder.encode_readable(pictures, progress)
    return codes, [pictures.ids[row] for row in kept], list(bad.values())


@contextmanager
def counting(total: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _total: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("encoding", total=total)
        yield lambda done, _total: bar.update(task, completed=done)


def say_unreadable(sentences: list[str], total: int) -> None:
    """Name every picture that could not be read, and count them, on stderr."""
    for sentence in sentences:
        click.echo(f"hashbench: {sentence}", err=True)
    if sentences:
        of = in_number(total, "picture", "pictures")
        click.echo(f"hashbench: {len(sentences)} of {of} could not be read", err=True)
