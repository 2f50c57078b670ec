"""The same picture in other bytes: noticed by features that are equal but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.data.images import FileSource
from hashbench.data.split import Split
from hashbench.errors import shown
from hashbench.items import Items, rows_of, source_of
from hashbench.parsing import in_number

#: Distance of features, as a share of their length, that rounding explains.
_ROUNDING = 1e-5

#: Items that are looked at of those that may be equal to a query.
_MOST = 100

#: Items whose features are held at once.
_BATCH = 4096


def twins(split: Split, look: str) -> tuple[str, ...]:
    """Notes on queries whose very picture is also in the database or the training set.

    Files of the same bytes are not among them: `duplicates` tells those. An image in memory
    has none.

    Args:
        split: with features.
        look: the command that compares pixels.
    """
    source = source_of(split.query)
    if not isinstance(source, FileSource):
        return ()
    asked = split.query.features()
    notes = []
    for part, items in (("database", split.database), ("training set", split.train)):
        pairs = [
            (source.ids[mine], source.ids[other])
            for mine, other in zip(rows_of(split.query), _equal(asked, items), strict=True)
            if other >= 0 and source.digests[mine] != source.digests[other]
        ]
        if pairs:
            first = " and ".join(map(shown, pairs[0]))
            notes.append(
                f"{in_number(len(pairs), 'query looks', 'queries look')} exactly like images of "
                f"the {part} that are other files (first {first}): "
                f"`{look}` compares pixels."
            )
    return tuple(notes)


def _equal(asked: NDArray[np.float32], items: Items) -> NDArray[np.int64]:
    """`(queries,)` the row of an item with a query's features, -1 where there is none.

    Features are laid along one direction, where equal ones are neighbours.
    """
    drawn = np.random.default_rng(0).normal(size=asked.shape[1])
    direction = drawn / np.linalg.norm(drawn)
    along = np.concatenate([part.features() @ direction for part in items.batches(_BATCH)])
    order = np.argsort(along, kind="stable")
    reach = _ROUNDING * np.linalg.norm(asked, axis=1)
    where = asked @ direction
    starts = np.searchsorted(along[order], where - reach, "left")
    ends = np.searchsorted(along[order], where + reach, "right")
    found = np.full(len(asked), -1)
    for row in np.flatnonzero(ends > starts):
        near = np.sort(order[starts[row] : min(ends[row], starts[row] + _MOST)])
        apart = np.linalg.norm(items.subset(near).features() - asked[row], axis=1)
        if apart.min() <= reach[row]:
            found[row] = rows_of(items)[near[int(np.argmax(apart <= reach[row]))]]
    return found
