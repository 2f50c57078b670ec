"""Batch normalisation with frozen statistics, folded into the convolution before it.

With fixed mean and variance, normalising a convolution's output is the same
convolution with other kernels: (w * x - mean) g / s + b = (w g / s) * x +
(b - mean g / s). Both sides train the same parameters with the same gradients;
the folded one reads and writes the activations once less, which is what
training on a CPU waits for. A GPU has bandwidth to spare and waits for the
launches of its operations, which scaling the kernels adds to: there nothing is
folded.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

#: The largest difference that rounding may make, as a share of the largest output.
ROUNDING = 1e-3


class FoldedConv(nn.Module):
    """A convolution and the batch normalisation after it, whose statistics stay as they are.

    Args:
        conv: the convolution.
        norm: the normalisation of its output.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm
        # EfficientNet-Lite's convolutions pad as TensorFlow does, before they convolve.
        self.padding = getattr(conv, "static_padding", None) or nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalised outputs of the convolution."""
        return self.one_after_the_other(inputs) if inputs.is_cuda else self.in_one(inputs)

    def one_after_the_other(self, inputs: Tensor) -> Tensor:
        """The convolution, then the normalisation: two operations."""
        conv, norm = self.conv, self.norm
        outputs = conv._conv_forward(self.padding(inputs), conv.weight, conv.bias)
        return nn.functional.batch_norm(
            outputs, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )

    def in_one(self, inputs: Tensor) -> Tensor:
        """One convolution with kernels that normalise."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        mean = norm.running_mean if self.conv.bias is None else norm.running_mean - self.conv.bias
        kernels = self.conv.weight * scale[:, None, None, None]
        return self.conv._conv_forward(self.padding(inputs), kernels, norm.bias - mean * scale)


def fold(network: nn.Module, example: Tensor) -> None:
    """Fold every batch normalisation of `network` that follows a convolution, in place.

    Which ones do is seen by running it. A network that computes something else
    afterwards, because it uses a convolution's output twice or has convolutions
    of its own kind, is left as it was.

    Args:
        network: in eval mode.
        example: inputs of it, random ones rather than zeros.
    """
    with torch.inference_mode():
        before, pairs = _watch(network, example)
        for (conv, norm), owners in pairs.items():
            _replace(owners, conv, FoldedConv(conv, norm))
            _replace(owners, norm, nn.Identity())
        difference = (network(example) - before).abs().max()
    if not difference <= ROUNDING * before.abs().max():
        for (conv, norm), owners in pairs.items():
            _put_back(owners, conv, norm)


Slot = tuple[nn.Module, str, nn.Module]


def _watch(
    network: nn.Module, example: Tensor
) -> tuple[Tensor, dict[tuple[nn.Conv2d, nn.BatchNorm2d], list[Slot]]]:
    """The network's outputs, and each convolution with the normalisation that follows it."""
    made: list[tuple[Tensor, nn.Conv2d]] = []
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def after_conv(conv: nn.Conv2d, _inputs: Any, outputs: Tensor) -> None:
        made.append((outputs, conv))

    def before_norm(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        pairs.extend((conv, norm) for outputs, conv in made if outputs is inputs[0])

    handles: list[Any] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            handles.append(module.register_forward_hook(after_conv))
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            handles.append(module.register_forward_pre_hook(before_norm))
    try:
        outputs = network(example)
    finally:
        for handle in handles:
            handle.remove()
    slots = [
        (owner, name, child)
        for owner in network.modules()
        for name, child in owner.named_children()
    ]
    return outputs, {
        pair: [slot for slot in slots if slot[2] in pair] for pair in dict.fromkeys(pairs)
    }


def _replace(slots: list[Slot], old: nn.Module, new: nn.Module) -> None:
    for owner, name, child in slots:
        if child is old:
            setattr(owner, name, new)


def _put_back(slots: list[Slot], *olds: nn.Module) -> None:
    for owner, name, child in slots:
        if child in olds:
            setattr(owner, name, child)
