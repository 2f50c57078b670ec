"""Entries of a board: self-contained, small, to be recomputed by whoever reads them."""

from hashbench.bundles.bundle import Bundle, Seen
from hashbench.bundles.folder import entries, open_codes, open_hasher, read, write

__all__ = ["Bundle", "Seen", "entries", "open_codes", "open_hasher", "read", "write"]
