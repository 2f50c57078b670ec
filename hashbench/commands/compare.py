"""`hashbench compare`: are the differences between methods real?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import options, selection
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.results.series import Series

EPILOG = """\b
Examples:
  hashbench compare
  hashbench compare --metric r@h2 --methods dch,hashnet
  hashbench compare --datasets cifar10 --bits 48 --convention deephash --json
"""


@click.command(epilog=EPILOG)
@options.metric
@options.convention
@selection.out
@selection.selection
@selection.plugins
@options.as_json
def command(
    metric: str | None,
    convention: str,
    out: Path | None,
    methods: str | None,
    bits: str | None,
    datasets: str | None,
    seeds: str | None,
    all_versions: bool,
    results: Path,
    as_json: bool,
) -> None:
    """Show confidence intervals, and test every two methods on the same queries.

    Means are those of the tables. Intervals are bootstrapped over queries and,
    from three on, seeds. The rows of one column of a table, which share data and
    code length, are compared by paired randomisation tests, corrected together
    (Holm): the same tests that set the dagger in a table. Floors are tested against
    each method apart, with a correction of their own. "First of all" is how often a
    method is the best when queries and seeds are drawn anew.
    """
    import json

    from hashbench.commands.output import printed_to
    from hashbench.evaluation.statistics import SMALLEST_SHOWN
    from hashbench.results.choose import select
    from hashbench.results.collect import check_metric, collect
    from hashbench.results.comparison import columns
    from hashbench.results.scored import StoredJudge
    from hashbench.store import Store

    store = Store(results)
    records = select(store.records(), methods=methods, bits=bits, datasets=datasets, seeds=seeds)
    series = collect(records, StoredJudge(store), metric, convention, all_versions=all_versions)
    check_metric(series)
    body = columns(series, below=0.0 if as_json else SMALLEST_SHOWN)
    with printed_to(out):
        if as_json:
            name = str(series[0].convention)
            pairs = [
                {"bits": column["bits"], "series": column["series"], **pair}
                for column in body
                for pair in column["pairs"]
            ]
            found = {
                "metric": series[0].metric,
                "convention": name,
                "columns": body,
                "comparisons": pairs,
            }
            click.echo(json.dumps(found, indent=1))
            return
        for one in series:
            _print(one, [column for column in body if column["series"] == series.index(one)])


def _print(series: Series, body: list[dict[str, Any]]) -> None:
    from tabulate import tabulate

    from hashbench.evaluation.statistics import shown_p
    from hashbench.results.sinks import for_terminal, one_line, remark

    click.echo(for_terminal(f"{series.title}: {series.about}"))
    if series.origins:
        click.echo(for_terminal(series.origins))
    for column in body:
        rows = [
            [
                for_terminal(row["row"]),
                f"{row['mean']:.4f}",
                row["seeds"],
                f"{row['low']:.4f} .. {row['high']:.4f}",
                "floor" if row["first"] is None else f"{row['first']:.0%}",
            ]
            for row in column["rows"]
        ]
        title = f"{series.info.title} ({series.convention})"
        headings = [
            in_number(column["bits"], "bit", "bits"),
            title,
            "seeds",
            "95% interval",
            "first of all",
        ]
        click.echo("\n" + tabulate(rows, headings, disable_numparse=True))
        if len(column["rows"]) == 1:
            click.echo("\nOne row alone: there is nothing to test it against.")
        for row in column["rows"]:
            if row["same_as"]:
                named = map(for_terminal, (row["row"], row["same_as"]))
                click.echo("\n{} has cells of {}: it is tested as that.".format(*named))
        for family in ("methods", "floors"):
            tests = [
                [
                    for_terminal(pair["first"]),
                    for_terminal(pair["second"]),
                    f"{pair['difference']:+.4f}",
                    f"{pair['common']:.0%}",
                    shown_p(pair["p"]),
                    shown_p(pair["adjusted"]),
                    _verdict(pair),
                ]
                for pair in column["pairs"]
                if pair["family"] == family
            ]
            if not tests:
                continue
            holm = f"p, Holm over these {len(tests)}"
            names = ("first", "second") if family == "methods" else ("method", "floor")
            headings = [*names, " - ".join(names), "common queries", "p", holm, ""]
            click.echo("\n" + tabulate(tests, headings, disable_numparse=True))
    for sentence in (*map(one_line, series.failures), *map(remark, series.notes)):
        click.echo(f"- {sentence}")
    click.echo()


def _verdict(pair: dict[str, Any]) -> str:
    """What a comparison comes to, in a few words."""
    if pair["significant"]:
        return "differ"
    if pair["over_queries"]:
        return "differ over queries; too few seeds to say more"
    return str(pair["against"])
