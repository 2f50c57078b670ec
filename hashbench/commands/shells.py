"""What shells are told of completion, where click's own scripts cut names in two.

Bash takes a word apart at each colon and fish's script a name at each comma, and cells are called
`dch:48:0`, methods `dch,hashnet`.
"""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    add_completion_class,
    split_arg_string,
)


class Bash(BashComplete):
    """Completes the words of the line as typed, and answers with what bash takes for the last."""

    source_template = BashComplete.source_template.replace(
        'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
        'COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS"',
    )
    _cut = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the last, and the last."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        if line[-1:].isspace():
            words.append("")
        last = words[-1].rpartition("=")[2] if words[-1].startswith("-") else words[-1]
        if ":" in os.environ.get("COMP_WORDBREAKS", ":"):
            self._cut = last[: last.rfind(":") + 1]
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """A line for the script: the type and the value, without what stands before a colon."""
        value = str(item.value)
        return f"{item.type},{value.removeprefix(self._cut) if item.type == 'plain' else value}"


class Fish(FishComplete):
    """As click's, but a value may hold commas."""

    source_template = FishComplete.source_template.replace(
        'string split "," $completion', 'string split -m 1 "," $completion'
    )


def add() -> None:
    """Let click use these."""
    add_completion_class(Bash)
    add_completion_class(Fish)
