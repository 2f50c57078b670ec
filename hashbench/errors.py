"""Errors a user can mend, and the wording they share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: one sentence saying what is wrong, where, and how to mend it.

    The command line prints the sentence alone and exits with code 2.
    """


def unknown(noun: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name nobody registered, with the nearest known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"known: {', '.join(names)}." if names else "none is known."
    return InputError(f"unknown {noun} '{name}': {hint}")
