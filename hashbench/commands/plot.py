"""`hashbench plot`: figures of stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hashbench.commands import kinds, options, selection
from hashbench.commands.output import OUT

EPILOG = """
\b
Examples:
  hashbench plot bits
  hashbench plot distances --bits 48 --out figures --format png
  hashbench plot tsne --methods dch,hashnet --datasets cifar10
  hashbench plot topk --methods dch,hashnet --worst
"""


@click.command(cls=selection.listing("plots", "Kinds"), epilog=EPILOG)
@click.argument("kind", type=kinds.FIGURE)
@click.option(
    "--out",
    type=OUT,
    default=Path("figures"),
    show_default=True,
    metavar="DIR",
    help="Folder of the figures and their CSV files; - prints the CSV alone.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["pdf", "png", "svg"]),
    default="pdf",
    show_default=True,
)
@options.convention
@click.option("--points", default=5000, show_default=True, help="Database codes in a t-SNE.")
@click.option(
    "--queries", default=3, show_default=True, type=click.IntRange(1, 20), help="Strips of topk."
)
@click.option("--worst", is_flag=True, help="The worst queries in topk, not random ones.")
@click.option("--draw-seed", default=0, show_default=True, help="Draws points and queries.")
@selection.selection
@options.data_root
@selection.plugins
@options.as_json
def command(
    kind: str,
    out: Path,
    file_format: str,
    draw_seed: int,
    methods: str | None,
    bits: str | None,
    datasets: str | None,
    seeds: str | None,
    results: Path,
    as_json: bool,
    **choices: Any,
) -> None:
    """Draw a figure of stored results, with the numbers it shows as CSV beside it.

    Scores that are missing are computed from stored codes. Methods are shown in the
    order of --methods.
    """
    import json
    import tempfile

    from rich.console import Console
    from rich.progress import Progress

    from hashbench.parsing import parse_names, parse_numbers
    from hashbench.registries import plots
    from hashbench.results.choose import select
    from hashbench.results.plots import draw
    from hashbench.results.plots.request import FigureRequest
    from hashbench.store import Store

    store = Store(results) if plots().get(kind).needs_results else None
    chosen = {"methods": methods, "bits": bits, "datasets": datasets, "seeds": seeds}
    console = Console(stderr=True)
    to_stdout = str(out) == "-"
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task(kind, total=1.0, visible=False)
        request = FigureRequest(
            records=() if store is None else select(store.records(), **chosen),
            store=store,
            methods=parse_names(methods or ""),
            bits=parse_numbers(bits, "--bits", low=1, high=4096) if bits else (),
            seed=draw_seed,
            progress=lambda share, note: bar.update(
                task, completed=share, description=note, visible=True
            ),
            **choices,
        )
        written = draw(kind, request, Path(folder) if to_stdout else out, file_format)
        texts = [path.read_text() for path in written if to_stdout and path.suffix == ".csv"]
    if as_json:
        body = {"numbers": texts} if to_stdout else {"written": [str(path) for path in written]}
        click.echo(json.dumps(body))
        return
    for text in texts:
        click.echo(text, nl=False)
    for sentence in request.notes if store is not None else ():
        click.echo(sentence, err=True)
    for path in written if not to_stdout else ():
        click.echo(f"Wrote {path}.")
