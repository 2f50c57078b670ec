"""The one door through which parts come in: methods, data sets, metrics and all the others."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, cause, unless_stopped
from hashbench.plugins import import_file
from hashbench.registry import NAME, Broken, Registered, Registry, same


@dataclass(frozen=True)
class Kind:
    """A kind of part.

    Attributes:
        noun: what one is called in messages.
        base: "module:Class" that every part derives from, or is an instance of.
        objects: whether parts are instances of the base rather than subclasses.
        name: what their names may look like.
        built_in: "module:TUPLE" of those that are ours, where they are objects.
    """

    noun: str
    base: str
    objects: bool = False
    name: re.Pattern[str] = NAME
    built_in: str = ""


#: Every kind of part, by the second half of its entry-point group.
KINDS = {
    "methods": Kind("method", "hashbench.hasher:Hasher"),
    "datasets": Kind("data set", "hashbench.data.dataset:Dataset"),
    "backbones": Kind(
        "backbone",
        "hashbench.backbones.backbone:Backbone",
        objects=True,
        built_in="hashbench.backbones.catalogue:BUILT_IN",
    ),
    "executors": Kind(
        "executor",
        "hashbench.runner.executors:Executor",
        objects=True,
        built_in="hashbench.runner.executors:BUILT_IN",
    ),
    "conventions": Kind(
        "convention",
        "hashbench.evaluation.convention:Convention",
        objects=True,
        built_in="hashbench.evaluation.conventions:BUILT_IN",
    ),
    "metrics": Kind(
        "metric",
        "hashbench.evaluation.metrics.metric:Metric",
        objects=True,
        name=re.compile(r"[a-z][a-z0-9-]*(@\{n\}|@h\{radius\})?"),
        built_in="hashbench.evaluation.metrics:BUILT_IN",
    ),
    "exports": Kind("export", "hashbench.results.exports:Export", objects=True),
    "plots": Kind("figure", "hashbench.results.plots:Plot", objects=True),
}


#: The registries that have been asked for, by kind.
made: dict[str, Registry[Any]] = {}


def registry(kind: str) -> Registry[Any]:
    """The registry of a kind of part (see `KINDS`), installed ones included.

    Raises:
        KeyError: if there is no such kind.
    """
    if kind not in made:
        made[kind] = _make(kind)
    return made[kind]


def _make(kind: str) -> Registry[Any]:
    found = KINDS[kind]
    place: Registry[Any] = Registry(
        found.noun,
        _named(found.base),
        f"hashbench.{kind}",
        objects=found.objects,
        pattern=found.name,
    )
    for part in _named(found.built_in) if found.built_in else ():
        place.add(Registered(part.name, "hashbench", partial(same, part)))
    place.add_installed()
    if found.objects:
        place.parts()  # what a plugin file merely imports must be known as ours
    return place


def methods() -> Registry[Any]:
    """The registry of hashing methods."""
    return registry("methods")


def datasets() -> Registry[Any]:
    """The registry of data sets."""
    return registry("datasets")


def conventions() -> Registry[Any]:
    """The registry of evaluation conventions."""
    return registry("conventions")


def metrics() -> Registry[Any]:
    """The registry of metrics."""
    return registry("metrics")


def exports() -> Registry[Any]:
    """The registry of formats of tables."""
    return registry("exports")


def plots() -> Registry[Any]:
    """The registry of figures."""
    return registry("plots")


def load_plugins(paths: Iterable[Path]) -> None:
    """Register every part, of any kind, that plugin files define.

    Raises:
        InputError: for a file that cannot be used at all.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(
                f"no part could be loaded from {path}: it is no regular file but a folder: name a "
                "Python file with --plugin"
            )
        if not os.path.lexists(path.expanduser()):
            raise InputError(f"there is no plugin file {path}: check --plugin")
        reasons = add_plugin(path.expanduser())
        if reasons is not None:
            raise InputError(f"no part could be loaded from {path}: {reasons}")


def add_plugin(path: Path) -> str | None:
    """Register what a plugin file defines; why nothing of it can be used, or None."""
    path = Path(os.path.realpath(path))
    try:
        module, digest = import_file(path)
    except BaseException as error:  # a stranger's file may raise anything
        unless_stopped(error)
        methods().add_broken(Broken(path.stem, str(path), cause(error)))
        return cause(error)
    names: list[str] = []
    reasons: list[str] = []
    for kind, facts in KINDS.items():
        if facts.base.partition(":")[0] not in sys.modules:
            continue  # the file cannot have derived from what it did not import
        place = registry(kind)
        known = len(place.broken)
        names += place.add_parts(place.parts_of(module), path, digest)
        reasons += [broken.reason for broken in place.broken[known:]]
    if names:
        return None
    nouns = ", ".join(facts.noun for facts in KINDS.values())
    return "; ".join(reasons) or f"it defines no public part (one of: {nouns})"


def _named(where: str) -> Any:
    """What "module:NAME" stands for."""
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)
