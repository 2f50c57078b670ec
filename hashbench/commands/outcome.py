"""What a run ends with: the tables, where the records are, what to do next."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hashbench.parsing import in_number
from hashbench.runtime import DEFAULT_RESULTS

if TYPE_CHECKING:
    from hashbench.results.results import Results
    from hashbench.store import Record


def report(results: Results, *, as_json: bool) -> None:
    """Print the tables of what a run asked for, or everything as JSON."""
    if as_json:
        body = {
            "results": str(results.folder),
            "records": [_body(results, record) for record in results.records],
            "missing": [{"cell": cell, "reason": reason} for cell, reason in results.missing],
        }
        click.echo(json.dumps(body, indent=1))
        return
    from rich.console import Console

    from hashbench.errors import command
    from hashbench.evaluation import Convention
    from hashbench.parsing import plain
    from hashbench.results.collect import collect, main_metric
    from hashbench.results.draws import averaged
    from hashbench.results.scored import StoredJudge
    from hashbench.results.terminal import WIDE, show

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    first = Convention.parse(results.conventions[0])
    metric = main_metric(results.records, first)
    judge = StoredJudge(results.store) if results.records else None
    # Not results.table, which refuses a metric that none has: a run that is done shows dashes.
    found = collect(results.records, judge, metric, str(first), all_versions=True) if judge else ()
    for series in averaged(found):
        show(console, series)
    shown = {str(record.cell) for record in results.records if not record.ok}
    for cell, reason in results.missing:
        if cell not in shown:  # the table has said why
            click.echo(plain(f"- {cell}: {reason}"))
    click.echo(f"\n{_kept(results)}")
    if not any(record.ok for record in results.records):
        return
    words: list[object] = ["--format", "latex", "--out", "table.tex"]
    if str(first) != "house":
        words += ["--convention", first]
    if metric != "map@h2":
        words += ["--metric", metric]
    if results.folder != DEFAULT_RESULTS:
        words += ["--results", results.folder]
    click.echo(f"Next: {command('export', *words)}")


def _kept(results: Results) -> str:
    """How many cells of this run have left a record, and how many of others lie beside them."""
    ours = results.records
    failed = sum(not record.ok for record in ours)
    beside = len(set(results.store.keys()) - {record.key for record in ours})
    said = f"{in_number(len(ours), 'record', 'records')} of this run in {results.folder}"
    if failed:
        said += f", {failed} of them of cells that failed"
    return said + (f"; {beside} of other cells beside them" if beside else "")


def _body(results: Results, record: Record) -> dict[str, object]:
    from hashbench.evaluation import Convention
    from hashbench.store.scorefiles import get_lookup, get_scores

    body = json.loads(record.to_json())
    found = {
        name: get_scores(results.store, record, Convention.parse(name))
        for name in results.conventions
    }
    body["scores"] = {name: item[0].to_dict() for name, item in found.items() if item}
    body["origins"] = [asdict(origin) for origin in record.origins]
    body["lookup"] = get_lookup(results.store, record)
    return dict(body)
