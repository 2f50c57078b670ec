"""`hashbench parts`: what there is of every kind of part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hashbench.commands import kinds, options

EPILOG = """\b
Examples:
  hashbench parts
  hashbench parts metrics
  hashbench parts conventions --plugin mine.py --json
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=kinds.KIND, required=False, metavar="[KIND]")
@options.plugins
@options.as_json
def command(kind: str | None, plugins: tuple[Path, ...], as_json: bool) -> None:
    """List the parts of a KIND (methods, metrics, backbones, ...), ours and those of plugins.

    A part of your own comes in by --plugin FILE, or by an entry point
    `hashbench.KIND` of an installed package; see docs/extending.md.
    """
    import json

    from hashbench.errors import unknown
    from hashbench.parsing import plain
    from hashbench.registries import KINDS, load_plugins, registry

    load_plugins(plugins)
    if kind is not None and kind not in KINDS:
        raise unknown("kind of part", kind, KINDS)
    rows: list[dict[str, Any]] = []
    for name in [kind] if kind else KINDS:
        place = registry(name)
        for part, found in place.parts().items():
            said = getattr(found, "summary", "") or getattr(found, "source", "")
            summary = said if isinstance(said, str) and said else str(getattr(found, "title", ""))
            origin = place.entry(part).origin
            rows.append({"kind": name, "name": part, "summary": summary, "origin": origin})
        rows += [
            {"kind": name, "name": item.name, "broken": item.reason, "origin": item.origin}
            for item in place.broken
        ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for heading in dict.fromkeys(row["kind"] for row in rows):
        click.echo(f"{heading}:")
        for row in (row for row in rows if row["kind"] == heading):
            what = row["summary"] if "summary" in row else f"broken: {row['broken']}"
            source = "" if row["origin"] == "hashbench" else f" [{row['origin']}]"
            click.echo(plain(f"  {row['name']:<{width}}  {what}{source}"))
