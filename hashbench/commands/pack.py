"""`hashbench pack`: stored cells as entries of a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options, selection
from hashbench.commands.output import OUT

if TYPE_CHECKING:
    from hashbench.store import Record, Store

EPILOG = """\b
Examples:
  hashbench pack --out board
  hashbench pack dch:48:0 --out board --author "Ada Lovelace" --licence CC-BY-4.0
  hashbench pack --methods dch,hashnet --datasets cifar10 --out board --with-hasher
  hashbench pack --datasets voc2007 --out board --with-split
"""


@click.command(epilog=EPILOG)
@click.argument("cells", nargs=-1, type=kinds.CELL, metavar="[CELLS]...")
@click.option(
    "--out",
    required=True,
    type=OUT,
    metavar="DIR",
    help="Folder of the entries; each becomes a folder in it.",
)
@click.option("--author", default="anonymous", metavar="TEXT", help="Who answers for the entries.")
@click.option(
    "--licence",
    default="CC0-1.0",
    show_default=True,
    metavar="SPDX",
    help="Terms of the entries: codes, scores and words.",
)
@click.option("--comment", default="", metavar="TEXT", help="What readers should know.")
@click.option(
    "--pretrained-on",
    default="",
    metavar="TEXT",
    help="What the backbone was trained on [default: what it says itself].",
)
@click.option(
    "--extra-data",
    default="",
    metavar="TEXT",
    help="What the method learned from beyond the training set and the backbone.",
)
@click.option(
    "--unlabelled",
    is_flag=True,
    help="No label was learned from: of codes that were made elsewhere, which cannot say it.",
)
@click.option(
    "--convention",
    type=kinds.CONVENTIONS,
    default="house",
    show_default=True,
    metavar="NAMES",
    help="Conventions of the claimed scores; those that need more than codes are left out.",
)
@click.option(
    "--with-hasher",
    is_flag=True,
    help="With the fitted hasher, so that fresh queries can be put to it.",
)
@click.option(
    "--with-split",
    is_flag=True,
    help="With the ids and labels of the split, once for all, for data sets whose labels cannot "
    "be had without their files; mind their terms.",
)
@options.data_root
@selection.selection
@selection.plugins
@options.as_json
def command(
    cells: tuple[str, ...],
    out: Path,
    author: str,
    licence: str,
    comment: str,
    pretrained_on: str,
    extra_data: str,
    unlabelled: bool,
    convention: str,
    with_hasher: bool,
    with_split: bool,
    data_root: Path | None,
    results: Path,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Pack stored cells as entries of a board; `hashbench verify` recomputes them.

    CELLS are beginnings of keys or METHOD:BITS:SEED; without any, the options choose, and
    without those every cell of --results.
    """
    import json

    from hashbench.bundles.pack import Wording, demand, pack
    from hashbench.errors import command as line
    from hashbench.evaluation import Convention
    from hashbench.parsing import in_number
    from hashbench.store import Store
    from hashbench.store.room import in_words

    store = Store(results)
    conventions = Convention.parse_list(convention)
    wording = Wording(author, licence, comment, pretrained_on, extra_data, unlabelled)
    bundles = []
    total = 0
    records = _records(store, cells, **chosen)
    for record in records:
        demand(record, wording, with_hasher=with_hasher)
    for record in records:
        bundle = pack(store, record, out, conventions, wording, with_hasher=with_hasher)
        bundles.append(bundle)
        assert bundle.folder is not None
        size = sum(path.stat().st_size for path in bundle.folder.iterdir())
        total += size
        if not as_json:
            click.echo(f"{bundle.folder.name}  {in_words(size)}")
    splits = _splits(bundles, out, data_root) if with_split else []
    if as_json:
        body = [{"entry": bundle.name, "folder": str(bundle.folder)} for bundle in bundles]
        click.echo(json.dumps({"entries": body, "splits": list(map(str, splits))}, indent=1))
        return
    for path in splits:
        total += path.stat().st_size
        click.echo(f"{path.relative_to(out)}  {in_words(path.stat().st_size)}")
    click.echo(f"\n{in_number(len(bundles), 'entry', 'entries')} in {out}, {in_words(total)}")
    click.echo(f"Next: {line('verify', out)}")


def _records(
    store: Store, cells: tuple[str, ...], *, all_versions: bool, **chosen: Any
) -> list[Record]:
    from hashbench.errors import InputError
    from hashbench.results.choose import current, select
    from hashbench.results.collect import no_scores
    from hashbench.results.explain import find_cell

    if cells:
        records = list({r.key: r for r in (find_cell(store, name) for name in cells)}.values())
    else:
        records = select(store.records(), **chosen)
        if not all_versions:
            records = current(records)[0]
    ready = [record for record in records if record.ok]
    if not ready:
        raise InputError(no_scores(records, str(store.root)))
    return ready


def _splits(bundles: list[Any], out: Path, data_root: Path | None) -> list[Path]:
    """The files of the splits of entries, drawn from the data here, each written once."""
    from hashbench.bundles.splits import Splits, write_split
    from hashbench.data import default_data_root

    splits = Splits(data_root or default_data_root())
    found = {b.evidence.split: splits.find(b.cell.bench, b.evidence.split) for b in bundles}
    return [write_split(out, split) for split in found.values()]
