"""Binary codes: what every hasher returns and every evaluator reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bit k of a code is bit k % 8 (least significant first) of byte k // 8.
BITORDER: Final = "little"


@dataclass(frozen=True, eq=False)
class Codes:
    """`n` binary codes of `bits` bits.

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
        width = (self.bits + 7) // 8
        if self.bits < 1:
            raise ValueError(f"codes need at least 1 bit, got {self.bits}")
        if self.packed.dtype != np.uint8 or self.packed.ndim != 2 or self.packed.shape[1] != width:
            raise ValueError(
                f"{self.bits}-bit codes must be packed as (n, {width}) uint8, "
                f"got {self.packed.shape} {self.packed.dtype}"
            )
        if self.bits % 8 and (self.packed[:, -1] >> (self.bits % 8)).any():
            raise ValueError(f"{self.bits}-bit codes must leave the rest of the last byte zero")
        if self.relaxed is not None and self.relaxed.shape != (len(self.packed), self.bits):
            raise ValueError(
                f"relaxed outputs must be ({len(self.packed)}, {self.bits}), "
                f"got {self.relaxed.shape}"
            )
        zeros = self.at_zero
        if zeros is not None and (zeros.shape, zeros.dtype) != (self.packed.shape, np.uint8):
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
        values = np.asarray(outputs)
        if values.dtype.kind not in "biuf":
            raise ValueError(f"real outputs must be real numbers, got {values.dtype}")
        if values.ndim != 2:
            raise ValueError(f"real outputs must be (n, bits), got shape {values.shape}")
        if np.isnan(values).any():
            raise ValueError("real outputs hold NaN: the model has diverged")
        return cls(
            packed=np.packbits(values > 0, axis=1, bitorder=BITORDER),
            bits=values.shape[1],
            relaxed=values.astype(np.float32) if keep_relaxed else None,
            at_zero=zero_mask(values),
        )

    @classmethod
    def from_bits(cls, bits: NDArray[np.generic]) -> Codes:
        """Pack `(n, bits)` values that are 0/1, False/True or -1/+1."""
        values = np.asarray(bits)
        if values.ndim != 2:
            raise ValueError(f"bits must be (n, bits), got shape {values.shape}")
        if not np.isin(values, (-1, 0, 1)).all() or ((values == 0).any() and (values == -1).any()):
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
        """The codes at `rows`, in that order."""
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
        if not parts or len({part.bits for part in parts}) != 1:
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
