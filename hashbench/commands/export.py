"""`hashbench export`: the table as a file."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench export --format csv --out scores.csv
  hashbench export --format latex --out table.tex
  hashbench export --format markdown --metric r@h2
"""


@click.command(epilog=EPILOG)
@click.option("--format", "kind", type=click.Choice(["csv", "latex", "markdown"]), required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Where to write; stdout if not given.",
)
@click.option(
    "--metric",
    default="map@h2",
    show_default=True,
    metavar="NAME",
    help="Metric of a LaTeX or Markdown table; CSV holds them all.",
)
@click.option(
    "--convention",
    default="house",
    show_default=True,
    metavar="NAME",
    help="Convention of a LaTeX or Markdown table; CSV holds them all.",
)
@options.datasets
@options.seeds
@options.results
@options.as_json
def command(
    kind: str,
    out: Path | None,
    metric: str,
    convention: str,
    datasets: str | None,
    seeds: str | None,
    results: Path,
    as_json: bool,
) -> None:
    """Write the table of stored results as CSV, LaTeX or Markdown."""
    import json

    from hashbench.errors import InputError
    from hashbench.files import write_atomically
    from hashbench.results import export
    from hashbench.results.store import Store
    from hashbench.results.tables import select, tables

    records = select(Store(results).records(), datasets, seeds)
    if kind == "csv":
        text = export.csv(records)
    else:
        found = tables(records, metric, convention)
        text = export.latex(found) if kind == "latex" else export.markdown(found)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(out, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    if as_json:
        click.echo(json.dumps({"out": str(out), "format": kind, "records": len(records)}))
    else:
        click.echo(f"Wrote {out} from {len(records)} records in {results}.")
