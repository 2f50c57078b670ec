"""`hashbench compare`: are the differences between methods real?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import options

if TYPE_CHECKING:
    from hashbench.results.record import Record
    from hashbench.results.store import Store

EPILOG = """\b
Examples:
  hashbench compare
  hashbench compare --metric r@h2
  hashbench compare --datasets cifar10 --convention deephash --json
"""


@click.command(epilog=EPILOG)
@click.option("--metric", default="map@h2", show_default=True, metavar="NAME", help="What of.")
@click.option(
    "--convention", default="house", show_default=True, metavar="NAME", help="Under which rules."
)
@options.datasets
@options.seeds
@options.results
@options.as_json
def command(
    metric: str,
    convention: str,
    datasets: str | None,
    seeds: str | None,
    results: Path,
    as_json: bool,
) -> None:
    """Show confidence intervals, and test every two methods on the same queries.

    Intervals are bootstrapped over queries. Methods of equal code length on the same
    split are compared by a paired randomisation test, corrected (Holm) for all
    comparisons shown. Seeds of a method are averaged query by query.
    """
    import json
    from dataclasses import asdict

    from hashbench.evaluation import Convention
    from hashbench.evaluation.significance import compare, interval
    from hashbench.results.store import Store
    from hashbench.results.tables import select

    store = Store(results)
    records = [record for record in select(store.records(), datasets, seeds) if record.ok]
    key = f"{Convention.parse(convention)}|{metric}"
    families = _families(store, records, key)
    intervals = {name: interval(values) for family in families for name, values in family.items()}
    comparisons = compare(*families)
    if as_json:
        body = {
            "metric": metric,
            "convention": convention,
            "intervals": {name: asdict(item) for name, item in intervals.items()},
            "comparisons": [asdict(item) for item in comparisons],
        }
        click.echo(json.dumps(body, indent=1))
        return
    from tabulate import tabulate

    rows = [
        [name, f"{item.mean:.4f}", f"{item.low:.4f} .. {item.high:.4f}"]
        for name, item in intervals.items()
    ]
    headings = ["", f"{metric} ({convention})", "95% interval over queries"]
    click.echo(tabulate(rows, headings, disable_numparse=True))
    if comparisons:
        tests = [
            [
                item.first,
                item.second,
                f"{item.difference:+.4f}",
                f"{item.p:.4f}",
                f"{item.adjusted:.4f}",
            ]
            for item in comparisons
        ]
        click.echo()
        headings = ["first", "second", "first - second", "p", f"p, Holm over {len(tests)}"]
        click.echo(tabulate(tests, headings, disable_numparse=True))


def _families(store: Store, records: list[Record], key: str) -> list[dict[str, Any]]:
    """Per-query scores by label, one mapping for each split and code length.

    Raises:
        InputError: if a record has no per-query scores of that name.
    """
    import numpy as np

    from hashbench.errors import unknown
    from hashbench.results.tables import row_labels

    labels = row_labels(records)
    found: dict[tuple[str, int], dict[str, list[Any]]] = {}
    for record in records:
        stored = store.per_query(record)
        if key not in stored:
            raise unknown("per-query score", key, stored)
        bits = int(record.cell["bits"])
        family = found.setdefault((str(record.split["sha256"]), bits), {})
        label = f"{record.cell['dataset']} {labels[record.key]} {bits} bits"
        family.setdefault(label, []).append(stored[key])
    return [
        {label: np.mean(values, axis=0) for label, values in family.items()}
        for _, family in sorted(found.items())
    ]
