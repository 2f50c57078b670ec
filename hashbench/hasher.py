"""The contract every hashing method keeps, built in or not."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from hashbench.codes import Codes
from hashbench.errors import shown
from hashbench.items import Items, TrainItems

#: The types of what a method declares of itself, and their names; what is not said may be None.
_DECLARED: Mapping[str, tuple[Any, str]] = {
    **dict.fromkeys(("title", "summary", "citation", "bibtex"), ((str, type(None)), "a text")),
    "version": ((str, int, float), "a text"),
    "year": ((int, type(None)), "a whole number"),
    "supervised": (bool, "True or False"),
    **dict.fromkeys(("space", "only_for", "test_params"), (Mapping, "a dict")),
}


class Hasher(ABC):
    """A learning-to-hash method: items go in, codes come out.

    Hyper-parameters are keyword arguments of `__init__`, stored unchanged under
    their own names; learned state ends in an underscore; a second `fit` forgets
    the first (scikit-learn's habits). Every hasher takes `bits` and `seed`.

    Class attributes:
        name: what `--methods` calls it.
        kind: "deep" methods train a head or a network with the shared trainer
            and honour the training mode; "shallow" ones learn from features only.
        title: the printed name, "" for the name itself.
        summary: one line for listings.
        citation: author, venue and year.
        year: of the citation; tables list methods by it.
        bibtex: the BibTeX entry to cite, "" for none.
        supervised: whether it learns from labels; one that does not is never shown any.
        role: a "floor" is no method of the field, but what methods are held against.
        version: raised whenever a change alters the codes it produces, so that
            stored results of the old code are not mistaken for the new one's.
        space: what `hashbench tune` tries by default, every combination of it: a list of
            values by name, or (low, high) or (low, high, "log") to be divided evenly.
        only_for: training modes in which a hyper-parameter counts, for those that
            do not count in all; elsewhere a cell leaves them out.
        test_params: hyper-parameters the conformance kit uses, where the
            defaults would take more than a second on a hundred items.

    A deep hasher may set `history_`, a list of one dict per epoch, in `fit`.

    Example:
        >>> import hashbench, numpy as np
        >>> from hashbench.items import train_from_features
        >>> class Above(hashbench.Hasher):
        ...     name = "above"
        ...
        ...     def __init__(self, *, bits=2, seed=0):
        ...         self.bits, self.seed = bits, seed
        ...
        ...     def fit(self, train):
        ...         self.mean_ = train.features().mean(axis=0)[: self.bits]
        ...         return self
        ...
        ...     def encode(self, items):
        ...         return hashbench.Codes.from_real(items.features()[:, : self.bits] - self.mean_)
        >>> train = train_from_features(np.array([[0.0, 5.0], [1.0, 3.0]]), np.eye(2))
        >>> Above().fit(train).encode(train).unpack().tolist()
        [[0, 1], [1, 0]]
    """

    name: ClassVar[str]
    kind: ClassVar[Literal["deep", "shallow"]] = "shallow"
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    year: ClassVar[int] = 0
    bibtex: ClassVar[str] = ""
    supervised: ClassVar[bool] = True
    role: ClassVar[Literal["method", "floor"]] = "method"
    version: ClassVar[str] = "1"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {}
    only_for: ClassVar[Mapping[str, Sequence[str]]] = {}
    test_params: ClassVar[Mapping[str, Any]] = {}

    bits: int
    seed: int

    @classmethod
    def check_declared(cls) -> None:
        """Refuse class attributes that are not what others read them as.

        Raises:
            TypeError: naming the first.
        """
        for attribute, (kinds, what) in _DECLARED.items():
            value = getattr(cls, attribute)
            if not isinstance(value, kinds):
                raise TypeError(f"{cls.__name__}.{attribute} is {shown(value, 40)}, and not {what}")
        for attribute, known in (("kind", ("deep", "shallow")), ("role", ("method", "floor"))):
            if getattr(cls, attribute) not in known:
                said = shown(getattr(cls, attribute), 40)
                raise TypeError(
                    f"{cls.__name__}.{attribute} is {said}, and not {' or '.join(known)}"
                )

    @abstractmethod
    def fit(self, train: TrainItems) -> Self:
        """Learn from `train.features()` (or images) and `train.labels`."""

    def precompute(self, train: TrainItems) -> None:
        """Compute and cache what fitting shares with other hashers, before any of them is fitted.

        Fitting does it too where nobody did before; most methods share nothing.
        """
        return

    @abstractmethod
    def encode(self, items: Items) -> Codes:
        """Codes of `items`, `(n, bits)`, in their order; needs no labels."""

    def learned(self) -> dict[str, Any]:
        """What a file of this hasher keeps: every attribute whose name ends in an underscore.

        Plain values, arrays, tensors, nested lists and dicts of them, and small objects
        that hold such (`hashbench/pieces.py`); empty before `fit`. A method overrides it
        to leave out what `encode` does not need.
        """
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }

    def restore(self, learned: dict[str, Any]) -> None:
        """Take up what `learned` gave, in a hasher of the same hyper-parameters.

        Raises:
            ValueError: if a name is none of learned state.
        """
        for name, value in learned.items():
            if not name.endswith("_") or name.startswith("_"):
                raise ValueError(f"{name!r} is no name of learned state")
            setattr(self, name, value)

    def feature_dim(self) -> int | None:
        """How many features an item must have, once fitted; None if it encodes from pixels."""
        dim = getattr(self, "n_features_in_", None)
        return None if dim is None else int(dim)


def code_version(cls: type[Hasher]) -> str:
    """The versions a hasher's codes depend on: its own and those of the bases it stands on.

    A base that changes gives every class that stands on it another version, whatever version
    that class has of its own.
    """
    stands_on = [base for base in reversed(cls.__mro__) if "version" in vars(base)]
    return "+".join(f"{base.__name__} {vars(base)['version']}" for base in stands_on)


def code_of(cls: type[Hasher], plugin: str = "") -> str:
    """What code a cell of a class stands on: its versions, and the digest of a plugin's files."""
    return "+".join(filter(None, (code_version(cls), plugin[:16])))


def hyperparameters(cls: type[Hasher]) -> dict[str, Any]:
    """The keyword arguments of a hasher and their defaults, without bits and seed."""
    return {
        name: None if parameter.default is inspect.Parameter.empty else parameter.default
        for name, parameter in inspect.signature(cls).parameters.items()
        if name not in {"bits", "seed"}
    }
