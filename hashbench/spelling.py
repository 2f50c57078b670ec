"""Names whose letters and accents may be in one or apart: one name, however a disk spells it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from hashbench.errors import InputError, shown

#: Bytes that the name of a file or folder may have.
MOST_BYTES = 255


def composed(name: str) -> str:
    """The one spelling of a name, letters with their accents in one: what ids are made of."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class Spelling:
    """Finds files that a disk spells otherwise than a list: letters and accents apart (macOS)."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, list[str]]] = {}

    def path(self, root: Path, name: str) -> str:
        """Where the file of this name is under `root`; just there if it is nowhere.

        A text: pathlib takes apart what it is given, and hostile names have thousands of parts.

        Args:
            root: a folder.
            name: within it, composed and with `/`.

        Raises:
            InputError: if two are there that only the spelling tells apart.
        """
        if name.isascii():
            return f"{root}/{name}"
        path = str(root)
        for part in name.split("/"):
            path = f"{path}/{part if part.isascii() else self.spelt(path, part)}"
        return path

    def spelt(self, folder: str, name: str) -> str:
        """A name as `folder` has it; as it is given where nothing of it is there.

        Raises:
            InputError: if two are there that only the spelling tells apart.
        """
        if folder not in self._listed:
            listed: dict[str, list[str]] = {}
            try:
                for found in os.listdir(folder):  # noqa: PTH208 - names alone
                    if not found.isascii():
                        listed.setdefault(composed(found), []).append(found)
            except (OSError, ValueError):
                pass
            self._listed[folder] = listed
        there = self._listed[folder].get(composed(name), [name])
        if len(there) > 1:
            raise InputError(
                f"{folder} has '{shown(composed(name))}' twice, with letters and accents "
                "in one and apart: rename one of the two"
            )
        return there[0]


def in_other_case(path: Path) -> str | None:
    """A file that is there but for capital and small letters in its name or in folders of it.

    Returns:
        Its path; None where there is none, or several are.
    """
    found = Path(path.anchor)
    for part in path.parts[bool(path.anchor) :]:
        there = found / part
        if not os.path.lexists(there):
            try:
                alike = [name for name in os.listdir(found) if name.lower() == part.lower()]  # noqa: PTH208
            except (OSError, ValueError):
                return None
            if len(alike) != 1:
                return None
            there = found / alike[0]
        found = there
    return str(found) if found != path else None


def typed(path: Path | str) -> Path:
    """A path as a user typed it, as the disk spells it; `~` is the home folder.

    What is there exactly as typed is meant. Else each part may have its letters and accents
    in one or apart, and stays as typed where nothing of that name is there.

    Raises:
        InputError: if two are there, neither as typed, that only the spelling tells apart, or
            for what no disk can have.
    """
    text = os.path.expanduser(path)  # noqa: PTH111 - Path's raises where there is no such user
    longest = max(
        (len(part.encode("utf-8", "surrogatepass")) for part in Path(text).parts), default=0
    )
    if longest > MOST_BYTES or "\0" in text:
        raise InputError(
            f"'{shown(text)}' is no path: a name in it has {longest:,} bytes, and {MOST_BYTES} are "
            "possible"
            if longest > MOST_BYTES
            else f"'{shown(text)}' is no path: it has a zero byte"
        )
    if text.isascii() or os.path.lexists(text):
        return Path(text)
    whole = Path(text)
    spelling, found = Spelling(), Path(whole.anchor)
    for part in whole.parts[bool(whole.anchor) :]:
        there = found / part
        if not part.isascii() and not os.path.lexists(there):
            there = found / spelling.spelt(str(found), part)
        found = there
    return found
