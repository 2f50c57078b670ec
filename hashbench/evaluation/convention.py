"""A Convention: every choice a retrieval score depends on, with a name that parses back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import index
from typing import Any, Literal, get_args

from hashbench.codes import Codes
from hashbench.errors import InputError, shown, unknown

Order = Literal["expected", "best", "worst", "stable", "numpy"]
Rank = Literal["distance", "outputs", "rerank"]
Empty = Literal["zero", "drop", "database"]
Rule = Literal["zero", "drop"]
NoRelevant = Literal["zero", "drop", "nan"]
Denominator = Literal["hits", "min", "total"]
Counting = Literal["items", "hits"]
SignOfZero = Literal["negative", "positive", "zero", "symbol", "random"]
Scope = Literal["all", "ball", "list", "graded"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "order": get_args(Order),
    "rank": get_args(Rank),
    "empty": get_args(Empty),
    "nohit": get_args(Rule),
    "norelevant": get_args(NoRelevant),
    "unlabelled": get_args(Rule),
    "denominator": get_args(Denominator),
    "counting": get_args(Counting),
    "sgn0": get_args(SignOfZero),
    "scope": get_args(Scope),
}


def _fact(default: Any) -> Any:
    """A field that says where a convention comes from and changes no score."""
    return field(default=default, compare=False, kw_only=True)


@dataclass(frozen=True)
class Convention:
    """How one evaluator turns codes and labels into scores.

    Attributes:
        radius: Hamming radius of the ball metrics (`map@h<radius>` and so on).
        order: how tied items are ordered. "expected": the exact mean over all
            orders; "best" and "worst": relevant items first or last; "stable":
            as stored in the database; "numpy": as `np.argsort` of the distances
            in float64, with numpy's default kind, leaves them on this machine.
        rank: what is ranked by: the Hamming "distance"; the inner product of
            the real-valued "outputs", largest first; or the distance, and
            within a distance the outputs ("rerank").
        empty: what a query with an empty ball scores: 0, nothing (it is left
            out), or what the whole "database" in place of the ball would.
        nohit: what a query scores whose ball (or list) holds items but no
            relevant one.
        norelevant: "drop" leaves out queries without any relevant item in the
            database, whatever `empty` and `nohit` say; "zero" has no such rule;
            with "nan" such a query makes the mean undefined (0/0).
        unlabelled: "drop" leaves out queries that have no label at all.
        denominator: what average precision divides by: relevant items found
            ("hits"), relevant items that could have been found ("min": the
            smaller of all relevant and the length of the list), or all relevant
            items of the database ("total").
        cutoff: length of the ranked list: None for the whole database, -1 for
            all but the last of it (a quirk of a popular port).
        counting: what the cut-off counts: "items" of the list, or "hits", so
            that average precision is over the first of these wherever they are.
        sgn0: the code of a real output of exactly zero: bit 0, bit 1, kept as 0
            in the inner product (which gives half-integer distances), a third
            "symbol" that differs from both, or one fixed random draw.
        scope: which metrics the convention defines: within the ball, of the
            ranked list, both ("all"), or those of graded relevance.
        name: what it is called; empty for a convention of your own making.
        source: the evaluator it follows.
        differs: what that evaluator does differently from the house.
        unstable: whether that evaluator sorts ties arbitrarily, so that scores
            come with the bounds over all orders.

    Example:
        >>> import hashbench
        >>> strict = hashbench.Convention.parse("house(empty=drop,cutoff=5000)")
        >>> strict.empty, strict.cutoff, strict.denominator
        ('drop', 5000, 'hits')
        >>> str(strict)
        'house(empty=drop,cutoff=5000)'
    """

    radius: int = 2
    order: Order = "expected"
    rank: Rank = "distance"
    empty: Empty = "zero"
    nohit: Rule = "zero"
    norelevant: NoRelevant = "zero"
    unlabelled: Rule = "zero"
    denominator: Denominator = "hits"
    cutoff: int | None = None
    counting: Counting = "items"
    sgn0: SignOfZero = "negative"
    scope: Scope = "all"
    name: str = _fact("")
    source: str = _fact("")
    differs: str = _fact("")
    unstable: bool = _fact(False)

    def __post_init__(self) -> None:
        for choice, values in _CHOICES.items():
            value = getattr(self, choice)
            if not isinstance(value, str) or value not in values:
                raise unknown(f"choice of {choice}", shown(value), values)
        for number in ("radius", "cutoff"):
            value = getattr(self, number)
            if value is None and number == "cutoff":
                continue
            try:
                object.__setattr__(self, number, index(value))
            except TypeError:
                raise InputError(
                    f"a convention's {number} must be a whole number, got {shown(value, 40)}"
                ) from None
        if self.radius < 0:
            raise InputError(f"a convention's radius must be 0 or more, got {self.radius}")
        if self.cutoff is not None and self.cutoff < 1 and self.cutoff != -1:
            raise InputError(
                f"a convention's cutoff must be 1 or more, 'none' or -1, got {self.cutoff}"
            )
        if self.scope == "graded" and (self.order, self.rank) != ("expected", "distance"):
            raise InputError("graded relevance is scored with order=expected and rank=distance")
        if self.empty == "database" and self.rank == "outputs":
            raise InputError("empty=database reads the ranking by distance: leave rank=outputs out")

    @property
    def needs_relaxed(self) -> bool:
        """Whether scores cannot be computed from packed codes alone."""
        return self.rank != "distance"

    @property
    def has_ball(self) -> bool:
        """Whether it defines metrics within the Hamming ball."""
        return self.scope in ("all", "ball")

    @property
    def has_list(self) -> bool:
        """Whether it defines metrics of the ranked list."""
        return self.scope in ("all", "list")

    def main_metric(self, items: int) -> str:
        """The mean average precision that it defines first, of a database of so many items."""
        if self.has_ball:
            return f"map@h{self.radius}"
        if self.has_list:
            cut = self.cutoff is not None and 0 < self.cutoff <= items
            return f"map@{self.cutoff}" if cut else "map"
        return "wap"

    @property
    def by_storage(self) -> bool:
        """Whether it depends on more than the distance histograms."""
        return self.order in ("stable", "numpy") or self.rank != "distance"

    @property
    def choices(self) -> dict[str, Any]:
        """Every choice by name, in order."""
        return {name: getattr(self, name) for name in CHOICES}

    def applies_to(self, query: Codes, database: Codes) -> bool:
        """Whether these codes hold what the convention needs."""
        return not self._missing(query, database)

    def check(self, query: Codes, database: Codes) -> None:
        """Raise if these codes lack what the convention needs.

        Raises:
            InputError: if real-valued outputs are needed and missing.
        """
        if reason := self._missing(query, database):
            raise InputError(
                f"convention '{self}' {reason}, but these codes come without them: "
                "score at run time, store them with --keep-relaxed, or leave the convention out"
            )

    def _missing(self, query: Codes, database: Codes) -> str:
        sides = (query, database)
        if self.needs_relaxed and any(side.relaxed is None for side in sides):
            return "ranks by real-valued outputs"
        return ""

    def __str__(self) -> str:
        from hashbench.evaluation.conventions import conventions

        known = conventions()
        told = self.__dict__.get("_told")  # asked for thousands of times; a plugin may add names
        if told is None or told[0] is not known:
            told = known, self._spelt(known)
            object.__setattr__(self, "_told", told)
        return str(told[1])

    def _spelt(self, known: Mapping[str, Convention]) -> str:
        base = known.get(self.name)
        if base is None:  # what it equals, or is a change of
            base = next((item for item in known.values() if item == self), known["house"])
        changes = [
            f"{choice}={_show(value)}"
            for choice, value in self.choices.items()
            if value != getattr(base, choice)
        ]
        return f"{base.name}({','.join(changes)})" if changes else base.name

    @classmethod
    def parse(cls, text: str) -> Convention:
        """The convention a name stands for.

        Args:
            text: a name such as "deephash", or a name with changes such as
                "house(radius=3,order=best)". "order=relaxed" is the old way of
                writing "rank=outputs".

        Raises:
            InputError: for an unknown name, choice or value, with near names.
        """
        from hashbench.evaluation.conventions import conventions

        _demand_text(text)
        known = conventions()
        read = _READ.get(text)
        if read is None or read[0] is not known:
            read = _READ[text] = known, cls._read(text, known)
        return read[1]

    @classmethod
    def _read(cls, text: str, known: Mapping[str, Convention]) -> Convention:
        match = re.fullmatch(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*", text)
        if match is None:
            raise InputError(
                f"cannot read the convention '{text}': write a name such as house, "
                "or house(radius=3,order=best)"
            )
        name, changes = match.group(1), match.group(2) or ""
        if name not in known:
            raise unknown("convention", name, known)
        values: dict[str, Any] = {}
        for part in filter(None, (piece.strip() for piece in changes.split(","))):
            choice, sign, value = (piece.strip() for piece in part.partition("="))
            if (choice, value) == ("order", "relaxed"):
                choice, value = "rank", "outputs"
            if choice not in CHOICES:
                raise unknown("choice of a convention", choice, CHOICES)
            if not sign or choice in values:
                raise InputError(
                    f"convention '{text}': '{choice}' must be given once, as {choice}=..."
                )
            values[choice] = _read(choice, value)
        return replace(known[name], **values)

    @classmethod
    def parse_list(cls, text: str) -> list[Convention]:
        """The conventions of a comma-separated list of names, in order, each once.

        Raises:
            InputError: as `parse`, or if the list is empty.
        """
        _demand_text(text)
        names = [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]
        if not names:
            raise InputError("name at least one convention, such as house")
        found = [cls.parse(name) for name in names]
        return list({str(item): item for item in found}.values())


#: The choices a convention consists of, in the order they are written.
CHOICES = tuple(item.name for item in fields(Convention) if item.compare)


#: By text the named conventions there were, and what it stood for among them.
_READ: dict[str, tuple[Mapping[str, Convention], Convention]] = {}


def _demand_text(text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"conventions are named by a text such as house, got {shown(text, 40)}")


def _show(value: object) -> str:
    return "none" if value is None else str(value)


def _read(choice: str, value: str) -> object:
    if choice not in ("radius", "cutoff"):
        return value
    if choice == "cutoff" and value == "none":
        return None
    try:
        return int(value)
    except ValueError:
        raise InputError(f"a convention's {choice} must be a whole number, got '{value}'") from None
