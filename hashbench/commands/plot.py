"""`hashbench plot`: the paper's figures from stored results."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options
from hashbench.results.plots import FORMATS, KINDS, WITHOUT_RECORDS

EPILOG = "\b\nKinds:\n" + "".join(f"  {name:<12} {line}\n" for name, line in KINDS.items())
EPILOG += """
\b
Examples:
  hashbench plot bits
  hashbench plot distances --bits 48 --out figures --format png
  hashbench plot tsne --methods dch,hashnet --datasets cifar10
  hashbench plot topk --methods dch,hashnet --worst
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("figures"),
    show_default=True,
    metavar="DIR",
    help="Folder of the figures and their CSV files.",
)
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="pdf", show_default=True
)
@click.option("--methods", default="", metavar="NAMES", help="Methods, such as dch,hashnet.")
@click.option("--bits", default="", metavar="BITS", help="Code lengths, such as 48 or 16,32.")
@click.option(
    "--convention", default="house", show_default=True, metavar="NAME", help="Whose scores."
)
@click.option("--points", default=5000, show_default=True, help="Database codes in a t-SNE.")
@click.option(
    "--queries", default=3, show_default=True, type=click.IntRange(1, 20), help="Strips of topk."
)
@click.option("--worst", is_flag=True, help="The worst queries in topk, not random ones.")
@click.option("--draw-seed", default=0, show_default=True, help="Draws points and queries.")
@options.datasets
@options.seeds
@options.data_root
@options.results
@options.as_json
def command(
    kind: str,
    out: Path,
    file_format: str,
    methods: str,
    bits: str,
    convention: str,
    points: int,
    queries: int,
    worst: bool,
    draw_seed: int,
    datasets: str | None,
    seeds: str | None,
    data_root: Path | None,
    results: Path,
    as_json: bool,
) -> None:
    """Draw a figure of stored results, with the numbers it shows as CSV beside it."""
    import json

    from rich.console import Console
    from rich.progress import Progress

    from hashbench.parsing import parse_names, parse_numbers
    from hashbench.results.plots import draw
    from hashbench.results.plots.request import Request
    from hashbench.results.sheets import unfinished
    from hashbench.results.store import Store
    from hashbench.results.tables import select, tables

    store = None if kind in WITHOUT_RECORDS else Store(results)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(kind, total=1.0, visible=False)

        def progress(share: float, note: str) -> None:
            bar.update(task, completed=share, description=note, visible=True)

        request = Request(
            records=() if store is None else select(store.records(), datasets, seeds),
            store=store,
            methods=parse_names(methods),
            bits=parse_numbers(bits, "--bits", low=1, high=4096) if bits else (),
            convention=convention,
            data_root=data_root,
            points=points,
            queries=queries,
            worst=worst,
            seed=draw_seed,
            progress=progress,
        )
        written = draw(kind, request, out, file_format)
    if as_json:
        click.echo(json.dumps({"written": [str(path) for path in written]}))
        return
    if store is not None:
        for table in tables(request.records):
            if sentence := unfinished(table):
                click.echo(sentence, err=True)
    for path in written:
        click.echo(f"Wrote {path}.")
