"""What others call query and database, codes, labels and real outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hashbench.errors import InputError, shown, unknown
from hashbench.spelling import composed

CODES = ("query_codes", "database_codes")
LABELS = ("query_labels", "database_labels")
REQUIRED = (*CODES, *LABELS)
OPTIONAL = ("query_relaxed", "database_relaxed", "bits")

#: Words for either side. Where a file has words of several ranks, the first of them are meant:
#: `train_codes` are the database's (DeepHash-pytorch) only if nothing else is called so.
_SIDES: tuple[tuple[str, tuple[frozenset[str], ...]], ...] = (
    (
        "query",
        (
            frozenset(("query", "queries", "qry", "q", "probe")),
            frozenset(("test", "tst", "te", "validation", "val")),
        ),
    ),
    (
        "database",
        (
            frozenset(("database", "db", "base", "retrieval", "ret", "re", "r", "gallery")),
            frozenset(("train", "trn", "tr")),
        ),
    ),
)
#: Words for what an array holds, the most telling first: FIRe's `test_outputs.codes` are real.
_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("labels", frozenset(("labels", "label", "l", "targets", "target", "gnd", "onehot"))),
    ("relaxed", frozenset(("relaxed", "outputs", "output", "real", "continuous"))),
    ("codes", frozenset(("codes", "code", "binary", "b", "hash", "hashes", "hashcodes"))),
)
#: Names that words do not explain: MATLAB baselines (SDH, KSH, ITQ).
_WHOLE = {
    "B": "database_codes",
    "tB": "query_codes",
    "traingnd": "database_labels",
    "testgnd": "query_labels",
}


def parse_names(text: str | None) -> dict[str, str]:
    """The pairs of `--names theirs=ours,...`, theirs first.

    Raises:
        InputError: if it is not written so, or names what there is not here.
    """
    given: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in (text or "").split(","))):
        theirs, sign, ours = (piece.strip() for piece in part.rpartition("="))
        if not sign or not theirs:
            raise InputError(
                f"cannot read '{shown(part, 40)}' of --names: write theirs=ours, such as "
                "q_img=query_codes"
            )
        if ours not in (*REQUIRED, *OPTIONAL):
            raise unknown("array on the right of --names", ours, (*REQUIRED, *OPTIONAL))
        if theirs in given or ours in given.values():
            raise InputError(f"--names says '{shown(part, 40)}' after it said something else")
        given[theirs] = ours
    return given


def assign(found: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which of the names found in a file stands for which of ours.

    Args:
        found: names of arrays in a file.
        given: pairs theirs -> ours, which go before all guesses.

    Returns:
        Ours -> theirs, as far as there are any.

    Raises:
        InputError: if a given name is not found, or two names may be meant.
    """
    found = list(found)
    spelt = {composed(name): name for name in found} | {name: name for name in found}
    chosen = {}
    for theirs, ours in given.items():
        there = spelt.get(theirs) or spelt.get(composed(theirs))
        if there is None:
            raise unknown("array on the left of --names", theirs, map(shown, found))
        chosen[ours] = there
    given = {theirs: ours for ours, theirs in chosen.items()}
    ranked: dict[str, dict[int, list[str]]] = {}
    for name in found:
        if name not in given and (reading := _read(name)) is not None:
            ours, rank = reading
            ranked.setdefault(ours, {}).setdefault(rank, []).append(name)
    for ours, ranks in ranked.items():
        if ours in chosen:
            continue
        best = ranks[min(ranks)]
        if len(best) > 1:
            listed = " or ".join(shown(name, 40) for name in best[:4])
            raise InputError(
                f"the {ours} may be {listed}: say which with --names {shown(best[0], 40)}={ours}"
            )
        chosen[ours] = best[0]
    return chosen


def meant(name: str) -> str | None:
    """Which of ours a name stands for; None where it says nothing."""
    found = _read(name)
    return None if found is None else found[0]


def _read(name: str) -> tuple[str, int] | None:
    """What a name stands for, and how far down the list of words it was found."""
    if name in (*REQUIRED, *OPTIONAL):
        return name, 0
    if name in _WHOLE:
        return _WHOLE[name], 1
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name[:200])]
    kind = next((kind for kind, known in _KINDS if known & set(words)), None)
    # What is in front of a file's name may hold a word too; the last one counts.
    for word in reversed(words):
        for side, ranks in _SIDES:
            for rank, known in enumerate(ranks):
                if word in known:
                    return None if kind is None else (f"{side}_{kind}", rank + 1)
    return None
