"""One root seed; every use derives its own."""

from __future__ import annotations

import hashlib


def derive(root: int, *purpose: str | int) -> int:
    """A seed in [0, 2**32) that depends on `root` and `purpose` alone.

    Hashing keeps uses independent: adding a method, a bit length or a purpose
    never changes the numbers that another one draws.
    """
    text = "\x1f".join(str(part) for part in (root, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
