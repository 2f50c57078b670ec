"""`hashbench search`: what lies near a picture in an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.commands import kinds, options
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.search.engine import Near

EPILOG = """\b
Examples:
  hashbench search photos-index --image cat.jpg
  hashbench search photos-index --image cat.jpg --radius 1
  hashbench search photos-index --image cat.jpg --k 10 --json
"""

#: Lookups timed after one that is not.
REPEATS = 5


@click.command(epilog=EPILOG)
@click.argument("index", type=kinds.PATH)
@click.option("--image", required=True, type=kinds.PATH, metavar="FILE", help="The query.")
@click.option(
    "--radius", type=click.IntRange(min=0), default=None, help="All within it [default: 2]."
)
@click.option("--k", type=click.IntRange(min=1), default=None, help="The k nearest instead.")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Lines printed at most.",
)
@options.plugins
@options.as_json
def command(
    index: Path,
    image: Path,
    radius: int | None,
    k: int | None,
    most: int,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print the pictures of INDEX that are near a picture, and how long the lookup took."""
    import json
    import statistics
    import time

    from hashbench.errors import InputError, shown
    from hashbench.registries import load_plugins
    from hashbench.search import open_index

    if radius is not None and k is not None:
        raise InputError("give either --radius or --k, not both")
    load_plugins(plugins)
    if image.is_dir():
        raise InputError(f"{shown(str(image), 200)} is a folder: --image takes one picture")
    opened = open_index(index)
    code = opened.encoder.encode(image)
    if code.bits != opened.bits:
        raise InputError(f"{index} holds codes of {opened.bits} bits and its encoder gives others")
    within = 2 if radius is None else radius
    engine = opened.engine

    def look() -> list[Near]:
        return engine.nearest(code.packed, k) if k else engine.within(code.packed, within)

    (near,) = look()  # the first lookup loads what the others find in memory
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        look()
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    if as_json:
        body = {
            "query": str(image),
            **({"k": k} if k else {"radius": within}),
            "codes": len(opened),
            "engine": opened.engine_name,
            "lookup_s": seconds,
            "found": [
                {
                    "path": opened.entries.path(row),
                    "distance": int(distance),
                    "labels": opened.entries.classes_of(row),
                }
                for row, distance in zip(near.rows, near.distances, strict=True)
            ],
        }
        click.echo(json.dumps(body, indent=1))
        return
    for row, distance in list(zip(near.rows, near.distances, strict=True))[:most]:
        labels = " ".join(opened.entries.classes_of(row))
        line = f"{distance:>3}  {shown(opened.entries.path(row), 300)}"
        click.echo(f"{line}  {shown(labels, 80)}" if labels else line)
    if len(near.rows) > most:
        click.echo(f"... and {len(near.rows) - most} more (--most)")
    count = f"{len(near.rows):,} found" if len(near.rows) else "the ball is empty: nothing"
    found = f"the {len(near.rows):,} nearest" if k else f"{count} within radius {within}"
    click.echo(
        f"{found} among {in_number(len(opened), 'code', 'codes')}, "
        f"in {1e3 * seconds:.2f} ms ({opened.engine_name}, median of {REPEATS} after a warm-up)"
    )
