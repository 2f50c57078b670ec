r"""LaTeX: booktabs, siunitx alignment, \cite keys; a document or a fragment."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from itertools import groupby

from hashbench.results.exports import Export, Tables
from hashbench.results.exports.bib import References
from hashbench.results.rows import BLOCKS
from hashbench.results.sheets import Line, Place, Sheet
from hashbench.results.sinks import for_latex, for_terminal

#: What a document that takes a fragment in needs.
PREAMBLE = r"""\usepackage[utf8]{inputenc}
\usepackage{adjustbox}
\usepackage{booktabs}
\usepackage{siunitx}
"""

_DOCUMENT = r"""%% Written by hashbench. Compiles as it is with pdflatex or tectonic (run bibtex for
%% the references); `hashbench export --format latex --fragment` leaves out the frame.
\begin{filecontents*}[overwrite]{hashbench-references.bib}
@BIB@\end{filecontents*}
\documentclass{article}
\usepackage[a4paper,margin=20mm]{geometry}
@PREAMBLE@\begin{document}
@TABLES@
\bibliographystyle{plain}
\bibliography{hashbench-references}
\end{document}
"""

_TABLE = r"""\begin{table*}[htb]
\centering
\setlength{\belowcaptionskip}{6pt}
\caption{@CAPTION@}
\label{tab:@NAME@}
\sisetup{detect-weight=true,retain-explicit-plus=true}
\setlength{\tabcolsep}{4pt}
\begin{adjustbox}{max width=\linewidth,max totalheight=0.7\textheight}
@TABULAR@\end{adjustbox}
@NOTES@\end{table*}
@COMMANDS@"""

_NOTES = r"""\par\smallskip
\begin{minipage}{\linewidth}\footnotesize
@LINES@
\end{minipage}
"""


def write(tables: Tables) -> str:
    r"""A document that compiles as it is, or one `table*` a sheet for \input."""
    sheets = tables.sheets
    references = References(
        entry
        for sheet in sheets
        for entry in [*(line.bibtex for line in sheet.lines), *(h.bibtex for h in sheet.heads)]
    )
    body = "\n".join(_table(sheet, references) for sheet in sheets)
    if tables.fragment:
        return body
    return _fill(_DOCUMENT, BIB=references.text, PREAMBLE=PREAMBLE, TABLES=body)


def _table(sheet: Sheet, references: References) -> str:
    commands = [f"% {for_terminal(line)}\n" for gap in sheet.gaps for line in gap.commands]
    return _fill(
        _TABLE,
        CAPTION=for_latex(sheet.caption),
        NAME=sheet.name,
        TABULAR=_tabular(sheet, references),
        NOTES=_notes(sheet),
        COMMANDS="".join(["% To run what is missing:\n", *commands] if commands else []),
    )


def _tabular(sheet: Sheet, references: References) -> str:
    formats = [_format(sheet, j) for j in range(len(sheet.heads))]
    width = 2 if sheet.kinds else 1
    spans = [(name, len(list(found))) for name, found in groupby(sheet.heads, lambda h: h.text)]
    tops, rules, start, place = [], [], width + 1, 0
    for name, span in spans:
        head = _cited(for_latex(name), sheet.heads[place].bibtex, references)
        tops.append(rf"\multicolumn{{{span}}}{{c}}{{{head}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + span - 1}}}")
        start, place = start + span, place + span
    empty = [""] * width
    columns = [f"{{{head.bits} bits}}" for head in sheet.heads]
    lines = [
        rf"\begin{{tabular}}{{{'l' * width}{''.join(f'S[{item}]' for item in formats)}}}",
        r"\toprule",
        _row([*empty, *tops]),
        "".join(rules),
        _row([*empty, *columns]),
        r"\midrule",
    ]
    for i, line in enumerate(sheet.lines):
        before = sheet.lines[i - 1] if i else None
        if before is not None and before.block != line.block:
            lines.append(r"\midrule")
        elif before is not None and sheet.kinds and before.text != line.text:
            lines.append(r"\addlinespace")
        heads = [_name(line, references) if before is None or before.text != line.text else ""]
        heads += [for_latex(line.kind)] if sheet.kinds else []
        texts = [_place(sheet.place(i, j), item) for j, item in enumerate(formats)]
        lines.append(_row([*heads, *texts]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _row(parts: Sequence[str]) -> str:
    text = " & ".join(parts)
    # The end of the row before would take these for its own.
    return ("{}" if text[:1] in ("*", "[") else "") + text + r" \\"


def _name(line: Line, references: References) -> str:
    text = _cited(for_latex(line.text), line.bibtex, references)
    return rf"{text} \emph{{({BLOCKS[line.block]})}}" if BLOCKS[line.block] else text


def _cited(text: str, entry: str, references: References) -> str:
    cite = references.cite(entry)
    return f"{text}~{cite}" if cite else text


def _format(sheet: Sheet, column: int) -> str:
    """The siunitx options that every number of a column fits in."""
    places = [sheet.place(i, column) for i in range(len(sheet.lines))]
    shown = [place for place in places if place.value is not None]
    whole = max((len(str(int(abs(place.value or 0.0)))) for place in shown), default=1)
    decimals = max((place.digits for place in shown), default=3)
    sign = "+" if any(place.signed or (place.value or 0.0) < 0 for place in shown) else ""
    widest = max((_after(place) for place in shown), key=len, default="")
    return f"table-format={sign}{whole}.{decimals}" + (
        f",table-space-text-post={{{widest}}}" if widest else ""
    )


def _after(place: Place) -> str:
    """What follows a number in its own column: spread, bounds, seeds."""
    parts = [rf"\,\scriptsize$\pm$\,{place.std:.{place.digits}f}" if place.std is not None else ""]
    if place.bounds is not None:
        low, high = (f"{bound:.{place.digits}f}" for bound in place.bounds)
        parts.append(rf"\,\scriptsize[{low}, {high}]")
    if place.n is not None:
        parts.append(rf"\,\scriptsize($n$={place.n})")
    return "".join(parts)


def _place(place: Place, table_format: str) -> str:
    marks = (r"\dag{}" if place.marked else "") + ",".join(map(_letter, place.notes))
    after = rf"\rlap{{\textsuperscript{{{marks}}}}}" if marks else ""
    if place.value is None:
        return f"{{--{after}}}"
    after = _after(place) + after
    if place.rank == 2:  # an S column cannot underline: the same number, aligned by hand
        options = table_format.partition(",")[0]
        return rf"{{\underline{{\tablenum[{options}]{{{place.number}}}}}{after}}}"
    bold = r"\bfseries " if place.rank == 1 else ""
    return f"{bold}{place.number}{{{after}}}" if after else f"{bold}{place.number}"


def _letter(place: int) -> str:
    letters = string.ascii_lowercase
    return letters[place] if place < len(letters) else str(place + 1)


def _notes(sheet: Sheet) -> str:
    lines = [
        rf"\textsuperscript{{{_letter(place)}}}\,{for_latex(text)}"
        for place, text in enumerate(sheet.footnotes)
    ]
    lines += [for_latex(text) for text in sheet.remarks]
    lines += [for_latex(gap.sentence) for gap in sheet.gaps]
    return _fill(_NOTES, LINES="\\par\n".join(lines)) if lines else ""


def _fill(template: str, **parts: str) -> str:
    """A template with its places filled; what fills one is never searched for another."""
    return re.sub(r"@([A-Z]+)@", lambda match: parts[match[1]], template)


latex = Export(
    name="latex", summary="a document, or with --fragment a table, for papers", write=write
)
