"""`hashbench run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import options

if TYPE_CHECKING:
    from hashbench.runner.attempt import Task
    from hashbench.runner.cell import Cell
    from hashbench.runner.execute import Limits
    from hashbench.runner.work import Settings

EPILOG = """\b
Examples:
  hashbench run
  hashbench run --methods dch,hashnet --bits 16,32,48,64
  hashbench run --methods dch --datasets cifar10 --data-root ~/data --seeds 3
  hashbench run --methods dch,my-hash --plugin my_hash.py --set dch.gamma=10
  hashbench run sweep.toml --dry-run
  hashbench run sweep.toml --timeout 2h --memory 8G
"""


def _take_sweep(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Let a sweep file set the defaults that the command line then overrides."""
    if path is not None:
        from hashbench.runner.sweepfile import read_sweep

        by_option = {
            max(parameter.opts, key=len).removeprefix("--"): parameter.name
            for parameter in context.command.params
            if isinstance(parameter, click.Option)
        }
        found = read_sweep(path, by_option.keys() - {"help", "json", "dry-run"})
        context.default_map = {str(by_option[name]): value for name, value in found.items()}
    return path


@click.command(epilog=EPILOG)
@click.argument(
    "sweep",
    type=click.Path(path_type=Path),
    required=False,
    is_eager=True,
    callback=_take_sweep,
    metavar="[SWEEP.toml]",
)
@click.option(
    "--methods",
    default="dch,hashnet",
    show_default=True,
    metavar="NAMES",
    help="Methods, or 'all'.",
)
@click.option(
    "--bits",
    default="16,32,48,64",
    show_default=True,
    metavar="BITS",
    help="Code lengths, 1 to 1024.",
)
@options.datasets
@options.seeds
@options.setting
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="METHOD.NAME=VALUE",
    help="A hyper-parameter; without METHOD., for every method that has it.",
)
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="A TOML file of hyper-parameters, as `hashbench tune` writes it.",
)
@click.option(
    "--untuned", is_flag=True, help="Start from the methods' own defaults, not from tuned ones."
)
@click.option(
    "--convention",
    "conventions",
    default="house,deephash",
    show_default=True,
    metavar="NAMES",
    help="Evaluation conventions; the first one makes the table.",
)
@click.option("--keep-relaxed", is_flag=True, help="Store real-valued outputs beside the codes.")
@click.option("--lookup", is_flag=True, help="Measure FAISS lookup within radius 2.")
@options.device
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=None,
    metavar="N",
    help="Cells at a time [default: one a core, two a GPU]; 0 runs them in this process.",
)
@click.option("--timeout", default=None, metavar="TIME", help="Longest time of a cell: 90s, 2h.")
@click.option("--memory", default=None, metavar="SIZE", help="Most memory of a worker: 800M, 8G.")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray", "slurm"]),
    default="local",
    show_default=True,
    help="Where the cells run.",
)
@click.option(
    "--allow-missing", is_flag=True, help="Go on without images that are listed and not there."
)
@click.option(
    "--allow-overlap", is_flag=True, help="Go on when lists share queries with the database."
)
@click.option(
    "--allow-unlabelled", is_flag=True, help="Go on when lists hold images without any label."
)
@click.option(
    "--allow-duplicates",
    is_flag=True,
    help="Go on when your own lists hold the same file as query and in another part.",
)
@click.option(
    "--distractors",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    metavar="DIR",
    help="Grow the database by every image below DIR, relevant to no query.",
)
@click.option("--dry-run", is_flag=True, help="List the cells, what is done and the ETA; run none.")
@options.results
@options.data_root
@options.plugins
@options.as_json
def command(
    sweep: Path | None,
    methods: str,
    bits: str,
    datasets: str | None,
    seeds: str | None,
    protocol: str | None,
    split_seed: int,
    backbone: str | None,
    tuning: str,
    head: str | None,
    settings: tuple[str, ...],
    params: Path | None,
    untuned: bool,
    conventions: str,
    keep_relaxed: bool,
    lookup: bool,
    device: str,
    workers: int | None,
    timeout: str | None,
    memory: str | None,
    executor: str,
    allow_missing: bool,
    allow_overlap: bool,
    allow_unlabelled: bool,
    allow_duplicates: bool,
    distractors: Path | None,
    dry_run: bool,
    results: Path,
    data_root: Path | None,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare methods: train, encode, score and show the table.

    Without --datasets, takes every one of cifar10, nuswide and coco that is
    prepared on this machine, or else the embedded digits. Cells that already
    have scores in the results folder are not run again, whatever stopped the
    run before; several runs over one folder share the work.

    A SWEEP.toml holds options by their names, as in bits = [16, 32] and
    keep-relaxed = true; options on the command line override it.
    """
    from hashbench.commands.progress import say
    from hashbench.commands.report import report
    from hashbench.data import default_data_root
    from hashbench.evaluation import Convention
    from hashbench.params import read_params
    from hashbench.parsing import (
        parse_duration,
        parse_names,
        parse_numbers,
        parse_seeds,
        parse_size,
    )
    from hashbench.registry import load_plugins
    from hashbench.registry import methods as registry
    from hashbench.results.store import Store
    from hashbench.runner.attempt import pending
    from hashbench.runner.execute import Limits, default_workers
    from hashbench.runner.plan import (
        EMBEDDED_DATASET,
        STANDARD_DATASETS,
        Request,
        plan,
        prepared_datasets,
        settings_by_method,
    )  # fmt: skip
    from hashbench.runner.sweepfile import keep_sweep
    from hashbench.runner.work import Settings

    load_plugins(plugins)
    root = data_root or default_data_root()
    convention_names = tuple(str(item) for item in Convention.parse_list(conventions))
    if datasets is None:
        names = prepared_datasets(root) or (EMBEDDED_DATASET,)
        missing = [name for name in STANDARD_DATASETS if name not in names]
        advice = f"; for {', '.join(missing)} see `hashbench datasets`" if missing else ""
        say(f"Taking {', '.join(names)}, prepared here{advice}.", as_json)
    else:
        names = parse_names(datasets)
    allowed = {
        "allow_missing": allow_missing,
        "allow_overlap": allow_overlap,
        "allow_unlabelled": allow_unlabelled,
        "allow_duplicates": allow_duplicates,
        "distractors": str(distractors.resolve()) if distractors else "",
    }
    request = Request(
        methods=tuple(registry().names()) if methods == "all" else parse_names(methods),
        bits=parse_numbers(bits, "--bits", low=1, high=1024),
        seeds=parse_seeds(seeds or "1"),
        datasets=names,
        protocol=protocol,
        split_seed=split_seed,
        backbone=backbone,
        tuning=tuning,
        settings=settings_by_method(settings, head),
        params=read_params(params) if params is not None else {},
        shipped=not untuned,
        options={name: given for name, given in allowed.items() if given},
    )
    limits = Limits(
        workers=default_workers(device) if workers is None else workers,
        timeout=None if timeout is None else parse_duration(timeout, "--timeout"),
        memory=None if memory is None else parse_size(memory, "--memory"),
    )
    cells = plan(request, root)
    if dry_run:
        _foretell(cells, results, limits, as_json)
        return
    store = Store(results, create=True)
    if sweep is not None:
        keep_sweep(sweep, store)
    shared = Settings(
        store=results,
        data_root=root,
        conventions=convention_names,
        keep_relaxed=keep_relaxed,
        lookup=lookup,
        device=device,
        plugins=plugins,
    )
    todo = pending(cells, store)
    if todo:
        _compute(executor, len(cells), todo, shared, limits, quiet=as_json)
    else:
        say(f"All {len(cells)} cells are in {results} already.", as_json)
    report(store, [cell.key for cell in cells], convention_names[0], as_json=as_json)


def _compute(
    executor: str,
    total: int,
    todo: list[Task],
    settings: Settings,
    limits: Limits,
    *,
    quiet: bool,
) -> None:
    from hashbench.commands.progress import display
    from hashbench.results.store import Store
    from hashbench.runner.estimate import Pace
    from hashbench.runner.executors import open_executor
    from hashbench.runner.prepare import prepare

    run = open_executor(executor, limits)
    pace = Pace(Store(settings.store).records())
    first = settings.conventions[0]
    with display(total, [task.cell for task in todo], pace, first, quiet=quiet) as listener:
        run(prepare(todo, settings, listener), settings, limits, listener)


def _foretell(cells: list[Cell], results: Path, limits: Limits, as_json: bool) -> None:
    """List the cells, whether they are done, and how long the others will take."""
    import json

    from hashbench.commands.progress import duration
    from hashbench.results.store import Store
    from hashbench.runner.estimate import Pace

    store = Store(results) if results.is_dir() and (results / "records").is_dir() else None
    pace = Pace(store.records() if store else ())
    rows: list[dict[str, Any]] = []
    for cell in cells:
        record = store.get(cell.key) if store else None
        state: str = "to do" if record is None else "damaged" if record.ok else record.status
        if store is not None and record is not None and store.done(cell.key):
            state = "done"
        rows.append({"key": cell.key, "cell": str(cell), "state": state, "s": pace.seconds(cell)})
    todo = [cell for cell, row in zip(cells, rows, strict=True) if row["state"] != "done"]
    work = pace.total(todo)
    workers = max(1, min(limits.workers, len(todo)))
    eta = None if work is None else work / workers
    if as_json:
        click.echo(json.dumps({"cells": rows, "todo": len(todo), "eta_s": eta}, indent=1))
        return
    for row in rows:
        seconds = (
            "" if row["state"] == "done" or row["s"] is None else f", about {duration(row['s'])}"
        )
        click.echo(f"{row['key']}  {row['cell']}: {row['state']}{seconds}")
    basis = "unknown, for no similar cell has finished yet" if eta is None else duration(eta)
    click.echo(
        f"{len(cells)} cells, {len(cells) - len(todo)} done, {len(todo)} to do; "
        f"eta {basis if todo else duration(0)} with {workers} at a time."
    )
