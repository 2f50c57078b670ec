"""A Metric: all that is known of one family of scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from hashbench.errors import InputError, shown, unknown
from hashbench.evaluation.scores import Floats, mean

if TYPE_CHECKING:
    from hashbench.evaluation.metrics.counts import Counts

Group = Literal["ball", "list", "radii", "graded"]

_NAME = re.compile(r"[a-z][a-z0-9-]*(@\{n\}|@h\{radius\})?")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A family of scores such as "p@{n}", which is P@10, P@100 and so on.

    Attributes:
        name: small letters, digits and dashes; a part "@{n}" stands for the
            lengths of ranked lists, "@h{radius}" for the convention's radius.
        title: how it is printed, with the same part.
        per_query: the function of the counts (`metrics.counts.Counts`) that
            gives one value a query, `(queries,)` float64, NaN for a query that
            is left out. Where the name has a part, the number is its second
            argument.
        value: the function of the counts, in its place, of a metric that has no
            value of single queries.
        summary: what the values of the queries come to; the mean of those that
            are not NaN.
        better: "higher" or "lower".
        bounds: least and greatest value.
        digits: decimals shown.
        version: raised when the arithmetic changes, so that stored scores of
            the old one are computed again.
        group: which conventions define it: "ball" and "list" those with such
            metrics, "radii" those with both, "graded" those of graded
            relevance. By default what the name says.
        tied: whether the order of tied items matters, so that it has bounds.
        needs_relevant: whether a query without anything relevant has no value
            under conventions that divide 0 by 0.
        keep: whether the values of the queries are kept, for tests.

    Example:
        >>> import hashbench
        >>> share = hashbench.Metric(
        ...     name="share-at-0",
        ...     title="share of items at distance 0",
        ...     per_query=lambda counts: counts.total[:, 0] / counts.items,
        ... )
        >>> share.better, share.digits
        ('higher', 3)
    """

    name: str
    title: str
    per_query: Callable[..., Floats] | None = None
    value: Callable[..., float] | None = None
    summary: Callable[[Floats], float] = lambda values: float(mean(values))
    better: Literal["higher", "lower"] = "higher"
    bounds: tuple[float, float] = (0.0, 1.0)
    digits: int = 3
    version: str = "1"
    group: Group | None = None
    tied: bool = False
    needs_relevant: bool = False
    keep: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError(
                f"'{shown(self.name)}' is no name of a metric: use small letters, digits and "
                "dashes, and at the end @{n} or @h{radius} where it is of a list's length or a "
                "radius"
            )
        if (self.per_query is None) == (self.value is None):
            raise InputError(
                f"metric '{self.name}' needs per_query (one value a query) or value (one in all)"
            )
        if not isinstance(self.title, str):
            raise InputError(
                f"the title of metric '{self.name}' must be a text, got {shown(self.title, 40)}"
            )
        for part in ("per_query", "value", "summary"):
            given = getattr(self, part)
            if given is not None and not callable(given):
                raise InputError(
                    f"{part} of metric '{self.name}' must be a function, got {shown(given, 40)}"
                )
        if self.better not in ("higher", "lower"):
            raise unknown(
                f"direction of metric '{self.name}'", shown(self.better), ("higher", "lower")
            )
        if self.group is None:
            object.__setattr__(self, "group", "ball" if "{radius}" in self.name else "list")

    @property
    def parameter(self) -> str:
        """What the number in its scores is: "n", "radius", or "" where there is none."""
        return "n" if "{n}" in self.name else "radius" if "{radius}" in self.name else ""

    def named(self, number: int | None) -> str:
        """The name of one score of the family, such as "p@100"."""
        return self._filled(self.name, number)

    def titled(self, number: int | None) -> str:
        """The printed name of one score of the family, such as "P@100"."""
        return self._filled(self.title, number)

    def parse(self, name: str) -> int | None:
        """The number in a score's name; -1 for a family without, None if it is no score of it."""
        pattern = re.escape(self.name).replace(r"\{n\}", r"(\d+)").replace(r"\{radius\}", r"(\d+)")
        match = re.fullmatch(pattern, name)
        if match is None:
            return None
        return int(match[1]) if match.groups() else -1

    def compute(self, counts: Counts, number: int | None) -> tuple[float, Floats | None]:
        """The score, and the values of the queries if there are such."""
        arguments = (counts,) if number is None else (counts, number)
        if self.value is not None:
            return float(self.value(*arguments)), None
        assert self.per_query is not None
        values = np.asarray(self.per_query(*arguments), np.float64)
        if values.shape != (counts.queries,):
            raise InputError(
                f"metric '{self.name}' must give one value a query, ({counts.queries},), "
                f"got {values.shape}"
            )
        if self.needs_relevant and counts.spoiled:
            return float("nan"), values
        return float(self.summary(values)), values

    def _filled(self, template: str, number: int | None) -> str:
        shown = "" if number is None else str(number)
        return template.replace("{n}", shown).replace("{radius}", shown)


@dataclass(frozen=True)
class MetricInfo:
    """What a score's name stands for.

    Attributes:
        title: how it is printed.
        better: "higher" or "lower".
        bounds: least and greatest value.
        digits: decimals shown.
        version: see `Metric`.
        group: see `Metric`.
        family: name of the metric, such as "p@{n}".
    """

    title: str
    better: Literal["higher", "lower"] = "higher"
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    digits: int = 3
    version: str = ""
    group: str = ""
    family: str = ""
