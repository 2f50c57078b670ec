"""What `torch.save` wrote: a tensor, or dicts and lists of tensors, numbers and texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hashbench.evaluation.foreign.names import meant
from hashbench.evaluation.foreign.source import Array, Source, Variable, entry, what
from hashbench.evaluation.foreign.words import of_items

#: Dicts within dicts are followed this far, and no more tensors are listed than this.
_DEEPEST, _MOST = 3, 1000

#: Tensors of a list of which each may be an array, as codes of queries and of the database are.
_FEW = 16


def open_torch(path: Path) -> Source:
    """The tensors of a file by name; those of a dict within a dict as `outer.inner`.

    A list of numbers, of texts, of numbers' lists or of tensors of one dimension is an array, too;
    where its name says nothing, each of a few tensors in it is one as well.
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
    lists: Source = {}
    for name, value in _values(body, path.stem, 0):
        if len(found) + len(lists) >= _MOST:
            break
        if isinstance(value, list):
            lists[name] = of_items(f"list of {len(value):,}", partial(_plain_items, value))
        elif isinstance(value, int):
            found[name] = entry(np.array(value))
        else:
            dtype = str(value.dtype).removeprefix("torch.")
            found[name] = Variable(what(tuple(value.shape), dtype), partial(_array, value))
    # A list that is called as a tensor is, such as the names of all classes, is left.
    taken = {meant(name) for name in found} - {None}
    return found | {name: item for name, item in lists.items() if meant(name) not in taken}


def _values(body: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Tensors, lists that may be arrays, and the number of bits, each with its name."""
    import torch

    if isinstance(body, torch.Tensor) or (name == "bits" and type(body) is int):
        yield name, body
        return
    if isinstance(body, (list, tuple)) and _is_array(body, name, alone=not depth):
        yield name, list(body)
        if meant(name) is not None or len(body) > _FEW:
            return
        body = [item if isinstance(item, torch.Tensor) else None for item in body]
    if depth < _DEEPEST and isinstance(body, (dict, list, tuple)):
        pairs = body.items() if isinstance(body, dict) else enumerate(body)
        for key, value in list(pairs)[:_MOST]:
            if isinstance(key, (str, int)):
                yield from _values(value, f"{name}.{key}" if depth else str(key), depth + 1)


def _is_array(items: Any, name: str, *, alone: bool) -> bool:
    """Whether a list is one array, rather than several tensors that each are one.

    Matrices are batches where the list's name says what they are and they are equally wide.
    What is `alone` in its file has the file's name.
    """
    import torch

    if not items or any(isinstance(item, dict) or _holds_tensors(item) for item in items):
        return False
    if alone and meant(name) is None and any(isinstance(item, torch.Tensor) for item in items):
        return False
    tensors = [item for item in items if isinstance(item, torch.Tensor) and item.ndim > 1]
    batches = len(tensors) == len(items) and len({item.shape[1:] for item in tensors}) == 1
    return not tensors or (batches and meant(name) is not None)


def _holds_tensors(item: Any) -> bool:
    import torch

    return isinstance(item, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in item)


def _plain_items(items: list[Any]) -> list[Any]:
    import torch

    return [_array(item) if isinstance(item, torch.Tensor) else item for item in items]


def _array(tensor: Any) -> Array:
    """A tensor of a stranger's file as NumPy's array.

    Raises:
        ValueError: if it is of another layout, claims more than the file holds, or has a type
            that NumPy has not.
    """
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
