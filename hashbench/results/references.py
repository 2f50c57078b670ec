r"""What to cite for each method and data set, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files

#: Registered name of a method or data set -> key in references.bib.
KEYS = {
    "dch": "cao2018dch",
    "dch-released": "cao2018dch",
    "dch-q": "cao2018dch",
    "dch-c": "cao2018dch",
    "dch-e": "cao2018dch",
    "hashnet": "cao2017hashnet",
    "dhn": "zhu2016dhn",
    "dnnh": "lai2015dnnh",
    "cnnh": "xia2014cnnh",
    "sdh": "shen2015sdh",
    "ksh": "liu2012ksh",
    "bre": "kulis2009bre",
    "itq-cca": "gong2011itq",
    "lsh": "charikar2002lsh",
    "cifar10": "krizhevsky2009cifar",
    "nuswide": "chua2009nuswide",
    "coco": "lin2014coco",
    "digits": "alpaydin1998digits",
}


def cite(name: str) -> str:
    r"""The \cite command of a method or data set, empty for one we do not know."""
    return rf"\cite{{{KEYS[name]}}}" if name in KEYS else ""


def bibtex(names: Iterable[str] | None = None) -> str:
    """The BibTeX entries of some methods and data sets, or of all that we know."""
    text = files("hashbench.results").joinpath("references.bib").read_text("utf-8")
    if names is None:
        return text
    wanted = {KEYS[name] for name in names if name in KEYS}
    entries = re.split(r"\n\n(?=@)", text.strip())
    found = [entry for entry in entries if entry.split("{", 1)[1].split(",", 1)[0] in wanted]
    return "\n\n".join(found) + "\n" if found else ""
