"""The one door through which methods and data sets come in.

Built-in classes, installed plugins (entry points) and `--plugin FILE` are all
entries of a `Registry`; a broken one is listed with its reason and never stops
the others.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from hashbench.errors import InputError, unknown

T = TypeVar("T")

#: What a name may look like: it is typed in lists and before the dot of `--set`.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A registered name: where it comes from, and how its class is loaded.

    Attributes:
        name: what users call it.
        origin: the distribution or file it comes from.
        load: imports and returns the class, or raises.
        digest: sha256 of the plugin file, empty for installed classes; part of
            a cell's identity, so that editing a plugin runs its cells again.
    """

    name: str
    origin: str
    load: Callable[[], type[T]]
    digest: str = ""


@dataclass(frozen=True)
class Broken:
    """A plugin that could not be used, and why."""

    name: str
    origin: str
    reason: str


class Registry(Generic[T]):
    """Classes by name, loaded when first asked for.

    Args:
        noun: what one entry is called in messages, such as "method".
        base: the class every entry must derive from.
        group: the entry-point group installed plugins use.
    """

    def __init__(self, noun: str, base: type[T], group: str) -> None:
        self.noun = noun
        self.base = base
        self.group = group
        self._lock = threading.RLock()
        self._entries: dict[str, Entry[T]] = {}
        self._loaded: dict[str, type[T]] = {}
        self._broken: list[Broken] = []

    def add(self, entry: Entry[T]) -> None:
        """Register an entry; a name that is already taken makes it broken.

        The same origin may come again: an edited file takes its old place.
        """
        with self._lock:
            holder = self._entries.get(entry.name)
            if holder is None or (holder.origin == entry.origin and entry.digest != holder.digest):
                self._entries[entry.name] = entry
                self._loaded.pop(entry.name, None)
            elif holder.origin != entry.origin:
                self._mark(entry, f"the name '{entry.name}' belongs to {holder.origin}")

    def add_installed(self, points: Iterable[EntryPoint] | None = None) -> None:
        """Register every installed class of this registry's entry-point group."""
        found = list(entry_points(group=self.group) if points is None else points)
        # hashbench's own names first, so that no plugin can take one of them.
        found.sort(key=lambda point: (_distribution(point) != "hashbench", point.name))
        for point in found:
            self.add(Entry(point.name, _distribution(point), self._checked(point.name, point.load)))

    def add_file(self, path: Path) -> list[str]:
        """Register the classes a plugin file defines; returns their names.

        A file that cannot be imported or defines no class is listed as broken;
        so is a class that does not keep the contract, or takes another's name.
        """
        path = path.resolve()
        try:
            module, digest = import_file(path)
            classes = list(_classes_of(module, self.base))
        except (Exception, SystemExit) as error:  # a stranger's file may raise anything
            self._broken.append(Broken(path.stem, str(path), _reason(error)))
            return []
        names: list[str] = []
        for cls in classes:
            name = getattr(cls, "name", cls.__name__)
            entry = Entry(str(name), str(path), self._checked(name, partial(_same, cls)), digest)
            try:
                entry.load()
            except TypeError as error:
                self._mark(entry, _reason(error))
                continue
            if name in names:
                self._mark(entry, f"the name '{name}' is defined twice in this file")
                continue
            self.add(entry)
            if self._entries[name].origin == entry.origin:
                names.append(name)
        return names

    def names(self) -> list[str]:
        """All usable names, sorted."""
        return sorted(self._entries)

    def entry(self, name: str) -> Entry[T]:
        """The entry called `name`.

        Raises:
            InputError: if there is none; the message has the nearest names.
        """
        if name not in self._entries:
            for broken in self._broken:
                if broken.name == name:
                    raise InputError(
                        f"{self.noun} '{name}' from {broken.origin} is broken: {broken.reason}"
                    )
            raise unknown(self.noun, name, self._entries)
        return self._entries[name]

    def get(self, name: str) -> type[T]:
        """The class called `name`, imported on first use.

        Raises:
            InputError: if there is none, or if it cannot be loaded.
        """
        entry = self.entry(name)
        with self._lock:
            if name not in self._loaded:
                try:
                    self._loaded[name] = entry.load()
                except (Exception, SystemExit) as error:
                    del self._entries[name]
                    self._mark(entry, _reason(error))
                    raise InputError(
                        f"{self.noun} '{name}' from {entry.origin} is broken: {_reason(error)}"
                    ) from error
            return self._loaded[name]

    def classes(self) -> dict[str, type[T]]:
        """Every class that loads, by name; those that do not move to `broken`."""
        loaded = {}
        for name in self.names():
            try:
                loaded[name] = self.get(name)
            except InputError:
                continue
        return loaded

    @property
    def broken(self) -> list[Broken]:
        """The plugins that cannot be used, with reasons."""
        return list(self._broken)

    def _mark(self, entry: Entry[T], reason: str) -> None:
        self._broken.append(Broken(entry.name, entry.origin, reason))

    def _checked(self, name: str, load: Callable[[], object]) -> Callable[[], type[T]]:
        def loader() -> type[T]:
            cls = load()
            if not (inspect.isclass(cls) and issubclass(cls, self.base)):
                raise TypeError(f"{cls!r} is not a subclass of {self.base.__name__}")
            if inspect.isabstract(cls):
                missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
                raise TypeError(f"{cls.__name__} does not define {missing}")
            declared = getattr(cls, "name", None)
            if declared != name:
                raise TypeError(f"{cls.__name__}.name is {declared!r}, registered as {name!r}")
            if not _NAME.fullmatch(declared):
                raise TypeError(f"{declared!r} is no name: use small letters, digits, - and _")
            return cls

        return loader


def _same(cls: object) -> object:
    return cls


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


def _reason(error: BaseException) -> str:
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__


def import_file(path: Path) -> tuple[ModuleType, str]:
    """The module of a Python file, and the sha256 of its text.

    The module is named after path and text, so that an unchanged file is
    executed once, an edited one again, and another process finds the classes
    of a pickle by importing the same file.

    Raises:
        FileNotFoundError: if there is no such file.
        Exception: whatever the file raises.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no plugin file at {path}")
    text = path.read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    where = hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    name = f"hashbench_plugin_{path.stem}_{where[:8]}_{digest[:8]}"
    if name in sys.modules:
        return sys.modules[name], digest
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look the module up by name
    try:
        # Not exec_module(): a bytecode file may be older than an edit within its second.
        exec(compile(text, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module, digest


def _classes_of(module: object, base: type[T]) -> Iterator[type[T]]:
    found = [
        cls
        for cls in vars(module).values()
        if inspect.isclass(cls)
        and issubclass(cls, base)
        and cls.__module__ == getattr(module, "__name__", None)
        and not cls.__name__.startswith("_")
    ]
    if not found:
        raise TypeError(f"no public subclass of {base.__name__} is defined in it")
    yield from found


@cache
def methods() -> Registry:
    """The registry of hashing methods, installed ones included."""
    from hashbench.hasher import Hasher

    registry: Registry[Hasher] = Registry("method", Hasher, "hashbench.methods")  # type: ignore[type-abstract]
    registry.add_installed()
    return registry


@cache
def datasets() -> Registry:
    """The registry of data sets, installed ones included."""
    from hashbench.data.dataset import Dataset

    registry: Registry[Dataset] = Registry("data set", Dataset, "hashbench.datasets")  # type: ignore[type-abstract]
    registry.add_installed()
    return registry
