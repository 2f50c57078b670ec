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

    Intervals are of queries drawn anew and, from three seeds on, of seeds too.
    Methods of equal code length on the same split are compared by a paired
    randomisation test, corrected (Holm) for all comparisons shown; from three
    seeds on the difference must also be one that other seeds would give.
    "first" is how often a method is first over these draws.
    """
    import json
    from dataclasses import asdict

    from hashbench.evaluation import Convention, describe_metric
    from hashbench.evaluation.statistics import compare_family, correct, shown_p
    from hashbench.results.store import Store
    from hashbench.results.tables import select

    store = Store(results)
    records = [record for record in select(store.records(), datasets, seeds) if record.ok]
    key = f"{Convention.parse(convention)}|{metric}"
    better = describe_metric(metric).better
    families = correct(
        [compare_family(part, better=better) for part in _families(store, records, key)]
    )
    intervals = {name: item for family in families for name, item in family.intervals.items()}
    certificate = {name: item for family in families for name, item in family.certificate.items()}
    comparisons = [item for family in families for item in family.comparisons]
    if as_json:
        body = {
            "metric": metric,
            "convention": convention,
            "intervals": {name: asdict(item) for name, item in intervals.items()},
            "first": certificate,
            "comparisons": [
                asdict(item) | {"significant": item.significant()} for item in comparisons
            ],
        }
        click.echo(json.dumps(body, indent=1))
        return
    from tabulate import tabulate

    rows = [
        [
            name,
            str(item.seeds),
            f"{item.mean:.4f}",
            f"{item.low:.4f} .. {item.high:.4f}",
            f"{certificate[name]:.0%}",
        ]
        for name, item in intervals.items()
    ]
    headings = ["", "seeds", f"{metric} ({convention})", "95% interval", "first"]
    click.echo(tabulate(rows, headings, disable_numparse=True))
    if comparisons:
        tests = [
            [
                item.first,
                item.second,
                f"{item.difference:+.4f}",
                f"{item.low:+.4f} .. {item.high:+.4f}",
                f"{item.queries:,}",
                shown_p(item.p),
                shown_p(item.adjusted) + (f" ({item.against})" if item.against else ""),
            ]
            for item in comparisons
        ]
        click.echo()
        corrected = f"p, Holm over {len(tests)}"
        headings = ["first", "second", "first - second", "95% interval", "queries", "p", corrected]
        click.echo(tabulate(tests, headings, disable_numparse=True))
        if any(item.seeds < 3 for item in comparisons):
            click.echo("- below three seeds p speaks of other queries, not of other seeds")


def _families(store: Store, records: list[Record], key: str) -> list[dict[str, Any]]:
    """`(seeds, queries)` scores by label, one mapping for each split and code length.

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
        {label: np.stack(values) for label, values in family.items()}
        for _, family in sorted(found.items())
    ]
