"""Options and arguments that are names of parts or cells, which shells can complete.

Nothing is checked here: what a name stands for is looked up by the verb, with a better message.
PyTorch is never imported, nor any code of a plugin: a shell asks at every press of a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from hashbench.runtime import DEFAULT_RESULTS

#: Numbers that stand for the {n} and the {radius} of a metric's name.
_LENGTHS, _RADIUS = (100, 1000, 5000), 2

#: A name that a shell can be given as it is, whatever stands in a stranger's file.
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]*")

#: Records that are read at most, the newest of a folder.
_MOST = 2000


class TypedPath(click.Path):
    """A path, letters and accents in one or apart, whichever the disk has; `~` is the home folder.

    Args:
        options: as for `click.Path`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as the disk spells it."""
        from hashbench.spelling import typed

        return super().convert(value if value == "-" else typed(value), param, ctx)


class PartName(click.types.StringParamType):
    """The name of a part, or several names with commas between them.

    Args:
        kind: of the part, as in `hashbench.registries.KINDS`.
        several: whether a list of names is meant.
        words: what may be said in place of a name.
    """

    def __init__(self, kind: str, *, several: bool = False, words: Iterable[str] = ()) -> None:
        self.kind = kind
        self.several = several
        self.words = tuple(words)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that begin so; of a list, those that are not in it yet."""
        known = [*names_of(self.kind), *self.words, *_others(self.kind, ctx)]
        return _completed(known, incomplete, self.several)


class CellName(click.types.StringParamType):
    """A cell of the results folder, METHOD:BITS:SEED, or a folder where there is no such cell.

    Args:
        several: whether a list of cells is meant.
    """

    def __init__(self, *, several: bool = False) -> None:
        self.several = several

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Cells that begin so."""
        folder = ctx.params.get("results") or _argument(ctx, "folder") or DEFAULT_RESULTS
        found = _completed(cells_in(Path(folder)), incomplete, self.several)
        return found or [CompletionItem(incomplete, type="dir")]


class KindName(click.types.StringParamType):
    """A kind of part, such as "metrics"."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Kinds that begin so."""
        from hashbench.registries import KINDS

        return _completed(KINDS, incomplete, False)


class ProtocolName(click.types.StringParamType):
    """A protocol of the data sets that were named, or of any."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Protocols, and their variants once one is typed out."""
        from hashbench.data.variants import VARIANTS
        from hashbench.registries import datasets

        asked = ctx.params.get("datasets") or _argument(ctx, "name") or ""
        every = datasets().parts()
        chosen = [every[name] for name in asked.split(",") if name in every] or every.values()
        plain = [item.id for cls in chosen for item in cls.protocols.values()]
        varied = [f"{name}-{variant}" for name in plain for variant in VARIANTS]
        return _completed([*plain, *varied], incomplete, False)


PATH = TypedPath()
METHOD, METHODS = PartName("methods"), PartName("methods", several=True)
METHODS_OR_ALL = PartName("methods", several=True, words=["all"])
DATASET, DATASETS = PartName("datasets"), PartName("datasets", several=True)
CONVENTION, CONVENTIONS = PartName("conventions"), PartName("conventions", several=True)
METRIC, BACKBONE = PartName("metrics"), PartName("backbones")
EXECUTOR, FIGURE, FORMAT = PartName("executors"), PartName("plots"), PartName("exports")
CELL, CELLS, KIND, PROTOCOL = CellName(), CellName(several=True), KindName(), ProtocolName()


def names_of(kind: str) -> list[str]:
    """Every name of a kind, sorted, without importing what entry points name.

    A metric's `{n}` and `{radius}` stand filled in.
    """
    import importlib
    from importlib.metadata import entry_points

    from hashbench.registries import KINDS

    names = {point.name for point in entry_points(group=f"hashbench.{kind}")}
    module, _, constant = KINDS[kind].built_in.partition(":")
    if module:
        parts = getattr(importlib.import_module(module), constant)
        names |= {filled for part in parts for filled in _filled(part.name)}
    return sorted(names)


def cells_in(folder: Path) -> list[str]:
    """The names of the cells of a results folder, sorted; none where there is none to be read."""
    try:
        files = sorted((folder / "records").glob("*.json"), key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []
    found: set[str] = set()
    for path in files[:_MOST]:
        try:
            cell = json.loads(path.read_bytes())["cell"]
            method, bits, seed = cell["method"], int(cell["bits"]), int(cell["seed"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            continue  # what is damaged is not for a shell to tell
        if isinstance(method, str) and _PLAIN.fullmatch(method):
            found.add(f"{method}:{bits}:{seed}")
    return sorted(found)


def _filled(name: str) -> list[str]:
    radius = name.replace("{radius}", str(_RADIUS))
    return [radius.replace("{n}", str(n)) for n in _LENGTHS] if "{n}" in name else [radius]


def _argument(ctx: click.Context, name: str) -> str | None:
    """The verb's first argument, if it is called so.

    Where the last option has no value yet click reads no arguments and leaves them aside.
    """
    if not any(
        item.name == name for item in ctx.command.params if isinstance(item, click.Argument)
    ):
        return None
    found = ctx.params.get(name) or next(iter(ctx.args), None)
    return None if found is None else str(found)


def _others(kind: str, ctx: click.Context) -> list[str]:
    """Names beside those of registered parts."""
    if kind == "datasets":
        from hashbench.data import default_data_root, imported_names

        root = Path(ctx.params.get("data_root") or default_data_root()).expanduser()
        return [name for name in imported_names(root) if _PLAIN.fullmatch(name)]
    if kind == "backbones":
        from hashbench.backbones.catalogue import NETWORKS

        multi = [f"{name}:multi" for name, make in NETWORKS.items() if make().multi_dim]
        return ["pixels", *multi]
    return []


def _completed(known: Iterable[str], incomplete: str, several: bool) -> list[CompletionItem]:
    before, comma, last = incomplete.rpartition(",") if several else ("", "", incomplete)
    if before.count("(") > before.count(")"):
        return []  # within a convention's choices
    taken = set(before.split(",")) if comma else set()
    return [
        CompletionItem(f"{before}{comma}{name}")
        for name in dict.fromkeys(known)
        if name.startswith(last) and name not in taken
    ]
