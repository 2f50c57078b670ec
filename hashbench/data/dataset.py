"""The contract every data set keeps, built in or not."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from hashbench.arguments import word
from hashbench.data.distractors import with_distractors
from hashbench.data.duplicates import by_bytes, conflicting, shared
from hashbench.data.heldout import hold_out
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.mirrored import with_mirrored
from hashbench.data.protocols import Protocol, Rows
from hashbench.data.split import Split
from hashbench.data.variants import VARIANTS, variant_of, vary
from hashbench.errors import InputError, shown, unknown
from hashbench.items import Items, TrainItems, ids_of, rows_of, source_of
from hashbench.parsing import in_number
from hashbench.spelling import in_other_case


@dataclass(frozen=True)
class Status:
    """Whether a data set is ready to use on this machine.

    Attributes:
        prepared: True when `load` would succeed.
        where: the folder or archive found or expected.
        hint: one sentence on how to get the data; empty when prepared.
    """

    prepared: bool
    where: str
    hint: str = ""


class Dataset(ABC):
    """A data set, and the protocols that split it.

    Args:
        root: the data root; a data set keeps its files in `<root>/<name>/`.
        allow_missing: leave out images whose file is missing instead of refusing.
        allow_overlap: accept images that are both query and database or training.
        allow_unlabelled: accept images without any positive label.
        allow_duplicates: accept queries of which a file of the same bytes is in the
            database or in the training set.
        distractors: a folder of images that the database is grown by, or none.
        mirrored: whether methods are trained on the mirror images of the training set, too.
        held_out: search and ask within the training set, in this of the ways to carve it,
            see `hold_out`; 0 leaves the split as it is.
        inflated: whether a database so held out is filled up to its size in the split.

    What was allowed and did occur is said in the split's notes.

    Example:
        >>> from hashbench.data import open_dataset
        >>> split = open_dataset("digits").split(seed=0)
        >>> len(split.query), len(split.train), len(split.database), split.train.labels.shape
        (200, 500, 1097, (500, 10))
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    bibtex: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    #: Whether its terms let thumbnails of its images stand on a page that is passed on.
    shareable: ClassVar[bool] = False
    url: ClassVar[str] = ""
    protocols: ClassVar[Mapping[str, Protocol]]
    default_protocol: ClassVar[str]
    default_backbone: ClassVar[str] = "efficientnet_lite0"
    #: Whether others publish scores on the very same images: then they are taken as they are.
    published: ClassVar[bool] = True

    def __init__(
        self,
        root: Path,
        *,
        allow_missing: bool = False,
        allow_overlap: bool = False,
        allow_unlabelled: bool = False,
        allow_duplicates: bool = False,
        distractors: str | Path = "",
        mirrored: bool = False,
        held_out: int = 0,
        inflated: bool = False,
    ) -> None:
        self.root = root
        self.allow_missing = allow_missing
        self.allow_overlap = allow_overlap
        self.allow_unlabelled = allow_unlabelled
        self.allow_duplicates = allow_duplicates
        self.distractors = distractors
        self.mirrored = mirrored
        self.held_out = held_out
        self.inflated = inflated

    @property
    def folder(self) -> Path:
        """Where this data set's files are expected."""
        return self.root / self.name

    @abstractmethod
    def status(self) -> Status:
        """Whether the data set is prepared here; cheap, reads no image."""

    def prepare(self, *, download: bool = False) -> None:
        """Verify and unpack what was fetched, or fetch it if that is possible and asked for.

        Raises:
            InputError: if the files have to be put in place by hand.
        """
        status = self.status()
        if not status.prepared:
            raise InputError(f"{self.name} is not at {status.where}: {status.hint}")

    @abstractmethod
    def load(self, protocol: Protocol) -> LabelledImages:
        """The images and labels `protocol` draws from.

        Raises:
            InputError: if files are missing or damaged.
        """

    def labelled(self, protocol: Protocol) -> LabelledImages | None:
        """What `load` gives, had without the images; None where labels need them.

        Raises:
            InputError: if the files that hold the labels are missing or damaged.
        """
        return None

    def split(self, protocol: str | None = None, seed: int = 0) -> Split:
        """Draw the named protocol's split; the same arguments give the same ids.

        Raises:
            InputError: for an unknown protocol, or data that cannot fill it.
        """
        chosen = self.protocol(protocol)
        every = self.load(chosen)
        images = present(every, self.allow_missing, own=not self.published)
        split = drawn(images, chosen, seed)
        found = faults(split, self.allow_overlap, self.allow_unlabelled or chosen.unlabelled)
        if not self.published:
            found += duplicates(split, self.allow_duplicates)
        if images is every:  # nothing left out, so what is pinned must hold
            verify_pins(chosen, split, seed)
        split = replace(split, notes=images.notes + found)
        if self.distractors:
            split = with_distractors(split, Path(self.distractors).expanduser())
        if chosen.variant:
            split = vary(split, chosen, seed)
        if self.held_out:
            split = hold_out(split, seed, self.held_out, self.inflated)
        if self.mirrored:
            split = with_mirrored(split)
        return split

    def protocol(self, name: str | None = None) -> Protocol:
        """The protocol of that name or id, a variant of one, or the default one.

        Raises:
            InputError: if there is none; the message has the nearest names.
        """
        name = word("protocol", name) or self.default_protocol
        known = {**self.protocols, **{found.id: found for found in self.protocols.values()}}
        found = known.get(name) or variant_of(known, name)
        if found is None:
            names = [*self.protocols, *(f"{self.default_protocol}-{kind}" for kind in VARIANTS)]
            raise unknown(f"protocol of {self.name}", name, names)
        return found


def present(images: LabelledImages, allowed: bool, *, own: bool = False) -> LabelledImages:
    """The images whose file is there.

    Args:
        images: all that are named.
        allowed: whether some may be missing.
        own: whether they are a user's own, of which one says where they are.

    Raises:
        InputError: if any is missing and that is not allowed, or all are.
    """
    source = images.source
    if not isinstance(source, FileSource):
        return images
    missing = source.missing()
    if not len(missing):
        return images
    fault = _absence(source, missing)
    looked = images.looked or (source.paths[missing[0]].parent,)
    where = f"looked in {' and '.join(shown(str(folder), 200) for folder in looked)}"
    if other := in_other_case(source.paths[missing[0]]):
        where += f" (there is {shown(other, 200)}, with other capitals)"
    if len(missing) == len(source):
        other = (
            ", or say where they are with `hashbench data import SOURCE --as NAME --images FOLDER`"
        )
        raise InputError(f"{fault}, {where}: put the images there{other if own else ''}")
    if not allowed:
        raise InputError(
            f"{fault}, {where}: put them there, or leave them out with --allow-missing; "
            "`hashbench data verify` names them all"
        )
    kept = np.setdiff1d(np.arange(len(source)), missing)
    position = np.full(len(source), -1)
    position[kept] = np.arange(len(kept))

    def still(rows: Rows) -> Rows:
        found = position[rows]
        return found[found >= 0]

    parts = images.parts
    return replace(
        images,
        source=source.subset(kept),
        labels=images.labels[kept],
        notes=(*images.notes, f"{fault}, left out."),
        parts=None if parts is None else (still(parts[0]), still(parts[1]), still(parts[2])),
        queries=None if images.queries is None else still(images.queries),
    )


def _absence(source: FileSource, missing: Rows) -> str:
    first = [shown(source.ids[row]) for row in missing[:3]]
    names = ", ".join(first) + (" and so on" if len(missing) > len(first) else "")
    verb = "is" if len(missing) == 1 else "are"
    empty = sum(os.path.isfile(source.paths[row]) for row in missing)  # noqa: PTH113 - a text
    among = f", {empty:,} as files without a byte" if empty else ""
    return (
        f"{len(missing):,} of {in_number(len(source), 'image', 'images')} {verb} missing "
        f"({names}){among}"
    )


def drawn(images: LabelledImages, protocol: Protocol, seed: int) -> Split:
    """The split as the files say it is, or else as the protocol draws it."""
    parts = images.parts or protocol.draw(images.labels, seed, images.queries)
    for name, rows in zip(("query", "training", "database"), parts, strict=True):
        if not len(rows):
            raise InputError(f"no {name} image is left: put the missing ones in place")
    return make_split(images, parts)


def make_split(images: LabelledImages, parts: tuple[Rows, Rows, Rows]) -> Split:
    """The split of these query, training and database rows."""
    source, labels = images.source, images.labels
    query, train, database = parts
    return Split(
        train=TrainItems(source, train, labels=labels[train]),
        query=Items(source, query),
        database=Items(source, database),
        query_labels=labels[query],
        database_labels=labels[database],
        classes=images.classes,
    )


def faults(split: Split, allow_overlap: bool, allow_unlabelled: bool) -> tuple[str, ...]:
    """Notes on the faults of a split that are allowed.

    Both are in published lists, and both change scores: a query in the
    database finds itself at distance 0, and one without labels finds nothing.

    Raises:
        InputError: for a fault that is not allowed.
    """
    notes = []
    for name, items in (("database", split.database), ("training set", split.train)):
        common = np.intersect1d(rows_of(split.query), rows_of(items))
        if len(common):
            first = source_of(items).ids[int(common[0])]
            fault = (
                f"{in_number(len(common), 'query is', 'queries are')} in the {name} (the "
                f"first is {first})"
            )
            if not allow_overlap:
                raise InputError(f"{fault}: mend the lists or allow it with --allow-overlap")
            notes.append(f"{fault}, allowed.")
    parts = (
        (("query has", "queries have"), split.query, split.query_labels),
        (("training image has", "training images have"), split.train, split.train.labels),
        (("database image has", "database images have"), split.database, split.database_labels),
    )
    for words, items, labels in parts:
        bare = np.flatnonzero(~labels.any(axis=1))
        if len(bare):
            first = ids_of(items)[int(bare[0])]
            fault = f"{in_number(len(bare), *words)} no label (the first is {first})"
            if not allow_unlabelled:
                raise InputError(f"{fault}: mend the lists or allow it with --allow-unlabelled")
            notes.append(f"{fault}, allowed.")
    return tuple(notes)


def duplicates(split: Split, allowed: bool) -> tuple[str, ...]:
    """Notes on queries that are in another part too, under another name, and on their labels.

    Raises:
        InputError: if there are any and that is not allowed.
    """
    contents = by_bytes(source_of(split.query))
    pairs = shared(split, contents)
    notes = []
    for part, name in (("database", "database"), ("train", "training set")):
        found = [pair for pair in pairs if pair.part == part]
        if found:
            first = f"{shown(found[0].query)} and {shown(found[0].other)}"
            fault = (
                f"{in_number(len(found), 'query is', 'queries are')} identical to images of "
                f"the {name} (first {first})"
            )
            if not allowed:
                raise InputError(
                    f"{fault}: take them out of the lists or allow it with --allow-duplicates; "
                    "`hashbench data verify` names them all"
                )
            notes.append(f"{fault}, allowed.")
    if doubt := conflicting(split, contents):
        notes.append(f"{doubt}.")
    return tuple(notes)


def verify_pins(protocol: Protocol, split: Split, seed: int) -> None:
    """Hold a split of complete official files against what is pinned.

    Raises:
        InputError: if the size of the database, ids, labels or class names are others.
    """
    if protocol.database is not None and len(split.database) != protocol.database:
        raise InputError(
            f"protocol {protocol.id} has {protocol.database:,} database images and these files "
            f"give {len(split.database):,}: run `hashbench data verify` on the data set"
        )
    pinned = protocol.pins.get(seed)
    if pinned is not None and split.digest != pinned:
        raise InputError(
            f"the split of protocol {protocol.id}, seed {seed}, has the digest "
            f"{split.digest[:16]} and not the pinned {pinned[:16]}: the files are not the "
            "official ones"
        )
