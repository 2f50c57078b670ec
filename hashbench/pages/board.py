"""The page of a board: its entries verified, their recomputed scores, and the entries beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hashbench.bundles import Bundle, entries, open_codes
from hashbench.bundles.folder import ENTRY, FILES
from hashbench.bundles.judge import BundleJudge
from hashbench.bundles.splits import FOLDER, Splits
from hashbench.bundles.verify import Verdict, Verifier
from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.evaluation import Convention, Scores
from hashbench.evidence import Evidence
from hashbench.files import write_atomically
from hashbench.pages.places import Tick
from hashbench.results.choose import bench_key
from hashbench.results.sinks import slug
from hashbench.store import Record

#: Where the entries lie below the site.
ENTRIES = "entries"

#: Says that the folder of entries was written by this, and may be written anew.
_MARK = "WRITTEN-BY-HASHBENCH.txt"


class BoardJudge(BundleJudge):
    """Scores of entries; those that verifying them gave already are not computed again.

    Args:
        verdicts: of entries with scores, by the key of the entry.
        splits: where labels come from.
    """

    def __init__(self, verdicts: Mapping[str, Verdict], splits: Splits) -> None:
        super().__init__([v.bundle for v in verdicts.values() if v.bundle is not None], splits)
        self._verdicts = verdicts

    def scores(self, record: Record, convention: Convention) -> Scores:
        """See `BundleJudge.scores`."""
        verdict = self._verdicts.get(record.key)
        for scores in (verdict.scores or {}).values() if verdict else ():
            if scores.convention == convention and scores.convention.name == convention.name:
                return scores
        return super().scores(record, convention)


@dataclass
class Board:
    """Entries of a folder and what verifying them found.

    Attributes:
        verdicts: of the entries that are shown, by key.
        refused: the verdicts of those that are not.
        records: the shown ones, as whatever shows records wants them.
        judge: gives their scores.
        names: the folder of each below the site, by key.
    """

    verdicts: dict[str, Verdict]
    refused: list[Verdict]
    records: list[Record]
    judge: BoardJudge
    names: dict[str, str] = field(default_factory=dict)

    def codes(self, record: Record) -> tuple[Codes, Codes]:
        """The codes of an entry."""
        return open_codes(self._bundle(record.key))

    def said(self) -> list[str]:
        """What the page says of entries that it does not show."""
        return [
            f"{verdict.folder.name} is left out: "
            f"{shown('; '.join(verdict.problems) or verdict.unverified, 400)}."
            for verdict in self.refused
        ]

    def facts(self, key: str) -> dict[str, Any]:
        """What an entry says of itself beyond a record, and what was found of it."""
        bundle, verdict = self._bundle(key), self.verdicts[key]
        return {
            "author": bundle.author,
            "licence": bundle.licence,
            "pretrained_on": bundle.pretrained_on,
            "seen": asdict(bundle.seen),
            "comment": bundle.comment,
            "source": bundle.source,
            "images": bool(bundle.evidence.images),
            "folder": f"{ENTRIES}/{self.names[key]}",
            "claims": verdict.claims,
            "suspicions": list(verdict.suspicions),
        }

    def _bundle(self, key: str) -> Bundle:
        bundle = self.verdicts[key].bundle
        assert bundle is not None
        return bundle


def open_board(root: Path, data_root: Path | None, tick: Tick) -> Board:
    """Verify every entry of a folder; those that fail, or cannot be scored here, are not shown.

    Args:
        root: the folder.
        data_root: where data sets are kept.
        tick: called with what is being verified.

    Raises:
        InputError: if there is no entry in it, or none that can be shown.
    """
    found = list(entries(root))
    if not found:
        raise InputError(
            f"there is no entry in {shown(str(root), 200)}: `hashbench pack` writes some"
        )
    splits = Splits(data_root, [root, *dict.fromkeys(folder.parent for folder in found)])
    verifier = Verifier(splits)
    verdicts: dict[str, Verdict] = {}
    refused, records, names = [], [], {}
    for place, folder in enumerate(found, 1):
        tick(f"verifying {place} of {len(found)}: {folder.name}")
        verdict = verifier.verify(folder)
        if verdict.bundle is None or verdict.problems or verdict.unverified:
            refused.append(verdict)
            continue
        record = verdict.bundle.record(open_codes(verdict.bundle))
        if record.key in verdicts:
            first = verdicts[record.key].folder.name
            refused.append(Verdict(folder, problems=(f"it is of the same cell as {first}",)))
            continue
        verdicts[record.key] = verdict
        records.append(record)
        names[record.key] = slug(verdict.bundle.name, record.key)
    if not records:
        why = "; ".join(refused[0].problems) or refused[0].unverified
        raise InputError(f"no entry of {shown(str(root), 200)} can be shown: {shown(why, 300)}")
    bundles = {key: one.bundle for key, one in verdicts.items() if one.bundle is not None}
    told = told_apart(aligned(records), bundles)
    return Board(verdicts, refused, told, BoardJudge(verdicts, splits), names)


def told_apart(records: Sequence[Record], bundles: Mapping[str, Bundle]) -> list[Record]:
    """The records, where several people gave methods of their own one name, with their authors'.

    Args:
        records: of a board.
        bundles: the entries they are of, by key.
    """
    authors: dict[str, dict[str, set[str]]] = {}
    for record in records:
        by_code = authors.setdefault(record.cell.method, {})
        by_code.setdefault(record.cell.code, set()).add(bundles[record.key].author)
    found = []
    for record in records:
        method, title = record.cell.method, record.title("method")
        if len(authors[method]) > 1 and not bundles[record.key].ours:
            by = shown(", ".join(sorted(authors[method][record.cell.code])), 60)
            part = {**record.parts.get("method", {}), "title": f"{title} ({by})"}
            cell = replace(record.cell, method=f"{method} ({by})")
            record = replace(record, cell=cell, parts={**record.parts, "method": part})
        found.append(record)
    return found


def aligned(records: Sequence[Record]) -> list[Record]:
    """The records, those that say less of their images standing with those that say more.

    Who makes codes elsewhere states the digest of the split and may state nothing else; such
    entries stand in the table of the same bench and split, where there is one such table.
    """
    known: dict[tuple[str, str], set[Evidence]] = {}
    for record in records:
        if record.evidence.images:
            place = bench_key(record.cell.bench), record.evidence.split
            known.setdefault(place, set()).add(record.evidence)
    found = []
    for record in records:
        theirs = known.get((bench_key(record.cell.bench), record.evidence.split), set())
        bare = not record.evidence.images and len(theirs) == 1
        found.append(replace(record, evidence=next(iter(theirs))) if bare else record)
    return found


def check_place(out: Path, root: Path) -> None:
    """Refuse a place where a site would overwrite what it is made of, or what is not of a site.

    Args:
        out: the folder of the site.
        root: the folder that its entries are read from.

    Raises:
        InputError: if it is such a place.
    """
    kept, read = (out / ENTRIES).resolve(), root.resolve()
    if kept.exists() and not (kept / _MARK).is_file():
        raise InputError(
            f"{shown(str(out / ENTRIES), 200)} is not of a site that hashbench wrote: choose "
            "another --out"
        )
    if kept.is_relative_to(read) or read.is_relative_to(kept):
        raise InputError(
            f"the site would lie among the entries of {shown(str(root), 200)} that it is made "
            f"of, and {shown(str(out / ENTRIES), 200)} is written anew each time: choose another "
            "--out"
        )


def write_site(out: Path, page: bytes, board: Board, root: Path) -> None:
    """Write the page and the entries it shows into a folder that any page host serves.

    An older site there stays as it was until all of the new one lies beside it.

    Args:
        out: the folder; what else lies in it stays.
        page: the page.
        board: its entries.
        root: the folder they were read from, whose `splits/` go along.

    Raises:
        InputError: if it cannot be written, or `check_place` refuses it.
    """
    check_place(out, root)
    kept, made = out / ENTRIES, out / f".{ENTRIES}-{os.getpid()}"
    try:
        made.mkdir(parents=True)
        try:
            _copy_entries(made, board, root)
            (out / ".nojekyll").touch()
            write_atomically(out / "index.html", lambda stream: stream.write(page))
            if kept.is_dir():
                shutil.rmtree(kept)
            made.replace(kept)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        where = shown(str(out), 200)
        raise InputError(
            f"cannot write the site to {where} ({shown(error)}): choose another --out"
        ) from error


def _copy_entries(folder: Path, board: Board, root: Path) -> None:
    (folder / _MARK).write_text("hashbench board writes this folder anew each time.\n")
    for key, name in board.names.items():
        target = folder / name
        target.mkdir()
        for file in (ENTRY, *FILES.values()):
            if (board.verdicts[key].folder / file).is_file():
                shutil.copyfile(board.verdicts[key].folder / file, target / file)
    for path in sorted((root / FOLDER).glob("*.json.xz")):
        (folder / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / FOLDER / path.name)
