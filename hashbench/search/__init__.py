"""Indexes of codes on disk, and what is near a code in them."""

from hashbench.search.index import Index, build_index, open_index

__all__ = ["Index", "build_index", "open_index"]
