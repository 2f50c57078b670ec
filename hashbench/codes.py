"""Binary codes: what every hasher returns and every evaluator reads."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import shown
from hashbench.given import given, positions

#: Bit k of a code is bit k % 8 (least significant first) of byte k // 8.
BITORDER: Final = "little"


@dataclass(frozen=True, eq=False)
class Codes:
    """`n` binary codes of `bits` bits.

    What is no code raises ValueError: it is for who wrote a method to mend, not for who runs it.

    Attributes:
        packed: `(n, ceil(bits / 8))` uint8, least significant bit first; bits
            beyond `bits` in the last byte are zero.
        bits: code length.
        relaxed: `(n, bits)` float32 real-valued outputs before binarisation, or
            None. Only conventions that re-rank by real outputs read them.
        at_zero: packed as `packed` is: 1 where the real output was exactly zero when it was
            binarised; None where none was, or none is known.

    Example:
        >>> import hashbench, numpy as np
        >>> codes = hashbench.Codes.from_real(np.array([[0.5, -2.0, 0.0], [-1.0, 3.0, 1.0]]))
        >>> codes.unpack()
        array([[1, 0, 0],
               [0, 1, 1]], dtype=uint8)
        >>> codes.packed.tolist(), codes.bits, codes.zeros
        ([[1], [6]], 3, 1)
    """

    packed: NDArray[np.uint8]
    bits: int
    relaxed: NDArray[np.float32] | None = None
    at_zero: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "bits", index(self.bits))
        except TypeError:
            raise ValueError(f"bits must be a whole number, got {shown(self.bits, 40)}") from None
        width = (self.bits + 7) // 8
        if self.bits < 1:
            raise ValueError(f"codes need at least 1 bit, got {self.bits}")
        packed = _array("packed codes", self.packed)
        if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != width:
            raise ValueError(
                f"{self.bits}-bit codes must be packed as (n, {width}) uint8, "
                f"got {packed.shape} {packed.dtype}: Codes.from_bits packs them"
            )
        if self.bits % 8 and (packed[:, -1] >> (self.bits % 8)).any():
            raise ValueError(f"{self.bits}-bit codes must leave the rest of the last byte zero")
        if self.relaxed is not None:
            relaxed = _array("relaxed outputs", self.relaxed)
            if relaxed.shape != (len(packed), self.bits) or relaxed.dtype.kind != "f":
                raise ValueError(
                    f"relaxed outputs must be ({len(packed)}, {self.bits}) float32, "
                    f"got {relaxed.shape} {relaxed.dtype}"
                )
        if self.at_zero is not None:
            zeros = _array("at_zero", self.at_zero)
            if (zeros.shape, zeros.dtype) != (packed.shape, np.uint8):
                raise ValueError("at_zero must have the shape and type of packed")

    @property
    def zeros(self) -> int:
        """How many real outputs were exactly zero when binarised."""
        return 0 if self.at_zero is None else int(np.bitwise_count(self.at_zero).sum())

    def zero_places(self) -> NDArray[np.bool_]:
        """`(n, bits)` whether the real output was exactly zero."""
        if self.at_zero is None:
            return np.zeros((len(self), self.bits), bool)
        places = np.unpackbits(self.at_zero, axis=1, count=self.bits, bitorder=BITORDER)
        return places.astype(bool)

    @classmethod
    def from_real(cls, outputs: NDArray[np.floating], *, keep_relaxed: bool = True) -> Codes:
        """Binarise `(n, bits)` real outputs: bit = 1 if x > 0 else 0.

        Raises:
            ValueError: if `outputs` is not two-dimensional, no real numbers, or holds NaN.
        """
        values = given("real outputs", outputs)
        if values.dtype.kind not in "biuf":
            raise ValueError(f"real outputs must be real numbers, got {values.dtype}")
        if values.ndim != 2:
            raise ValueError(f"real outputs must be (n, bits), got shape {values.shape}")
        if np.isnan(values).any():
            raise ValueError("real outputs hold NaN: the model has diverged")
        with np.errstate(over="ignore"):  # beyond float32's range is as far as infinity
            relaxed = values.astype(np.float32) if keep_relaxed else None
        return cls(
            packed=np.packbits(values > 0, axis=1, bitorder=BITORDER),
            bits=values.shape[1],
            relaxed=relaxed,
            at_zero=zero_mask(values),
        )

    @classmethod
    def from_bits(cls, bits: NDArray[np.generic]) -> Codes:
        """Pack `(n, bits)` values that are 0/1, False/True or -1/+1.

        Raises:
            ValueError: for anything else.
        """
        values = given("bits", bits)
        if values.ndim != 2:
            raise ValueError(f"bits must be (n, bits), got shape {values.shape}")
        wrong = values.dtype.kind not in "biufO" or not np.isin(values, (-1, 0, 1)).all()
        if wrong or ((values == 0).any() and (values == -1).any()):
            raise ValueError("bits must be 0/1 or -1/+1")
        return cls(np.packbits(values > 0, axis=1, bitorder=BITORDER), values.shape[1])

    def unpack(self) -> NDArray[np.uint8]:
        """The codes as `(n, bits)` uint8 zeros and ones."""
        return np.unpackbits(self.packed, axis=1, count=self.bits, bitorder=BITORDER)

    def signs(self) -> NDArray[np.int8]:
        """The codes as `(n, bits)` int8 -1 and +1."""
        return (self.unpack().astype(np.int8) << 1) - 1

    def __len__(self) -> int:
        return len(self.packed)

    def subset(self, rows: NDArray[np.integer]) -> Codes:
        """The codes at `rows`, in that order.

        Raises:
            InputError: if `rows` are no positions within these codes, and no mask of them.
        """
        rows = positions(rows, len(self))
        return Codes(
            self.packed[rows],
            self.bits,
            None if self.relaxed is None else self.relaxed[rows],
            None if self.at_zero is None else self.at_zero[rows],
        )

    @staticmethod
    def concatenate(parts: list[Codes]) -> Codes:
        """One `Codes` of several with the same number of bits, in order.

        Raises:
            ValueError: if `parts` is empty or their bits differ.
        """
        if not isinstance(parts, (list, tuple)) or not all(isinstance(p, Codes) for p in parts):
            raise ValueError("concatenate needs a list of Codes")
        if len({part.bits for part in parts}) != 1:
            raise ValueError("concatenate needs one or more Codes of the same number of bits")
        relaxed = [part.relaxed for part in parts if part.relaxed is not None]
        none_at_zero = all(part.at_zero is None for part in parts)
        return Codes(
            np.concatenate([part.packed for part in parts]),
            parts[0].bits,
            np.concatenate(relaxed) if len(relaxed) == len(parts) else None,
            None
            if none_at_zero
            else np.concatenate(
                [np.zeros_like(p.packed) if p.at_zero is None else p.at_zero for p in parts]
            ),
        )


def zero_mask(outputs: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    """Where `(n, bits)` real outputs are exactly zero, packed as codes are; None if nowhere."""
    places = np.asarray(outputs) == 0
    return np.packbits(places, axis=1, bitorder=BITORDER) if places.any() else None


def _array(what: str, value: Any) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{what} must be an array, got a {type(value).__name__}")
    return value
