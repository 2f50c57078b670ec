"""`hashbench tune`: good hyper-parameters, found on the training set alone."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options

EPILOG = """\b
Examples:
  hashbench tune --method dch --trials 30
  hashbench tune --method dch --space gamma=1:50:log,quantization=0.001:1:log --bits 48
  hashbench tune --method sdh --datasets cifar10 --bits 16,64 --out tuned.toml
  hashbench run --methods dch --params tuned.toml
"""


@click.command(epilog=EPILOG)
@click.option(
    "--method", type=kinds.METHOD, required=True, metavar="NAME", help="The method to tune."
)
@click.option(
    "--space",
    default=None,
    metavar="SPACE",
    help="NAME=LOW:HIGH[:log] or NAME=A|B, separated by commas [default: the method's own].",
)
@click.option("--trials", default=30, show_default=True, type=click.IntRange(1), help="In all.")
@click.option(
    "--bits", default="48", show_default=True, metavar="BITS", help="Code lengths to average over."
)
@options.datasets
@options.seeds
@options.setting
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A hyper-parameter to hold fixed.",
)
@click.option(
    "--metric",
    type=kinds.METRIC,
    default="map@h2",
    show_default=True,
    metavar="NAME",
    help="The score to maximise.",
)
@click.option(
    "--convention",
    type=kinds.CONVENTION,
    default="house",
    show_default=True,
    metavar="NAME",
    help="Evaluation convention.",
)
@options.device
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Hyper-parameter file to write to [default: in the results folder, by setting].",
)
@options.results
@options.data_root
@options.plugins
@options.as_json
def command(
    method: str,
    space: str | None,
    trials: int,
    bits: str,
    datasets: str | None,
    seeds: str | None,
    protocol: str | None,
    split_seed: int,
    backbone: str | None,
    train: str,
    head: str | None,
    settings: tuple[str, ...],
    metric: str,
    convention: str,
    device: str,
    out: Path | None,
    results: Path,
    data_root: Path | None,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Look for hyper-parameters that suit one method on one data set.

    Trials are scored on a validation split carved from the training set; query
    and database are never looked at. The same command goes on where an
    interrupted one stopped.
    """
    import json
    from dataclasses import asdict

    from hashbench import devices, runtime
    from hashbench.data import default_data_root
    from hashbench.errors import InputError
    from hashbench.errors import command as line
    from hashbench.evaluation import Convention
    from hashbench.params import Setting, write_params
    from hashbench.parsing import parse_names, parse_numbers, parse_seeds
    from hashbench.progress import say
    from hashbench.registry import load_plugins, methods
    from hashbench.runner.benches import bound_split, evidence_of
    from hashbench.runner.plan import (
        Request,
        default_datasets,
        plan,
        settings_by_method,
    )  # fmt: skip
    from hashbench.runner.slots import device_of
    from hashbench.tuning.space import default_space, parse_space
    from hashbench.tuning.study import Goal, tune

    devices.check(device)
    load_plugins(plugins)
    Convention.parse(convention)
    root = data_root or default_data_root()
    names = parse_names(datasets) if datasets else default_datasets(root)
    if datasets and len(names) != 1:
        raise InputError(f"tune one data set at a time, not {len(names)}: name one with --datasets")
    cls = methods().get(method)
    asks = plan(
        Request(
            methods=(method,),
            bits=parse_numbers(bits, "--bits", low=1, high=1024),
            seeds=parse_seeds(seeds or "1"),
            datasets=names[:1],
            protocol=protocol,
            split_seeds=(split_seed,),
            backbone=backbone,
            mode=train,
            settings=settings_by_method(settings, head),
            shipped=False,
        ),
        root,
    )
    cells = [ask.cell for ask in asks]
    first = cells[0]
    with runtime.use(runtime.Runtime(device)):
        split = bound_split(asks[0], root)
    wanted = parse_space(space, cls) if space else default_space(cls)
    goal = Goal(cells, wanted, metric, convention, evidence_of(split, first.bench))
    lengths = ",".join(str(cell) for cell in dict.fromkeys(cell.bits for cell in cells))
    setting = Setting(
        dataset=first.bench.dataset,
        protocol=first.bench.protocol,
        split_seed=first.bench.split_seed,
        bits=lengths,
        tuning=first.mode,
        head=str(first.params.get("head", "")),
        backbone=first.bench.backbone,
    )
    say(f"Tuning {method} on a part of {first.bench.dataset}'s training set.", as_json)

    def told(done: int, value: float | None, best: float | None) -> None:
        score = "failed" if value is None else f"{value:.4f}"
        leader = "" if best is None else f", best {best:.4f}"
        say(f"[{done}/{trials}] {metric} {score}{leader}", as_json)

    on = device_of(first, device)
    with runtime.use(runtime.Runtime(on)), devices.deterministic(on):
        best = tune(goal, split.train, trials, results / "tuning", told)
    kind = "-".join(filter(None, (setting.dataset, setting.protocol, setting.backbone)))
    mode = "-".join(filter(None, (setting.tuning, setting.head)))
    path = out or results / "tuning" / f"{kind}-{mode}.toml".replace(":", "-")
    note = (
        f"{best.trials} trials, {metric} ({convention}) at {lengths} bits on the validation split: "
        f"{best.value:.4f}; defaults: {best.default:.4f}"
    )
    write_params(path, setting, method, best.params, note)
    if as_json:
        body = {**asdict(best), "journal": str(best.journal), "file": str(path), "method": method}
        click.echo(json.dumps(body, indent=1))
        return
    click.echo(f"\n{note}")
    if not best.params:
        click.echo(f"No trial was better than the defaults of {method}: they stay.")
    for name, value in best.params.items():
        click.echo(f"  {name} = {value}")
    click.echo(f"Next: {line('run', '--methods', method, '--params', path)}")
