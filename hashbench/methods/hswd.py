"""HSWD: a quantisation term for any method, and HashNet with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from hashbench.hyper import number
from hashbench.methods.hashnet import HashNet
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class WithHSWD(DeepHasher):
    """Adds to a host's loss how far its bits are from fair coins; list it before the host.

        L = L_host + lambda mean_k W(z_.k)

    with W the squared one-dimensional Wasserstein distance between a bit's outputs in
    the batch and as many coins: sorted, the lower half against -1 and the upper half
    against +1. The authors flip the coins anew at each step; ours are as many heads as
    tails, which is their mean. In a batch of odd size the middle output goes free.

    Args:
        coins: lambda. The term balances bits within a batch: batches should be large.
    """

    coins: float = number(0.1, low=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The host's loss and the term."""
        return super().loss(outputs, labels, step) + self.coins * coin_distance(outputs)  # type: ignore[safe-super]


@dataclass(kw_only=True, eq=False)
class HashNetHSWD(WithHSWD, HashNet):
    """HashNet with HSWD's quantisation term, one of the paper's hosts.

    Args:
        coins: lambda, the weight of HSWD's term; 0 is HashNet.
    """

    name = "hashnet-hswd"
    title = "HashNet + HSWD"
    year = 2022
    summary = "HashNet, its bits held to fair coins by a Wasserstein distance"
    citation = (
        "Doan, Yang, Li: One Loss for Quantization: Deep Hashing with Discrete Wasserstein "
        "Distributional Matching. CVPR 2022"
    )
    bibtex = """@inproceedings{doan2022hswd,
  author    = {Khoa D. Doan and Peng Yang and Ping Li},
  title     = {One Loss for Quantization: Deep Hashing with Discrete {Wasserstein}
               Distributional Matching},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  pages     = {9447--9457},
  year      = {2022},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [1.5, 3.0, 5.0, 20.0],
        "coins": [0.1, 1.0],
    }


def coin_distance(outputs: Tensor) -> Tensor:
    """Mean over bits of the squared Wasserstein distance to as many -1 as +1; 0 for one item."""
    half = len(outputs) // 2
    ordered = outputs.sort(dim=0).values
    low, high = ordered[:half], ordered[len(outputs) - half :]
    total = (low + 1).square().sum() + (high - 1).square().sum()
    return total / max(2 * half * outputs.shape[1], 1)
