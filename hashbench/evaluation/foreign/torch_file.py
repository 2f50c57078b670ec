"""Tensors that `torch.save` wrote: a tensor, or dicts and lists of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hashbench.evaluation.foreign.source import Array, Source, Variable, what

#: Dicts within dicts are followed this far, and no more tensors are listed than this.
_DEEPEST, _MOST = 3, 1000


def open_torch(path: Path) -> Source:
    """The tensors of a file by name; those of a dict within a dict as `outer.inner`.

    Nothing in the file is executed. One tensor alone is called as the file is.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is damaged, or holds anything but tensors and plain
            values.
    """
    from hashbench.tensors import load_plain

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about the age of a file
            body = load_plain(path)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # damaged archives raise almost anything
        raise ValueError(
            f"it is damaged or holds more than tensors ({type(error).__name__})"
        ) from error
    found: Source = {}
    for name, tensor in _tensors(body, path.stem, 0):
        if len(found) < _MOST:
            dtype = str(tensor.dtype).removeprefix("torch.")
            found[name] = Variable(what(tuple(tensor.shape), dtype), partial(_array, tensor))
    return found


def _tensors(body: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    import torch

    if isinstance(body, torch.Tensor):
        yield name, body
    elif depth < _DEEPEST and isinstance(body, (dict, list, tuple)):
        pairs = body.items() if isinstance(body, dict) else enumerate(body)
        for key, value in list(pairs)[:_MOST]:
            if isinstance(key, (str, int)):
                yield from _tensors(value, f"{name}.{key}" if depth else str(key), depth + 1)


def _array(tensor: Any) -> Array:
    import torch

    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise ValueError("it is no plain tensor")
    held = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > held:
        raise ValueError("it claims more values than the file holds")
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
        ids = tensor.ndim == 1 or tensor.shape[1:] == (1,)
        if ids and bool((tensor.abs() >= 256).any()):
            raise ValueError("class ids from 256 on cannot be told apart as bfloat16")
    try:
        found: Array = tensor.numpy()
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"it holds {str(tensor.dtype).removeprefix('torch.')}") from error
    return found
