"""scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

import numpy as np

from hashbench.data.dataset import Dataset, Status
from hashbench.data.images import PixelSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.protocols import Protocol


class Digits(Dataset):
    """1,797 handwritten digits of 8 x 8 pixels, embedded in scikit-learn."""

    name = "digits"
    title = "Digits"
    summary = "1,797 handwritten digits, 8x8, embedded"
    citation = "Alpaydin and Kaynak, UCI Machine Learning Repository 1998"
    bibtex = """@misc{alpaydin1998digits,
  author       = {Ethem Alpaydin and Cenk Kaynak},
  title        = {Optical Recognition of Handwritten Digits},
  howpublished = {UCI Machine Learning Repository},
  year         = {1998},
}"""
    licence = "CC BY 4.0"
    shareable = True
    url = "https://archive.ics.uci.edu/dataset/80"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "digits": Protocol(
            name="digits",
            queries=200,
            train=500,
            train_in_database=False,
            summary="20 queries and 50 training images a class; the rest is the database",
            balanced=True,
            database=1097,
        )
    }
    default_protocol = "digits"
    default_backbone = "pixels"

    def status(self) -> Status:
        """Always prepared."""
        return Status(True, "scikit-learn")

    def load(self, protocol: Protocol) -> LabelledImages:
        """The digits; their 17 grey levels are stretched to 0..255."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        pixels = np.repeat(grey[..., None], 3, axis=3)
        ids = [f"digits/{row:04d}" for row in range(len(pixels))]
        labels = np.eye(10, dtype=np.uint8)[digits.target]
        return LabelledImages(PixelSource(pixels, ids), labels, tuple("0123456789"))

    def labelled(self, protocol: Protocol) -> LabelledImages:
        """All of them, which are embedded."""
        return self.load(protocol)
