"""Metrics: which there are, what their names mean, and all of one convention."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from hashbench.evaluation.convention import Convention
from hashbench.evaluation.metrics.ball import BALL
from hashbench.evaluation.metrics.counts import Counts, list_length
from hashbench.evaluation.metrics.curves import curves, lengths
from hashbench.evaluation.metrics.metric import Metric, MetricInfo
from hashbench.evaluation.metrics.radii import RADII
from hashbench.evaluation.metrics.ranked import LIST
from hashbench.evaluation.metrics.shared import GRADED
from hashbench.evaluation.scores import Floats, Scores

__all__ = [
    "BUILT_IN",
    "Counts",
    "Metric",
    "MetricInfo",
    "describe_metric",
    "in_view",
    "metrics",
    "ranked_lengths",
    "scores_of",
    "split_view",
    "versions",
]

BUILT_IN = (*BALL, *RADII, *LIST, *GRADED)


def metrics() -> Mapping[str, Metric]:
    """Every metric by its family's name, in the order they are shown: ours, then plugins'."""
    from hashbench import registries

    return registries.metrics().parts()


def describe_metric(name: str) -> MetricInfo:
    """What a score's name such as "p@100" or "map@h2" stands for.

    A score of a view of the split, "map@h2[unseen@all]", is titled so. A name no
    metric is known by, such as one of a plugin that is not loaded, is its own title.
    """
    plain, view = split_view(name)
    for metric in metrics().values():
        number = metric.parse(plain)
        if number is not None:
            return MetricInfo(
                title=metric.titled(number) + (f" [{view}]" if view else ""),
                better=metric.better,
                bounds=metric.bounds,
                digits=metric.digits,
                version=metric.version,
                group=str(metric.group),
                family=metric.name,
            )
    return MetricInfo(title=name, family=name)


def in_view(name: str, view: str) -> str:
    """The name of a score of a view of a split: "map@h2[unseen@all]"."""
    return f"{name}[{view}]" if view else name


def split_view(name: str) -> tuple[str, str]:
    """A score's name and the view it is of, "" for the plain score: what `in_view` joined."""
    plain, bracket, view = name.partition("[")
    return (plain, view[:-1]) if bracket and view.endswith("]") else (name, "")


def versions(convention: Convention) -> dict[str, str]:
    """What the scores of a convention depend on: two that differ were computed differently.

    The version of every metric it defines, by family, plugins included; and
    under "convention" the choices it consists of.
    """
    every = metrics()
    known = _VERSIONS.get(convention)
    if known is not None and known[0] is every:  # a plugin may add some
        return dict(known[1])
    found = {
        metric.name: metric.version for metric in every.values() if _defines(convention, metric)
    }
    choices = ",".join(f"{name}={value}" for name, value in convention.choices.items())
    _VERSIONS[convention] = every, {"convention": choices, **found}
    return {"convention": choices, **found}


#: By convention the metrics there were, and what `versions` said.
_VERSIONS: dict[Convention, tuple[Mapping[str, Metric], dict[str, str]]] = {}


def ranked_lengths(
    convention: Convention, cutoffs: Sequence[int], items: int, with_curves: bool
) -> tuple[list[int], list[int]]:
    """The lists a ranking must evaluate: lengths in items, and numbers of first hits."""
    if not convention.has_list:
        return [], []
    if convention.counting == "hits" and convention.cutoff is not None:
        return [], [convention.cutoff]
    named = [n for n in _cutoffs(convention, cutoffs) if n <= items]
    whole = list_length(convention, items)
    curve = lengths(whole) if with_curves else []
    return sorted({whole, *named, *curve}), []


def scores_of(counts: Counts, cutoffs: Sequence[int], with_curves: bool) -> Scores:
    """Every metric of the convention the counts are read by.

    Args:
        counts: of the whole database.
        cutoffs: lengths N of `map@N`, `p@N` and `r@N`.
        with_curves: whether to include the curves.
    """
    convention = counts.convention
    values: dict[str, float] = {}
    per_query: dict[str, Floats] = {}
    bounds: dict[str, tuple[float, float]] = {}
    worst = best = None
    if convention.unstable and convention.order == "expected":
        worst, best = counts.ordered("worst"), counts.ordered("best")
    for metric, number in _plan(convention, cutoffs, counts.items):
        name = metric.named(number)
        if _beyond(metric, number, counts):
            values[name] = math.nan
            continue
        values[name], each = metric.compute(counts, number)
        own = metric.parameter != "n" or number == convention.cutoff  # one of many lengths is not
        if each is not None and metric.keep and own:
            per_query[name] = each
        if metric.tied and worst is not None and best is not None:
            ends = metric.compute(worst, number)[0], metric.compute(best, number)[0]
            if all(map(math.isfinite, (values[name], *ends))):
                bounds[name] = ends
    return Scores(convention, values, per_query, curves(counts) if with_curves else {}, bounds)


def _defines(convention: Convention, metric: Metric) -> bool:
    """Whether metrics of this family are computed under the convention."""
    if convention.counting == "hits" and metric.parameter == "n" and metric.name != "map@{n}":
        return False
    return {
        "ball": convention.has_ball,
        "list": convention.has_list,
        "radii": convention.has_ball and convention.has_list,
        "graded": convention.scope == "graded",
    }[str(metric.group)]


def _cutoffs(convention: Convention, cutoffs: Sequence[int]) -> list[int]:
    if convention.cutoff is None:
        return [] if convention.counting == "hits" else list(cutoffs)
    return [] if convention.cutoff == -1 else [convention.cutoff]


def _plan(
    convention: Convention, cutoffs: Sequence[int], items: int
) -> Iterator[tuple[Metric, int | None]]:
    """The scores to compute, in the order they are shown: lengths together."""
    named = _cutoffs(convention, cutoffs)
    limited = convention.cutoff not in (None, -1) and (
        convention.counting == "hits" or named[0] <= items
    )
    defined = [metric for metric in metrics().values() if _defines(convention, metric)]
    for parameter, family in groupby(defined, lambda metric: metric.parameter):
        if parameter == "n":
            together = list(family)
            yield from ((metric, n) for n in named for metric in together)
            continue
        for metric in family:
            if metric.name == "map" and limited:
                continue  # a list that is cut short has a name of its own
            yield metric, convention.radius if parameter == "radius" else None


def _beyond(metric: Metric, number: int | None, counts: Counts) -> bool:
    """Whether a list is longer than the database: there is no such list."""
    if metric.parameter != "n" or number is None:
        return False
    return counts.convention.counting == "items" and number > counts.items
