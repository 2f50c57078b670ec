"""`hashbench data`: see, verify, prepare and import data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.commands import kinds, options
from hashbench.errors import command as line
from hashbench.errors import shown
from hashbench.parsing import in_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hashbench.data.inspection import Inspection
    from hashbench.items import ImageSource

EPILOG = """\b
Examples:
  hashbench data status
  hashbench data verify cifar10
  hashbench data verify cifar10 --duplicates
  hashbench data verify lists:my_lists --json
  hashbench data prepare cifar10 --download
  hashbench data import my_lists --as mine --images /photos
  hashbench data import photos --as mine --split 500/2000/rest
"""

#: Names printed before "and N more"; --json has all of them.
SHOWN = 10


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """See, verify, prepare and import data sets."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command(epilog="Example: hashbench data status --data-root /datasets")
@options.data_root
@options.as_json
def status(data_root: Path | None, as_json: bool) -> None:
    """Say for every data set whether it is prepared, where, and how to get it."""
    from hashbench.commands.datasets import as_json_text, show

    if as_json:
        as_json_text(data_root)
    else:
        show(data_root)


@command.command(epilog="Example: hashbench data verify cifar10 --decode")
@click.argument("name", type=kinds.DATASET)
@click.option(
    "--protocol",
    type=kinds.PROTOCOL,
    default=None,
    metavar="NAME",
    help="Protocol to draw [default: the data set's own].",
)
@click.option("--split-seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--decode", is_flag=True, help="Decode every image, to find damaged ones.")
@click.option(
    "--duplicates",
    is_flag=True,
    help="Also look for the same picture in other bytes: equal pixels, and near in feature space.",
)
@click.option(
    "--backbone",
    type=kinds.BACKBONE,
    default=None,
    metavar="NAME",
    help="Features near-duplicates are looked for in.",
)
@options.data_root
@options.as_json
def verify(
    name: str,
    protocol: str | None,
    split_seed: int,
    decode: bool,
    duplicates: bool,
    backbone: str | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Check counts, checksums, labels, overlaps and copies; exit with 1 if anything is wrong."""
    import dataclasses
    import json
    import sys

    import numpy as np

    from hashbench.backbones import feature_table
    from hashbench.data import open_dataset
    from hashbench.data.inspection import inspect

    dataset = open_dataset(name, data_root)
    quiet = not (decode or duplicates)
    with click.progressbar(length=1000, label="images", file=sys.stderr, hidden=quiet) as bar:

        def progress(share: float, note: str = "images") -> None:
            bar.label = note
            bar.update(int(share * 1000) - bar.pos)

        def features(source: ImageSource) -> NDArray[np.float32]:
            table = feature_table(source, backbone or dataset.default_backbone, progress=progress)
            return np.asarray(table)

        found = inspect(
            dataset,
            name,
            protocol,
            split_seed,
            decode=decode,
            look_alikes=features if duplicates else None,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=1))
    else:
        _show(found)
    if found.problems:
        click.get_current_context().exit(1)


@command.command(epilog="Example: hashbench data prepare cifar10 --download")
@click.argument("name", type=kinds.DATASET)
@click.option("--download", is_flag=True, help="Fetch what is missing from its official address.")
@options.data_root
def prepare(name: str, download: bool, data_root: Path | None) -> None:
    """Unpack and verify a data set; downloads only with --download."""
    from hashbench.data import open_dataset

    dataset = open_dataset(name, data_root)
    dataset.prepare(download=download)
    click.echo(f"{name} is prepared at {dataset.status().where}.")


@command.command(
    "import", epilog="Example: hashbench data import photos --as mine --split 500/2000/rest"
)
@click.argument("source", type=kinds.TypedPath(exists=True))
@click.option("--as", "name", required=True, help="Name the data set will have.")
@click.option(
    "--split",
    default=None,
    metavar="Q/T/rest",
    help="Queries and training images to draw of images nobody has split; rest+train to search "
    "the training images too, Q/all/rest to train on all that is searched.",
)
@click.option("--split-seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--images",
    type=kinds.TypedPath(exists=True, file_okay=False),
    default=None,
    help="Folder the listed paths start from [default: where SOURCE is].",
)
@click.option("--allow-missing", is_flag=True, help="Leave out images that are not there.")
@click.option("--allow-duplicates", is_flag=True, help="Take files of the same bytes as they are.")
@click.option("--allow-unlabelled", is_flag=True, help="Take images without any label.")
@options.data_root
def import_(
    source: Path,
    name: str,
    split: str | None,
    split_seed: int,
    images: Path | None,
    data_root: Path | None,
    **allow: bool,
) -> None:
    """Keep a split of your own images in the data root under a name.

    SOURCE is a folder with query, training and database lists, or, with --split, a folder of
    class folders, a CSV of paths and labels, or one list.
    """
    from hashbench.data import default_data_root
    from hashbench.data.lists import has_lists, import_lists
    from hashbench.data.unsplit import import_images
    from hashbench.errors import InputError
    from hashbench.registries import datasets

    if name in datasets().names():
        raise InputError(f"'{name}' is a data set of hashbench: choose another name with --as")
    root = data_root or default_data_root()
    if source.is_dir() and has_lists(source):
        if split is not None:
            raise InputError(f"the lists in {source} are a split already: leave out --split")
        folder = import_lists(source, name, root, images)
    else:
        folder = import_images(source, name, root, images, protocol=split, seed=split_seed, **allow)
    where = ("--data-root", data_root) if data_root else ()
    click.echo(f"{name} is at {folder}; check it with `{line('data', 'verify', name, *where)}`.")


def _show(found: Inspection) -> None:
    click.echo(
        f"{found.dataset}, protocol {found.protocol}: {in_number(found.images, 'image', 'images')}"
    )
    for part, count in found.counts.items():
        click.echo(f"  {part:<15} {count:>9,}  without label {found.unlabelled.get(part, 0):,}")
    for pair, shared in found.overlap.items():
        click.echo(f"  {pair:<15} {shared:>9,}  in both")
    if found.copies:
        links = f", {found.links:,} of them by links" if found.links else ""
        click.echo(
            f"  {found.copies:,} of {in_number(found.images, 'image', 'images')} "
            f"{'is' if found.copies == 1 else 'are'} the same as another{links}"
        )
    for kind, counts in found.duplicates.items():
        for part, count in counts.items():
            click.echo(f"  query/{part:<9} {count:>9,}  the same by {kind} under other names")
    if found.digest:
        click.echo(f"  digest of the split {found.digest}")
        click.echo(f"  sha256 of the id lists {found.sha256}")
    if found.histogram:
        click.echo("  database images by class:")
        width = max(map(len, found.histogram))
        for name, count in found.histogram.items():
            click.echo(f"    {name:<{width}} {count:>9,}")
    pairs = [
        f"{shown(pair['query'])} = {shown(pair['other'])} in {pair['part']}, "
        f"{pair['same']} {pair['similarity']:.3f}"
        for pair in found.pairs
    ]
    listed = (("missing", found.missing), ("damaged", found.damaged), ("same", pairs))
    for title, names in listed:
        for name in names[:SHOWN]:
            click.echo(f"  {title}: {name}")
        if len(names) > SHOWN:
            click.echo(f"  {title}: and {len(names) - SHOWN:,} more (--json names them all)")
    for problem in found.problems:
        click.echo(f"problem: {problem}")
    if not found.problems:
        click.echo("everything is as it should be.")
