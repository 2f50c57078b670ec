"""Commands that messages suggest are commands: of a verb there is, with options it has."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import hashbench
from hashbench.cli import VERBS, group
from hashbench.errors import command

PACKAGE = Path(hashbench.__file__).parent
#: A command in the midst of a sentence, or after "Next: " at its end.
SAID = re.compile(r"`(hashbench [^`]+)`|Next: (hashbench [^`]+)$")


def texts(path: Path) -> Iterator[str]:
    """Every text of a module, with a word in the place of what is filled in."""
    tree = ast.parse(path.read_text())
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in ast.walk(node) if part is not node}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "word"
                          for part in node.values)  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in parts:
                yield node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("command", "line"):
            words = (x.value if isinstance(x, ast.Constant) else "word" for x in node.args
                     if not isinstance(x, ast.Starred))  # fmt: skip
            yield f"`hashbench {' '.join(map(str, words))}`"


def commands() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(PACKAGE)), " ".join((one or other).split()))
        for path in sorted(PACKAGE.rglob("*.py"))
        for text in texts(path)
        for one, other in SAID.findall(text)
    ]


def test_every_suggested_command_has_a_verb_and_options_that_there_are() -> None:
    found = commands()
    assert len(found) > 50
    for where, line in found:
        words = shlex.split(line)[1:]
        verb: click.Command = group
        while isinstance(verb, click.Group) and words and not words[0].startswith("-"):
            name = words.pop(0)
            if name in ("VERB", "word"):
                break
            there = verb.get_command(click.Context(verb), name)
            assert there is not None, f"{where}: {line}"
            verb = there
        else:
            known = {option for parameter in verb.params for option in parameter.opts}
            known |= {o for parameter in verb.params for o in parameter.secondary_opts} | {"--help"}
            for word in words:
                if word.startswith("--"):
                    assert word.partition("=")[0] in known, f"{where}: {line}"
    assert {line.split()[1] for _, line in found} & set(VERBS) >= {"run", "forget", "data", "tune"}


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("a b", "'a b'"), ("x;rm -rf ~", "'x;rm -rf ~'"), ("\x1b[2J", "'?[2J'"), ("dch", "dch")],
)
def test_words_of_a_suggested_command_are_quoted(word, quoted) -> None:
    assert command("run", "--methods", word) == f"hashbench run --methods {quoted}"


def test_what_nobody_ran_is_suggested_in_quotes(hashbench) -> None:
    hashbench("run", "--methods", "lsh", "--bits", "8", "--workers", "0")
    done = hashbench("export", "--format", "csv", "--methods", "$(touch x)")
    assert "`hashbench run --methods '$(touch x)'`" in done.err
