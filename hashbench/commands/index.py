"""`hashbench index`: an index of pictures' codes on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hashbench.commands import kinds, options
from hashbench.commands.hashers import HASHER
from hashbench.commands.output import OUT
from hashbench.parsing import in_number

EPILOG = """\b
Examples:
  hashbench index my-encoder --images photos/ --out photos-index
  hashbench index my-encoder --images codes.npz --structure multihash
  hashbench index my-encoder --images photos/ --labels folders
  hashbench index dch:48:0
  hashbench index my-encoder --images codes.npz --engine lancedb --address s3://bucket/codes
"""


@click.command(epilog=EPILOG, help=f"Index pictures by their codes, to be searched.\n\n{HASHER}")
@click.argument("hasher", type=kinds.CELL)
@click.option(
    "--images",
    default=None,
    type=kinds.PATH,
    metavar="DIR|LIST|CODES",
    help="A folder, a text file of one path a line, or what `hashbench encode` wrote "
    "[default: the database a cell was scored on, its stored codes and labels].",
)
@click.option(
    "--out",
    type=OUT,
    default=Path("index"),
    show_default=True,
    metavar="DIR",
    help="Folder of the index.",
)
@click.option(
    "--engine",
    type=click.Choice(["faiss", "lancedb"]),
    default="faiss",
    show_default=True,
    help="FAISS in memory, or LanceDB's table on disk or object storage.",
)
@click.option(
    "--structure",
    type=click.Choice(["flat", "hash", "multihash"]),
    default="flat",
    show_default=True,
    help="FAISS's: compare all, or hash tables for one radius.",
)
@click.option(
    "--radius",
    type=click.IntRange(min=0),
    default=None,
    help="What hash tables are made for [default: 2].",
)
@click.option("--address", default="", metavar="URI", help="Where LanceDB keeps its table.")
@click.option(
    "--labels",
    type=click.Choice(["none", "folders"]),
    default="none",
    show_default=True,
    help="folders: a picture is of the class its folder is named after.",
)
@options.results
@options.plugins
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    hasher: str,
    images: Path | None,
    out: Path,
    engine: str,
    structure: str,
    radius: int | None,
    address: str,
    labels: str,
    results: Path,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Index pictures by their codes; exit code 1 if some of them could not be read."""
    import json
    import time
    from dataclasses import replace

    from hashbench.commands.hashers import (
        encode,
        open_encoder,
        root_of,
        say_unreadable,
        stored_database,
    )
    from hashbench.encoder.codesfile import read_codes
    from hashbench.errors import InputError, shown
    from hashbench.registries import load_plugins
    from hashbench.search import build_index
    from hashbench.search.index import Entries
    from hashbench.search.labels import folder_labels

    load_plugins(plugins)
    encoder = open_encoder(hasher, results)
    unreadable: list[str] = []
    if images is None:
        if labels == "folders":
            raise InputError(
                f"the database of {shown(hasher)} brings its own labels: leave --labels out, or "
                "name pictures with --images"
            )
        codes, entries = stored_database(hasher, results)
    elif images.suffix.lower() == ".npz":
        codes, ids, root, maker = read_codes(images)
        if codes.bits != encoder.bits or maker not in ("", encoder.digest):
            bits = f"codes of {codes.bits} bits and {shown(hasher)} gives {encoder.bits}"
            other = f"codes that {shown(hasher)} did not make"
            raise InputError(
                f"{images} holds {bits if codes.bits != encoder.bits else other}: name the hasher "
                "that made them"
            )
        entries = Entries(ids, root=root)
    else:
        codes, ids, unreadable = encode(encoder, images, quiet=as_json)
        entries = Entries(ids, root=root_of(images))
    if labels == "folders":
        matrix, classes = folder_labels(entries.ids)
        entries = replace(entries, labels=matrix, classes=classes)
    settings: dict[str, Any] = {"structure": structure, "address": address}
    if radius is not None:
        settings["radius"] = radius
    start = time.perf_counter()
    index = build_index(out, codes, entries, engine, settings, encoder)
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if as_json:
        body = {
            "out": str(out), "engine": engine, "codes": len(index), "bits": index.bits,
            "classes": list(entries.classes), "build_s": seconds, "bytes": size,
            "unreadable": unreadable,
        }  # fmt: skip
        click.echo(json.dumps(body, indent=1))
    else:
        kind = f"{engine} {structure}" if engine == "faiss" else engine
        click.echo(
            f"{in_number(len(index), 'code', 'codes')} of {in_number(index.bits, 'bit', 'bits')} "
            f"({kind}, {size / 2**20:.1f} MB with the "
            f"encoder, {seconds:.1f} s): {out}"
        )
    say_unreadable(unreadable, len(index) + len(unreadable))
    context.exit(1 if unreadable else 0)
