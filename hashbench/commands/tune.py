"""`hashbench tune`: good hyper-parameters, found on the training set alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options
from hashbench.commands.output import OUT_FILE
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.params import Setting
    from hashbench.runner.run import Job
    from hashbench.tuning.search import Found, Goal

EPILOG = """\b
Examples:
  hashbench tune --method dch --bits 16,32,48,64
  hashbench tune --method dch --space gamma=5|10|20|40,quantization=0.01|0.1 --bits 48
  hashbench tune --method sdh --datasets cifar10 --space width=0.2:1:log --timeout 10m
  hashbench run --methods dch --params hashbench-results/tuning/<the file it names>
"""


@click.command(epilog=EPILOG)
@click.option(
    "--method", type=kinds.METHOD, required=True, metavar="NAME", help="The method to tune."
)
@click.option(
    "--space",
    default=None,
    metavar="SPACE",
    help="NAME=A|B|C or NAME=LOW:HIGH[:log], separated by commas [default: the method's own].",
)
@click.option(
    "--trials",
    default=8,
    show_default=True,
    type=click.IntRange(1),
    help="Points of the grid at most, beside the defaults.",
)
@click.option(
    "--bits",
    default="48",
    show_default=True,
    metavar="BITS",
    help="Code lengths, each searched on its own.",
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
@options.metric
@options.convention
@click.option(
    "--criterion",
    "judge",
    default=None,
    metavar="NAME",
    help="How a setting's worth is told from training images: inflated, extrapolated, held-out "
    "[default: inflated; extrapolated where training starts from pixels].",
)
@options.device
@options.limits
@options.allowed
@click.option(
    "--out",
    type=OUT_FILE,
    default=None,
    metavar="FILE",
    help="Hyper-parameter file to write to [default: in the results folder, by setting].",
)
@options.results
@options.data_root
@options.plugins
@options.as_json
def command(out: Path | None, as_json: bool, method: str, results: Path, **given: Any) -> None:
    """Look for hyper-parameters that suit one method on one data set, at each code length.

    The defaults and every point of a grid are run on a part of the training set and
    judged on another; query and database are never looked at. The defaults stay
    unless a point gains more than a standard error. The same command goes on where
    an interrupted one stopped.
    """
    import json
    from functools import partial

    from hashbench.errors import command as line
    from hashbench.params import write_params, written_for
    from hashbench.progress import say, show
    from hashbench.tuning.search import search
    from hashbench.tuning.space import describe

    goal, space, job, setting = _read(method=method, results=results, **given)
    path = out or job.settings.store / f"{_file_name(setting)}.toml"
    written_for(path, setting)  # what cannot be added to is refused before anything is computed
    found = search(
        goal,
        job,
        lambda todo, name: show(todo, quiet=as_json, name=name),
        lambda: say(f"Tuning {method} on a part of {setting.dataset}'s training set.", as_json),
    )
    how = partial(_note, goal=goal, space=describe(space))
    for one in found:
        values = {**goal.start, **one.choice.point}
        write_params(path, setting, method, values, how(one), one.bits)
    if as_json:
        body = {
            "method": method,
            "file": str(path),
            "lengths": [_body(one) | {"note": how(one)} for one in found],
        }
        click.echo(json.dumps(body, indent=1))
        return
    for one in found:
        _show(method, one)
        click.echo(how(one))
    click.echo(
        f"\nNext: {line('run', '--methods', method, '--params', path, *_asked(goal, given))}"
    )


def _asked(goal: Goal, given: Mapping[str, Any]) -> list[object]:
    """The words of `run` for what a search was asked for."""
    from hashbench.runner.plan import parse_setting

    request = goal.request
    method, dataset = request.methods[0], request.datasets[0]
    words: list[object] = ["--datasets", dataset, "--bits", ",".join(map(str, request.bits))]
    words += [word for plugin in given["plugins"] for word in ("--plugin", plugin)]
    for option in ("protocol", "backbone", "head", "data_root"):
        if given[option] is not None:
            words += [f"--{option.replace('_', '-')}", given[option]]
    words += ["--split-seed", given["split_seed"]] if given["split_seed"] else []
    words += [f"--{name.replace('_', '-')}" for name in options.ALLOWED if given[name]]
    words += ["--train", given["train"]] if given["train"] != "head" else []
    for text in given["settings"]:
        if parse_setting(text)[1] in goal.start:  # the file has it, or what is better
            continue
        words += ["--set", text if "." in text.partition("=")[0] else f"{method}.{text}"]
    return words


def _read(
    *,
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
    metric: str | None,
    convention: str,
    judge: str | None,
    device: str,
    workers: int | None,
    timeout: str | None,
    memory: str | None,
    executor: str,
    results: Path,
    data_root: Path | None,
    plugins: tuple[Path, ...],
    **allowed: bool,
) -> tuple[Goal, Any, Job, Setting]:
    """What is searched for, where, how, and what it is for.

    Raises:
        InputError: for whatever cannot be used.
    """
    from hashbench import devices
    from hashbench.data import dataset_names, default_data_root
    from hashbench.errors import InputError
    from hashbench.evaluation import Convention
    from hashbench.params import Setting
    from hashbench.parsing import (
        parse_duration,
        parse_numbers,
        parse_seeds,
        parse_size,
    )
    from hashbench.registries import load_plugins, methods
    from hashbench.runner.execute import Limits
    from hashbench.runner.plan import Request, default_datasets, plan, settings_by_method
    from hashbench.runner.run import Job
    from hashbench.runner.settings import Settings
    from hashbench.tuning.criterion import criterion
    from hashbench.tuning.search import Goal
    from hashbench.tuning.space import default_space, grid, parse_space

    devices.check(device)
    load_plugins(plugins)
    rules = Convention.parse(convention)
    root = data_root or default_data_root()
    names = dataset_names(datasets) if datasets is not None else default_datasets(root)
    if datasets is not None and len(names) != 1:
        raise InputError(f"tune one data set at a time, not {len(names)}: name one with --datasets")
    cls = methods().get(method)
    wanted = parse_space(space, cls) if space else default_space(cls)
    request = Request(
        methods=(method,),
        bits=tuple(dict.fromkeys(parse_numbers(bits, "--bits", low=1, high=1024))),
        seeds=parse_seeds("1" if seeds is None else seeds),
        datasets=names[:1],
        protocol=protocol,
        split_seeds=(split_seed,),
        backbone=backbone,
        mode=train,
        settings=settings_by_method(settings, head),
        shipped=False,
        options={name: given for name, given in allowed.items() if given},
    )
    (first, *_) = plan(request, root)
    bench = first.cell.bench
    setting = Setting(
        dataset=bench.dataset,
        protocol=bench.protocol,
        split_seed=bench.split_seed,
        tuning=first.cell.mode,
        head=str(first.cell.params.get("head", "")),
        backbone=bench.backbone,
    )
    shared = Settings(
        store=results / "tuning",
        data_root=root,
        conventions=(str(rules),),
        keep_relaxed=rules.needs_relaxed,
        keep_hashers=False,
        device=device,
        threads=1,  # so many trials at a time as there are cores
        plugins=plugins,
    )
    limits = Limits(
        workers=workers,
        timeout=parse_duration(timeout, "--timeout") if timeout else None,
        memory=parse_size(memory, "--memory") if memory else None,
    )
    mode = first.cell.mode
    sought = metric or rules.main_metric(0)
    goal = Goal(request, grid(wanted, trials), criterion(judge, mode), sought, str(rules))
    return goal, wanted, Job([], shared, limits, executor), setting


def _file_name(setting: Setting) -> str:
    kind = [setting.dataset, setting.protocol, setting.backbone, setting.tuning, setting.head]
    seed = f"seed-{setting.split_seed}" if setting.split_seed else ""
    return "-".join(filter(None, [*kind, seed])).replace(":", "-")


def _note(found: Found, goal: Goal, space: str) -> str:
    """How a choice came about, in one line: criterion, space, gain and error."""
    from hashbench.tuning.search import describe_point

    choice = found.choice
    where = in_number(choice.queries, "held-out query", "held-out queries")
    if choice.carvings > 1:
        where += f", each of {choice.carvings} carvings"
    seeds = len(goal.request.seeds)
    said = (
        f"{goal.criterion.name} {goal.metric} ({goal.convention}), {where}, "
        f"{in_number(seeds, 'seed', 'seeds')}, {in_number(len(goal.points), 'point', 'points')} "
        f"of {space}: "
    )
    gain = f"gain {choice.gain:+.4f} ± {choice.error:.4f}"
    against = f"{choice.worth:.4f} against {choice.default:.4f} of the defaults, {gain}"
    if not choice.best:
        return f"{said}no point is better than the defaults, {choice.default:.4f}"
    if not choice.point:
        return f"{said}the defaults stay, for {describe_point(choice.best)} has {against}"
    if choice.default != choice.default:
        return f"{said}{choice.worth:.4f}, and the defaults failed"
    return said + against


def _show(method: str, found: Found) -> None:
    """The trials of a code length as a table, the defaults first."""
    from hashbench.errors import shown
    from hashbench.tuning.choose import gain
    from hashbench.tuning.search import describe_point

    default = found.trials[0]
    width = max(len(describe_point(trial.point)) for trial in found.trials)
    click.echo(f"\n{method}, {found.bits} bits")
    for trial in found.trials:
        name = describe_point(trial.point).ljust(width)
        if not trial.ok:
            click.echo(f"  {name}  failed ({shown(trial.reason, 200)})")
            continue
        mean, error = gain(trial, default)
        beside = "" if trial is default or mean != mean else f"  {mean:+.4f} ± {error:.4f}"
        mark = "  chosen" if trial.point == found.choice.point else ""
        click.echo(f"  {name}  {trial.worth:.4f}{beside}{mark}")


def _body(found: Found) -> dict[str, Any]:
    """What was found at a code length, for programs; None for what is unknown."""
    import math

    from hashbench.tuning.choose import gain

    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    choice, default = found.choice, found.trials[0]
    rows = []
    for trial in found.trials:
        mean, error = map(known, gain(trial, default))
        rows.append(
            {
                "params": dict(trial.point),
                "worth": known(trial.worth),
                "gain": mean,
                "error": error,
                "reason": trial.reason,
            }
        )
    return {
        "bits": found.bits,
        "params": dict(choice.point),
        "worth": known(choice.worth),
        "default": known(choice.default),
        "gain": known(choice.gain),
        "error": known(choice.error),
        "carvings": choice.carvings,
        "trials": rows,
    }
