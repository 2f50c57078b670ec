"""Deep methods that train from pixels in a second, for tests of training."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from hashbench.training.deep import DeepHasher

MODES = ("partial", "full")
each_mode = pytest.mark.parametrize("tuning", MODES)

SHORT = {"bits": 8, "seed": 1, "epochs": 3, "batch_size": 8, "side": 48}


def make(cls, tuning, **settings):
    own = {"views": 3, "unfreeze": 2} if tuning == "partial" else {}
    return cls(**{**SHORT, **own, "tuning": tuning, **settings})


@dataclass(kw_only=True, eq=False)
class Plugin(DeepHasher):
    """A method that is its loss alone."""

    name = "plugin"

    def loss(self, outputs, labels, step):
        similar = labels @ labels.T
        return (torch.tanh(outputs) @ torch.tanh(outputs).T / self.bits - similar).square().mean()
