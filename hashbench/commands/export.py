"""`hashbench export`: the tables as files."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench export --format csv --out scores.csv
  hashbench export --format latex --out table.tex
  hashbench export --format markdown --metric r@h2
  hashbench export --format markdown --against published
  hashbench export --format latex --ablation --fragment --out ablation.tex
  hashbench export --format bib --out hashbench.bib

LaTeX is a document that compiles as it is; with --fragment it is for \\input.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--format", "kind", type=click.Choice(["csv", "latex", "markdown", "bib"]), required=True
)
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
    default=None,
    metavar="NAME",
    help="Convention of a LaTeX or Markdown table [default: house; deephash beside published "
    "numbers]; CSV holds them all.",
)
@click.option(
    "--against",
    type=click.Choice(["published"]),
    default=None,
    help="Put published numbers and the difference beside ours.",
)
@click.option("--ablation", is_flag=True, help="DCH and its variants DCH-Q, DCH-C, DCH-E only.")
@click.option("--fragment", is_flag=True, help="LaTeX without the document around it.")
@options.datasets
@options.seeds
@options.results
@options.as_json
def command(
    kind: str,
    out: Path | None,
    metric: str,
    convention: str | None,
    against: str | None,
    ablation: bool,
    fragment: bool,
    datasets: str | None,
    seeds: str | None,
    results: Path,
    as_json: bool,
) -> None:
    """Write the tables of stored results as CSV, LaTeX or Markdown, or the references."""
    from hashbench.results import export, latex, published
    from hashbench.results.ablation import ablation_rows
    from hashbench.results.marks import significant
    from hashbench.results.references import bibtex
    from hashbench.results.sheets import paper_sheets
    from hashbench.results.store import Store
    from hashbench.results.tables import check_score, select, tables

    if kind == "bib":
        _write(out, bibtex(), "the references", as_json, {"format": kind})
        return
    store = Store(results)
    records = select(store.records(), datasets, seeds)
    rows: tuple[str, ...] = ()
    if ablation:
        records, rows = ablation_rows(records)
    convention = convention or (published.CONVENTION if against else "house")
    if kind == "csv" and not against:
        text = export.csv(records)
    else:
        check_score(records, metric, convention)
        found = tables(records, metric, convention)
        if kind == "csv":
            text = published.comparison_csv(found)
        else:
            sheets = (
                published.comparison_sheets(found)
                if against
                else paper_sheets(found, lambda table: significant(store, table), rows=rows)
            )
            if kind == "markdown":
                text = export.markdown(sheets)
            else:
                text = latex.fragment(sheets) if fragment else latex.document(sheets)
    _write(
        out,
        text,
        f"{len(records)} records in {results}",
        as_json,
        {"format": kind, "records": len(records)},
    )


def _write(
    out: Path | None, text: str, source: str, as_json: bool, facts: dict[str, object]
) -> None:
    """Write `text` to a file and say so, or print it."""
    import json

    from hashbench.errors import InputError
    from hashbench.files import write_atomically

    if out is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(out, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    if as_json:
        click.echo(json.dumps({"out": str(out), **facts}))
    else:
        click.echo(f"Wrote {out} from {source}.")
