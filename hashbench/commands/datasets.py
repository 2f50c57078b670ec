"""`hashbench datasets`: what can be searched."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench datasets
  hashbench datasets --data-root /datasets --json
"""


@click.command(epilog=EPILOG)
@options.data_root
@options.as_json
def command(data_root: Path | None, as_json: bool) -> None:
    """List the data sets, their protocols, and whether they are prepared here."""
    show(data_root, as_json)


def show(data_root: Path | None, as_json: bool) -> None:
    """Print every data set of the registry and of the data root."""
    import dataclasses
    import json

    from hashbench.data import Dataset, default_data_root, imported_names, open_dataset
    from hashbench.registry import datasets

    registry = datasets()
    root = data_root or default_data_root()
    names = [*registry.parts(), *imported_names(root)]
    found: dict[str, Dataset] = {name: open_dataset(name, root) for name in names}
    if as_json:
        listing = [
            {
                "name": name,
                "summary": dataset.summary,
                "citation": dataset.citation,
                "licence": dataset.licence,
                "url": dataset.url,
                "protocols": {key: value.summary for key, value in dataset.protocols.items()},
                "default_protocol": dataset.default_protocol,
                "default_backbone": dataset.default_backbone,
                **dataclasses.asdict(dataset.status()),
            }
            for name, dataset in found.items()
        ]
        broken = [vars(item) for item in registry.broken]
        click.echo(json.dumps({"datasets": listing, "broken": broken}, indent=1))
        return
    for name, dataset in found.items():
        status = dataset.status()
        where = f"prepared: {status.where}" if status.prepared else f"not prepared: {status.hint}"
        citation = f" {dataset.citation}." if dataset.citation else ""
        click.echo(f"{name}  {dataset.summary}.{citation}")
        click.echo(f"  {where}")
        for key, protocol in dataset.protocols.items():
            mark = "*" if key == dataset.default_protocol else " "
            click.echo(f"  {mark} {key}: {protocol.summary}")
    for item in registry.broken:
        click.echo(f"{item.name}  broken: {item.reason} [{item.origin}]")
    click.echo("lists:DIR  your own lists, see `hashbench data import --help`.")
