"""`hashbench run`: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench run
  hashbench run --methods dch,hashnet --bits 16,32,48,64
  hashbench run --methods dch --datasets cifar10 --data-root ~/data --seeds 0-2
  hashbench run --methods dch,my-hash --plugin my_hash.py --set dch.gamma=10
"""


@click.command(epilog=EPILOG)
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
@click.option("--protocol", default=None, metavar="NAME", help="How the data is split.")
@click.option("--split-seed", default=0, show_default=True, help="Seed of the split's draw.")
@click.option("--backbone", default=None, metavar="NAME", help="Feature extractor.")
@click.option(
    "--tuning",
    type=click.Choice(["head", "partial", "full"]),
    default="head",
    show_default=True,
    help="What deep methods train.",
)
@click.option(
    "--head", type=click.Choice(["linear", "mlp"]), default=None, help="Head of deep methods."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="METHOD.NAME=VALUE",
    help="A hyper-parameter; without METHOD., for every method that has it.",
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
@click.option(
    "--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or mps."
)
@options.results
@options.data_root
@options.plugins
@options.as_json
def command(
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
    conventions: str,
    keep_relaxed: bool,
    lookup: bool,
    device: str,
    results: Path,
    data_root: Path | None,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare methods: train, encode, score and show the table.

    Without --datasets, takes every one of cifar10, nuswide and coco that is
    prepared on this machine, or else the embedded digits. Cells that already
    have scores in the results folder are not run again.
    """
    from hashbench.commands.progress import display, say
    from hashbench.commands.report import report
    from hashbench.data import default_data_root
    from hashbench.evaluation import Convention
    from hashbench.parsing import parse_names, parse_numbers
    from hashbench.registry import methods as registry
    from hashbench.results.store import Store
    from hashbench.runner.execute import pending, run_here
    from hashbench.runner.plan import (
        EMBEDDED_DATASET,
        STANDARD_DATASETS,
        Request,
        plan,
        prepared_datasets,
        settings_by_method,
    )  # fmt: skip
    from hashbench.runner.work import Settings

    options.register_plugins(plugins)
    root = data_root or default_data_root()
    convention_names = parse_names(conventions)
    for name in convention_names:
        Convention.parse(name)
    if datasets is None:
        names = prepared_datasets(root) or (EMBEDDED_DATASET,)
        missing = [name for name in STANDARD_DATASETS if name not in names]
        advice = f"; for {', '.join(missing)} see `hashbench datasets`" if missing else ""
        say(f"Taking {', '.join(names)}, prepared here{advice}.", as_json)
    else:
        names = parse_names(datasets)
    request = Request(
        methods=tuple(registry().names()) if methods == "all" else parse_names(methods),
        bits=parse_numbers(bits, "--bits", low=1, high=1024),
        seeds=parse_numbers(seeds or "0", "--seeds", low=0, high=2**31 - 1),
        datasets=names,
        protocol=protocol,
        split_seed=split_seed,
        backbone=backbone,
        tuning=tuning,
        settings=settings_by_method(settings, head),
    )
    cells = plan(request, root)
    store = Store(results, create=True)
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
        with display(cells, todo, quiet=as_json) as listener:
            run_here(todo, shared, listener)
    else:
        say(f"All {len(cells)} cells are in {results} already.", as_json)
    report(store, [cell.key for cell in cells], convention_names[0], as_json=as_json)
