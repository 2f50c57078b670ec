"""Names of files as strangers' lists give them."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from hashbench.errors import InputError, shown
from hashbench.parsing import printable

#: Bytes of the longest path that systems open, and of the longest name in one.
LONGEST_PATH, LONGEST_NAME = 4095, 255


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


def composed(name: str) -> str:
    """The one spelling of a name, letters with their accents in one: what ids are made of."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class Spelling:
    """Finds files that a disk spells otherwise than a list: letters and accents apart (macOS)."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, str]] = {}

    def path(self, root: Path, name: str) -> str:
        """Where the file of this name is under `root`; just there if it is nowhere.

        A text: pathlib takes apart what it is given, and hostile names have thousands of parts.
        """
        if name.isascii():
            return f"{root}/{name}"
        path = str(root)
        for part in name.split("/"):
            there = f"{path}/{part}"
            if not part.isascii() and not os.path.lexists(there):
                there = f"{path}/{self._spelt(path).get(composed(part), part)}"
            path = there
        return path

    def _spelt(self, folder: str) -> dict[str, str]:
        if folder not in self._listed:
            try:
                names = os.listdir(folder)  # noqa: PTH208 - names alone
            except (OSError, ValueError):
                names = []
            self._listed[folder] = {composed(name): name for name in names}
        return self._listed[folder]
