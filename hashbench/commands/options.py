"""Options that mean the same for every verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from hashbench.commands import kinds
from hashbench.parsing import LARGEST_SEED
from hashbench.runtime import DEFAULT_RESULTS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

results: Decorator = click.option(
    "--results",
    type=kinds.PATH,
    default=DEFAULT_RESULTS,
    show_default=True,
    metavar="DIR",
    help="Folder of the results.",
)
metric: Decorator = click.option(
    "--metric",
    type=kinds.METRIC,
    default=None,
    metavar="NAME",
    help="The score that is looked at [default: map@h2, or what else a convention has first].",
)
convention: Decorator = click.option(
    "--convention",
    type=kinds.CONVENTION,
    default="house",
    show_default=True,
    metavar="NAME",
    help="Evaluation convention.",
)
data_root: Decorator = click.option(
    "--data-root",
    type=kinds.PATH,
    default=None,
    envvar="HASHBENCH_DATA",
    metavar="DIR",
    help="Folder of the data sets, <DIR>/cifar10 and so on [default: $HASHBENCH_DATA or ./data].",
)
datasets: Decorator = click.option(
    "--datasets",
    type=kinds.DATASETS,
    default=None,
    metavar="NAMES",
    help="Data sets, such as cifar10,coco.",
)
seeds: Decorator = click.option(
    "--seeds",
    default=None,
    metavar="SEEDS",
    help="How many root seeds (5 is 0 to 4), or which: `0-4`, `0,5`, or `7,` for 7 alone.",
)
as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
plugins: Decorator = click.option(
    "--plugin",
    "plugins",
    type=kinds.PATH,
    multiple=True,
    metavar="FILE",
    help="A Python file with parts of yours: methods, data sets, metrics ... (may be repeated; "
    "`hashbench parts --plugin FILE` lists them).",
)

device: Decorator = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto, cpu, cuda, cuda:1 or mps: where to extract, train, encode and count.",
)

_LIMITS: tuple[Decorator, ...] = (
    click.option(
        "--workers",
        type=click.IntRange(min=0),
        default=None,
        metavar="N",
        help="Cells at a time [default: two a GPU, and on the CPU one a core]; 0 runs them in this "
        "process.",
    ),
    click.option(
        "--timeout", default=None, metavar="TIME", help="Longest time of a cell: 90s, 2h."
    ),
    click.option(
        "--memory", default=None, metavar="SIZE", help="Most memory of a worker: 800M, 8G."
    ),
    click.option(
        "--executor",
        type=kinds.EXECUTOR,
        default="local",
        show_default=True,
        metavar="NAME",
        help="Where the cells run: local, ray, slurm or a plugin's (`hashbench parts executors`).",
    ),
)

_SETTING: tuple[Decorator, ...] = (
    click.option(
        "--protocol",
        type=kinds.PROTOCOL,
        default=None,
        metavar="NAME",
        help="How the data is split.",
    ),
    click.option(
        "--split-seed",
        type=click.IntRange(0, LARGEST_SEED),
        default=0,
        show_default=True,
        metavar="SEED",
        help="Seed of the split's draw.",
    ),
    click.option(
        "--backbone",
        type=kinds.BACKBONE,
        default=None,
        metavar="NAME",
        help="Feature extractor (`hashbench parts backbones`).",
    ),
    click.option(
        "--train",
        "--tuning",
        "train",
        type=click.Choice(["head", "partial", "full"]),
        default="head",
        show_default=True,
        help="What deep methods train.",
    ),
    click.option(
        "--head", type=click.Choice(["linear", "mlp"]), default=None, help="Head of deep methods."
    ),
)
_ALLOWED: tuple[Decorator, ...] = (
    click.option(
        "--allow-missing",
        is_flag=True,
        help="Go on without images that are listed and not there.",
    ),
    click.option(
        "--allow-overlap", is_flag=True, help="Go on when lists share queries with the database."
    ),
    click.option(
        "--allow-unlabelled", is_flag=True, help="Go on when lists hold images without any label."
    ),
    click.option(
        "--allow-duplicates",
        is_flag=True,
        help="Go on when your own lists hold the same file as query and in another part.",
    ),
)
#: Faults of the data that are allowed by name.
ALLOWED = ("allow_missing", "allow_overlap", "allow_unlabelled", "allow_duplicates")


def together(added: Sequence[Decorator]) -> Decorator:
    """Several options as one, in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(added):
            function = option(function)
        return function

    return decorate


#: The options that say where cells run and what they may use.
limits = together(_LIMITS)
#: The options that allow faults of the data.
allowed = together(_ALLOWED)
#: The options that say on what and how methods are trained.
setting = together(_SETTING)
