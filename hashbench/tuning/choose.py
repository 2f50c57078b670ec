"""Which setting is chosen: the defaults, unless another gained more than it may by chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Standard errors within which a gain on one carving is asked for again on a second.
CLOSE = 3.0

#: Standard errors that a gain must exceed.
ENOUGH = 1.0

#: And what it must exceed at least: less is none in the four digits that are shown.
LEAST = 5e-5


@dataclass(frozen=True, eq=False)
class Trial:
    """What a setting is worth on one carving of the training set.

    Attributes:
        point: what it changes of the defaults; nothing for the defaults themselves.
        values: `(queries,)` float64 worth, query by query; None if it failed.
        reason: why it failed.
    """

    point: Mapping[str, Any]
    values: NDArray[np.float64] | None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether it has a worth."""
        return self.values is not None

    @property
    def worth(self) -> float:
        """The mean over queries that have one; NaN if it failed."""
        return math.nan if self.values is None else float(np.nanmean(self.values))


@dataclass(frozen=True)
class Decision:
    """What is chosen at one code length.

    Attributes:
        point: what it changes of the defaults; nothing where they stay.
        best: the best point, chosen or not; nothing where none beat the defaults.
        worth: what the best is worth, or the defaults where none beat them.
        default: what the defaults are worth; NaN if they failed.
        gain: the paired gain of the best, the mean over carvings; 0 where none beat them.
        error: its standard error.
        carvings: how many carvings it was measured on.
        queries: how many queries of each.
    """

    point: Mapping[str, Any]
    best: Mapping[str, Any]
    worth: float
    default: float
    gain: float
    error: float
    carvings: int
    queries: int


def gain(trial: Trial, default: Trial) -> tuple[float, float]:
    """The mean paired gain over queries and its standard error; NaN where either failed."""
    if trial.values is None or default.values is None:
        return math.nan, math.nan
    differences = trial.values - default.values
    differences = differences[~np.isnan(differences)]
    if len(differences) < 2:
        return math.nan, math.nan
    return float(differences.mean()), float(differences.std(ddof=1) / math.sqrt(len(differences)))


def closest(trials: Sequence[Trial]) -> Trial | None:
    """The best point, where what it gained is too little to be sure of on one carving.

    Args:
        trials: the defaults, then each point.
    """
    default, best = trials[0], _best(trials)
    if best is None or best is default or not default.ok:
        return None
    found, error = gain(best, default)
    return best if found <= CLOSE * error else None


def choose(trials: Sequence[Trial], again: Sequence[Trial]) -> Decision:
    """The best point where its gain exceeds both `ENOUGH` errors and `LEAST`, else the defaults.

    Args:
        trials: the defaults, then each point, on the first carving.
        again: the defaults and the best point on a second, where it was close; else empty.
    """
    default, best = trials[0], _best(trials)
    queries = max((len(trial.values) for trial in trials if trial.values is not None), default=0)
    if best is None or best is default:
        return Decision({}, {}, default.worth, default.worth, 0.0, 0.0, 1, queries)
    if not default.ok:
        nan = math.nan
        return Decision(best.point, best.point, best.worth, nan, nan, nan, 1, queries)
    pairs = [(best, default)]
    if again and all(trial.ok for trial in again):
        pairs.append((again[1], again[0]))
    gains, errors = zip(*(gain(one, other) for one, other in pairs), strict=True)
    mean = float(np.mean(gains))
    error = math.hypot(*errors) / len(errors)
    taken = mean > max(ENOUGH * error, LEAST) and not (again and len(pairs) == 1)
    return Decision(
        point=best.point if taken else {},
        best=best.point,
        worth=float(np.mean([one.worth for one, _ in pairs])),
        default=float(np.mean([other.worth for _, other in pairs])),
        gain=mean,
        error=error,
        carvings=len(pairs),
        queries=queries,
    )


def _best(trials: Sequence[Trial]) -> Trial | None:
    """The best trial, the first of equals: the defaults before any point."""
    done = [trial for trial in trials if trial.ok]
    return max(done, key=lambda trial: trial.worth) if done else None
