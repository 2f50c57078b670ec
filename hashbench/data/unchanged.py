"""Whether images are still those that were digested: they may change while they are read."""

from __future__ import annotations

from hashbench.data.digests import content_digests
from hashbench.data.images import FileSource
from hashbench.errors import InputError, shown
from hashbench.items import ImageSource


class ChangedError(InputError):
    """Images changed while they were read: what was made of them is of neither state."""


def demand_unchanged(source: ImageSource) -> None:
    """Raise where the files of a source are others by now than its digests say.

    Files whose size, inode and times of change are what they were are not read again.

    Raises:
        ChangedError: naming the first.
    """
    for part in (*getattr(source, "parts", ()), *_beneath(source)):
        demand_unchanged(part)
    if not isinstance(source, FileSource):
        return
    now = content_digests([str(path) for path in source.paths])
    other = next((row for row, found in enumerate(now) if found != source.digests[row]), None)
    if other is not None:
        raise ChangedError(
            f"the image {shown(source.ids[other])} changed while the run was going on: run it again"
        )


def _beneath(source: ImageSource) -> tuple[ImageSource, ...]:
    """The source whose images this one shows in another way."""
    found = getattr(source, "base", None) or getattr(source, "source", None)
    return () if found is None else (found,)
