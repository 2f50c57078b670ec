"""`hashbench datasets`: what can be searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hashbench.commands import options

if TYPE_CHECKING:
    from hashbench.data import Dataset
    from hashbench.registry import Broken

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
    if as_json:
        as_json_text(data_root)
        return
    from hashbench.commands.output import echo_table
    from hashbench.data.variants import VARIANTS

    found, broken = everything(data_root)
    rows = []
    for name, dataset in found.items():
        protocols = ", ".join(
            f"{key}*" if key == dataset.default_protocol and len(dataset.protocols) > 1 else key
            for key in dataset.protocols
        )
        here = "prepared" if dataset.status().prepared else "-"
        rows.append((name, here, f"{dataset.summary}. Protocols: {protocols}"))
    rows += [
        ("lists:DIR", "", "your own query, training and database lists"),
        ("images:PATH", "", "your own class folders, CSV or list, with --protocol 500-2000-rest"),
        *((item.name, "broken", f"{item.reason} [{item.origin}]") for item in broken),
    ]
    echo_table(rows)
    variants = ", ".join(f"-{name} ({variant.summary})" for name, variant in VARIANTS.items())
    echo_table([(f"Any protocol may end in {variants}.",)])
    echo_table([("How to get them, and their protocols in words: hashbench data status.",)])


def everything(data_root: Path | None) -> tuple[dict[str, Dataset], list[Broken]]:
    """Every data set of the registry and of the data root, and what could not be loaded."""
    from hashbench.data import default_data_root, imported_names, open_dataset
    from hashbench.registries import datasets

    registry = datasets()
    root = data_root or default_data_root()
    names = [*registry.parts(), *imported_names(root)]
    return {name: open_dataset(name, root) for name in names}, registry.broken


def as_json_text(data_root: Path | None) -> None:
    """Print all of it as JSON."""
    import dataclasses
    import json

    found, broken = everything(data_root)
    listing = [
        {
            "name": name,
            "title": dataset.title or name,
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
    body = {"datasets": listing, "broken": [vars(item) for item in broken]}
    click.echo(json.dumps(body, indent=1))


def show(data_root: Path | None) -> None:
    """Print of every data set where it is or how to get it, and its protocols."""
    from hashbench.commands.output import echo_table

    found, broken = everything(data_root)
    for name, dataset in found.items():
        status = dataset.status()
        where = f"prepared: {status.where}" if status.prepared else f"not prepared: {status.hint}"
        citation = f" {dataset.citation}." if dataset.citation else ""
        echo_table([(f"{name}: {dataset.summary}.{citation}",)])
        echo_table([(" ", where)])
        default = dataset.default_protocol
        echo_table(
            [
                ("  *" if key == default else "   ", key, protocol.summary)
                for key, protocol in dataset.protocols.items()
            ]
        )
    for item in broken:
        click.echo(f"{item.name}  broken: {item.reason} [{item.origin}]")
