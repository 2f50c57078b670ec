"""A method that keeps the contract, and one that breaks it for every check of the kit."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
from deep_faults import DEEP_FAULTS

from hashbench import Codes, Hasher, InputError, TrainItems
from hashbench.hyper import check, whole


class Good(Hasher):
    """Ridge regression onto one random code per label."""

    name = "good"
    summary = "Ridge regression onto random codes."
    citation = "these tests"

    def __init__(self, bits=16, seed=0, ridge=0.1, mode="plain"):
        self.bits = bits
        self.seed = seed
        self.ridge = ridge
        self.mode = mode

    def fit(self, train):
        if self.bits < 1:
            raise InputError(f"bits must be at least 1, not {self.bits}")
        if not self.ridge >= 0:
            raise InputError(f"ridge must be at least 0, not {self.ridge}")
        if self.mode != "plain":
            raise InputError(f"mode must be plain, not {self.mode!r}")
        X = self._features(train)
        self.mean_ = X.mean(axis=0)
        self.weights_ = self._learn(X - self.mean_, train.labels)
        return self

    def _learn(self, X, labels):
        codes = self._generator().choice([-1.0, 1.0], (labels.shape[1], self.bits))
        gram = X.T @ X + (self.ridge * len(X) + 1e-6) * np.eye(X.shape[1])
        return np.linalg.solve(gram, X.T @ (labels @ codes))

    def _generator(self):
        return np.random.default_rng(self.seed)

    def _features(self, items):
        X = items.features().astype(np.float64)
        if not np.isfinite(X).all():
            raise InputError("the features hold NaN or infinity")
        return X

    def encode(self, items):
        if not hasattr(self, "weights_"):
            raise RuntimeError("call fit(train) first")
        return self._codes((self._features(items) - self.mean_) @ self.weights_)

    def _codes(self, outputs):
        return Codes.from_real(outputs)


class NoSeed(Good):
    def __init__(self, bits=16):
        super().__init__(bits)


class Greedy(Good):
    def __init__(self, bits=16, seed=0, **others):
        super().__init__(bits, seed, **others)


class NoDefault(Good):
    def __init__(self, ridge, bits=16, seed=0):
        super().__init__(bits, seed, ridge)


class NotJson(Good):
    def __init__(self, bits=16, seed=0, ridge=np.array(0.1)):  # noqa: B008 - the fault
        super().__init__(bits, seed, ridge)


class Speechless(Good):
    citation = ""


class OddKind(Good):
    kind = "medium"


class Converts(Good):
    def __init__(self, bits=16, seed=0, ridge=1):
        super().__init__(bits, seed, float(ridge))


class LearnsEarly(Good):
    def __init__(self, bits=16, seed=0):
        super().__init__(bits, seed)
        self.weights_ = None


class TunesItself(Good):
    def fit(self, train):
        super().fit(train)
        self.ridge = 0.5
        return self


class ReturnsNothing(Good):
    def fit(self, train):
        super().fit(train)


class OddHistory(Good):
    def fit(self, train):
        self.history_ = [{"loss": np.float32(1)}]
        return super().fit(train)


class WrongLength(Good):
    def _codes(self, outputs):
        return Codes.from_real(outputs[:, :8] if self.bits > 8 else outputs)


class RawArray(Good):
    def _codes(self, outputs):
        return outputs > 0


class OtherRelaxed(Good):
    def _codes(self, outputs):
        codes = Codes.from_real(outputs)
        return Codes(codes.packed, codes.bits, -codes.relaxed)


class Unfitted(Good):
    def encode(self, items):
        if not hasattr(self, "weights_"):
            return Codes.from_real(np.ones((len(items), self.bits)))
        return super().encode(items)


class AcceptsAnything(Good):
    def __init__(self, bits=16, seed=0, ridge=0.1):
        super().__init__(bits, seed, ridge)

    def fit(self, train):
        keep, self.ridge = self.ridge, 0.1
        super().fit(train)
        self.ridge = keep
        return self


class Unseeded(Good):
    def _generator(self):
        return np.random


class Remembers(Good):
    def _learn(self, X, labels):
        new = super()._learn(X, labels)
        return new + getattr(self, "weights_", 0)


class Shares(Good):
    shared = {}  # noqa: RUF012 - the fault under test

    def fit(self, train):
        super().fit(train)
        Shares.shared.update(weights=self.weights_[:, :1])
        return self

    def encode(self, items):
        super().encode(items)
        outputs = (self._features(items) - self.mean_) @ Shares.shared["weights"]
        return Codes.from_real(np.repeat(outputs, self.bits, axis=1))


class Scribbles(Good):
    def fit(self, train):
        super().fit(train)
        train.labels[:] = 0
        return self


class BatchStatistics(Good):
    def _codes(self, outputs):
        return Codes.from_real(outputs - np.median(outputs, axis=0))


class Sorts(Good):
    def _codes(self, outputs):
        return Codes.from_real(np.sort(outputs, axis=0))


class Peeks(Good):
    def encode(self, items):
        getattr(items, "labels", None)
        return super().encode(items)


class Cheats(Good):
    def encode(self, items):
        codes = super().encode(items)
        if isinstance(items, TrainItems):
            bits = codes.unpack()
            bits[:, : items.labels.shape[1]] = items.labels
            return Codes.from_bits(bits)
        return codes


class Constant(Good):
    def _codes(self, outputs):
        return Codes.from_real(outputs * 0 + 1)


class DeadBits(Good):
    def _codes(self, outputs):
        outputs[:, : (2 * self.bits) // 3] = 1
        return Codes.from_real(outputs)


class Shuffled(Good):
    """Rows of features and labels do not belong together: the known fault of one port."""

    def _learn(self, X, labels):
        order = np.random.default_rng(1).permutation(len(X))
        return super()._learn(X, labels[order])


class Unpicklable(Good):
    def fit(self, train):
        super().fit(train)
        self.activation_ = lambda value: value
        return self


class Process(Good):
    """Depends on something that only this process has."""

    secret = None

    def fit(self, train):
        super().fit(train)
        Process.secret = -1.0
        return self

    def _codes(self, outputs):
        return Codes.from_real(outputs * (Process.secret or 1.0))


class FitsByProcess(Good):
    def _generator(self):
        return np.random.default_rng(os.getpid())


class ScalesItsOutputs(Good):
    def _codes(self, outputs):
        return Codes.from_real(outputs / np.linalg.norm(outputs))


class CentresByTheFirst(Good):
    def fit(self, train):
        self.first_ = None
        return super().fit(train)

    def _codes(self, outputs):
        if self.first_ is None:
            self.first_ = outputs.mean(axis=0)
        return Codes.from_real(outputs - self.first_)


class FlipsAfterThree(Good):
    def encode(self, items):
        self._calls = getattr(self, "_calls", 0) + 1
        bits = super().encode(items).unpack()
        bits[:, 0] ^= self._calls > 3
        return Codes.from_bits(bits)


class LooksUpTokens(Good):
    def fit(self, train):
        self.known_ = dict(zip(train.tokens, train.labels, strict=True))
        return super().fit(train)

    def encode(self, items):
        bits = super().encode(items).unpack()
        for row, token in enumerate(items.tokens):
            if token in self.known_:
                bits[row] = np.resize(self.known_[token], self.bits)
        return Codes.from_bits(bits)


class KnowsTheTrainingSet(Good):
    def fit(self, train):
        self.labels_ = train.labels
        return super().fit(train)

    def encode(self, items):
        if hasattr(self, "labels_") and len(items) == len(self.labels_):
            return Codes.from_bits(np.resize(self.labels_, (len(items), self.bits)))
        return super().encode(items)


class LeavesFolder(Good):
    def fit(self, train):
        os.chdir("/")
        return super().fit(train)


class ThrowsSwitches(Good):
    def fit(self, train):
        np.seterr(all="ignore")
        torch.set_grad_enabled(False)
        return super().fit(train)


class NeedsDissimilar(Good):
    def _learn(self, X, labels):
        similar = (labels @ labels.T > 0).mean()
        [1 / float(similar), 1 / float(1 - similar)]
        return super()._learn(X, labels)


class NeedsSimilar(Good):
    def _learn(self, X, labels):
        similar = labels @ labels.T > 0
        1 / float(similar.sum() - np.trace(similar))
        return super()._learn(X, labels)


class NeedsBits(Good):
    def _learn(self, X, labels):
        if len(X) < self.bits:
            raise IndexError("list index out of range")
        return super()._learn(X, labels)


class NeedsThree(Good):
    def _learn(self, X, labels):
        X[2]
        return super()._learn(X, labels)


class DividesByDeviation(Good):
    def fit(self, train):
        self.deviation_ = self._features(train).std(axis=0)
        with np.errstate(all="ignore"):
            self.mean_ = train.features().mean(axis=0) / self.deviation_
            X = train.features() / self.deviation_ - self.mean_
            self.weights_ = self._learn(X, train.labels)
        return self

    def _codes(self, outputs):
        with np.errstate(all="ignore"):
            return Codes.from_real(outputs / self.deviation_.min())


class NeedsFullRank(Good):
    def _learn(self, X, labels):
        if np.linalg.matrix_rank(X) < min(X.shape[1], len(X) - 1):
            raise np.linalg.LinAlgError("Singular matrix")
        return super()._learn(X, labels)


class OneLabelOnly(Good):
    def _learn(self, X, labels):
        if (labels.sum(axis=1) != 1).any():
            raise RuntimeError("more than one label")
        return super()._learn(X, labels)


class Careless(Good):
    def _features(self, items):
        return np.nan_to_num(items.features().astype(np.float64))


#: Every check, and the classes that must fail it.
@dataclass(kw_only=True, eq=False)
class Unbounded(Good):
    bits: int = 16
    seed: int = 0
    ridge: float = 0.1
    mode: str = "plain"
    steps: int = whole(5)


@dataclass(kw_only=True, eq=False)
class BreaksAtItsBound(Unbounded):
    steps: int = whole(5, low=0)

    def fit(self, train):
        check(self)
        self.share_ = 1 / self.steps
        return super().fit(train)


FAULTS = {
    "constructor": (NoSeed, Greedy, NoDefault, NotJson),
    "description": (Speechless, OddKind),
    "hyperparameters-stored": (Converts, LearnsEarly, TunesItself),
    "fit-returns-self": (ReturnsNothing, OddHistory),
    "code-lengths": (WrongLength, RawArray, OtherRelaxed),
    "encode-before-fit": (Unfitted,),
    "bad-hyperparameters": (AcceptsAnything,),
    "deterministic": (Unseeded,),
    "fit-forgets": (Remembers,),
    "instances-independent": (Shares,),
    "inputs-unchanged": (Scribbles,),
    "batches-equal-whole": (BatchStatistics, ScalesItsOutputs),
    "order-irrelevant": (Sorts,),
    "labels-not-read": (Peeks, Cheats),
    "not-collapsed": (Constant, DeadBits),
    "beats-chance": (Shuffled,),
    "other-process": (Unpicklable, Process, FitsByProcess),
    "encode-forgets": (CentresByTheFirst, FlipsAfterThree),
    "tokens-not-read": (LooksUpTokens, KnowsTheTrainingSet),
    "process-unchanged": (LeavesFolder, ThrowsSwitches),
    "one-class": (NeedsDissimilar,),
    "all-different": (NeedsSimilar,),
    "fewer-points-than-bits": (NeedsBits,),
    "two-items": (NeedsThree,),
    "constant-feature": (DividesByDeviation,),
    "repeated-items": (NeedsFullRank,),
    "several-labels": (OneLabelOnly,),
    "declared-bounds": (Unbounded, BreaksAtItsBound),
    "nan-features": (Careless,),
    **DEEP_FAULTS,
}
