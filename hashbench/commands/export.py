"""`hashbench export`: the tables as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options, selection

if TYPE_CHECKING:
    from hashbench.results.exports import Tables
    from hashbench.store import Record

EPILOG = """\b
Examples:
  hashbench export --format csv --out scores.csv
  hashbench export --format latex --out table.tex
  hashbench export --format markdown --metric r@h2 --methods dch,hashnet
  hashbench export --format markdown --against published
  hashbench export --format latex --ablation --fragment --out ablation.tex
  hashbench export --format bib --out hashbench.bib

LaTeX is a document that compiles as it is; with --fragment it is for \\input.
"""


@click.command(cls=selection.listing("exports", "Formats"), epilog=EPILOG)
@click.option(
    "--format",
    "kind",
    type=kinds.FORMAT,
    required=True,
    metavar="NAME",
    help="Which format; see below.",
)
@selection.out
@options.metric
@click.option(
    "--convention",
    "conventions",
    type=kinds.CONVENTIONS,
    default=None,
    metavar="NAMES",
    help="Convention of a table, or several for tables of each [default: house; deephash beside "
    "published numbers]; CSV without any holds all that are stored.",
)
@click.option(
    "--against",
    type=click.Choice(["published"]),
    default=None,
    help="Put published numbers and the difference beside ours.",
)
@click.option("--ablation", is_flag=True, help="DCH and its variants DCH-Q, DCH-C, DCH-E only.")
@click.option(
    "--each-draw",
    is_flag=True,
    help="A table for each draw of a split, rather than one of their mean.",
)
@click.option("--fragment", is_flag=True, help="LaTeX without the document around it.")
@selection.selection
@selection.plugins
@options.as_json
def command(kind: str, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Write the tables of stored results; scores that are missing are computed from their codes."""
    import json

    from hashbench.commands.output import printed_to
    from hashbench.registries import exports
    from hashbench.results.collect import check_known
    from hashbench.results.exports import write

    export = exports().get(kind)
    tables = _tables(**asked)
    if asked["metric"]:  # CSV has every metric, and would leave out what that one is for
        check_known(tables.series)
    text = write(export, tables, exports().entry(kind).origin)
    to_file = out is not None and str(out) != "-"
    if as_json and not to_file:
        click.echo(json.dumps({"format": kind, "records": len(tables.records), "text": text}))
        return
    with printed_to(out):
        click.echo(text, nl=False)
    if as_json:
        click.echo(json.dumps({"out": str(out), "format": kind, "records": len(tables.records)}))
    if not export.needs_scores:  # a table says it below itself
        for sentence in dict.fromkeys(s for one in tables.series for s in one.left_out):
            click.echo(sentence, err=True)


def _tables(
    *,
    metric: str | None,
    conventions: str | None,
    against: str | None,
    ablation: bool,
    fragment: bool,
    each_draw: bool,
    methods: str | None,
    bits: str | None,
    datasets: str | None,
    seeds: str | None,
    all_versions: bool,
    results: Path,
) -> Tables:
    from functools import cache

    from hashbench.evaluation import Convention
    from hashbench.parsing import parse_numbers
    from hashbench.results import published
    from hashbench.results.choose import select
    from hashbench.results.collect import main_metric
    from hashbench.results.exports import Tables
    from hashbench.results.scored import StoredJudge
    from hashbench.store import Store
    from hashbench.store.scorefiles import kept_conventions

    named = conventions or (published.CONVENTION if against else "house")
    asked = Convention.parse_list(named)
    common: dict[str, Any] = {
        "metric": metric or asked[0].main_metric(0),
        "conventions": asked,
        "against": against is not None,
        "ablation": ablation,
        "fragment": fragment,
        "each_draw": each_draw,
        "all_versions": all_versions,
        "bits": parse_numbers(bits, "--bits", low=1, high=4096) if bits else (),
        "results": results,
    }
    if against and not results.exists():
        click.echo(f"There is no {results}: these are the published numbers alone.", err=True)
        return Tables(records=(), **common)
    store = Store(results)
    records = select(store.records(), methods=methods, bits=bits, datasets=datasets, seeds=seeds)
    parsed = cache(Convention.parse)

    kept: dict[str, list[Convention]] = {}

    def stored(record: Record) -> list[Convention]:
        if conventions:
            return []
        if record.key not in kept:  # what is computed for the table does not count
            kept[record.key] = [parsed(name) for name in kept_conventions(store, record)]
        return kept[record.key]

    common["metric"] = metric or main_metric(records, asked[0])
    return Tables(
        records=records,
        judge=StoredJudge(store),
        stored=stored,
        **common,
    )
