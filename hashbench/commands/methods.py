"""`hashbench methods`: what can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import options

if TYPE_CHECKING:
    from hashbench.registry import Registry

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

    from hashbench.commands.listing import remembered
    from hashbench.commands.output import echo_table
    from hashbench.registries import add_plugin, methods

    registry = methods()
    for path in plugins:
        add_plugin(path)

    def describe() -> tuple[list[dict[str, Any]], bool]:
        found = [_described(registry, name, cls) for name, cls in registry.parts().items()]
        return found, not registry.broken

    listing = describe()[0] if plugins else remembered("hashbench.methods", describe)
    broken = [vars(item) for item in registry.broken]
    if as_json:
        click.echo(json.dumps({"methods": listing, "broken": broken}, indent=1, default=str))
        return
    rows = [
        (item["name"], item["kind"], f"{item['summary']}{_source(item)}. {item['citation']}")
        for item in listing
    ]
    rows += [(item["name"], "broken", f"{item['reason']} [{item['origin']}]") for item in broken]
    echo_table(rows)
    echo_table([("deep methods learn from features or images, shallow ones from features.",)])


def _described(registry: Registry[Any], name: str, cls: Any) -> dict[str, Any]:
    from hashbench.hasher import hyperparameters

    return {
        "name": name,
        "kind": cls.kind,
        "summary": cls.summary,
        "citation": cls.citation,
        "version": cls.version,
        "origin": registry.entry(name).origin,
        "hyperparameters": hyperparameters(cls),
    }


def _source(item: dict[str, Any]) -> str:
    return "" if item["origin"] == "hashbench" else f" [{item['origin']}]"
