"""Splits from labels alone: whoever checks scores needs no image."""

from __future__ import annotations

from hashbench.data.dataset import Dataset, drawn, verify_pins
from hashbench.data.split import Split
from hashbench.data.variants import vary


def redrawn(dataset: Dataset, protocol: str | None = None, seed: int = 0) -> Split | None:
    """The split that `dataset.split` draws, from labels alone; None where those need the images.

    Its images cannot be read; ids, labels and digest are those of the real one, where no
    image is missing.

    Raises:
        InputError: for an unknown protocol, labels that are damaged or do not fill it.
    """
    chosen = dataset.protocol(protocol)
    images = dataset.labelled(chosen)
    if images is None:
        return None
    split = drawn(images, chosen, seed)
    verify_pins(chosen, split, seed)
    return vary(split, chosen, seed) if chosen.variant else split
