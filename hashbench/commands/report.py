"""`hashbench report`: one HTML file of results, to be shown around."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.commands import kinds, options, selection
from hashbench.commands.output import OUT
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.codes import Codes
    from hashbench.store import Record

EPILOG = """\b
Examples:
  hashbench report hashbench-results
  hashbench report results/cifar10 --out cifar10.html --open
  hashbench report results --convention "house,deephash,house(empty=drop)"
"""


@click.command(epilog=EPILOG)
@click.argument("results", type=kinds.PATH)
@click.option(
    "--out",
    type=OUT,
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="Where to write the page.",
)
@selection.page
@selection.records
@click.option(
    "--convention",
    "conventions",
    type=kinds.CONVENTIONS,
    default=None,
    metavar="NAMES",
    help="Conventions to switch between; the first is shown first [default: house and those that "
    "are stored].",
)
@options.data_root
@options.plugins
def command(
    results: Path,
    out: Path,
    show: bool,
    title: str | None,
    methods: str | None,
    bits: str | None,
    datasets: str | None,
    seeds: str | None,
    conventions: str | None,
    gallery: bool | None,
    all_versions: bool,
    data_root: Path | None,
    plugins: tuple[Path, ...],
) -> None:
    """Write the results of a folder as one page that works offline.

    RESULTS is a folder that `hashbench run` filled. The page has the leaderboard under every
    convention, charts, a part for each method, retrievals to look at, and where every number
    is from. Scores of a convention that are missing are computed from the stored codes.
    """
    from hashbench.errors import InputError
    from hashbench.evaluation import Convention
    from hashbench.files import write_named
    from hashbench.pages.build import Source, add_gallery, page_data
    from hashbench.pages.conventions import usual
    from hashbench.pages.render import render
    from hashbench.parsing import plain
    from hashbench.registries import load_plugins
    from hashbench.results.choose import select
    from hashbench.results.scored import StoredJudge
    from hashbench.store import Store

    def tick(note: str) -> None:
        click.echo(plain(note), err=True)

    load_plugins(plugins)
    store, folder = Store(results), shlex.quote(str(results))
    records = select(store.records(), methods=methods, bits=bits, datasets=datasets, seeds=seeds)
    left_out: list[str] = []
    if conventions:
        named = Convention.parse_list(conventions)
    else:
        named, left_out = usual(store, records, tick)
    data, series = page_data(
        records,
        StoredJudge(store),
        named,
        title=title or results.resolve().name,
        source=Source(
            name=str(results),
            noun="cell",
            again=lambda key: f"hashbench explain {key} --results {folder}",
            commands=(
                f"hashbench explain KEY --results {folder}",
                f"hashbench score {folder} --convention house",
                f"hashbench compare --results {folder}",
            ),
        ),
        all_versions=all_versions,
        tick=tick,
    )
    data.sources += left_out
    if gallery is not False:

        def codes(record: Record) -> tuple[Codes, Codes]:
            return store.open_codes(record, relaxed=False)

        add_gallery(data, series, codes, data_root, always=gallery is True, tick=tick)
    page = render(data).encode("utf-8", "replace")
    try:
        write_named(out, lambda stream: stream.write(page))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    click.echo(
        f"Wrote {out} ({len(page) / 1e6:.1f} MB, "
        f"{in_number(data.made['records'], 'cell', 'cells')})."
    )
    if show:
        click.launch(str(out))
