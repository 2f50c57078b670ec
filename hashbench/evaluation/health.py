"""Code health: is every bit in use, or has the hasher collapsed?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.words import Words, code_words


def code_health(codes: Codes) -> dict[str, float]:
    """What a set of codes looks like, without any label.

    Returns:
        "balance": mean over bits of the share of the rarer value (best 0.5);
        "balance_worst": that of the most one-sided bit; "correlation_mean" and
        "correlation_max": absolute Pearson correlation of two different bits
        (a constant bit correlates with none); "unique": number of distinct
        codes; "entropy": of the distribution of codes, in bits (at most
        log2(n)); "zeros": real outputs that were exactly zero.

    Raises:
        ValueError: if there are no codes.
    """
    if len(codes) == 0:
        raise ValueError("code health needs at least one code")
    ones = np.zeros(codes.bits)
    both = np.zeros((codes.bits, codes.bits))
    for start in range(0, len(codes), 65536):  # bounds memory, and float32 stays exact
        part = Codes(codes.packed[start : start + 65536], codes.bits).unpack().astype(np.float32)
        ones += part.sum(axis=0)
        both += part.T @ part
    share = ones / len(codes)
    covariance = both / len(codes) - np.outer(share, share)
    deviation = np.sqrt(share * (1 - share))
    scale = np.outer(deviation, deviation)
    correlation = np.abs(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0))
    pairs = correlation[np.triu_indices(codes.bits, 1)]
    rarer = np.minimum(share, 1 - share)
    frequency = _group_sizes(code_words(codes.packed)) / len(codes)
    return {
        "balance": float(rarer.mean()),
        "balance_worst": float(rarer.min()),
        "correlation_mean": float(pairs.mean()) if len(pairs) else 0.0,
        "correlation_max": float(pairs.max()) if len(pairs) else 0.0,
        "unique": float(len(frequency)),
        "entropy": float(max(0.0, -(frequency * np.log2(frequency)).sum())),
        "zeros": float(codes.zeros),
    }


def _group_sizes(words: Words) -> NDArray[np.int64]:
    """How often each different column of `(words, n)` occurs."""
    ordered = words[:, np.lexsort(words)]
    starts = np.flatnonzero(np.r_[True, (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])
    return np.diff(np.r_[starts, words.shape[1]])
