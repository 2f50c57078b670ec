"""What a slip in the words of a command line is told: click's sentence, and how to mend it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from hashbench.commands import kinds

#: What click says of words that no argument of the verb takes.
_EXTRA = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)


def said(error: click.ClickException) -> str:
    """The sentence for an error of click's: on one line, with what there is to choose from."""
    text = error.format_message()
    if isinstance(error, click.MissingParameter):
        verb = error.ctx.command_path if error.ctx else "hashbench"
        text = text.partition(". Choose from:")[0].rstrip(".")
        known = _choices(error.param)
        which = f" ({', '.join(known)})" if known else ""
        return f"{text}{which}: see `{verb} --help`"
    context = getattr(error, "ctx", None)
    if context is not None and (found := _EXTRA.fullmatch(text)):
        words = found[1]
        return f"'{words}' is not understood: {_meant(words, context)}"
    return text


def _choices(parameter: click.Parameter | None) -> list[str]:
    """What a parameter takes, where that is one of a few names."""
    kind = parameter.type if parameter else None
    if isinstance(kind, click.Choice):
        return [str(choice) for choice in kind.choices]
    if isinstance(kind, kinds.PartName) and kind.kind in ("plots", "exports"):
        return kinds.names_of(kind.kind)
    return []


def _meant(words: str, context: click.Context) -> str:
    """Which option words without one were probably meant for."""
    options = {name for item in context.command.params for name in item.opts}
    names = words.replace(",", " ").split()
    if "--results" in options and Path(words).is_dir():
        return f"a folder of results is named with --results {shlex.quote(words)}"
    if "--methods" in options and set(names) <= set(kinds.names_of("methods")):
        return f"methods are named with --methods {','.join(names)}"
    if all(name.isdigit() for name in names):
        return "several numbers are one word, 16,48 or, of a cell, dch:48:0"
    return f"see `{context.command_path} --help`"
