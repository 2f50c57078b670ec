"""Names of files as strangers' lists give them."""

from __future__ import annotations

import re

from hashbench.errors import InputError, shown
from hashbench.parsing import printable

#: Bytes of the longest path that systems open, and of the longest name in one.
LONGEST_PATH, LONGEST_NAME = 4095, 255


def hidden(name: str) -> bool:
    """Whether a file or folder is none of a user's own, as `._x.jpg` in archives of a Mac is."""
    return name.startswith(".") or name in ("__MACOSX", "@eaDir")


def path_parts(path: str, where: str) -> list[str]:
    """The parts of a listed path between slashes of either kind, without `.` and empty ones.

    Args:
        path: as listed.
        where: what begins the sentence if it is refused, such as file and line.

    Raises:
        InputError: if it leads out of its folder or no file can have it.
    """
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".")]
    if not printable(path):
        fault = "holds a control character: save the list as UTF-8 text, one image a line"
    elif ".." in parts:
        fault = "leads out of the image folder: remove the '..'"
    elif not parts:
        fault = "names no file: remove it"
    elif len(path.encode()) > LONGEST_PATH or max(len(x.encode()) for x in parts) > LONGEST_NAME:
        fault = "is longer than the name of any file: shorten it"
    else:
        return parts
    raise InputError(f"{where}: '{shown(path)}' {fault}")
