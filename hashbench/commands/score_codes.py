"""The half of `hashbench score` that scores codes of your own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hashbench.evaluation import Convention, Scores
    from hashbench.evaluation.arrays import CodesAndLabels
    from hashbench.store import Record, Store

#: What is said of the labels of codes that are kept.
_CHECKED = {
    "those of the file agree": "its labels are those of the split.",
    "not in the file": "without labels in it, the order of its items is not checked.",
}


def show_codes(
    path: Path,
    names: str | None,
    conventions: list[Convention],
    executor: str,
    metric: str | None,
    as_json: bool,
) -> None:
    """Score the codes of a file and print every metric, a column a convention.

    Args:
        path: a file of codes and labels, see `foreign.read_codes`.
        names: what is called otherwise in it, as `--names` has it.
        conventions: the columns.
        executor: "local" or "ray".
        metric: the one metric to print, or None for all.
        as_json: print JSON, with curves and the health of the codes.

    Raises:
        InputError: if the file cannot be read, or lacks what a convention or the
            metric needs.
    """
    from hashbench.errors import unknown
    from hashbench.evaluation import code_health
    from hashbench.evaluation.foreign import parse_names, read_codes

    inputs = read_codes(path, parse_names(names))
    for convention in conventions:  # your own codes: what lacks is yours to add
        convention.check(*inputs[:2])
    scores = {str(item.convention): item for item in scored(inputs, conventions, executor)}
    metrics = list(dict.fromkeys(name for item in scores.values() for name in item))
    if metric is not None:
        if metric not in metrics:
            raise unknown("metric of these conventions", metric, metrics)
        metrics = [metric]
    if as_json:
        body = {
            "codes": str(path),
            "scores": {
                name: {key: value for key, value in item.to_dict().items() if key in metrics}
                for name, item in scores.items()
            },
            "curves": {name: item.curves for name, item in scores.items()},
            "bounds": {name: item.bounds for name, item in scores.items()},
            "health": {
                "query": code_health(inputs.query),
                "database": code_health(inputs.database),
            },
        }
        click.echo(json.dumps(body, indent=1))
        return
    click.echo(described(inputs))
    rows = [[name, *(shown_value(item, name) for item in scores.values())] for name in metrics]
    print_table(["metric", *scores], rows)


def keep_codes(
    path: Path,
    names: str | None,
    name: str,
    bench: str,
    seed: int,
    results: Path,
    data_root: Path | None,
) -> tuple[Record, Store]:
    """Put the codes of a file into a folder of results, and say so.

    Raises:
        InputError: see `runner.external`.
    """
    from hashbench.data import default_data_root
    from hashbench.evaluation.foreign import parse_names
    from hashbench.results.choose import find_again
    from hashbench.runner.external import ground_of, put_external
    from hashbench.store import Store

    store = Store(results, create=True)
    ground = ground_of(store, bench, data_root or default_data_root())
    record = put_external(store, path, name, ground, names=parse_names(names), seed=seed)
    record = find_again(store, [record.key], record.finished, {record.key: record})[record.key]
    cell = record.cell
    click.echo(
        f"Kept as {name}:{cell.bits}:{seed} in {store.root}, external, on {cell.bench}; "
        f"{_CHECKED[str(record.request['labels'])]}",
        err=True,
    )
    return record, store


def described(inputs: CodesAndLabels) -> str:
    """How many queries and items of what."""
    from hashbench.evaluation.labels import class_count
    from hashbench.parsing import in_number

    return ", ".join(
        in_number(count, *nouns)
        for count, nouns in (
            (len(inputs.query), ("query", "queries")),
            (len(inputs.database), ("database item", "database items")),
            (inputs.query.bits, ("bit", "bits")),
            (class_count(*inputs[2:]), ("class", "classes")),
        )
    )


def scored(inputs: CodesAndLabels, conventions: list[Convention], executor: str) -> list[Scores]:
    """Scores under each convention, counted here or on a Ray cluster."""
    from hashbench.evaluation import score

    counter = None
    if executor == "ray":
        from hashbench.evaluation.cluster import count_on_ray

        counter = count_on_ray
    return score(*inputs, conventions=conventions, counter=counter)


def shown_value(scores: Scores | None, metric: str) -> str:
    """A metric to four digits; a dash where there is none."""
    value = None if scores is None else scores.to_dict().get(metric)
    if scores is None or value is None:
        return "-"
    low, high = scores.bounds.get(metric, (value, value))
    bounds = f" [{low:.4f}, {high:.4f}]" if metric in scores.bounds else ""
    return f"{value:.4f}{bounds}"


def print_table(headings: list[str], rows: list[list[str]]) -> None:
    """A table of texts, numbers to the right; a heading may have several lines.

    Written out here, as what draws tables elsewhere takes longer to load than
    small codes take to be scored.
    """
    lines = [heading.split("\n") for heading in headings]
    height = max(map(len, lines))
    top = [
        [("", *part)[max(0, row - height + len(part) + 1)] for part in lines]
        for row in range(height)
    ]
    widths = [max(map(len, column)) for column in zip(*top, *rows, strict=True)]
    for row in (*top, ["-" * width for width in widths], *rows):
        click.echo("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
