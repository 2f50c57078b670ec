"""A new method's file, from a template that passes the conformance kit."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from string import Template

from hashbench.errors import InputError, shown

KINDS = ("deep", "shallow")


def scaffold(name: str, kind: str, file: str) -> str:
    """The text of a commented method.

    Args:
        name: the method's name, such as "my-hash".
        kind: "deep" or "shallow".
        file: the file it will be saved as, for the commands in its comments.

    Raises:
        InputError: if `name` cannot be a method's name.
    """
    if keyword.iskeyword(name):
        raise InputError(
            f"'{name}' cannot be a method's name, for it is a word of Python: add another to it, "
            f"as in {name}-hash"
        )
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name):
        raise InputError(
            f"'{shown(name)}' cannot be a method's name: use small letters, digits and dashes, "
            "as in my-hash"
        )
    text = (files("hashbench.testing") / "templates" / f"{kind}.py.txt").read_text("utf-8")
    cls = "".join(part.capitalize() for part in re.split("[-_]", name))
    return Template(text).substitute(name=name, cls=cls, file=file)
