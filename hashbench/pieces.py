"""What a hasher has learned as JSON and arrays, and back; nothing is imported by a stranger's word.

A value is itself where JSON has it, and else a table of one kind:

    {"float": "nan"}                        a float that JSON does not have
    {"array": NAME, "order": "C" or "F"}    a NumPy array
    {"scalar": NAME}                        a NumPy number
    {"tensor": NAME, "dtype": DTYPE}        a PyTorch tensor, on the CPU
    {"words": [...], "shape": [...]}        an array of texts
    {"tuple": [...]}, {"dict": [[KEY, VALUE], ...]}
    {"piece": "MODULE:CLASS", "state": {"dict": ...}}
"""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown

#: Modules whose objects may be pieces, beside the method's own; "own" stands for that.
FAMILIES = ("hashbench.baselines.", "hashbench.methods.", "hashbench.training.", "sklearn.")
OWN = "own"

#: safetensors' names of types.
DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2",
    "U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8",
}  # fmt: skip

#: Values nested deeper are no one's learned state.
DEEPEST = 20


def plain(value: Any) -> Any:
    """A hyper-parameter as JSON holds it.

    Raises:
        InputError: if it is no number, word, true/false or None.
    """
    if isinstance(value, np.generic):
        value = value.item()
    finite = not isinstance(value, float) or math.isfinite(value)
    if finite and (value is None or isinstance(value, (bool, int, float, str))):
        return value
    raise InputError(
        f"{shown(value, 40)} is no number, word, true/false or None, and no other hyper-parameter "
        "can be kept"
    )


def tensors_of(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file, each with memory of its own.

    Raises:
        Exception: if the file is damaged; safetensors checks every offset.
    """
    from safetensors import deserialize

    found = {}
    for name, tensor in deserialize(data):
        dtype = np.dtype(DTYPES[tensor["dtype"]])
        found[name] = np.frombuffer(tensor["data"], dtype).reshape(tensor["shape"]).copy()
    return found


class Packer:
    """Takes learned values apart into JSON and arrays.

    Args:
        own: the method's module, whose classes may be pieces.
        who: the method's name, for messages.

    Attributes:
        tensors: the arrays found so far, by name.
    """

    def __init__(self, own: str, who: str) -> None:
        self.own = own
        self.who = who
        self.tensors: dict[str, NDArray[Any]] = {}

    def pack(self, value: Any, name: str, depth: int = 0) -> Any:
        """JSON of a value; its arrays go to `tensors` under names that begin with `name`.

        Raises:
            InputError: for a value that cannot be kept.
        """
        if depth > DEEPEST:
            raise self._refusal(value, name, "is nested too deeply")
        if value is None or isinstance(value, (bool, int, str)) or type(value) is float:
            fits = not isinstance(value, float) or math.isfinite(value)
            return value if fits else {"float": repr(value)}
        if isinstance(value, np.ndarray):
            return self._array(value, name)
        if isinstance(value, np.generic):
            return {"scalar": self._keep(np.asarray(value), name)}
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(torch, value, name)
        if isinstance(value, (list, tuple)):
            parts = [
                self.pack(part, f"{name}.{place}", depth + 1) for place, part in enumerate(value)
            ]
            return parts if isinstance(value, list) else {"tuple": parts}
        if isinstance(value, dict):
            return self._dict(value, name, depth)
        return self._piece(value, name, depth)

    def _array(self, value: NDArray[Any], name: str) -> Any:
        if value.dtype.kind in "US" or (
            value.dtype == object and all(isinstance(word, str) for word in value.ravel())
        ):
            return {"words": [str(word) for word in value.ravel()], "shape": list(value.shape)}
        # Products of matrices may round differently in another memory order.
        fortran = value.ndim > 1 and value.flags.f_contiguous and not value.flags.c_contiguous
        kept = self._keep(value.T if fortran else value, name)
        return {"array": kept, "order": "F" if fortran else "C"}

    def _tensor(self, torch: Any, value: Any, name: str) -> Any:
        dtype = str(value.dtype).removeprefix("torch.")
        value = value.detach().cpu().contiguous()
        if value.dtype == torch.bfloat16:  # NumPy has no such type
            value = value.view(torch.int16)
        return {"tensor": self._keep(value.numpy(), name), "dtype": dtype}

    def _keep(self, array: NDArray[Any], name: str) -> str:
        if array.dtype.newbyteorder("<").str.lstrip("|<") not in {
            code.lstrip("<") for code in DTYPES.values()
        } | {"b1"}:
            raise self._refusal(array, name, f"is an array of {array.dtype}")
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        self.tensors[name] = np.ascontiguousarray(little).reshape(array.shape)
        return name

    def _dict(self, value: dict[Any, Any], name: str, depth: int) -> Any:
        pairs = []
        for key, part in value.items():
            if not isinstance(key, (str, int)):
                raise self._refusal(key, name, f"has a key of type {type(key).__name__}")
            inner = f"{name}.{key}" if name else str(key)
            pairs.append([key, self.pack(part, inner, depth + 1)])
        return {"dict": pairs}

    def _piece(self, value: Any, name: str, depth: int) -> Any:
        cls = type(value)
        module = OWN if cls.__module__ == self.own else cls.__module__
        if not allowed(cls, self.own) or not hasattr(value, "__dict__"):
            raise self._refusal(value, name, f"is of the class {cls.__module__}.{cls.__qualname__}")
        # What a class can compute again, it will.
        state = {
            key: part
            for key, part in vars(value).items()
            if not isinstance(inspect.getattr_static(cls, key, None), cached_property)
        }
        return {
            "piece": f"{module}:{cls.__qualname__}",
            "state": self.pack(state, name, depth + 1),
        }

    def _refusal(self, value: Any, name: str, what: str) -> InputError:
        return InputError(
            f"{self.who}.{name} {what} and cannot be kept in a file: let learned() return plain "
            "values and arrays, and restore() take them"
        )


class Unpacker:
    """Puts together what a `Packer` took apart.

    Args:
        own: the method's module.
        tensors: the arrays by name.
    """

    def __init__(self, own: str, tensors: dict[str, NDArray[Any]]) -> None:
        self.own = own
        self.tensors = tensors

    def unpack(self, node: Any, depth: int = 0) -> Any:
        """The value of a JSON node.

        Raises:
            ValueError: if it is none that a `Packer` makes.
            Exception: almost any, for a forged one.
        """
        if depth > 2 * DEEPEST:
            raise ValueError("it is nested too deeply")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.unpack(part, depth + 1) for part in node]
        kind = next(iter(node.keys() & _KINDS), None)
        if kind is None:
            raise ValueError(f"it holds {shown(node, 40)}")
        return getattr(self, f"_{kind}")(node, depth)

    def _float(self, node: dict[str, Any], _depth: int) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[node["float"]]

    def _array(self, node: dict[str, Any], _depth: int) -> NDArray[Any]:
        array = self.tensors[node["array"]]
        return array.T if node["order"] == "F" else array

    def _scalar(self, node: dict[str, Any], _depth: int) -> Any:
        array = self.tensors[node["scalar"]]
        if array.ndim:
            raise ValueError("a number is an array")
        return array[()]

    def _tensor(self, node: dict[str, Any], _depth: int) -> Any:
        import torch

        tensor = torch.from_numpy(self.tensors[node["tensor"]])
        if node["dtype"] == "bfloat16":
            return tensor.view(torch.bfloat16)
        if str(tensor.dtype) != f"torch.{node['dtype']}":
            raise ValueError("a tensor is of another type")
        return tensor

    def _words(self, node: dict[str, Any], _depth: int) -> NDArray[Any]:
        if not all(isinstance(word, str) for word in node["words"]):
            raise ValueError("a word is none")
        return np.array(node["words"], dtype=object).reshape(node["shape"])

    def _tuple(self, node: dict[str, Any], depth: int) -> tuple[Any, ...]:
        return tuple(self.unpack(part, depth + 1) for part in node["tuple"])

    def _dict(self, node: dict[str, Any], depth: int) -> dict[Any, Any]:
        return {key: self.unpack(part, depth + 1) for key, part in node["dict"]}

    def _piece(self, node: dict[str, Any], depth: int) -> Any:
        module, _, name = node["piece"].partition(":")
        cls = self._class(module, name)
        state = self.unpack(node["state"], depth + 1)
        if not all(isinstance(key, str) and not key.startswith("__") for key in state):
            raise ValueError("an attribute has no name")
        value: Any = object.__new__(cls)
        vars(value).update(state)
        return value

    def _class(self, module: str, name: str) -> type:
        if module != OWN and not module.startswith(FAMILIES):
            raise ValueError(f"its pieces are of the module {shown(module, 40)}")
        found = sys.modules.get(self.own) if module == OWN else importlib.import_module(module)
        cls = vars(found).get(name)
        if not inspect.isclass(cls) or not allowed(cls, self.own):
            raise ValueError(f"there is no piece {shown(name, 40)}")
        return cls


_KINDS = {"float", "array", "scalar", "tensor", "words", "tuple", "dict", "piece"}


def allowed(cls: type, own: str) -> bool:
    """Whether objects of a class may be pieces of a hasher whose module is `own`.

    Pieces of scikit-learn are its estimators; no piece is itself a hasher.
    """
    from hashbench.hasher import Hasher

    if issubclass(cls, (Hasher, type, BaseException)) or "." in cls.__qualname__:
        return False
    if cls.__module__.startswith("sklearn."):
        from sklearn.base import BaseEstimator

        return issubclass(cls, BaseEstimator)
    return cls.__module__ == own or cls.__module__.startswith(FAMILIES)
