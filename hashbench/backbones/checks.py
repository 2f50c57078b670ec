"""What `hashbench doctor` looks at: versions, engines, weights, cache, data."""

from __future__ import annotations

import importlib
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from hashbench import devices
from hashbench.data import open_dataset
from hashbench.data.folders import cache_root
from hashbench.errors import InputError
from hashbench.registries import datasets, methods

#: Free space below which a cache is of little use, bytes: CIFAR-10's table takes 1 GB.
SPACE = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: its name.
        state: "ok", "note" (absent, and only some runs need it) or "fail".
        found: what is there, in a few words.
        remedy: what to do about it; empty if nothing.
    """

    what: str
    state: Literal["ok", "note", "fail"]
    found: str
    remedy: str = ""


def all_checks(data_root: Path, *, deep: bool = False) -> list[Finding]:
    """Every check, in the order they are shown."""
    return [
        *_versions(),
        *_engines(),
        *_weights(),
        *_cache(deep),
        *_plugins(),
        *_data(data_root),
    ]


def _versions() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.platform()}")
    yield Finding("hashbench", "ok", version("hashbench"))
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return
    for line in requires("hashbench") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield Finding(wanted.name, "fail", "not installed", f"pip install '{wanted}'")
            continue
        if wanted.specifier.contains(found, prereleases=True):
            yield Finding(wanted.name, "ok", found)
        else:
            yield Finding(wanted.name, "fail", f"{found}, too old", f"pip install -U '{wanted}'")


def _engines() -> Iterator[Finding]:
    import torch

    yield Finding("CPU cores", "ok", str(devices.cores()))
    found = devices.present()[1:]  # behind the CPU
    for name in found:
        cuda = devices.kind_of(name) == "cuda"
        yield Finding(f"GPU {name}", "ok", torch.cuda.get_device_name(name) if cuda else "Apple's")
    if not found:
        yield Finding("GPU", "note", "none; training from pixels is slow without")
    try:
        importlib.import_module("hashbench.backbones.engines").import_openvino()
    except ImportError as error:
        yield Finding(
            "OpenVINO",
            "note",
            f"not usable ({error}); features are extracted several times slower",
            "pip install openvino",
        )
    else:
        yield Finding("OpenVINO", "ok", "extracts features on the CPU")


def _weights() -> Iterator[Finding]:
    from hashbench.backbones.catalogue import NETWORKS

    for name, make in NETWORKS.items():
        try:
            found = make().weights()
        except InputError as error:
            # A run without --backbone needs this one; the others are a choice.
            state: Literal["note", "fail"] = "fail" if name == "efficientnet_lite0" else "note"
            yield Finding(f"weights of {name}", state, "not usable", str(error))
        else:
            yield Finding(f"weights of {name}", "ok", f"sha256 {found[:16]}")


def _cache(deep: bool) -> Iterator[Finding]:
    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            free = shutil.disk_usage(root).free
    except OSError as error:
        yield Finding(
            "cache",
            "fail",
            f"{root} cannot be written to ({error.strerror})",
            "name another folder with HASHBENCH_CACHE",
        )
        return
    room = f"{root}, {free / 1e9:.1f} GB free"
    if free < SPACE:
        yield Finding(
            "cache", "note", room, "make room, or name another folder with HASHBENCH_CACHE"
        )
    else:
        yield Finding("cache", "ok", room)
    for kind in ("features", "pixels"):
        for folder in sorted((root / kind).glob("*/")):
            yield _table(folder, deep)


def _table(folder: Path, deep: bool) -> Finding:
    from hashbench.backbones.cache import damaged_blocks

    what = f"{folder.parent.name} {folder.name}"
    if (folder / "features.part").exists():
        return Finding(what, "note", "unfinished; the next run goes on with it")
    size = sum(path.stat().st_size for path in folder.iterdir())
    if not deep:
        return Finding(what, "ok", f"{size / 1e6:.0f} MB")
    try:
        bad = damaged_blocks(folder)
    except InputError as error:
        return Finding(what, "fail", "not readable", str(error))
    if bad:
        return Finding(what, "fail", f"{len(bad)} damaged blocks", f"remove {folder}")
    return Finding(what, "ok", f"{size / 1e6:.0f} MB, every checksum right")


def _plugins() -> Iterator[Finding]:
    for registry in (methods(), datasets()):
        usable = registry.parts()
        yield Finding(f"{registry.noun}s", "ok", f"{len(usable)} usable")
        for broken in registry.broken:
            yield Finding(
                f"{registry.noun} {broken.name}",
                "fail",
                broken.reason,
                f"mend or uninstall {broken.origin}",
            )


def _data(root: Path) -> Iterator[Finding]:
    from hashbench.data import imported_names

    for name in [*datasets().parts(), *imported_names(root)]:
        status = open_dataset(name, root).status()
        if status.prepared:
            yield Finding(f"data set {name}", "ok", status.where)
        else:
            yield Finding(f"data set {name}", "note", "not prepared", status.hint)
