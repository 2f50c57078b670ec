"""Markdown: pipe tables."""

from __future__ import annotations

from tabulate import tabulate

from hashbench.results.exports import Export, Tables
from hashbench.results.rows import BLOCKS
from hashbench.results.sheets import Line, Place, Sheet
from hashbench.results.sinks import for_markdown, for_terminal


def write(tables: Tables) -> str:
    """Best bold, second underlined, each table with its caption and footnotes."""
    return "\n\n".join(map(_sheet, tables.sheets)) + "\n"


def _sheet(sheet: Sheet) -> str:
    several = len({head.text for head in sheet.heads}) > 1
    header = ["method", *([""] if sheet.kinds else [])]
    header += [
        f"{for_markdown(head.text)} {head.bits} bits" if several else f"{head.bits} bits"
        for head in sheet.heads
    ]
    lines = []
    for i, line in enumerate(sheet.lines):
        if i and line.block != sheet.lines[i - 1].block:
            lines.append([""] * len(header))
        places = (_place(sheet.place(i, j)) for j in range(len(sheet.heads)))
        lines.append([_name(line), *([line.kind] if sheet.kinds else []), *places])
    grid = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    notes = [f"{place + 1}. {for_markdown(text)}" for place, text in enumerate(sheet.footnotes)]
    notes += [f"- {for_markdown(text)}" for text in sheet.remarks]
    for gap in sheet.gaps:
        # A block of code: nothing in a command may be taken for markup, or be escaped.
        commands = "\n".join(f"      {for_terminal(command)}" for command in gap.commands)
        notes.append(f"- {for_markdown(gap.sentence)} To run them:\n\n{commands}\n")
    return "\n\n".join(filter(None, [for_markdown(sheet.caption), grid, "\n".join(notes)]))


def _name(line: Line) -> str:
    apart = BLOCKS[line.block]
    return f"{for_markdown(line.text)} *({apart})*" if apart else for_markdown(line.text)


def _place(place: Place) -> str:
    marks = ",".join(str(note + 1) for note in place.notes)
    after = ("†" if place.marked else "") + (f"<sup>{marks}</sup>" if marks else "")
    if place.value is None:
        return f"–{after}"
    number = place.number
    if place.std is not None:
        number += f" ± {place.std:.{place.digits}f}"
    text = {1: "**{}**", 2: "<u>{}</u>"}.get(place.rank, "{}").format(number)
    if place.bounds is not None:
        text += " \\[{:.{d}f}, {:.{d}f}\\]".format(*place.bounds, d=place.digits)
    return text + (f" (n={place.n})" if place.n is not None else "") + after


markdown = Export(name="markdown", summary="pipe tables, as in a README", write=write)
