"""From a stored cell to an entry of a board."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hashbench import __version__
from hashbench.backbones import get_backbone
from hashbench.bundles.bundle import Bundle, Seen
from hashbench.bundles.folder import write
from hashbench.bundles.judge import unfit
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.hasher import Hasher, code_of
from hashbench.registries import methods
from hashbench.saved import read_file
from hashbench.store.judge import judge
from hashbench.store.record import Record
from hashbench.store.store import Store

#: Decimals of a claimed score: more than any table shows.
DECIMALS = 6

_FACTS = ("title", "summary", "citation", "bibtex", "year", "kind", "role")


@dataclass(frozen=True)
class Wording:
    """What only the author of an entry can say.

    Attributes:
        author: who answers for it.
        licence: of the entry, as an SPDX identifier where it has one.
        comment: what readers should know.
        pretrained_on: what the backbone was trained on; "" for what the backbone says itself.
        extra_data: what the method learned from beyond training set and backbone.
        unlabelled: that no label was learned from, where codes were made elsewhere; what was
            run here says it itself.
    """

    author: str = "anonymous"
    licence: str = "CC0-1.0"
    comment: str = ""
    pretrained_on: str = ""
    extra_data: str = ""
    unlabelled: bool = False


def pack(
    store: Store,
    record: Record,
    out: Path,
    conventions: Sequence[Convention],
    wording: Wording = Wording(),
    *,
    with_hasher: bool = False,
) -> Bundle:
    """Write the entry of a stored cell into a folder of its own below `out`.

    Args:
        store: where the cell is.
        record: one with codes.
        out: the folder of entries.
        conventions: of the claimed scores; those that need more than codes are left out.
        wording: what its author says.
        with_hasher: with the fitted hasher, so that fresh queries can be put to it.

    Raises:
        InputError: if codes, labels or the hasher are missing or damaged, no convention can be
            recomputed from codes, the entry cannot be written, or `demand` says so.
    """
    demand(record, wording, with_hasher=with_hasher)
    codes = store.open_codes(record, relaxed=False)
    usable = [item for item in conventions if not unfit(item, codes)]
    if not usable:
        raise InputError(
            "an entry's scores are recomputed from codes alone, and none of these conventions "
            "can be: name another with --convention, such as house"
        )
    found = judge(store, record, usable, codes, keep=False)
    scores = {name: _rounded(item.to_dict()) for name, item in found.items() if item is not None}
    hasher = None
    if with_hasher:
        hasher = read_file(store.path("hasher", record.key), record.files["hasher"])
    bundle = _stated(record, scores, wording)
    return write(out / folder_name(bundle), bundle, codes, hasher)


def demand(record: Record, wording: Wording, *, with_hasher: bool = False) -> None:
    """Refuse a cell that lacks what its entry would have to say, before any entry is written.

    Raises:
        InputError: if it is of codes made elsewhere, of which too little is said, or has no
            hasher where one is wanted.
    """
    if _external(record) and not wording.pretrained_on:
        name = record.cell.method
        raise InputError(
            f"{name} was not run here: pack it by itself, with --methods {name}, and say with "
            "--pretrained-on what its backbone was trained on, and with --extra-data and "
            "--unlabelled what it learned from"
        )
    if with_hasher and "hasher" not in record.files:
        raise InputError(
            f"{record.cell} ({record.key[:8]}) was kept without its hasher: leave --with-hasher out"
        )


def _external(record: Record) -> bool:
    """Whether a record is of codes that were made elsewhere."""
    return bool(record.parts.get("method", {}).get("kind") == "external")


def folder_name(bundle: Bundle) -> str:
    """What the folder of an entry is called: data, method, code length, seed and key."""
    cell = bundle.cell
    data = re.sub(r"[^A-Za-z0-9]+", "_", cell.bench.dataset).strip("_")
    key = cell.key(bundle.evidence)[:8]
    return f"{data}-{cell.method}-{cell.bits}-{cell.seed}-{key}"


def _stated(record: Record, scores: dict[str, dict[str, float | None]], wording: Wording) -> Bundle:
    method = record.parts.get("method", {})
    dataset = record.parts.get("dataset", {})
    source, digest = _source(record)
    cell, labels = record.cell, bool(method.get("supervised", True))
    if _external(record):
        cell, labels = replace(cell, mode="other"), not wording.unlabelled
        source = "made elsewhere"
    return Bundle(
        cell=cell,
        evidence=record.evidence,
        author=wording.author,
        licence=wording.licence,
        seen=Seen(labels, wording.extra_data, test_set=False),
        pretrained_on=wording.pretrained_on or _pretraining(record.cell.bench.backbone),
        counts=record.split.get("counts", {}),
        scores=scores,
        digests={},
        method={name: method[name] for name in _FACTS if name in method},
        dataset={name: dataset[name] for name in ("title", "citation") if name in dataset},
        source=source,
        source_sha256=digest,
        origins=record.origins,
        adjusted=record.adjusted,
        notes=tuple(record.split.get("notes", ())),
        seconds=record.timings,
        environment=_environment(record.environment),
        made=record.finished,
        made_with=f"hashbench {__version__}",
        comment=wording.comment,
    )


def _pretraining(backbone: str) -> str:
    if backbone == "pixels":
        return "nothing"
    try:
        return get_backbone(backbone.removesuffix(":multi")).pretrained_on
    except InputError:  # a plugin's that is not loaded
        return "not said"


def _source(record: Record) -> tuple[str, str]:
    """Where a method's code is, and its digest, where the code at hand is what made the record."""
    name, code = record.cell.method, record.cell.code
    registry = methods()
    if name not in registry.names():
        return "a plugin that is not loaded here", ""
    cls, entry = registry.get(name), registry.entry(name)
    origin = Path(entry.origin).name if entry.digest else entry.origin
    if code_of(cls, entry.digest) != code:
        return f"{origin}, another version than is installed here", ""
    return origin, entry.digest or source_digest(cls)


def source_digest(cls: type[Hasher]) -> str:
    """The sha256 of the files a hasher's class and its bases are written in."""
    digest = hashlib.sha256()
    files: dict[str, None] = {}
    for base in cls.__mro__:
        if issubclass(base, Hasher):
            files[inspect.getfile(base)] = None
    for file in files:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _environment(found: Any) -> dict[str, Any]:
    """What of a machine may change a code: versions and hardware, no name of a place."""
    kept = ("python", "system", "processor", "gpu", "cuda", "threads", "git", "versions")
    return {name: found[name] for name in kept if found.get(name) is not None}


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: value if value is None else round(value, DECIMALS)
        for name, value in sorted(values.items())
    }
