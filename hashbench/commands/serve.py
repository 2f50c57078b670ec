"""`hashbench serve`: a local page to look at what hashes retrieve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.commands import kinds, options

if TYPE_CHECKING:
    from hashbench.store import Record

EPILOG = """\b
Examples:
  hashbench serve indexes/
  hashbench serve photos-index --port 8001
  hashbench serve hashbench-results --cells dch:48:0,itq-cca:48:0
"""


@click.command(epilog=EPILOG)
@click.argument("folder", type=kinds.PATH)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port on this machine; 0 takes a free one.",
)
@options.datasets
@click.option(
    "--cells",
    type=kinds.CELLS,
    default=None,
    metavar="NAMES",
    help="Cells of results, such as dch:48:0,itq:48:0.",
)
@options.data_root
@options.plugins
def command(
    folder: Path,
    port: int,
    datasets: str | None,
    cells: str | None,
    data_root: Path | None,
    plugins: tuple[Path, ...],
) -> None:
    """Show what hashes retrieve on a page of this machine.

    FOLDER is an index, a folder of indexes, or a folder of results; of results the data
    set's own queries are looked up among its database, by the stored codes.

    It answers on 127.0.0.1 alone, writes nothing and loads nothing from elsewhere.
    """
    import socket

    from hashbench.errors import InputError, installs, shown
    from hashbench.registries import load_plugins

    try:
        import uvicorn

        from hashbench.serve.app import application
        from hashbench.serve.cells import cell_shelves
        from hashbench.serve.door import Server
        from hashbench.serve.shelves import open_shelves
    except ImportError as error:
        raise InputError(f"serving needs {error.name}: {installs('serve')}") from error
    load_plugins(plugins)
    if (folder / "records").is_dir():
        shelves = cell_shelves(folder, _chosen(folder, datasets, cells), data_root)
    else:
        if datasets or cells:
            raise InputError(
                f"--datasets and --cells choose among results, and {shown(str(folder), 200)} "
                "holds none: leave them out"
            )
        shelves = open_shelves(folder)
    app = application(shelves)
    door = socket.socket()
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        # Listening before it is said: who reads the address may come at once.
        door.listen(64)
    except OSError as error:
        raise InputError(
            f"port {port} of this machine cannot be used ({shown(error)}): name another with --port"
        ) from error
    with door:
        click.echo(f"http://127.0.0.1:{door.getsockname()[1]}/ (Ctrl-C stops it)")
        server = Server(uvicorn.Config(app, log_level="warning", access_log=False))
        server.run(sockets=[door])


def _chosen(folder: Path, datasets: str | None, cells: str | None) -> list[Record]:
    """The records to show."""
    from hashbench.parsing import parse_names
    from hashbench.results.choose import current, select
    from hashbench.results.explain import find_cell
    from hashbench.store import Store

    store = Store(folder)
    if cells:
        return select([find_cell(store, name) for name in parse_names(cells)], datasets=datasets)
    return select(current(store.records())[0], datasets=datasets)
