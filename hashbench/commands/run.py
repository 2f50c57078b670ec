"""`hashbench run`: the main job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.runner.run import Job

EPILOG = """\b
Examples:
  hashbench run
  hashbench run --methods dch,hashnet --bits 16,32,48,64
  hashbench run --methods dch --datasets cifar10 --data-root ~/data --seeds 3
  hashbench run --methods dch,my-hash --plugin my_hash.py --set dch.gamma=10
  hashbench run --datasets cifar10 --protocol cifar10-unseen --split-seeds 3
  hashbench run sweep.toml --dry-run
  hashbench run sweep.toml --timeout 2h --memory 8G

\b
Exit code: 0 when every cell that was asked for has scores, 1 when some have none (the same run
tries them again), 2 for input that cannot be used, 130 when stopped.
"""


def _take_sweep(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Let a sweep file set the defaults that the command line then overrides."""
    if path is not None:
        from hashbench.errors import InputError, shown
        from hashbench.runner.sweepfile import read_sweep

        if path.suffix != ".toml" and not path.exists():
            raise InputError(
                f"'{shown(str(path))}' is no option and no sweep file: several names are one word "
                "with commas, as in --methods dch,hashnet; a sweep is a file such as sweep.toml"
            )

        if path.suffix == ".py" or path.is_dir():
            said = "a file of yours is --plugin FILE, and --methods names what is in it"
            if path.is_dir():
                said = "a folder of results is --results DIR, one of data --data-root DIR"
            raise InputError(f"'{shown(str(path))}' is no sweep file: {said}")
        by_option = {
            name.removeprefix("--"): parameter.name
            for parameter in context.command.params
            if isinstance(parameter, click.Option)
            for name in parameter.opts
            if name.startswith("--")
        }
        found = read_sweep(path, by_option.keys() - {"help", "json", "dry-run"})
        context.default_map = {str(by_option[name]): value for name, value in found.items()}
    return path


@click.command(epilog=EPILOG)
@click.argument(
    "sweep",
    type=kinds.PATH,
    required=False,
    is_eager=True,
    callback=_take_sweep,
    metavar="[SWEEP.toml]",
)
@click.option(
    "--methods",
    type=kinds.METHODS_OR_ALL,
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
    "--split-seeds",
    default=None,
    metavar="SEEDS",
    help="Several draws of the split, how many or which; tables show their mean.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="METHOD.NAME=VALUE",
    help="A hyper-parameter; without METHOD., for every method that has it.",
)
@click.option(
    "--params",
    type=kinds.PATH,
    default=None,
    metavar="FILE",
    help="A TOML file of hyper-parameters, as `hashbench tune` writes it.",
)
@click.option(
    "--untuned", is_flag=True, help="Start from the methods' own defaults, not from tuned ones."
)
@click.option(
    "--floors/--no-floors",
    default=True,
    show_default=True,
    help="Add what methods are held against: lsh, sign and class-codes.",
)
@click.option(
    "--convention",
    "conventions",
    type=kinds.CONVENTIONS,
    default="house,deephash",
    show_default=True,
    metavar="NAMES",
    help="Evaluation conventions; the first one makes the table.",
)
@click.option("--keep-relaxed", is_flag=True, help="Store real-valued outputs beside the codes.")
@click.option(
    "--discard",
    default="",
    metavar="KINDS",
    help="What is not kept of a cell: 'hashers', the fitted methods themselves, without "
    "which it can encode nothing new; --dry-run says how much room they take.",
)
@click.option("--lookup", is_flag=True, help="Measure FAISS lookup within radius 2.")
@options.device
@options.limits
@options.allowed
@click.option(
    "--distractors",
    type=kinds.TypedPath(exists=True, file_okay=False),
    default=None,
    metavar="DIR",
    help="Grow the database by every image below DIR, relevant to no query.",
)
@click.option(
    "--mirrored", is_flag=True, help="Train on every training image and on its mirror image."
)
@click.option("--dry-run", is_flag=True, help="List the cells, what is done and the ETA; run none.")
@options.results
@options.data_root
@options.plugins
@options.as_json
def command(sweep: Path | None, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Compare methods: train, encode, score and show the table.

    Without --datasets, takes every one of cifar10, nuswide and coco that is
    prepared on this machine, or else the embedded digits. Cells that already
    have scores in the results folder are not run again, whatever stopped the
    run before; scores under another convention are computed from stored codes;
    several runs over one folder share the work.

    `hashbench parts` lists the methods, data sets, backbones, conventions and
    executors there are, those of installed packages and of --plugin FILE too.

    A SWEEP.toml holds options by their names, as in bits = [16, 32] and
    keep-relaxed = true; options on the command line override it. Paths in it are
    relative to its folder.
    """
    from hashbench import api
    from hashbench.commands.outcome import report
    from hashbench.progress import say
    from hashbench.runner.plan import STANDARD_DATASETS, origins_line
    from hashbench.runner.sweepfile import keep_sweep
    from hashbench.store.store import Store

    given["seeds"] = "1" if given["seeds"] is None else given["seeds"]
    job = api.job(**given)

    def remark() -> None:
        if given["datasets"] is None:
            names = list(dict.fromkeys(ask.dataset for ask in job.asks))
            missing = [name for name in STANDARD_DATASETS if name not in names]
            advice = f"; for {', '.join(missing)} see `hashbench datasets`" if missing else ""
            say(f"Taking {', '.join(names)}, prepared here{advice}.", as_json)
        if line := origins_line(job.asks):
            say(line, as_json)

    def begun() -> None:
        if sweep is not None:
            keep_sweep(sweep, Store(job.settings.store, create=True))
        remark()

    if dry_run:
        _foretell(job, remark, as_json)
        return 0
    results = api.run_job(job, progress=not as_json, begun=begun)
    if results.scored:
        say(
            f"Scored {in_number(results.scored, 'cell', 'cells')} from "
            f"{'its' if results.scored == 1 else 'their'} codes, without training.",
            as_json,
        )
    elif not results.trained and not results.missing:
        there = in_number(len(job.asks), "cell is", "cells are")
        every = "All " if len(job.asks) > 1 else ""
        say(f"{every}{there} in {job.settings.store} already.", as_json)
    report(results, as_json=as_json)
    return int(bool(results.missing))


def _foretell(job: Job, remark: Callable[[], None], as_json: bool) -> None:
    """List the cells, whether they are done, and how long the others will take."""
    import json

    from hashbench.progress import duration
    from hashbench.runner.run import at_a_time, foretell
    from hashbench.store.room import in_words

    rows = foretell(job)
    todo = [row for row in rows if row["state"] != "done"]
    known = [row["s"] for row in todo]
    workers = max(1, min(at_a_time(job), len(todo)))
    eta = None if None in known else sum(float(str(item)) for item in known) / workers
    sizes = [row["hasher_bytes"] for row in rows]
    room = None if None in sizes else sum(float(str(size)) for size in sizes)
    if as_json:
        body = {"cells": rows, "todo": len(todo), "eta_s": eta, "hasher_bytes": room}
        click.echo(json.dumps(body, indent=1))
        return
    remark()
    for row in rows:
        seconds = row["s"]
        left = "" if seconds is None else f", about {duration(float(str(seconds)))}"
        click.echo(f"{row['key']}  {row['cell']}: {row['state']}{left}")
    basis = "eta unknown, for no similar cell has finished yet"
    if eta is not None:
        basis = f"eta {duration(eta)} with {workers} at a time"
    click.echo(
        f"{in_number(len(rows), 'cell', 'cells')}, "
        f"{len(rows) - len(todo)} done, {len(todo)} to do"
        f"{f'; {basis}' if todo else ''}."
    )
    known_room = sum(float(str(size)) for size in sizes if size is not None)
    if room is not None:
        said = f"about {in_words(room)}" if room else "none is kept"
    elif known_room:
        lacking = sizes.count(None)
        said = f"about {in_words(known_room)}, and {lacking} of a size unknown as yet"
    else:
        said = "unknown, for no similar cell has stored one yet"
    click.echo(f"Room for the fitted hashers: {said} (--discard hashers keeps none).")
