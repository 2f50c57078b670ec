"""Verifying entries: what they say is held against what their codes and labels give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hashbench.bundles.bundle import Bundle
from hashbench.bundles.folder import open_codes, open_hasher, read
from hashbench.bundles.fresh import Fresh, draw_fresh
from hashbench.bundles.judge import recomputed, unfit
from hashbench.bundles.splits import Splits, WrongSplitError
from hashbench.bundles.suspicion import fingerprints, label_codes, limits
from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.errors import InputError, shown
from hashbench.evaluation import Convention, Scores
from hashbench.parsing import in_number

#: By how much a claim may differ from the score: half of the fourth decimal, or of so many of
#: the digits of a number above 1.
TOLERANCE = 5e-5

#: Claims of an entry that are told one by one.
_TOLD = 3


@dataclass(frozen=True)
class Verdict:
    """What was found of an entry.

    Attributes:
        folder: where it lies.
        bundle: the entry, None where it could not be read.
        claims: scores that were recomputed and fit.
        problems: what is not as the entry says, one sentence each.
        suspicions: what a person should look at though every number fits.
        unverified: why scores could not be recomputed; "" where they were.
        scores: what was recomputed, by convention.
        given: whether its labels are taken from a board's file, on that board's word.
        fresh: what its hasher scores on fresh queries, where that was asked for and could be had.
    """

    folder: Path
    bundle: Bundle | None = None
    claims: int = 0
    problems: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()
    unverified: str = ""
    scores: Mapping[str, Scores] | None = None
    fresh: Fresh | None = None
    given: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything was checked and nothing speaks against it."""
        return not (self.problems or self.suspicions or self.unverified)


class Verifier:
    """Verifies entries one after the other, and holds them against each other.

    Args:
        splits: where their labels come from.
        fresh: seed of a fresh draw of queries for hashers that come along, or None.
    """

    def __init__(self, splits: Splits, fresh: int | None = None) -> None:
        self.splits = splits
        self.fresh = fresh
        self._known: dict[tuple[str, int, str], Bundle] = {}

    def verify(self, folder: Path) -> Verdict:
        """What there is to say of the entry in a folder; never raises for what it holds."""
        try:
            bundle = read(folder)
            codes = open_codes(bundle)
            open_hasher(bundle)  # it is not looked into here, and must be whole all the same
        except InputError as error:
            return Verdict(folder, problems=(_inside(error, folder),))
        except MemoryError:
            return Verdict(folder, problems=("it does not fit into memory",))
        suspicions = self._copies(bundle, codes)
        try:
            split = self.splits.find(bundle.cell.bench, bundle.evidence.split)
        except WrongSplitError as error:
            return Verdict(folder, bundle, problems=(str(error),), suspicions=suspicions)
        except InputError as error:
            return Verdict(folder, bundle, suspicions=suspicions, unverified=str(error))
        counts = split.counts
        for part, count in bundle.counts.items():
            if counts[part] != count:
                fault = (
                    f"it says {in_number(count, f'{part} image', f'{part} images')}, and its "
                    f"split has {counts[part]:,}"
                )
                return Verdict(folder, bundle, problems=(fault,), suspicions=suspicions)
        try:
            problems, scores, claims = _recompute(bundle, codes, split)
        except InputError as error:
            return Verdict(folder, bundle, problems=(str(error),), suspicions=suspicions)
        made = label_codes(codes, split)
        suspicions += (made,) if made else ()
        fresh = None
        if self.fresh is not None and not problems:
            try:
                fresh = draw_fresh(bundle, codes, self.splits.data_root, self.fresh)
                suspicions += (fresh.fault,) if fresh.fault else ()
            except InputError as error:
                if "hasher" in bundle.digests:
                    problems += (f"no fresh queries: {error}",)
        given = not self.splits.drawn(bundle.cell.bench, bundle.evidence.split)
        return Verdict(folder, bundle, claims, problems, suspicions, "", scores, fresh, given)

    def _copies(self, bundle: Bundle, codes: tuple[Codes, Codes]) -> tuple[str, ...]:
        """Whether another entry has these codes; other seeds of one author's method may."""
        marks = enumerate(fingerprints(codes))
        firsts = [self._known.setdefault((bundle.evidence.split, *mark), bundle) for mark in marks]
        first = max(firsts, key=lambda one: (one is not bundle) * firsts.count(one))
        mine, theirs = ((one.author, one.cell.method) for one in (bundle, first))
        same = firsts.count(first)
        if first is bundle or 2 * same < len(firsts):
            return ()
        if mine == theirs and bundle.cell.seed != first.cell.seed:
            return ()
        name = first.folder.name if first.folder else first.name
        changed = "" if same == len(firsts) else ", and a few items"
        told = f"its codes are those of {shown(name, 80)}, but for the order and sign of bits"
        return (f"{told}{changed}",)


def _recompute(
    bundle: Bundle, codes: tuple[Codes, Codes], split: Split
) -> tuple[tuple[str, ...], dict[str, Scores], int]:
    problems: list[str] = []
    conventions: dict[str, Convention] = {}
    for name in bundle.scores:
        try:
            convention = Convention.parse(name)
            if why := unfit(convention, codes):
                raise InputError(f"convention '{shown(name, 60)}' {why}")
        except InputError as error:
            problems.append(str(error))
        else:
            conventions[name] = convention
    found = dict(
        zip(conventions, recomputed(bundle, codes, split, list(conventions.values())), strict=True)
    )
    wrong: list[str] = []
    right = 0
    for name, scores in found.items():
        limit = limits(split, scores.convention)
        for metric, claim in bundle.scores[name].items():
            fault = _differs(metric, claim, scores, limit)
            wrong += [f"{shown(name, 60)} {fault}"] if fault else []
            right += not fault
    if len(wrong) > _TOLD:
        wrong[_TOLD:] = [f"and {len(wrong) - _TOLD} more claims that do not fit"]
    if not problems and not wrong and not right:
        problems.append("it claims no score")
    return (*problems, *wrong), found, right


def _differs(
    metric: str, claim: float | None, scores: Scores, limit: Callable[[str], float]
) -> str:
    """Why a claim does not fit; "" where it does."""
    name = shown(metric, 40)
    if metric not in scores:
        return f"does not define the claimed {name}"
    value = scores[metric]
    if claim is None or not math.isfinite(value):
        fits = claim is None and not math.isfinite(value)
        return "" if fits else f"{name}: claimed {_number(claim)}, recomputed {_number(value)}"
    if abs(claim - value) <= TOLERANCE * max(1.0, abs(value)) + 1e-9:
        return ""
    most = limit(metric)
    above = f", above the {most:.4f} that the labels allow" if claim > most + TOLERANCE else ""
    return f"{name}: claimed {_number(claim)}{above}, recomputed {_number(value)}"


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "undefined"
    return f"{value:.6g}"


def _inside(error: InputError, folder: Path) -> str:
    """An error without the path of the folder, which stands before it anyway."""
    text, where = str(error), shown(str(folder), 200)
    return text.replace(f"{where}/", "").replace(f"{where}: ", "").replace(where, "the folder")
