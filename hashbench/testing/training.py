"""Checks of what a deep method adds to training: labels, loss state, epochs, features, views."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hashbench.items import train_from_features
from hashbench.testing.subject import Subject, require, require_same

if TYPE_CHECKING:
    from torch import Tensor

    from hashbench.training.step import Step

#: What `fit` itself leaves on a deep hasher.
_OF_FIT = {"state_", "inputs_", "history_"}


@dataclass
class Watch:
    """What was seen of one training.

    Attributes:
        still: parameters of the loss, by name, that the training left as they began.
        kept: attributes of the fitted hasher that hold modules of the loss.
        moved: attributes of the hasher that changed during training.
        written: arguments of the loss that it wrote to.
        deaf: views whose outputs the loss's gradient does not reach.
    """

    still: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)


def watch(subject: Subject) -> Watch:
    """Fit a deep hasher on the easy problem, briefly, and see what its own functions do."""
    import torch
    from torch import nn

    seen = Watch(deaf={"first", "second"})
    hasher: Any = subject.make(**subject.brief)
    loss, make_state = hasher.loss, hasher.loss_state
    began: dict[str, Any] = {}

    def watched_state(labels: Any, features: Any) -> Any:
        began["module"] = state = make_state(labels, features)
        parameters = {} if state is None else dict(state.named_parameters())
        began["parameters"] = {name: item.detach().clone() for name, item in parameters.items()}
        began["attributes"] = _attributes(hasher)
        return state

    def watched_loss(outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        given = {"outputs": outputs, "labels": labels, "step.rows": step.rows}
        given |= {"step.features": step.features, "step.second": step.second}
        before = {name: tensor.detach().clone() for name, tensor in given.items()}
        value = loss(outputs, labels, step)
        for name, tensor in given.items():
            if not torch.equal(before[name], tensor.detach()):
                seen.written.add(name)
        views = {"first": outputs, "second": step.second}
        for name in sorted(seen.deaf):
            if views[name].requires_grad and value.requires_grad:
                (slope,) = torch.autograd.grad(
                    value, views[name], retain_graph=True, allow_unused=True
                )
                if slope is not None and bool(slope.any()):
                    seen.deaf.discard(name)
        return value

    hasher.loss, hasher.loss_state = watched_loss, watched_state
    hasher.fit(subject.toy.train)
    del hasher.loss, hasher.loss_state
    after = _attributes(hasher)
    seen.moved = [
        name for name, body in after.items() if body != began["attributes"].get(name, body)
    ]
    seen.moved += sorted(after.keys() - began["attributes"].keys())
    seen.kept = [name for name, value in vars(hasher).items() if isinstance(value, nn.Module)]
    if began["module"] is not None:
        for name, item in began["module"].named_parameters():
            if torch.equal(began["parameters"][name].to(item.device), item.detach()):
                seen.still.append(name)
    return seen


def relaxation_keeps_signs(subject: Subject) -> None:
    """`relax` gives real codes of the shape and the signs of the outputs."""
    from hashbench.training.deep import DeepHasher

    hasher = subject.fitted
    if not isinstance(hasher, DeepHasher):
        return
    import torch

    sizes = torch.tensor([1e-3, 0.05, 0.3, 1.0, 3.0, 20.0])
    outputs = torch.cat([sizes, -sizes])[:, None].repeat(1, hasher.bits)
    with torch.no_grad():
        relaxed = hasher.relax(outputs.clone())
    require(
        relaxed.shape == outputs.shape and bool(((relaxed > 0) == (outputs > 0)).all()),
        "relax() gives other signs than the outputs have, or another shape: codes are the signs of "
        "the outputs wherever a model is exported, so only sizes may change",
    )


def labels_unseen(subject: Subject) -> None:
    """A method that says `supervised = False` gives the same codes whatever the labels are."""
    if subject.cls.supervised:
        return
    problem = subject.toy.train
    codes = [
        subject.encode(
            subject.fit_briefly(train_from_features(problem.features(), labels)),
            subject.toy.database,
        )
        for labels in (problem.labels, np.roll(problem.labels, 1, axis=0), 0 * problem.labels)
    ]
    for others in codes[1:]:
        require_same(
            codes[0],
            others,
            "supervised is False, and other labels give other codes: learn from features alone, "
            "or remove `supervised = False`",
        )


def loss_state_learns(subject: Subject) -> None:
    """Every parameter that `loss_state` makes is trained, and none of it is kept to encode with."""
    seen = _watched(subject)
    if seen is None:
        return
    require(
        not seen.still,
        f"training leaves {', '.join(seen.still)} of loss_state() as it began: use it in loss(), "
        "or register it as a buffer",
    )
    require(
        not seen.kept,
        f"after fit, self.{', self.'.join(seen.kept)} is a module: return it from loss_state(), "
        "find it in step.state, and encode without it, for what belongs to the loss ends with "
        "training",
    )


def training_memory(subject: Subject) -> None:
    """What changes during training is in `step.state`, where checkpoints keep it."""
    seen = _watched(subject)
    if seen is None:
        return
    require(
        not seen.moved,
        f"self.{', self.'.join(seen.moved)} changes during training, and a training that is "
        "resumed would have lost it: make it a buffer of the module that loss_state() returns, "
        "and change it there in loss() or between_epochs()",
    )


def loss_arguments_unchanged(subject: Subject) -> None:
    """The loss writes to none of its arguments: outputs, labels, rows, features, second views."""
    seen = _watched(subject)
    if seen is None:
        return
    require(
        not seen.written,
        f"loss() writes to {', '.join(sorted(seen.written))}: copy a tensor before you change it",
    )


def both_views_learn(subject: Subject) -> None:
    """A loss learns from its outputs, and with `two_views` from those of the second view too."""
    seen = _watched(subject)
    if seen is None:
        return
    require(
        "first" not in seen.deaf,
        "no gradient of loss() reaches its outputs: compute it from outputs, without detach() "
        "or sign() in the way",
    )
    require(
        "second" not in seen.deaf or not subject.cls.two_views,  # type: ignore[attr-defined]
        "two_views is True and no gradient of loss() reaches step.second: compare outputs with "
        "step.second, or remove `two_views = True`",
    )


def _watched(subject: Subject) -> Watch | None:
    """The one training that these checks share; None for a hasher that is not a `DeepHasher`."""
    from hashbench.training.deep import DeepHasher

    if not issubclass(subject.cls, DeepHasher):
        return None
    if "watch" not in vars(subject):
        vars(subject)["watch"] = watch(subject)
    return vars(subject)["watch"]


def _attributes(hasher: Any) -> dict[str, bytes]:
    """What is on a hasher, apart from the results of `fit`, as bytes to compare."""
    own = {"loss", "loss_state"} | _OF_FIT
    return {name: pickle.dumps(value) for name, value in vars(hasher).items() if name not in own}


CHECKS = (
    relaxation_keeps_signs,
    labels_unseen,
    loss_state_learns,
    training_memory,
    loss_arguments_unchanged,
    both_views_learn,
)
