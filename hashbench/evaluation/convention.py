"""A Convention: every choice a retrieval score depends on, with a name that parses back."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Literal, Self, get_args

from hashbench.codes import Codes
from hashbench.errors import InputError, unknown

Order = Literal["expected", "best", "worst", "stable", "relaxed"]
Rule = Literal["zero", "drop"]
Denominator = Literal["hits", "min", "total"]
SignOfZero = Literal["negative", "positive", "zero", "random"]
Scope = Literal["all", "ball", "list"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "order": get_args(Order),
    "empty": get_args(Rule),
    "nohit": get_args(Rule),
    "norelevant": get_args(Rule),
    "denominator": get_args(Denominator),
    "sgn0": get_args(SignOfZero),
    "scope": get_args(Scope),
}


@dataclass(frozen=True)
class Convention:
    """How one evaluator turns codes and labels into scores.

    Attributes:
        radius: Hamming radius of the ball metrics (`map@h<radius>` and so on).
        order: how items at the same distance are ordered. "expected": the exact
            mean over all orders; "best" and "worst": relevant items first or
            last; "stable": as stored in the database. "relaxed" ignores the
            distance and ranks by inner product of the real-valued outputs.
        empty: what a query with an empty ball scores: 0, or left out.
        nohit: what a query scores whose ball (or list) holds items but no
            relevant one.
        norelevant: "drop" leaves out queries without any relevant item in the
            database, whatever `empty` and `nohit` say; "zero" has no such rule.
        denominator: what average precision divides by: relevant items found
            ("hits"), relevant items that could have been found ("min": the
            smaller of all relevant and the length of the list), or all relevant
            items of the database ("total").
        cutoff: length of the ranked list: None for the whole database, -1 for
            all but the last of it (a quirk of a popular port).
        sgn0: the code of a real output of exactly zero: bit 0, bit 1, kept as 0
            (which gives half-integer distances), or one fixed random draw.
        scope: which metrics the convention defines: within the ball, of the
            ranked list, or both.
    """

    radius: int = 2
    order: Order = "expected"
    empty: Rule = "zero"
    nohit: Rule = "zero"
    norelevant: Rule = "zero"
    denominator: Denominator = "hits"
    cutoff: int | None = None
    sgn0: SignOfZero = "negative"
    scope: Scope = "all"

    def __post_init__(self) -> None:
        for knob, choices in _CHOICES.items():
            if getattr(self, knob) not in choices:
                raise unknown(f"choice of {knob}", str(getattr(self, knob)), choices)
        if self.radius < 0:
            raise InputError(f"a convention's radius must be 0 or more, got {self.radius}")
        if self.cutoff is not None and self.cutoff < 1 and self.cutoff != -1:
            raise InputError(
                f"a convention's cutoff must be 1 or more, 'none' or -1, got {self.cutoff}"
            )

    @property
    def needs_relaxed(self) -> bool:
        """Whether scores cannot be computed from packed codes alone."""
        return self.order == "relaxed"

    @property
    def has_ball(self) -> bool:
        """Whether it defines metrics within the Hamming ball."""
        return self.scope != "list"

    @property
    def has_list(self) -> bool:
        """Whether it defines metrics of the ranked list."""
        return self.scope != "ball"

    @property
    def by_storage(self) -> bool:
        """Whether it depends on more than the distance histograms."""
        return self.order in ("stable", "relaxed")

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
        if self.sgn0 != "negative" and any(s.zeros and s.relaxed is None for s in sides):
            return "codes exact zeros anew from the real-valued outputs"
        return ""

    def __str__(self) -> str:
        for name, preset in PRESETS.items():
            if preset == self:
                return name
        knobs = [
            f"{knob.name}={_show(value)}"
            for knob in fields(self)
            if (value := getattr(self, knob.name)) != knob.default
        ]
        return f"house({','.join(knobs)})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The convention a name stands for.

        Args:
            text: a preset such as "deephash", or a preset with changes such as
                "house(radius=3,order=best)".

        Raises:
            InputError: for an unknown preset, knob or choice, with near names.
        """
        match = re.fullmatch(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*", text)
        if match is None:
            raise InputError(
                f"cannot read the convention '{text}': write a name such as house, "
                "or house(radius=3,order=best)"
            )
        name, changes = match.group(1), match.group(2) or ""
        if name not in PRESETS:
            raise unknown("convention", name, PRESETS)
        values: dict[str, object] = {}
        for part in filter(None, (piece.strip() for piece in changes.split(","))):
            knob, sign, value = (piece.strip() for piece in part.partition("="))
            known = {item.name for item in fields(cls)}
            if knob not in known:
                raise unknown("choice of a convention", knob, known)
            if not sign or knob in values:
                raise InputError(f"convention '{text}': '{knob}' must be given once, as {knob}=...")
            values[knob] = _read(knob, value)
        return replace(PRESETS[name], **values)  # type: ignore[arg-type,return-value]

    @classmethod
    def parse_list(cls, text: str) -> list[Self]:
        """The conventions of a comma-separated list of names, in order, each once.

        Raises:
            InputError: as `parse`, or if the list is empty.
        """
        names = [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]
        if not names:
            raise InputError("name at least one convention, such as house")
        return list(dict.fromkeys(cls.parse(name) for name in names))


def _show(value: object) -> str:
    return "none" if value is None else str(value)


def _read(knob: str, value: str) -> object:
    if knob not in ("radius", "cutoff"):
        return value
    if knob == "cutoff" and value == "none":
        return None
    try:
        return int(value)
    except ValueError:
        raise InputError(f"a convention's {knob} must be a whole number, got '{value}'") from None


HOUSE = Convention()

#: Published evaluators by name. Where one sorts ties arbitrarily, order is
#: "stable": one of the orders it may produce, and the one a stable sort gives.
PRESETS: dict[str, Convention] = {
    "house": HOUSE,
    # thulab/DeepHash, evaluation: get_precision_recall_by_Hamming_Radius; what DCH reports.
    "deephash": Convention(order="relaxed", nohit="drop", sgn0="random", scope="ball"),
    # thulab/DeepHash, evaluation: get_precision_recall_by_Hamming_Radius_All.
    "deephash-all": Convention(order="stable", sgn0="random", scope="ball"),
    # thuml/HashNet, pytorch test.py and caffe predict of DHN: mAP over the first 5,000.
    "hashnet": Convention(
        order="stable",
        nohit="drop",
        norelevant="drop",
        cutoff=5000,
        sgn0="zero",
        scope="list",
    ),
    # thuml/HashNet, caffe: no hit in the list scores 0 unless nothing is relevant.
    "hashnet-caffe": Convention(
        order="stable", norelevant="drop", cutoff=5000, sgn0="zero", scope="list"
    ),
    # swuxyj/DeepHash-pytorch, CalcTopMap with topK = -1.
    "deephash-pytorch": Convention(order="stable", cutoff=-1, sgn0="zero", scope="list"),
    # bd622/DiscretHashing, cat_apcal.m.
    "sdh-matlab": Convention(order="stable", denominator="total", scope="list"),
    # kamwoh/orthohash, calculate_mAP over the whole database.
    "orthohash": Convention(order="stable", sgn0="zero", scope="list"),
}
