"""Which conventions give a claimed number, of all there are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.evaluation.convention import CHOICES, Convention
from hashbench.evaluation.conventions import conventions
from hashbench.evaluation.conventions.house import HOUSE
from hashbench.evaluation.histograms import count
from hashbench.evaluation.labels import labelled
from hashbench.evaluation.referee import score

#: Radii and cut-offs that are tried where the claim does not say which it is of.
RADII = (1, 2, 3)
CUTOFFS: tuple[int | None, ...] = (None, -1, 100, 500, 1000, 5000, 10_000, 50_000)
#: What is ranked by, and in which order ties come.
RANKINGS = (
    *(("distance", order) for order in ("expected", "worst", "best", "stable", "numpy")),
    *((by, order) for by in ("outputs", "rerank") for order in ("expected", "numpy")),
)
#: Changes of the house convention, one of each group at a time.
Choices = tuple[list[dict[str, Any]], ...]
#: Values closer than this are one value: choices that change nothing for these codes.
SAME = 1e-12


@dataclass(frozen=True)
class Claim:
    """A printed number and what it may have been before it was rounded.

    Attributes:
        value: as a share, so .827 for 82.7 too.
        half: half a unit of its last digit.
    """

    value: float
    half: float

    @classmethod
    def parse(cls, text: str) -> Claim:
        """The claim that `.827`, `82.7` or `82.7%` makes.

        Raises:
            InputError: if it is none, or has fewer than two digits.
        """
        percent = text.strip().endswith("%")
        try:
            number = Decimal(text.strip().removesuffix("%"))
            exponent = int(number.as_tuple().exponent)
        except (InvalidOperation, ValueError):  # infinities have no exponent
            raise InputError(
                f"the claimed number must be such as .827 or 82.7%, got '{shown(text, 30)}'"
            ) from None
        if number > 1 or percent:
            number, exponent = number / 100, exponent - 2
        if not 0 <= number <= 1 or not -12 <= exponent <= -2:
            raise InputError(
                "the claimed number must lie between 0 and 1, or 100%, and have two digits or "
                f"more, got '{shown(text, 30)}'"
            )
        return cls(float(number), 0.5 * 10.0**exponent)

    def admits(self, value: float) -> bool:
        """Whether a value is printed as claimed, its last digit rounded up or down."""
        return self.miss(value) <= self.half + SAME

    def miss(self, value: float) -> float:
        """How far a value is from what was printed."""
        return abs(value - self.value)


@dataclass(frozen=True)
class Account:
    """One value that these codes can be said to have, and how.

    Attributes:
        metric: its name under the convention.
        value: the value.
        convention: the simplest convention that gives it.
        same: other conventions that give the same value of the metric.
        worst, best: the value with tied items in the worst and the best order;
            both the value itself where ties are not the question.
    """

    metric: str
    value: float
    convention: Convention
    same: tuple[Convention, ...]
    worst: float
    best: float


@dataclass(frozen=True)
class Reconciliation:
    """What was found out about a claim.

    Attributes:
        claim: the claim.
        tried: how many conventions were scored.
        left_out: how many need real outputs that are not there.
        matches: what gives the claimed number, the simplest first.
        possible: what does not, and would with its ties in another order.
        nearest: what comes nearest of all that does not give it.
    """

    claim: Claim
    tried: int
    left_out: int
    matches: tuple[Account, ...]
    possible: tuple[Account, ...]
    nearest: Account | None


def reconcile(
    query: Codes,
    database: Codes,
    query_labels: NDArray[Any],
    database_labels: NDArray[Any],
    claim: Claim,
    metric: str | None = None,
) -> Reconciliation:
    """Score under every named convention and every choice, and compare with a claimed number.

    Args:
        query: codes, as `score` takes them.
        database: codes.
        query_labels: labels.
        database_labels: labels.
        claim: the number.
        metric: what it is said to be, such as "map@h2", "p@h2" or "map@5000";
            "map" for the list of whatever length; None for any mean average
            precision.

    Raises:
        InputError: as `score`, or if no convention defines the metric.
    """
    sides = query, database, query_labels, database_labels
    asked = _Asked.parse(metric, len(database))
    wanted = list(dict.fromkeys(_conventions(asked, _rules(*sides))))
    usable = [item for item in wanted if item.applies_to(query, database)]
    values: dict[tuple[Convention, str], float] = {}
    bounds: dict[tuple[Convention, str], tuple[float, float]] = {}
    for near in (True, False):  # apart: what is of the ball alone is counted faster
        part = [item for item in usable if (item.scope == "ball") == near]
        for found in score(*sides, part, cutoffs=(), curves=False) if part else ():
            for name, value in found.items():
                if asked.for_(name) and np.isfinite(value):
                    values[found.convention, name] = value
                    if name in found.bounds:
                        bounds[found.convention, name] = found.bounds[name]
    if not values:
        raise InputError(
            f"no convention defines '{shown(metric, 30)}' for these codes: name one such as "
            "map@h2, map or map@5000"
        )
    accounts = _accounts(values, bounds)
    missed = [item for item in accounts if not claim.admits(item.value)]
    return Reconciliation(
        claim,
        len(usable),
        len(wanted) - len(usable),
        tuple(item for item in accounts if claim.admits(item.value)),
        tuple(
            item
            for item in missed
            if item.convention.order == "expected"
            and item.worst - claim.half <= claim.value <= item.best + claim.half
        ),
        min(missed, key=lambda item: claim.miss(item.value), default=None),
    )


@dataclass(frozen=True)
class _Asked:
    """Which metrics a claim may be about."""

    metric: str | None
    radii: tuple[int, ...]
    cutoffs: tuple[int | None, ...]

    @classmethod
    def parse(cls, metric: str | None, items: int) -> _Asked:
        radius = re.fullmatch(r"[a-z-]+@h(\d{1,4})", metric or "")
        length = re.fullmatch(r"[a-z-]+@(\d{1,9})", metric or "")
        cutoffs = tuple(n for n in CUTOFFS if n is None or n < items)
        if radius:
            return cls(metric, (int(radius.group(1)),), ())
        if length:
            return cls(metric, (), (int(length.group(1)),))
        return cls(metric, RADII if metric is None else (), cutoffs)

    def for_(self, name: str) -> bool:
        """Whether a score may be what the claim is about."""
        if self.metric in (None, "map"):  # a list may be cut without its name saying so
            ball = r"(@(h?\d+))?" if self.metric is None else r"(@\d+)?"
            return re.fullmatch("map" + ball, name) is not None
        return name == self.metric


def _rules(
    query: Codes, database: Codes, query_labels: NDArray[Any], database_labels: NDArray[Any]
) -> Choices:
    """The choices that may make a difference for these codes, house first."""
    relevant = count(query, database, query_labels, database_labels, reach=0).relevant
    zeros = ("negative", "positive", "zero", "symbol", "random")
    left_out = [("zero", "zero")]
    if (relevant.sum(axis=1) == 0).any():
        left_out.append(("drop", "zero"))
    if not labelled(query_labels).all():  # and so without anything relevant
        left_out.append(("zero", "drop"))
    return (
        [{"rank": rank, "order": order} for rank, order in RANKINGS],
        [{"nohit": rule} for rule in ("zero", "drop")],
        [{"norelevant": rule, "unlabelled": other} for rule, other in left_out],
        [{"denominator": bound} for bound in ("hits", "min", "total")],
        [{"sgn0": sign} for sign in (zeros if query.zeros or database.zeros else zeros[:1])],
    )


def _conventions(asked: _Asked, rules: Choices) -> Iterator[Convention]:
    """Every convention worth trying: the named ones, then every choice of the others."""
    for named in conventions().values():
        changed: Convention | None = named
        if asked.metric is not None and asked.radii:
            changed = replace(named, radius=asked.radii[0]) if named.has_ball else None
        elif asked.metric is not None:
            one = len(asked.cutoffs) == 1
            changed = replace(named, cutoff=asked.cutoffs[0]) if one else named
            changed = changed if named.has_list else None
        if changed is not None and changed.scope != "graded":
            yield from _with_bounds(changed)
    for choices in itertools.product(*rules):
        base = replace(HOUSE, **{name: value for part in choices for name, value in part.items()})
        for radius in asked.radii:
            yield replace(base, scope="ball", radius=radius)
            yield replace(base, scope="ball", radius=radius, empty="drop")
        for cutoff in asked.cutoffs:
            yield replace(base, scope="list", cutoff=cutoff)


def _with_bounds(convention: Convention) -> Iterator[Convention]:
    yield convention
    if convention.rank == "distance" and not convention.unstable:
        yield replace(convention, order="worst")
        yield replace(convention, order="best")


def _changes(convention: Convention) -> tuple[bool, int]:
    """How simple a convention is: named ones first, then those with the fewest changes."""
    named = str(convention) in conventions()
    differ = sum(getattr(convention, name) != getattr(HOUSE, name) for name in CHOICES)
    return not named, differ


def _accounts(
    values: Mapping[tuple[Convention, str], float],
    bounds: Mapping[tuple[Convention, str], tuple[float, float]],
) -> list[Account]:
    """One account a value of a metric, the simplest first."""
    groups: dict[tuple[str, int], list[Convention]] = {}
    for (convention, name), value in values.items():
        groups.setdefault((name, round(value / SAME)), []).append(convention)
    accounts = []
    for (name, _), members in groups.items():
        first, *others = sorted(members, key=_changes)
        value = values[first, name]
        ends = [value, *bounds.get((first, name), ())]
        if first.rank == "distance":
            either = replace(first, order="worst"), replace(first, order="best")
            ends += [values[item, name] for item in either if (item, name) in values]
        accounts.append(Account(name, value, first, tuple(others), min(ends), max(ends)))
    return sorted(accounts, key=lambda item: _changes(item.convention))
