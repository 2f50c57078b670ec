"""`hashbench board`: a static site of entries, for whatever serves files."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options, selection
from hashbench.commands.output import OUT
from hashbench.parsing import in_number

EPILOG = """\b
Examples:
  hashbench board entries --out site
  hashbench board entries --out site --title "Hashing on CIFAR-10" --data-root /datasets
"""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="BUNDLES", type=kinds.PATH)
@click.option(
    "--out",
    type=OUT,
    default=Path("site"),
    show_default=True,
    metavar="DIR",
    help="Folder of the site: index.html, and the entries it shows.",
)
@selection.page
@click.option(
    "--convention",
    "conventions",
    type=kinds.CONVENTIONS,
    default="house,house(empty=drop,nohit=drop)",
    show_default=True,
    metavar="NAMES",
    help="Conventions to switch between; the first is shown first.",
)
@options.data_root
@options.plugins
def command(
    folder: Path,
    out: Path,
    show: bool,
    title: str | None,
    conventions: str,
    gallery: bool | None,
    data_root: Path | None,
    plugins: tuple[Path, ...],
) -> int:
    """Write a site of the entries in a folder: no server, no network.

    BUNDLES is a folder of entries, as `hashbench pack` writes them. Each is verified and every
    score computed from its codes; what is not as it says is left out and named on the page.
    The entries go along, so that whoever reads the site can verify it. Exit code 1 if any is
    left out.
    """
    from hashbench.data import default_data_root
    from hashbench.evaluation import Convention
    from hashbench.pages.board import ENTRIES, check_place, open_board, write_site
    from hashbench.pages.build import Source, add_gallery, page_data
    from hashbench.pages.render import render
    from hashbench.parsing import plain
    from hashbench.registries import load_plugins

    def tick(note: str) -> None:
        click.echo(plain(note), err=True)

    check_place(out, folder)
    load_plugins(plugins)
    named = Convention.parse_list(conventions)
    root = data_root or default_data_root()
    board = open_board(folder, root, tick)
    data, series = page_data(
        board.records,
        board.judge,
        named,
        title=title or folder.resolve().name,
        source=Source(
            name=str(folder),
            noun="entry",
            again=lambda key: f"hashbench verify {ENTRIES}/{board.names[key]}",
            commands=(f"hashbench verify {ENTRIES}",),
            facts=board.facts,
        ),
        all_versions=True,
        tick=tick,
    )
    data.sources += board.said()
    if gallery is not False:
        add_gallery(data, series, board.codes, root, always=gallery is True, tick=tick)
    page = render(data).encode("utf-8", "replace")
    write_site(out, page, board, folder)
    for sentence in board.said():
        click.echo(plain(sentence), err=True)
    size = f"{len(page) / 1e6:.1f} MB"
    click.echo(
        f"Wrote {out / 'index.html'} ({size}) with "
        f"{in_number(len(board.records), 'entry', 'entries')}."
    )
    if show:
        click.launch(str(out / "index.html"))
    return int(bool(board.refused))
