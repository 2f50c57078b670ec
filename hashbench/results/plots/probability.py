"""Sigmoid against Cauchy: why DCH replaces the one with the other.

Both map the Hamming distance d of two K-bit codes to the probability that they
are similar. The sigmoid of the inner product (HashNet), 1 / (1 + exp(-a (K - 2d)))
with a = 10 / K, stays near one until d nears K / 2; the Cauchy function (DCH,
equation 4), g / (g + d), falls at once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import DEFAULT_BITS, FigureRequest
from hashbench.results.plots.style import (
    BLACK,
    BLUE,
    COLUMN,
    GREEN,
    ORANGE,
    VERMILION,
    legend_below,
    new_figure,
)

GAMMAS = ((2.0, ORANGE, "-."), (5.0, GREEN, "--"), (20.0, VERMILION, "-"))
#: HashNet's slope is this over the code length.
SLOPE = 10.0


def sigmoid(distance: np.ndarray, bits: int) -> np.ndarray:
    """P(similar) of the inner product K - 2d under the sigmoid of slope 10 / K."""
    return np.asarray(1.0 / (1.0 + np.exp(-SLOPE / bits * (bits - 2.0 * distance))))


def cauchy(distance: np.ndarray, gamma: float) -> np.ndarray:
    """P(similar) under the Cauchy function of scale gamma."""
    return np.asarray(gamma / (gamma + distance))


def draw(request: FigureRequest) -> list[Drawing]:
    """Probability, and the loss of a similar pair, -log of it."""
    return [_drawing(bits) for bits in request.bits or (DEFAULT_BITS,)]


def _drawing(bits: int) -> Drawing:
    distance = np.linspace(0.0, bits, 4 * bits + 1)
    curves = [("sigmoid", sigmoid(distance, bits), BLUE, ":")]
    curves += [
        (f"Cauchy, γ = {gamma:g}", cauchy(distance, gamma), colour, dashes)
        for gamma, colour, dashes in GAMMAS
    ]
    figure = new_figure(COLUMN, 3.6)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for label, probability, colour, dashes in curves:
        upper.plot(distance, probability, color=colour, linestyle=dashes, label=label)
        lower.plot(distance, -np.log(probability), color=colour, linestyle=dashes)
    for axes in (upper, lower):
        axes.axvline(2, color=BLACK, linewidth=0.6)
        axes.set_xlim(0, bits)
    upper.annotate("radius 2", (2, 0.02), xytext=(3, 0), textcoords="offset points", fontsize=7)
    upper.set_ylabel("P(similar | distance)")
    lower.set_ylabel("loss of a similar pair")
    lower.set_xlabel(f"Hamming distance of {bits}-bit codes")
    lower.set_ylim(0, 6)
    legend_below(figure, upper, 2)
    numbers = pd.concat(
        [
            pd.DataFrame(
                {
                    "bits": bits,
                    "function": label.replace("γ", "gamma"),
                    "distance": distance,
                    "probability": probability,
                    "loss": -np.log(probability),
                }
            )
            for label, probability, _, _ in curves
        ],
        ignore_index=True,
    )
    return Drawing(f"probability-{bits}", figure, numbers)


probability = Plot(
    name="probability",
    summary="sigmoid against Cauchy: the probability of being similar by distance",
    draw=draw,
    needs_results=False,
)
