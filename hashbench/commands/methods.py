"""`hashbench methods`: what can be compared."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench methods
  hashbench methods --plugin my_hash.py
  hashbench methods --json
"""


@click.command(epilog=EPILOG)
@options.plugins
@options.as_json
def command(plugins: tuple[Path, ...], as_json: bool) -> None:
    """List the hashing methods, and plugins that cannot be used with the reason."""
    import json

    from hashbench.hasher import hyperparameters
    from hashbench.registry import add_plugin, methods

    registry = methods()
    for path in plugins:
        add_plugin(path)
    classes = registry.parts()
    if as_json:
        listing = [
            {
                "name": name,
                "kind": cls.kind,
                "summary": cls.summary,
                "citation": cls.citation,
                "version": cls.version,
                "origin": registry.entry(name).origin,
                "hyperparameters": hyperparameters(cls),
            }
            for name, cls in classes.items()
        ]
        broken = [vars(item) for item in registry.broken]
        click.echo(json.dumps({"methods": listing, "broken": broken}, indent=1, default=str))
        return
    width = max(map(len, classes), default=0)
    for name, cls in classes.items():
        origin = registry.entry(name).origin
        source = "" if origin == "hashbench" else f" [{origin}]"
        needs = "features or images" if cls.kind == "deep" else "features"
        click.echo(
            f"{name:<{width}}  {cls.kind:<7}  {cls.summary} {cls.citation}. Needs {needs}.{source}"
        )
    for item in registry.broken:
        click.echo(f"{item.name:<{width}}  broken   {item.reason} [{item.origin}]")
