"""Whether what was read from a file fits a deep method: before anything of its size is built."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from hashbench.errors import shown
from hashbench.training.heads import trunk

if TYPE_CHECKING:
    from hashbench.training.deep import DeepHasher

#: Pixels a side: what no network sees, and what no image has.
LARGEST_SIDE, LARGEST_IMAGE = 2048, 2**16


def check_restored(hasher: DeepHasher) -> None:
    """Check the learned state of a hasher that was read from a file.

    Raises:
        ValueError: if it does not fit the hasher's own hyper-parameters.
        Exception: whatever building the network raises.
    """
    state, inputs = hasher.state_, hasher.inputs_
    if type(inputs) is not hasher._inputs():
        raise ValueError(f"its inputs are not those of tuning {hasher.tuning}")
    for item in fields(inputs):
        _check_input(item.name, getattr(inputs, item.name))
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise ValueError("its state is not tensors by name")
    behind = 0 if hasher.tuning == "head" else 1
    with torch.device("meta"):  # shapes alone: nothing of their size is made
        body, width = trunk(hasher.head, inputs.dim, hasher.recipe())
        head = nn.ModuleDict({str(behind): body, str(behind + 1): hasher.hash_layer(width)})
    wanted = head.state_dict()
    if not behind and wanted.keys() != state.keys():
        raise ValueError("its tensors have other names")
    for name, tensor in wanted.items():
        if name not in state or state[name].shape != tensor.shape:
            raise ValueError(f"the tensor {name} is missing or of another shape")
    if behind:
        hasher.trained_network()


def _check_input(name: str, value: object) -> None:
    if name == "network":
        fits = isinstance(value, str)
    elif name == "shape":
        fits = isinstance(value, tuple) and len(value) == 3 and all(map(_is_side, value))
    else:
        largest = LARGEST_SIDE if name == "side" else LARGEST_IMAGE
        fits = _is_side(value, largest)
    if not fits:
        raise ValueError(f"the {name} of its inputs is {shown(value, 40)}")


def _is_side(value: object, largest: int = LARGEST_IMAGE) -> bool:
    return type(value) is int and 0 < value <= largest
