"""`hashbench score`: codes under one convention or another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options, selection
from hashbench.commands.output import OUT, printed_to
from hashbench.commands.score_codes import keep_codes, print_table, show_codes, shown_value
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.evaluation import Convention
    from hashbench.store import Record, Store

EPILOG = """\b
Examples:
  hashbench score --codes mine.npz
  hashbench score --codes mine.npz --convention house,deephash-pytorch
  hashbench score --codes result.mat --names q_img=query_codes,r_txt=database_codes --json
  hashbench score hashbench-results --convention house,hashnet --methods dch --bits 48
  hashbench score hashbench-results --convention house,deephash --metric p@h2
  hashbench score 3f2a --convention "house(radius=3,order=best)"
  hashbench score --codes mine.npz --as my-hash --bench cifar10
"""


@click.command(epilog=EPILOG)
@click.argument("target", type=kinds.CELL, required=False, metavar="[RUN|CELL]")
@click.option(
    "--codes",
    type=kinds.PATH,
    default=None,
    metavar="FILE",
    help="Your own codes: an .npz, MATLAB, torch or CSV file, or a folder of such files, of "
    "query_codes, database_codes, query_labels, database_labels and, if there, query_relaxed, "
    "database_relaxed, bits, or what others call them.",
)
@click.option(
    "--names",
    "theirs",
    default=None,
    metavar="THEIRS=OURS,...",
    help="What an array of --codes stands for, such as q_img=query_codes.",
)
@click.option(
    "--as",
    "name",
    default=None,
    metavar="NAME",
    help="Keep --codes in --results as those of a method of this name, marked as external: "
    "tables, figures and `compare` then show them.",
)
@click.option(
    "--bench",
    default=None,
    metavar="BENCH",
    help="What they are codes of: a data set, as in cifar10 or cifar10,split-seed=1,"
    "protocol=...,backbone=..., or the first digits of a cell's key.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="With --as: which of several trainings they are from.",
)
@click.option(
    "--convention",
    "names",
    type=kinds.CONVENTIONS,
    default="house",
    show_default=True,
    metavar="NAMES",
    help="Evaluation conventions, side by side.",
)
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where database shards are counted.",
)
@click.option(
    "--metric",
    type=kinds.METRIC,
    default=None,
    metavar="NAME",
    help="The one metric to show [default: all of your codes, every mean average precision of "
    "a run].",
)
@click.option(
    "--out",
    type=OUT,
    default=None,
    metavar="FILE",
    help="Where to write; - or nothing is stdout.",
)
@selection.cells
@options.results
@options.data_root
@selection.plugins
@options.as_json
def command(
    target: str | None,
    codes: Path | None,
    theirs: str | None,
    name: str | None,
    bench: str | None,
    seed: int,
    names: str,
    executor: str,
    metric: str | None,
    out: Path | None,
    methods: str | None,
    bits: str | None,
    datasets: str | None,
    results: Path,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Score stored codes, or your own, under any convention; no method is run.

    What is computed for a run is kept there: tables, figures and `compare` show it.

    RUN is a folder of results, CELL is METHOD:BITS:SEED or the first digits of a key in
    --results; without either, every cell of --results is scored.

    Codes kept with --as are checked against the bench: as many as it has queries and
    database items, in its order, under its labels where the file has labels.
    """
    from hashbench.errors import InputError, shown
    from hashbench.evaluation import Convention
    from hashbench.results.explain import find_cell
    from hashbench.store import Store

    conventions = Convention.parse_list(names)
    asked = {"methods": methods, "bits": bits, "datasets": datasets}
    if codes is not None:
        if any(asked.values()):
            raise InputError("--methods, --bits and --datasets choose cells of a run, not --codes")
        if target is not None:
            raise InputError("give either --codes or a run or cell to score, not both")
        if name is not None or bench is not None:
            if name is None or bench is None:
                raise InputError("--as NAME and --bench BENCH go together: give both or neither")
            record, store = keep_codes(codes, theirs, name, bench, seed, results, data_root)
            with printed_to(out):
                _show_records(store, [record], conventions, executor, metric, as_json)
            return
        with printed_to(out):
            show_codes(codes, theirs, conventions, executor, metric, as_json)
        return
    if theirs is not None:
        raise InputError("--names says what the arrays of --codes are called: give --codes too")
    if name is not None or bench is not None:
        raise InputError("--as and --bench say what --codes are: give --codes too")
    if target is not None and Path(target).is_file():
        raise InputError(f"'{shown(target)}' is a file: codes are scored with --codes FILE")
    if target is not None and Path(target).is_dir():
        store, prefix = Store(Path(target)), ""
    else:
        store, prefix = Store(results), target or ""
        prefix = find_cell(store, prefix).key if prefix.count(":") == 2 else prefix
    with printed_to(out):
        found, left_out = _chosen(store, prefix, asked)
        _show_records(store, found, conventions, executor, metric, as_json)
        for sentence in left_out if not as_json else ():
            click.echo(f"- {sentence}")


def _chosen(
    store: Store, prefix: str, asked: dict[str, str | None]
) -> tuple[list[Record], list[str]]:
    """Cells to score, and sentences on those that are out of date, unless they are named."""
    from hashbench.errors import InputError, command
    from hashbench.results.choose import current, select
    from hashbench.results.collect import no_scores

    every = store.records()
    named = [record for record in every if record.key.startswith(prefix)]
    if prefix and not named:
        listing = command("export", "--format", "csv", "--results", store.root)
        raise InputError(
            f"'{prefix}' is neither a folder of results nor the start of a cell's key "
            f"in {store.root}: {listing} lists the keys"
        )
    found = select(named if prefix else every, **asked)
    chosen = [record for record in found if record.ok]
    if not chosen:
        raise InputError(no_scores(found, str(store.root)))
    if prefix:
        return sorted(chosen, key=_order), []
    kept = [record for record in current(found)[0] if record.ok]
    if not kept:
        raise InputError(
            "what was chosen is all of another state of the data, or of other code, than a run "
            "found last: run it again, or name a cell by the beginning of its key"
        )
    left = len(chosen) - len(kept)
    told = (
        f"{in_number(left, 'result of', 'results of')} another state of the data "
        f"or of other code {'is' if left == 1 else 'are'}"
    )
    drop = command("forget", "--superseded", "--results", store.root)
    said = f"{told} left out: name one by the beginning of its key; {drop} drops them."
    return sorted(kept, key=_order), [said] * (len(kept) < len(chosen))


def _order(record: Record) -> tuple[object, ...]:
    cell = record.cell
    return (str(cell.bench), cell.method, cell.bits, cell.seed, record.key)


def _show_records(
    store: Store,
    records: list[Record],
    conventions: list[Convention],
    executor: str,
    metric: str | None,
    as_json: bool,
) -> None:
    import json

    from hashbench.errors import shown
    from hashbench.store.judge import judge

    counter = None
    if executor == "ray":
        from hashbench.evaluation.cluster import count_on_ray

        counter = count_on_ray
    results = [
        (record, judge(store, record, conventions, keep=False, counter=counter))
        for record in records
    ]
    if as_json:
        body = [
            {
                "key": record.key,
                "cell": record.cell.to_dict(),
                "scores": {name: item and item.to_dict() for name, item in found.items()},
            }
            for record, found in results
        ]
        click.echo(json.dumps(body, indent=1))
        return
    columns = _columns((found for _, found in results), metric)
    rows = [
        [
            record.key[:8],
            shown(record.cell.bench.dataset, 40),
            shown(record.title("method"), 40),
            str(record.cell.bits),
            str(record.cell.seed),
            *(shown_value(found[name], metric) for name, metric in columns),
        ]
        for record, found in results
    ]
    headings = [_heading(name, metric) for name, metric in columns]
    print_table(["cell", "data", "method", "bits", "seed", *headings], rows)
    for name in map(str, conventions):
        if not any(found[name] for _, found in results):
            click.echo(
                f"- {name} needs real-valued outputs: the run's own command with --keep-relaxed "
                "stores them, from the kept hashers without training"
            )
        elif name not in dict(columns):
            click.echo(f"- {name} does not define {metric}")


def _columns(results: Any, wanted: str | None) -> list[tuple[str, str]]:
    """(convention, metric) of the table: what is wanted, or the mean average precisions.

    Raises:
        InputError: if no convention defines the wanted metric.
    """
    from hashbench.errors import unknown

    columns: dict[tuple[str, str], None] = {}
    known: set[str] = set()
    for found in results:
        for name, item in found.items():
            first = item.convention.main_metric(0) if item is not None else ""
            for metric in item or ():
                known.add(metric)
                usual = metric == first or metric.startswith("map")
                if metric == wanted or (wanted is None and usual and metric in item.per_query):
                    columns[name, metric] = None
    if wanted is not None and not columns:
        raise unknown("metric of these conventions", wanted, known)
    return list(columns)


def _heading(name: str, metric: str) -> str:
    """A narrow column heading: the choices of a long name one a line."""
    return name.replace("(", "(\n").replace(",", ",\n") + f"\n{metric}"
