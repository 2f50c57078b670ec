r"""Sheets as LaTeX: booktabs, siunitx alignment, \cite keys; a document or a fragment."""

from __future__ import annotations

import string
from collections.abc import Sequence

import pandas as pd

from hashbench.results.references import bibtex, cite
from hashbench.results.sheets import Cell, Sheet

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
\begin{adjustbox}{max width=\linewidth}
@TABULAR@\end{adjustbox}
@NOTES@\end{table*}
"""

_NOTES = r"""\par\smallskip
\begin{minipage}{\linewidth}\footnotesize
@LINES@
\end{minipage}
"""

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": r"\textbar{}", '"': "''",
    "±": r"$\pm$", "≤": r"$\leq$", "−": "$-$", "†": r"\textsuperscript{\dag}", "Δ": r"$\Delta$",
    "×": r"$\times$",
}  # fmt: skip


def document(sheets: Sequence[Sheet]) -> str:
    """A document that compiles as it is, its bibliography inside."""
    names = [name for sheet in sheets for name in _cited(sheet)]
    return _fill(
        _DOCUMENT,
        BIB=bibtex(dict.fromkeys(names)),
        PREAMBLE=PREAMBLE,
        TABLES=fragment(sheets),
    )


def fragment(sheets: Sequence[Sheet]) -> str:
    r"""One `table*` a sheet for \input; the document needs `PREAMBLE`'s packages."""
    return "\n".join(
        _fill(
            _TABLE,
            CAPTION=escape(sheet.caption),
            NAME=sheet.name,
            TABULAR=_tabular(sheet),
            NOTES=_notes(sheet),
        )
        for sheet in sheets
    )


def escape(text: str) -> str:
    """Plain text as LaTeX; what a font of pdflatex may lack becomes a question mark."""
    out = "".join(
        _SPECIAL.get(c, c if c.isascii() and (c.isprintable() or c == "\n") else _foreign(c))
        for c in text.replace("<=", "≤")
    )
    return out.replace("--", "-{}-")  # options of a command are no dashes


def _foreign(character: str) -> str:
    return character if character in "äöüÄÖÜßéèêáàâíìîóòôúùûçñÉÈÀ" else "?"


def _cited(sheet: Sheet) -> list[str]:
    return [*(row.method for row in sheet.rows), *(column.dataset for column in sheet.columns)]


def _tabular(sheet: Sheet) -> str:
    kinds = any(row.kind for row in sheet.rows)
    formats = [_format(sheet, j) for j in range(len(sheet.columns))]
    heads = [_head(escape(row.text), row.method) for row in sheet.rows]
    index = (
        pd.MultiIndex.from_arrays([heads, [escape(row.kind) for row in sheet.rows]])
        if kinds
        else pd.Index(heads)
    )
    columns = pd.MultiIndex.from_tuples(
        [
            (_head(escape(column.text), column.dataset), f"{column.bits} bits")
            for column in sheet.columns
        ]
    )
    places = [[(i, j) for j in range(len(sheet.columns))] for i in range(len(sheet.rows))]
    texts = [[_text(sheet.cell(i, j), formats[j]) for i, j in line] for line in places]
    styles = [[_style(sheet.cell(i, j)) for i, j in line] for line in places]
    frame = pd.DataFrame(texts, index=index, columns=columns)
    marks = pd.DataFrame(styles, index=index, columns=columns)
    width = 2 if kinds else 1
    latex = frame.style.apply(lambda _: marks, axis=None).to_latex(
        hrules=True,
        siunitx=True,
        multicol_align="c",
        multirow_align="naive",
        column_format="l" * width + "".join(f"S[{item}]" for item in formats),
    )
    return _with_rules(latex, sheet, width)


def _with_rules(latex: str, sheet: Sheet, width: int) -> str:
    """Rules under the data sets' names and space between methods: Styler has no such option."""
    rules, start = [], width + 1
    for dataset in dict.fromkeys(column.dataset for column in sheet.columns):
        span = sum(column.dataset == dataset for column in sheet.columns)
        rules.append(rf"\cmidrule(lr){{{start}-{start + span - 1}}}")
        start += span
    lines = latex.split("\n")
    top, body = (
        next(k for k, line in enumerate(lines) if line.startswith(rule)) + 1
        for rule in (r"\toprule", r"\midrule")
    )
    spaced = [
        "\\addlinespace\n" + line if row and sheet.rows[row - 1].text != head.text else line
        for row, (head, line) in enumerate(zip(sheet.rows, lines[body:], strict=False))
    ]
    rest = lines[body + len(sheet.rows) :]
    if width == 1:
        spaced = lines[body : body + len(sheet.rows)]
    return "\n".join([*lines[: top + 1], "".join(rules), *lines[top + 1 : body], *spaced, *rest])


def _head(text: str, name: str) -> str:
    return f"{text}~{cite(name)}" if cite(name) else text


def _format(sheet: Sheet, column: int) -> str:
    """The siunitx options that every number of a column fits in."""
    cells = [sheet.cell(i, column) for i in range(len(sheet.rows))]
    shown = [cell for cell in cells if cell.value is not None]
    whole = max((len(str(int(abs(cell.value or 0.0)))) for cell in shown), default=1)
    decimals = max((cell.digits for cell in shown), default=3)
    sign = "+" if any(cell.signed or (cell.value or 0.0) < 0 for cell in shown) else ""
    widest = max((_spread(cell) for cell in shown), key=len, default="")
    return f"table-format={sign}{whole}.{decimals}" + (
        f",table-space-text-post={{{widest}}}" if widest else ""
    )


def _spread(cell: Cell) -> str:
    return rf"\,\scriptsize$\pm$\,{cell.std:.{cell.digits}f}" if cell.std is not None else ""


def _text(cell: Cell, table_format: str) -> str:
    marks = (r"\dag{}" if cell.significant else "") + ",".join(map(_letter, cell.notes))
    after = rf"\rlap{{\textsuperscript{{{marks}}}}}" if marks else ""
    if cell.value is None:
        return f"{{--{after}}}"
    number = f"{cell.value:{'+' if cell.signed else ''}.{cell.digits}f}"
    after = _spread(cell) + after
    if cell.rank == 2:  # an S column cannot underline: the same number, aligned by hand
        options = table_format.partition(",")[0]
        return rf"{{\underline{{\tablenum[{options}]{{{number}}}}}{after}}}"
    return f"{number}{{{after}}}" if after else number


def _style(cell: Cell) -> str:
    return "bfseries:" if cell.rank == 1 and cell.value is not None else ""


def _letter(place: int) -> str:
    letters = string.ascii_lowercase
    return letters[place] if place < len(letters) else str(place + 1)


def _notes(sheet: Sheet) -> str:
    lines = [
        rf"\textsuperscript{{{_letter(place)}}}\,{escape(text)}"
        for place, text in enumerate(sheet.footnotes)
    ]
    lines += [escape(text) for text in sheet.remarks]
    if not lines:
        return ""
    return _fill(_NOTES, LINES="\\par\n".join(lines))


def _fill(template: str, **parts: str) -> str:
    for name, text in parts.items():
        template = template.replace(f"@{name}@", text)
    return template
