"""A search: the points of a grid as cells of one run, and what each was worth.

The cells are those of any run, on benches held out of the training set
(`data/heldout.py`), in a store of their own: what is there is not trained again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.evaluation import Convention, score
from hashbench.evaluation.metrics import describe_metric
from hashbench.parsing import in_number
from hashbench.runner.benches import load_split
from hashbench.runner.plan import Request, plan
from hashbench.runner.prepare import gather
from hashbench.runner.run import Display, Job, run_job
from hashbench.runner.settings import Ask, Settings
from hashbench.store.store import Store
from hashbench.tuning.choose import Decision, Trial, choose, closest
from hashbench.tuning.criterion import Criterion, Judged, each_query

#: Makes the display of a job, whose cells are called by a name of ours.
Show = Callable[[Job, Callable[[Any], str]], Display]

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """What is searched for.

    Attributes:
        request: one method on one data set, from its defaults; every length is searched
            on its own.
        points: the grid.
        criterion: what tells a setting's worth.
        metric: name of the score.
        convention: of the score.
    """

    request: Request
    points: Sequence[Point]
    criterion: Criterion
    metric: str = "map@h2"
    convention: str = "house"

    @property
    def start(self) -> dict[str, Any]:
        """Values the defaults were given of what is searched; a file of what is found has them."""
        settings, (method,) = self.request.settings, self.request.methods
        given = {**settings.get("", {}), **settings.get(method, {})}
        searched = {name for point in self.points for name in point}
        return {name: value for name, value in given.items() if name in searched}


@dataclass(frozen=True)
class Found:
    """What a search found at one code length.

    Attributes:
        bits: the code length.
        trials: the defaults and each point, on the first carving.
        choice: what is chosen, and what it gained.
    """

    bits: int
    trials: tuple[Trial, ...]
    choice: Decision


def search(
    goal: Goal, job: Job, show: Show, begun: Callable[[], None] | None = None
) -> list[Found]:
    """Try the defaults and every point at each code length, and choose.

    Args:
        goal: what is searched for.
        job: how: a run without cells, whose store keeps the trials.
        show: how it shows itself.
        begun: called once nothing is refused any more, before anything is computed.

    Returns:
        What was found, one a code length.

    Raises:
        InputError: if the data cannot be had, a value is refused, or no trial succeeded.
        KeyboardInterrupt: when the user stops the search; finished trials are kept.
    """
    _check(goal)
    points: list[Point] = [{}, *goal.points]
    wanted = [(bits, point) for bits in goal.request.bits for point in points]
    tried = _try(goal, job, show, wanted, carving=1, begun=begun)
    by_length = {
        bits: tuple(trial for (length, _), trial in tried if length == bits)
        for bits in goal.request.bits
    }
    if not any(trial.ok for trials in by_length.values() for trial in trials):
        (_, last) = tried[-1]
        raise InputError(
            f"no trial succeeded, the defaults neither (the last: {shown(last.reason, 200)}): "
            "choose another --space"
        )
    close = {bits: best for bits, trials in by_length.items() if (best := closest(trials))}
    again = [(bits, point) for bits, best in close.items() for point in ({}, best.point)]
    second = _try(goal, job, show, again, carving=2) if again else []
    found = []
    for bits, trials in by_length.items():
        pair = [trial for (length, _), trial in second if length == bits]
        found.append(Found(bits, trials, choose(trials, pair)))
    return found


def _check(goal: Goal) -> None:
    """Refuse a score that the convention does not define, or not of each query, before training.

    Raises:
        InputError: with the names near it.
    """
    codes, labels = Codes.from_real(np.ones((2, 8), np.float32)), np.ones((2, 1), np.uint8)
    convention = Convention.parse(goal.convention)
    (scores,) = score(codes, codes, labels, labels, [convention], curves=False)
    each_query(scores, goal.metric)


def _try(
    goal: Goal,
    job: Job,
    show: Show,
    wanted: Sequence[tuple[int, Point]],
    carving: int,
    begun: Callable[[], None] | None = None,
) -> list[tuple[tuple[int, Point], Trial]]:
    """What each (code length, point) is worth on one carving."""
    groups = [_asks(goal, job.settings, bits, point, carving) for bits, point in wanted]
    names = {
        id(ask.cell): f"{ask.cell.method} {in_number(bits, 'bit', 'bits')}, {describe_point(point)}"
        + (f", seed {ask.cell.seed}" if len(asks) > 1 else "")
        + (f", carving {carving}" if carving > 1 else "")
        for (bits, point), asks in zip(wanted, groups, strict=True)
        for ask in asks
    }
    known = {id(ask): ask for asks in groups for ask in asks}
    if Convention.parse(goal.convention).needs_relaxed:
        _forget_without_outputs(list(known.values()), job.settings)
    todo = replace(job, asks=list(known.values()))
    outcome = run_job(todo, show(todo, lambda cell: names.get(id(cell), str(cell))), begun)
    keys = {id(task.ask): task.key for task in outcome.tasks}
    reasons = {id(ask): reason for ask, reason in outcome.missing}
    size = _size(groups[0][0], job.settings)
    store = Store(job.settings.store)
    trials = []
    for (bits, point), asks in zip(wanted, groups, strict=True):
        reason = next((reasons[id(ask)] for ask in asks if id(ask) in reasons), "")
        values = None
        if not reason:
            each = [_values(goal, store, keys[id(ask)], size) for ask in asks]
            values = np.mean(each, axis=0)
            if np.isnan(values).all():
                values, reason = None, f"{goal.metric} is undefined on held-out items"
        trials.append(((bits, point), Trial(point, values, reason)))
    return trials


def _forget_without_outputs(asks: Sequence[Ask], settings: Settings) -> None:
    """Have trials trained again that can have no real-valued outputs: no hasher is kept of one."""
    if not (settings.store / "records").is_dir():
        return
    store = Store(settings.store)
    for task in gather(asks, settings)[0]:
        record = store.get(task.key)
        if record and record.ok and record.relaxed and not store.has_relaxed(record):
            store.forget(task.key)


def _asks(goal: Goal, settings: Settings, bits: int, point: Point, carving: int) -> list[Ask]:
    """The cells of a point at a code length, one a seed."""
    request = goal.request
    (method,) = request.methods
    mine = {**request.settings.get(method, {}), **point}
    options = {**request.options, "held_out": carving}
    if goal.criterion.inflated:
        options["inflated"] = True
    return plan(
        replace(
            request,
            bits=(bits,),
            settings={**request.settings, method: mine},
            shipped=False,
            options=options,
        ),
        settings.data_root,
    )


def _size(ask: Ask, settings: Settings) -> int:
    """How many items the protocol's own database has."""
    bench = ask.cell.bench
    options = {
        name: value for name, value in bench.options.items() if name not in ("held_out", "inflated")
    }
    whole = replace(ask, cell=replace(ask.cell, bench=replace(bench, options=options)))
    return len(load_split(whole, settings.data_root).database)


def _values(goal: Goal, store: Store, key: str, size: int) -> Any:
    """`(queries,)` what a stored trial is worth, higher being better."""
    record = store.get(key)
    if record is None:
        raise InputError(f"the trial {key} in {store.root} has gone: tune again")
    query, database = store.open_codes(record)
    split = store.open_split(record)
    judged = Judged(
        query,
        database,
        np.asarray(split["query_labels"], np.uint8),
        np.asarray(split["database_labels"], np.uint8),
        Convention.parse(goal.convention),
        goal.metric,
        size,
    )
    values = goal.criterion.values(judged)
    return values if describe_metric(goal.metric).better == "higher" else -values


def describe_point(point: Point) -> str:
    """A point of the grid in a few words."""
    return ", ".join(f"{name}={value}" for name, value in point.items()) or "defaults"
