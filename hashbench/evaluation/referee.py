"""The referee: codes and labels in, scores out, one for each convention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation.convention import Convention
from hashbench.evaluation.conventions.house import HOUSE
from hashbench.evaluation.graded import Grades, count_grades
from hashbench.evaluation.histograms import BUDGET, Histograms, count
from hashbench.evaluation.labels import Labels, labelled
from hashbench.evaluation.metrics import Counts, ranked_lengths, scores_of
from hashbench.evaluation.rankings import Rankings
from hashbench.evaluation.scores import Scores
from hashbench.evaluation.zeros import Recoded, check_relaxed, recode
from hashbench.parsing import in_number

#: What `histograms.count` is called with and returns.
Counter = Callable[..., Histograms]

#: Bits of the longest code: twice the distances of four words a bit are counted in 16 bits.
MOST_BITS = 8191

#: Lengths N of `map@N`, `p@N` and `r@N` unless the caller names others.
CUTOFFS = (10, 100, 1000, 5000)


def score(
    query: Codes,
    database: Codes,
    query_labels: Labels,
    database_labels: Labels,
    conventions: Sequence[Convention] = (HOUSE,),
    *,
    cutoffs: Sequence[int] = CUTOFFS,
    curves: bool = True,
    engine: str = "auto",
    budget: int = BUDGET,
    counter: Counter | None = None,
) -> list[Scores]:
    """Score codes against labels under each convention.

    A database item is relevant to a query iff they share a positive label. No
    argument is changed.

    Args:
        query: `queries` codes.
        database: `items` codes of the same number of bits; `packed` may be a
            memory map.
        query_labels: `(queries, classes)` multi-hot, a value above 0 being a
            label, or `(queries,)` whole-numbered class ids.
        database_labels: the same of the database; may be a memory map.
        conventions: what to compute.
        cutoffs: lengths N of `map@N`, `p@N` and `r@N`, for conventions without
            a cutoff of their own.
        curves: compute the curves too. Where all conventions define metrics
            within the ball only (scope "ball"), they end at its radius: nothing
            beyond it is counted.
        engine: what counts the pairs: "auto", "numba", "numpy", "torch" or
            "cuda"; they differ in speed only.
        budget: bytes of temporaries, whatever the size of the database;
            conventions that depend on storage order or real outputs need about
            20 bytes a database item and thread beyond it.
        counter: counts in place of `histograms.count`, such as
            `cluster.count_on_ray`.

    Returns:
        One `Scores` a convention, in order.

    Raises:
        InputError: if sizes do not fit together, a side is empty, real outputs
            are NaN or contradict the codes, or a convention needs some that are
            missing.
    """
    _check(query, database, query_labels, database_labels)
    for convention in conventions:
        convention.check(query, database)
    reach = None
    if all(_near(convention) for convention in conventions):
        reach = max((convention.radius for convention in conventions), default=0)
    known = labelled(query_labels)
    counted: dict[tuple[str, bool], tuple[Recoded, Histograms, Grades | None]] = {}
    rankings = Rankings(query, database, query_labels, database_labels)
    for convention in conventions:
        if convention.by_storage:
            wanted = ranked_lengths(convention, cutoffs, len(database), curves)
            rankings.ask(convention, *wanted)
    results = []
    for convention in conventions:
        sgn0 = convention.sgn0 if query.zeros or database.zeros else "negative"
        graded = convention.scope == "graded"
        if (sgn0, graded) not in counted:
            coded = recode(query, database, sgn0)
            sides = coded.query, coded.database, query_labels, database_labels
            if graded:
                grades = count_grades(*sides)
                counted[sgn0, graded] = coded, grades.histograms, grades
            else:
                within = None if reach is None else reach * coded.steps
                found = (counter or count)(*sides, reach=within, engine=engine, budget=budget)
                # Words of a third symbol are longer than they can differ in.
                counted[sgn0, graded] = coded, found.within(coded.steps * query.bits), None
        coded, histograms, shared = counted[sgn0, graded]
        ranked = None
        if convention.by_storage:
            ranked = rankings.of(convention, coded, histograms)
        counts = Counts(convention, histograms, ranked, known, coded.steps, shared)
        results.append(scores_of(counts, cutoffs, curves))
    return results


def _near(convention: Convention) -> bool:
    """Whether counts within the radius suffice."""
    return convention.scope == "ball" and convention.empty != "database"


def _check(
    query: Codes,
    database: Codes,
    query_labels: Labels,
    database_labels: Labels,
) -> None:
    if query.bits > MOST_BITS:
        raise InputError(f"codes have {query.bits:,} bits, and no more than {MOST_BITS:,} count")
    if query.bits != database.bits:
        raise InputError(
            f"query codes have {in_number(query.bits, 'bit', 'bits')} and database codes "
            f"{database.bits}: "
            "encode both with the same hasher"
        )
    for side, codes, labels in (
        ("query", query, query_labels),
        ("database", database, database_labels),
    ):
        if len(codes) == 0:
            raise InputError(f"there are no {side} codes to score: give at least one")
        if labels.ndim != query_labels.ndim or labels.ndim > 2 or len(labels) != len(codes):
            raise InputError(
                f"{in_number(len(codes), f'{side} code needs', f'{side} codes need')} "
                f"({len(codes)}, classes) multi-hot labels, "
                f"or class ids ({len(codes)},) on both sides, got shape {labels.shape}"
            )
        check_relaxed(side, codes)
    if query_labels.ndim == 2 and query_labels.shape[1] != database_labels.shape[1]:
        raise InputError(
            f"query labels have {in_number(query_labels.shape[1], 'class', 'classes')} and "
            "database labels "
            f"{database_labels.shape[1]}: give both the same columns"
        )
