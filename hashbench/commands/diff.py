"""`hashbench diff`: what differs between two runs or cells that should agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options

if TYPE_CHECKING:
    from hashbench.store import Store

EPILOG = """\b
Examples:
  hashbench diff results-laptop results-server
  hashbench diff dch:48:0 dch:48:1
  hashbench diff 3f9a 77c0 --results my-results --timings
"""


@click.command(epilog=EPILOG)
@click.argument("a", type=kinds.CELL)
@click.argument("b", type=kinds.CELL)
@click.option("--timings", is_flag=True, help="Compare timings too, which no two runs share.")
@options.results
@options.as_json
def command(a: str, b: str, timings: bool, results: Path, as_json: bool) -> int:
    """Say what differs between A and B: two results folders, or two cells of --results.

    Of two folders, the cells of the same key are compared. Exits with 1 if
    anything differs.
    """
    import json

    from hashbench.errors import InputError
    from hashbench.parsing import plain
    from hashbench.results.explain import compare, find_cell, shown
    from hashbench.store import Store

    folders = [Path(name).is_dir() for name in (a, b)]
    if folders[0] != folders[1]:
        name, other = (a, b) if folders[0] else (b, a)
        raise InputError(f"{name} is a folder and {other} is none: name two folders or two cells")
    if folders[0]:
        found = _folders(Store(Path(a)), Store(Path(b)), timings)
    else:
        store = Store(results)
        first, second = (find_cell(store, name) for name in (a, b))
        found = {f"{a} and {b}": compare((store, first), (store, second), noise=timings)}
    found = {name: differences for name, differences in found.items() if differences}
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        for name, differences in found.items():
            click.echo(plain(name))
            for what, (one, other) in differences.items():
                words = shown(one) if other is None and what == "codes" else ""
                click.echo(plain(f"  {what}: {words or f'{shown(one)} | {shown(other)}'}"))
        if not found:
            click.echo("Nothing differs.")
    return int(bool(found))


def _folders(first: Store, second: Store, noise: bool) -> dict[str, dict[str, tuple[Any, Any]]]:
    """What differs, by cell; what every cell of both folders shares is said once."""
    from hashbench.results.explain import compare

    ours, theirs = ({r.key: r for r in store.records()} for store in (first, second))
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key in sorted(ours.keys() ^ theirs.keys()):
        here = key in ours
        cell = (ours if here else theirs)[key].cell
        name = f"{cell} ({key})"
        found[name] = {"record": ("there", "missing") if here else ("missing", "there")}
    both = {
        key: compare((first, ours[key]), (second, theirs[key]), noise=noise)
        for key in sorted(ours.keys() & theirs.keys())
    }
    common = _common(list(both.values()))
    if common:
        found[f"all {len(both)} cells of both"] = common
    for key, differences in both.items():
        cell = ours[key].cell
        name = f"{cell} ({key})"
        found[name] = {what: pair for what, pair in differences.items() if what not in common}
    return found


def _common(all_differences: list[dict[str, tuple[Any, Any]]]) -> dict[str, tuple[Any, Any]]:
    if len(all_differences) < 2:
        return {}
    first, *others = all_differences
    return {
        what: pair
        for what, pair in first.items()
        if all(other.get(what) == pair for other in others)
    }
