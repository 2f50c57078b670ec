"""A registry: the parts of one kind by name, from wherever they come.

Built-in parts, installed plugins (entry points `hashbench.<kind>`) and `--plugin FILE` are all
entries of a `Registry`; a broken one is listed with its reason and never stops the others. Some
kinds of part are classes (a method), others objects (a metric): see `registries.py`.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from hashbench.errors import InputError, cause, shown, unknown, unless_stopped

T = TypeVar("T")

#: What a name may look like: it is typed in lists and before the dot of `--set`.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Registered(Generic[T]):
    """A registered name: where it comes from, and how its part is loaded.

    Attributes:
        name: what users call it.
        origin: the distribution or file it comes from.
        load: imports and returns the part, or raises.
        digest: sha256 of the plugin file and the siblings it imports, empty for
            installed parts; part of a cell's identity, so that editing a plugin
            runs its cells again.
    """

    name: str
    origin: str
    load: Callable[[], T]
    digest: str = ""


@dataclass(frozen=True)
class Broken:
    """A plugin that could not be used, and why."""

    name: str
    origin: str
    reason: str


class Registry(Generic[T]):
    """Parts of one kind by name, loaded when first asked for.

    Args:
        noun: what one entry is called in messages, such as "method".
        base: the class every entry must derive from, or be an instance of.
        group: the entry-point group installed plugins use.
        objects: whether entries are instances of `base` rather than subclasses.
        pattern: what names may look like.
    """

    def __init__(
        self,
        noun: str,
        base: type[Any],
        group: str,
        *,
        objects: bool = False,
        pattern: re.Pattern[str] = NAME,
    ) -> None:
        self.noun = noun
        self.base = base
        self.group = group
        self.objects = objects
        self.pattern = pattern
        self._lock = threading.RLock()
        self._entries: dict[str, Registered[T]] = {}
        self._loaded: dict[str, T] = {}
        self._broken: list[Broken] = []
        self._whole: tuple[tuple[Registered[T], ...], dict[str, T]] | None = None

    def add(self, entry: Registered[T]) -> None:
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
        """Register every installed part of this registry's entry-point group."""
        found = list(_installed().select(group=self.group) if points is None else points)
        # hashbench's own names first, so that no plugin can take one of them.
        found.sort(key=lambda point: (_distribution(point) != "hashbench", point.name))
        for point in found:
            self.add(
                Registered(point.name, _distribution(point), self._checked(point.name, point.load))
            )

    def parts_of(self, module: ModuleType) -> list[T]:
        """The public parts of this kind that a module defines, in order."""
        found: dict[int, Any] = {}
        for label, part in vars(module).items():
            if label.startswith("_"):
                continue
            if self.objects:
                if isinstance(part, self.base) and not self._is_known(part, module):
                    found[id(part)] = part
            elif (
                inspect.isclass(part)
                and issubclass(part, self.base)
                and part.__module__ == module.__name__
                and not part.__name__.startswith("_")
            ):
                found[id(part)] = part
        return list(found.values())

    def add_parts(self, parts: Sequence[T], path: Path, digest: str) -> list[str]:
        """Register the parts of a plugin file; returns the names of those that can be used."""
        names: list[str] = []
        for part in parts:
            name = str(getattr(part, "name", getattr(part, "__name__", "?")))
            entry = Registered(name, str(path), self._checked(name, partial(same, part)), digest)
            try:
                entry.load()
            except TypeError as error:
                self._mark(entry, cause(error))
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

    def entry(self, name: str) -> Registered[T]:
        """The entry called `name`.

        Raises:
            InputError: if there is none; the message has the nearest names.
        """
        if not isinstance(name, str):
            raise unknown(self.noun, shown(name), self._entries)
        if name not in self._entries:
            for broken in self._broken:
                if broken.name == name:
                    raise InputError(
                        f"{self.noun} '{name}' from {broken.origin} is broken: {broken.reason}"
                    )
            raise unknown(self.noun, name, self._entries, own=self._of_ones_own(name))
        return self._entries[name]

    def _of_ones_own(self, name: str) -> str:
        """How a part of a user's own is named, or what those of plugin files are called."""
        if name.endswith(".py"):
            return f"a file of yours is named with --plugin {shown(name)}, its parts by their names"
        brought = [entry.name for entry in self._entries.values() if entry.digest]
        if brought:
            return f"--plugin brings {', '.join(sorted(brought)[:5])}"
        return f"a {self.noun} of your own comes with --plugin FILE"

    def get(self, name: str) -> T:
        """The part called `name`, imported on first use.

        Raises:
            InputError: if there is none, or if it cannot be loaded.
        """
        entry = self.entry(name)
        with self._lock:
            if name not in self._loaded:
                try:
                    self._loaded[name] = entry.load()
                except BaseException as error:
                    unless_stopped(error)
                    del self._entries[name]
                    self._mark(entry, cause(error))
                    raise InputError(
                        f"{self.noun} '{name}' from {entry.origin} is broken: {cause(error)}"
                    ) from error
            return self._loaded[name]

    def parts(self) -> Mapping[str, T]:
        """Every part that loads, by name, ours first; those that do not move to `broken`.

        The same object until there are others: scores ask for it thousands of times.
        """
        whole = self._whole
        if whole is not None and whole[0] == tuple(self._entries.values()):
            return whole[1]
        loaded = {}
        for name in list(self._entries):
            try:
                loaded[name] = self.get(name)
            except InputError:
                continue
        self._whole = tuple(self._entries.values()), loaded
        return self._whole[1]

    @property
    def broken(self) -> list[Broken]:
        """The plugins that cannot be used, with reasons."""
        return list(self._broken)

    def add_broken(self, broken: Broken) -> None:
        """List a plugin that cannot be used."""
        self._broken.append(broken)

    def _mark(self, entry: Registered[T], reason: str) -> None:
        self.add_broken(Broken(entry.name, entry.origin, reason))

    def _checked(self, name: str, load: Callable[[], object]) -> Callable[[], T]:
        def loader() -> T:
            part: Any = load()
            if self.objects:
                if not isinstance(part, self.base):
                    raise TypeError(f"{type(part).__name__} is no {self._wanted()}")
                label = type(part).__name__
            else:
                if not (inspect.isclass(part) and issubclass(part, self.base)):
                    raise TypeError(f"{part!r} is not a subclass of {self.base.__name__}")
                if inspect.isabstract(part):
                    missing = ", ".join(sorted(getattr(part, "__abstractmethods__", ())))
                    raise TypeError(f"{part.__name__} does not define {missing}")
                label = part.__name__
            declared = getattr(part, "name", None)
            if declared != name:
                raise TypeError(f"{label}.name is {declared!r}, registered as {name!r}")
            if not isinstance(declared, str) or not self.pattern.fullmatch(declared):
                raise TypeError(f"{declared!r} is no name: use small letters, digits, - and _")
            if hasattr(part, "check_declared"):
                part.check_declared()
            found: T = part
            return found

        return loader

    def _wanted(self) -> str:
        return f"{'instance' if self.objects else 'subclass'} of {self.base.__name__}"

    def _is_known(self, part: object, module: ModuleType) -> bool:
        """Whether an object came from elsewhere, and a plugin file merely imported it."""
        return any(
            part is loaded and self._entries[name].origin != module.__file__
            for name, loaded in self._loaded.items()
        )


def same(part: T) -> T:
    """The part itself: how one that is at hand is loaded."""
    return part


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


@cache
def _installed() -> Any:
    """The entry points of all that is installed, read once for all kinds of parts."""
    return entry_points()
