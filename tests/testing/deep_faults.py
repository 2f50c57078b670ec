"""Deep methods that break what the kit checks of training, one fault each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from hashbench import DeepHasher


@dataclass(kw_only=True, eq=False)
class Deep(DeepHasher):
    """Keeps the contract with every hook: proxies, a bank, a step between epochs, two views."""

    name = "good-deep"
    summary = "Proxies, and a bank of codes that is refreshed between epochs."
    citation = "these tests"
    two_views = True
    test_params = {"epochs": 6, "batch_size": 40}  # noqa: RUF012

    def loss_state(self, labels, features):
        state = nn.Linear(self.bits, labels.shape[1], bias=False)
        state.register_buffer("bank", torch.zeros(len(labels), self.bits))
        state.register_buffer("old", torch.zeros(len(labels), self.bits))
        return state

    def between_epochs(self, labels, step):
        step.state.old.copy_(torch.tanh(step.state.bank))

    def loss(self, outputs, labels, step):
        step.state.bank[step.rows] = outputs.detach()
        codes, others = torch.tanh(outputs), torch.tanh(step.second)
        apart = (codes - others).square().mean()
        drift = (codes - step.state.old[step.rows]).square().mean()
        logits = step.state(codes) - step.features.mean()
        targets = labels / labels.sum(1, keepdim=True).clamp(min=1)
        return functional.cross_entropy(logits, targets) + 0.1 * apart + 1e-3 * drift


class CountsLabels(Deep):
    """Says that it needs no labels and takes them on the way."""

    supervised = False
    two_views = False

    def fit(self, train):
        self.labels_ = torch.from_numpy(train.labels.astype("float32"))
        return super().fit(train)

    def loss(self, outputs, labels, step):
        targets = self.labels_[step.rows]
        return functional.cross_entropy(step.state(torch.tanh(outputs)), targets)


class IdleProxy(Deep):
    def loss_state(self, labels, features):
        state = super().loss_state(labels, features)
        state.proxies = nn.Parameter(torch.ones(3))
        return state


class KeepsItsClassifier(Deep):
    def loss_state(self, labels, features):
        self.classifier_ = super().loss_state(labels, features)
        return self.classifier_


class BankOnSelf(Deep):
    def loss(self, outputs, labels, step):
        self.bank_ = outputs.detach()
        return super().loss(outputs, labels, step)


class CountsEpochsOnSelf(Deep):
    def prepare(self, labels):
        self.rounds_ = 0

    def between_epochs(self, labels, step):
        self.rounds_ += 1


class ScribblesOnFeatures(Deep):
    def loss(self, outputs, labels, step):
        step.features.zero_()
        return super().loss(outputs, labels, step)


class ScribblesOnLabels(Deep):
    def loss(self, outputs, labels, step):
        labels /= labels.sum(1, keepdim=True).clamp(min=1) + 1
        return super().loss(outputs, labels, step)


class Deaf(Deep):
    """Learns its classifier and not its network."""

    def loss(self, outputs, labels, step):
        return super().loss(outputs.detach(), labels, step) + 0 * outputs.sum()


class OneEyed(Deep):
    def loss(self, outputs, labels, step):
        return functional.cross_entropy(step.state(torch.tanh(outputs)), labels)


#: Every check of training, and the classes that must fail it.
class ShiftsItsCodes(Deep):
    def relax(self, outputs):
        return torch.tanh(outputs - 0.3)


DEEP_FAULTS = {
    "relaxation-keeps-signs": (ShiftsItsCodes,),
    "labels-unseen": (CountsLabels,),
    "loss-state-learns": (IdleProxy, KeepsItsClassifier),
    "training-memory": (BankOnSelf, CountsEpochsOnSelf),
    "loss-arguments-unchanged": (ScribblesOnFeatures, ScribblesOnLabels),
    "both-views-learn": (Deaf, OneEyed),
}
