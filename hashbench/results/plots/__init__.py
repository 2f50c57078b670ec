"""Figures from stored records, one file a kind; each comes with the numbers it shows."""

from __future__ import annotations

import importlib
from pathlib import Path

from hashbench.errors import InputError
from hashbench.results.plots.request import Request

#: kind -> one line for listings; each is a module here with `draw(request) -> list[Plot]`.
KINDS = {
    "bits": "mAP, precision and recall within H<=2 and empty balls against code length",
    "pr": "precision-recall curves by Hamming radius",
    "topn": "precision of the first N against N",
    "distances": "Hamming distances of similar and dissimilar pairs",
    "tsne": "t-SNE of database codes, coloured by class",
    "topk": "the first ten images retrieved, framed by relevance",
    "training": "loss and validation scores by epoch",
    "probability": "sigmoid against Cauchy: the probability of being similar by distance",
}
#: Kinds that draw formulae and need no results.
WITHOUT_RECORDS = ("probability",)
FORMATS = ("pdf", "png", "svg")


def draw(kind: str, request: Request, out: Path, file_format: str) -> list[Path]:
    """Draw one kind into a folder; returns the files written, each figure before its CSV.

    Raises:
        InputError: if the plotting libraries, records or images are missing,
            saying what to install or run.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError("figures need matplotlib: pip install 'hashbench[plots]'") from error
    from hashbench.results.plots import style

    module = importlib.import_module(f"hashbench.results.plots.{kind}")
    with style.applied():
        return [
            path for plot in module.draw(request) for path in style.save(plot, out, file_format)
        ]
