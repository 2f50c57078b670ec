"""Checks of what codes must not depend on, and of what a hasher must leave alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.items import items_from_features
from hashbench.switches import kept_switches
from hashbench.testing.subject import Subject, require, require_same


def encode_forgets(subject: Subject) -> None:
    """A code does not depend on what was encoded before."""
    hasher = subject.fit_briefly()
    subject.encode(hasher, subject.other_toy.database)
    early = subject.encode(hasher, subject.toy.database)
    for _ in range(4):
        subject.encode(hasher, subject.toy.query)
    late = subject.encode(hasher, subject.toy.database)
    for codes in (late, subject.encode(subject.begun, subject.toy.database)):
        require_same(
            early,
            codes,
            "items get other codes after others were encoded: learn in fit() alone, and let "
            "encode() leave what it computes with as it is",
        )


def tokens_not_read(subject: Subject) -> None:
    """Training items get the same codes under other tokens, in another place, and in parts."""
    train = subject.toy.train
    features = train.features()
    moved = items_from_features(np.concatenate([features[:7], features]), "elsewhere")
    moved = moved.subset(range(7, len(moved)))
    parts = [subject.encode(subject.fitted, part) for part in moved.batches(len(train) - 20)]
    require_same(
        subject.encode(subject.fitted, train.without_labels()),
        Codes.concatenate(parts),
        "training items get other codes under other tokens, or in parts: codes must come from "
        "features or images alone; what fit() saw of single items is not to be looked up",
        rounding=True,
    )


def process_unchanged(subject: Subject) -> None:
    """Neither fit nor encode leaves a switch of the whole process thrown, or its folder changed."""
    with kept_switches():  # what libraries change when they are imported is not its doing
        subject.encode(subject.begun, subject.toy.database)
    before = _switches()
    subject.encode(subject.fit_briefly(), subject.toy.database)
    after = _switches()
    changed = [name for name, value in before.items() if after[name] != value]
    require(
        not changed,
        f"fit() or encode() changes {', '.join(changed)} of the process, where other methods run "
        "too: change it in a `with` block that puts it back, or leave it as it is",
    )


def _switches() -> dict[str, Any]:
    import torch

    return {
        "the folder": Path.cwd(),
        "the environment": dict(os.environ),
        "numpy's error state": np.geterr(),
        "torch's default type": torch.get_default_dtype(),
        "torch's gradients": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }


CHECKS = (
    encode_forgets,
    tokens_not_read,
    process_unchanged,
)
