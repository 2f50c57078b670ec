"""Lists as users write them."""

from __future__ import annotations

from collections.abc import Sequence

from hashbench.errors import InputError


def parse_numbers(text: str, what: str, *, low: int, high: int) -> tuple[int, ...]:
    """`16,32` or `0-4` as whole numbers between `low` and `high`.

    Raises:
        InputError: for anything else.
    """
    numbers: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        try:
            start = int(first)
            stop = int(last) if dash else start
        except ValueError:
            raise InputError(
                f"'{part}' in {what} is not a whole number: write {what} as 16,32 or 0-2"
            ) from None
        if not (low <= start <= stop <= high):
            raise InputError(f"'{part}' in {what} is out of range: {low} to {high} are possible")
        numbers += range(start, stop + 1)
    if not numbers:
        raise InputError(f"{what} is empty: name at least one number")
    return tuple(dict.fromkeys(numbers))


def parse_names(text: str | Sequence[str]) -> tuple[str, ...]:
    """`a, b` as ("a", "b")."""
    pieces = text.split(",") if isinstance(text, str) else text
    return tuple(dict.fromkeys(filter(None, (piece.strip() for piece in pieces))))
