"""Errors a user can mend, and the wording they share."""

from __future__ import annotations

import difflib
import errno
import shlex
import sys
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: one sentence saying what is wrong, where, and how to mend it.

    The command line prints the sentence alone and exits with code 2.

    Example:
        >>> import hashbench
        >>> try:
        ...     hashbench.Convention(order="bset")
        ... except hashbench.InputError as error:
        ...     print(error)
        unknown choice of order 'bset': did you mean best?
    """


def shown(value: object, longest: int = 80) -> str:
    """What a stranger's file says, fit for a sentence: short, one line, no control characters.

    Args:
        value: a text; a system's error gives its reason, anything else its `repr`.
        longest: characters that are kept.
    """
    if isinstance(value, OSError) and value.strerror:
        value = value.strerror
    try:
        text = str(value) if isinstance(value, (str, BaseException)) else repr(value)
    except Exception:  # a whole number of thousands of digits, a deep list, a `__repr__` that fails
        text = f"a {type(value).__name__} that cannot be shown"
    text = text.strip()
    if not isinstance(value, str):  # arrays are shown in lines, and errors may have no message
        text = " ".join(text.split()) or type(value).__name__
    text = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def command(*words: object) -> str:
    """A line that a shell takes as it is: `hashbench` and its words, quoted where they must be."""
    texts = ("".join(x if x.isprintable() else "?" for x in str(word)) for word in words)
    return shlex.join(["hashbench", *texts])


def installs(extra: str) -> str:
    """How to install what an optional part needs: hashbench is on no index, so from its source."""
    return f"pip install '.[{extra}]' in the folder of hashbench's source"


def python() -> str:
    """The Python that is running as a shell takes it: there may be none on the path."""
    return shlex.quote(sys.executable)


def cause(error: BaseException) -> str:
    """What a stranger's code raised, on one printable line: its type and what it says first."""
    try:
        text = str(error).strip()
    except BaseException as other:  # its own `__str__` may raise anything too
        unless_stopped(other)
        text = "its message cannot be shown"
    first = next(iter(text.splitlines()), "")
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in said)


def unless_stopped(error: BaseException) -> None:
    """Let Ctrl-C through where a stranger's code is run, which may raise anything else.

    Raises:
        KeyboardInterrupt: if that is what `error` is.
    """
    if isinstance(error, KeyboardInterrupt):
        raise error


def unless_scarce(error: BaseException) -> None:
    """Let through what says that the machine lacks something just now, of a file that may be whole.

    Raises:
        OSError: if no more files may be open, or there is no memory.
        MemoryError: likewise.
    """
    if isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    ):
        raise error


_OPEN_FILES = "it lets a process have no more files open: raise that with `ulimit -n 1024`"
_ROOM = "make room, or choose another folder"
_MEMORY = "it has not the memory: free some, or ask for fewer --workers"

#: What a system that refuses for want of something wants, by its number.
_WANTS = {
    errno.EMFILE: _OPEN_FILES,
    errno.ENFILE: _OPEN_FILES,
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: "it gives no more processes: end some, or raise the limit with `ulimit -u`",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "it lets no file become so large: raise that with `ulimit -f unlimited`",
    errno.EROFS: "choose a folder that can be written to",
    errno.EIO: "the disk fails: choose a folder on another",
}


def scarcity(error: BaseException) -> str | None:
    """The sentence for a machine that has not what was needed; None for any other error."""
    said = cause(error)
    if isinstance(error, MemoryError):
        return f"the system refuses memory ({said}): {_MEMORY.partition(': ')[2]}"
    if isinstance(error, OSError) and (wants := _WANTS.get(error.errno or 0)):
        where = f", {shown(str(error.filename))}" if error.filename else ""
        return f"the system refuses ({shown(error)}{where}): {wants}"
    if isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError):
        return (
            f"a library cannot be loaded ({said.partition(': ')[2]}): where memory is limited, as "
            "by `ulimit -v`, allow 6 GB; else install it again"
        )
    return None


#: Names of more letters than this, in all, are too many for a sentence.
LISTED = 300


def unknown(
    noun: str, name: str, known: Iterable[str], where: str = "", own: str = ""
) -> InputError:
    """The error for a name nobody registered, with the nearest known names.

    Args:
        noun: what is named.
        name: the name.
        known: those there are.
        where: the command that lists them, for where they are too many.
        own: how one of the user's own is named, where there may be such.
    """
    names = sorted(known)
    name = shown(name)
    letters = sorted(name.lower())  # a slip of two keys is the commonest of all
    swapped = [known for known in names if sorted(known) == letters]
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    near = list(dict.fromkeys([*swapped, *alike]))[:3]
    own = f" ({own})" if own else ""
    if near:
        slip = swapped or difflib.get_close_matches(name, near, cutoff=0.8)
        hint = f"did you mean {' or '.join(near)}{'' if slip else own}?"
    elif len(", ".join(names)) > LISTED:
        lists = f": `{where}` lists them" if where else ""
        hint = f"none of the {len(names):,} known names is like it{lists}{own}."
    else:
        name = shown(name, 40)  # a long list leaves little room in a sentence
        hint = f"known: {', '.join(names)}{own}." if names else f"none is known{own}."
    return InputError(f"unknown {noun} '{name}': {hint}")
