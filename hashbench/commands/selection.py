"""Options by which the verbs that read results choose what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hashbench.commands import kinds, options
from hashbench.commands.output import OUT

_CELLS: tuple[options.Decorator, ...] = (
    click.option(
        "--methods",
        type=kinds.METHODS,
        default=None,
        metavar="NAMES",
        help="Methods, such as dch,hashnet.",
    ),
    click.option("--bits", default=None, metavar="BITS", help="Code lengths, such as 48 or 16,32."),
    options.datasets,
)
_RECORDS: tuple[options.Decorator, ...] = (
    *_CELLS,
    options.seeds,
    click.option(
        "--all-versions",
        is_flag=True,
        help="With results of older code, and of earlier states of the data.",
    ),
)
_PAGE: tuple[options.Decorator, ...] = (
    click.option("--open", "show", is_flag=True, help="Open it in the browser."),
    click.option(
        "--title", default=None, metavar="TEXT", help="Heading [default: the folder's name]."
    ),
    click.option(
        "--gallery/--no-gallery",
        default=None,
        help="Thumbnails of what is retrieved [default: where the terms of the images allow it].",
    ),
)

out: options.Decorator = click.option(
    "--out",
    type=OUT,
    default=None,
    metavar="FILE",
    help="Where to write; - or nothing is stdout.",
)


#: The options that choose cells: methods, bits and data sets.
cells = options.together(_CELLS)
#: With seeds and versions.
records = options.together(_RECORDS)
#: With the folder of the results.
selection = options.together((*_RECORDS, options.results))
#: What a page is called, and whether it shows images.
page = options.together(_PAGE)


def _load(_context: click.Context, _parameter: click.Parameter, paths: Sequence[Path]) -> None:
    if paths:
        from hashbench.registries import load_plugins

        load_plugins(paths)


#: `--plugin FILE`, loaded before anything else is read, so that --help lists what it brings.
plugins: options.Decorator = click.option(
    "--plugin",
    type=kinds.PATH,
    multiple=True,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="A Python file with parts of yours (may be repeated).",
)


def listing(kind: str, heading: str) -> type[click.Command]:
    """A command whose help lists the parts of a kind that there are, a plugin's included."""

    class Listing(click.Command):
        def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            from hashbench.registries import registry

            parts = registry(kind).parts()
            with formatter.section(heading):
                formatter.write_dl([(name, part.summary) for name, part in parts.items()])
            super().format_epilog(ctx, formatter)

    return Listing
