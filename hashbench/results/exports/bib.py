r"""What to cite, as BibTeX, collected from what methods and data sets say of themselves."""

from __future__ import annotations

from collections.abc import Iterable

from hashbench.results.exports import Export, Tables
from hashbench.results.published import references
from hashbench.results.sinks import for_bibtex


class References:
    """A bibliography: entries by key, one entry a key.

    Args:
        entries: BibTeX entries, as parts say them; those that are unsafe to typeset are left out.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._keys: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for entry in entries:
            found = for_bibtex(entry) if entry else None
            if found is None or entry in self._keys:
                continue
            key, text = found
            name, number = key, 2
            while name in self._texts:  # two parts may mean different things by one key
                name, number = f"{key}-{number}", number + 1
            self._keys[entry] = name
            self._texts[name] = text.replace(key, name, 1)

    def cite(self, entry: str) -> str:
        r"""The \cite command of an entry, empty for one that is left out."""
        return rf"\cite{{{self._keys[entry]}}}" if entry in self._keys else ""

    @property
    def text(self) -> str:
        """The whole bibliography."""
        return "\n\n".join(self._texts.values()) + "\n" if self._texts else ""


def write(tables: Tables) -> str:
    """The entries of every method and data set of the results, and of published numbers."""
    parts = {
        (kind, record.title(kind), str(record.parts.get(kind, {}).get("bibtex") or ""))
        for record in tables.records
        for kind in ("method", "dataset")
    }
    if tables.against:
        parts.update(references())
    return References(entry for _, _, entry in sorted(parts)).text


bib = Export(
    name="bib",
    summary="what to cite for the methods and data sets",
    write=write,
    needs_scores=False,
)
