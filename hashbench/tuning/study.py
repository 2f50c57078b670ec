"""A study: trials of one method's hyper-parameters, kept on disk and resumable."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hashbench.cell import Cell
from hashbench.errors import InputError, installs, shown
from hashbench.evaluation import Convention, score
from hashbench.evidence import Evidence
from hashbench.files import open_regular
from hashbench.items import TrainItems
from hashbench.registry import methods
from hashbench.runner.plan import build
from hashbench.seeds import derive
from hashbench.tuning.space import Space, suggest
from hashbench.tuning.validation import Validation, carve

#: Called after each trial: trials done, its value (None if it failed), the best so far.
Listener = Callable[[int, float | None, float | None], None]


#: Where nothing was found out about the data.
UNKNOWN = Evidence("", "")


@dataclass(frozen=True)
class Goal:
    """What is tuned, and towards what.

    Attributes:
        cells: one method on one split, at every code length and seed that counts.
        space: where to look.
        metric: name of the score to maximise.
        convention: evaluation convention of the score.
        evidence: what was found of the data: trials on other data never mix with these.
    """

    cells: Sequence[Cell]
    space: Space
    metric: str = "map@h2"
    convention: str = "house"
    evidence: Evidence = UNKNOWN

    @property
    def key(self) -> str:
        """16 hex digits naming the study; trials of other goals never mix with it."""
        body = {
            "cells": sorted(cell.key(self.evidence) for cell in self.cells),
            "space": {name: [type(at).__name__, asdict(at)] for name, at in self.space.items()},
            "metric": self.metric,
            "convention": self.convention,
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Best:
    """How a study ended.

    Attributes:
        params: the best hyper-parameters of the space; empty where no trial
            was better than the method's defaults.
        value: their score on the validation split.
        default: the score of the defaults.
        trials: trials done, failed ones included.
        failed: trials that raised.
        journal: the file the trials are kept in.
    """

    params: dict[str, Any]
    value: float
    default: float
    trials: int
    failed: int
    journal: Path


def tune(
    goal: Goal,
    train: TrainItems,
    trials: int,
    folder: Path,
    listener: Listener = lambda done, value, best: None,
) -> Best:
    """Try `trials` hyper-parameters, those already in `folder` included.

    Trial k depends on the goal and the trials before it alone, so an
    interrupted study ends as an uninterrupted one does.

    Args:
        goal: what is tuned.
        train: the training set with features; nothing else is ever read.
        trials: how many in all.
        folder: where the journal of trials is kept.
        listener: told about each trial.

    Raises:
        InputError: if Optuna is not installed, if the defaults or every trial
            fail, or the folder cannot be written to.
    """
    optuna = _optuna()
    parts = carve(train, goal.cells[0].bench.split_seed)
    journal = folder / f"{goal.cells[0].method}-{goal.key}.journal"
    study = _open(optuna, goal.key, journal)
    if "default" not in study.user_attrs:
        study.set_user_attr("default", evaluate(goal, parts, {}))

    def objective(trial: Any) -> float:
        try:
            return evaluate(goal, parts, suggest(trial, goal.space))
        except Exception as error:  # whatever the method raises: the next trial may do better
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            raise

    while (done := len(_ended(optuna, study))) < trials:
        study.sampler = optuna.samplers.TPESampler(seed=derive(goal.cells[0].seed, "tune", done))
        study.optimize(objective, n_trials=1, catch=(Exception,))
        listener(done + 1, study.trials[-1].value, _best_value(study))
    return _best(optuna, study, journal)


def evaluate(goal: Goal, parts: Validation, params: Mapping[str, Any]) -> float:
    """The mean score over cells, each held-out part searching in the other.

    Raises:
        InputError: if the method refuses `params`, or the score is undefined.
    """
    convention = Convention.parse(goal.convention)
    values = []
    for cell in goal.cells:
        hasher = build(
            cell.method,
            methods().get(cell.method),
            cell.bits,
            derive(cell.seed, "method"),
            {**cell.params, **params},
        )
        hasher.fit(parts.train)
        held = (parts.first, parts.second)
        codes = [hasher.encode(part.without_labels()) for part in held]
        for query, database in ((0, 1), (1, 0)):
            (scores,) = score(
                codes[query],
                codes[database],
                held[query].labels,
                held[database].labels,
                [convention],
                curves=False,
            )
            values.append(scores.value(goal.metric))
    mean = float(np.mean(values))
    if not np.isfinite(mean):
        raise InputError(f"{goal.metric} is undefined on the validation split")
    return mean


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise InputError(f"hashbench tune needs Optuna: {installs('tune')}") from None
    optuna.logging.set_verbosity(logging.CRITICAL)  # the listener says what there is to say
    return optuna


def _open(optuna: Any, key: str, journal: Path) -> Any:
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        if journal.exists():
            _mend(optuna, journal)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            backend = optuna.storages.journal.JournalFileBackend(str(journal))
            storage = optuna.storages.JournalStorage(backend)
            study = optuna.create_study(
                storage=storage, study_name=key, direction="maximize", load_if_exists=True
            )
        _check(optuna, study)
        return study
    except OSError as error:
        raise InputError(
            f"cannot keep trials in {journal}: {shown(error)}; choose another folder with --results"
        ) from error
    except Exception as error:  # Optuna trusts its journals: a damaged one raises almost anything
        raise InputError(
            f"{journal} is damaged ({type(error).__name__}: {shown(error)}): "
            "delete it and tune again"
        ) from error


def _mend(optuna: Any, journal: Path) -> None:
    """Cut the half line off that a kill leaves: Optuna would write on behind it and read no more.

    Raises:
        OSError: if the journal is no file that can be read and written.
        ValueError, RecursionError: if another line is damaged.
    """
    with open_regular(journal) as stream:
        whole = stream.read().endswith(b"\n")
    lock = optuna.storages.journal.JournalFileSymlinkLock(str(journal))
    if not whole and lock.acquire():  # or another process is writing the line just now
        try:
            with journal.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
        finally:
            lock.release()
    with open_regular(journal) as stream:
        for line in stream:
            json.loads(line)


def _check(optuna: Any, study: Any) -> None:
    """Hold what a journal says against what `tune` writes.

    Raises:
        ValueError: where it differs.
    """
    if study.direction != optuna.study.StudyDirection.MAXIMIZE:
        raise ValueError("it does not maximise")
    trials = study.get_trials(deepcopy=False)
    values = [trial.value for trial in trials if trial.value is not None]
    for value in (study.user_attrs.get("default", 0.0), *values):
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"a score is {shown(value)}")
    for trial in trials:
        if trial.value is None and trial.state == optuna.trial.TrialState.COMPLETE:
            raise ValueError("a trial has no score")
        for name, value in trial.params.items():
            if not isinstance(value, (bool, int, float, str)):
                raise ValueError(f"{shown(name)} is {shown(value)}")


def _ended(optuna: Any, study: Any) -> list[Any]:
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL)
    return list(study.get_trials(deepcopy=False, states=states))


def _best_value(study: Any) -> float | None:
    values = [trial.value for trial in study.trials if trial.value is not None]
    return max(values, default=None)


def _best(optuna: Any, study: Any, journal: Path) -> Best:
    ended = _ended(optuna, study)
    failed = [trial for trial in ended if trial.value is None]
    if len(failed) == len(ended):
        reason = failed[-1].user_attrs.get("error", "unknown") if failed else "none was run"
        raise InputError(
            f"no trial succeeded (the last: {shown(reason, 200)}): choose another --space"
        )
    default = float(study.user_attrs["default"])
    best = study.best_trial
    better = best.value > default
    return Best(
        params=dict(best.params) if better else {},
        value=float(best.value) if better else default,
        default=default,
        trials=len(ended),
        failed=len(failed),
        journal=journal,
    )
