"""Counting pairs with torch: one code for GPUs and, to test it, for the CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hashbench.evaluation.words import BLOCK_BYTES, Columns, Words


def count(query: Columns, items: Columns, out: NDArray[np.int64], near: bool, device: str) -> None:
    """Add the pairs to `out`, as every `backends.PairCounter`.

    Bits become 0/1 matrices and distances |q| + |c| - 2 q.c: sums of at most
    `bits` ones, exact in half precision up to 2,048 bits; beyond, and on a CPU,
    single precision is used.
    """
    bits = 64 * len(query.codes)
    cuda = torch.device(device).type == "cuda"
    half = cuda and max(bits, 64 * len(query.labels)) <= 2048
    kind = torch.float16 if half else torch.float32
    width = out.shape[1]
    # On a GPU blocks are larger, so that each call has enough to do.
    block = BLOCK_BYTES * (8 if cuda else 1) // 32
    columns = min(items.codes.shape[1], 1 << 16)
    step = max(1, block // columns)
    result = torch.zeros(len(out) * width, dtype=torch.int64, device=device)
    for left in range(0, items.codes.shape[1], columns):
        part = slice(left, left + columns)
        codes = _matrix(items.codes[:, part], device, kind)
        labels = _labels(items.labels[:, part], items.single, device, kind)
        ones = codes.sum(1, dtype=torch.float32).to(torch.int32)
        weights = (
            None
            if items.weights is None
            else torch.from_numpy(items.weights[part]).to(device, torch.float64)
        )
        for start in range(0, len(out), step):
            rows = slice(start, min(start + step, len(out)))
            mine = _matrix(query.codes[:, rows], device, kind)
            key = (mine @ codes.T).to(torch.int32)
            key.mul_(-2).add_(ones).add_(mine.sum(1, dtype=torch.float32).to(torch.int32)[:, None])
            if near:
                key.clamp_(max=width // 2 - 1)
            my_labels = _labels(query.labels[:, rows], items.single, device, kind)
            if items.single:
                key.mul_(2).add_(my_labels[:, None] == labels)
            else:
                key.mul_(2).add_((my_labels @ labels.T) > 0)
            key.add_(torch.arange(len(mine), dtype=torch.int32, device=device)[:, None] * width)
            found = torch.bincount(
                key.ravel(),
                None if weights is None else weights.expand(len(mine), -1).reshape(-1),
                minlength=len(mine) * width,
            )
            result[rows.start * width : rows.stop * width] += found.to(torch.int64)
    out += result.cpu().numpy().reshape(out.shape)


def _labels(words: Words, single: bool, device: str, kind: torch.dtype) -> torch.Tensor:
    """Class ids `(n,)` int64, or the matrix of the bits of label words."""
    if single:
        return torch.from_numpy(np.ascontiguousarray(words[0]).view(np.int64)).to(device)
    return _matrix(words, device, kind)


def _matrix(words: Words, device: str, kind: torch.dtype) -> torch.Tensor:
    """`(words, n)` as the `(n, 64 * words)` matrix of its bits."""
    rows = np.ascontiguousarray(words.T).view(np.uint8)
    packed = torch.from_numpy(rows).to(device)
    shifts = torch.arange(8, dtype=torch.uint8, device=device)
    bits = (packed[:, :, None] >> shifts) & 1
    return bits.reshape(len(rows), -1).to(kind)
