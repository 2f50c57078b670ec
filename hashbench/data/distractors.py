"""Distractors: a database grown by images of another source that have no label."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from hashbench.data.duplicates import by_bytes
from hashbench.data.images import SUFFIXES, FileSource
from hashbench.data.joined import JoinedSource
from hashbench.data.names import hidden
from hashbench.data.split import Split
from hashbench.errors import InputError, shown
from hashbench.items import Items, TrainItems, rows_of, source_of
from hashbench.parsing import in_number, printable
from hashbench.spelling import composed

#: Distractors of a name that no data set's images have.
PREFIX = "distractors"


def with_distractors(split: Split, folder: Path) -> Split:
    """The split with every image below `folder` in its database, relevant to no query.

    Files that are, byte for byte, images of the data set are left out: to be the very
    picture that is looked for and to count as wrong would be unjust.

    Raises:
        InputError: if there is no image, or the folder cannot be read.
    """
    source = source_of(split.database)
    known = set(by_bytes(source)) if isinstance(source, FileSource) else set()
    every = images_below(folder)
    fresh = [row for row, content in enumerate(every.digests) if content not in known]
    kept = every.subset(np.asarray(fresh, dtype=np.int64))
    if not len(kept):
        raise InputError(f"{folder} holds no image that is not in the data set: name another")
    joined = JoinedSource([source, kept])
    rows = np.concatenate([rows_of(split.database), np.arange(len(source), len(joined))])
    unlabelled = np.zeros((len(kept), split.database_labels.shape[1]), np.uint8)
    left_out = len(every) - len(kept)
    words = f", {left_out:,} copies of the data set's own left out" if left_out else ""
    return replace(
        split,
        train=TrainItems(joined, rows_of(split.train), labels=split.train.labels),
        query=Items(joined, rows_of(split.query)),
        database=Items(joined, rows),
        database_labels=np.concatenate([split.database_labels, unlabelled]),
        notes=(
            *split.notes,
            f"{in_number(len(kept), 'distractor', 'distractors')} without labels in the "
            f"database{words}.",
        ),
    )


def images_below(folder: Path) -> FileSource:
    """Every image file below a folder, in the order of the names; ids are names within it.

    Raises:
        InputError: if there is none, or a folder cannot be listed.
    """
    found: list[tuple[str, Path]] = []

    def refuse(error: OSError) -> None:
        raise InputError(f"{folder} cannot be listed ({shown(error)}): make it readable")

    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=False):
        folders[:] = [name for name in folders if not hidden(name)]
        within = Path(place).relative_to(folder).as_posix()
        for name in names:
            if hidden(name) or not printable(name):
                continue
            if os.path.splitext(name)[1].lower() in SUFFIXES:  # noqa: PTH122
                told = name if within == "." else f"{within}/{name}"
                found.append((f"{PREFIX}/{composed(told)}", Path(place) / name))
    if not found:
        raise InputError(f"there is no image in {folder}: put some there or name another folder")
    found.sort()
    return FileSource([path for _name, path in found], [name for name, _path in found])
