"""`hashbench serve`: a local page to look at what hashes retrieve."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench serve indexes/
  hashbench serve photos-index --port 8001
"""


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port on this machine; 0 takes a free one.",
)
@options.plugins
def command(folder: Path, port: int, plugins: tuple[Path, ...]) -> None:
    """Show the pictures of an index, or of a folder of indexes, on a page of this machine.

    It answers on 127.0.0.1 alone, writes nothing and loads nothing from elsewhere.
    """
    import socket

    from hashbench.errors import InputError, shown
    from hashbench.registry import load_plugins

    try:
        import uvicorn

        from hashbench.serve.app import application
    except ImportError as error:
        raise InputError(f"serving needs {error.name}: pip install 'hashbench[serve]'") from error
    load_plugins(plugins)
    app = application(folder)
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
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        server.run(sockets=[door])
