"""What every cell of a run shares and no code depends on; and a cell with what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hashbench.cell import Cell
from hashbench.evaluation import Convention
from hashbench.evidence import Evidence
from hashbench.origin import Origin

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Settings:
    """What every cell of a run shares and no code depends on.

    Attributes:
        store: folder of the results.
        data_root: folder of the data sets.
        conventions: names of the evaluation conventions to compute.
        keep_relaxed: store real-valued outputs beside the codes.
        keep_hashers: store the fitted hashers.
        lookup: measure FAISS lookup within radius 2.
        device: where features are extracted, networks trained and run, and pairs counted.
        threads: CPU threads a cell may use; None leaves the default.
        plugins: plugin files to register in a worker.
    """

    store: Path
    data_root: Path
    conventions: tuple[str, ...] = ("house", "deephash")
    keep_relaxed: bool = False
    keep_hashers: bool = True
    lookup: bool = False
    device: str = "auto"
    threads: int | None = None
    plugins: tuple[Path, ...] = ()

    @property
    def parsed(self) -> list[Convention]:
        """The conventions."""
        return [Convention.parse(name) for name in self.conventions]


@dataclass(frozen=True)
class Ask:
    """A cell that was asked for.

    Attributes:
        cell: the cell.
        origin: where its hyper-parameters came from.
        dataset: its data set as the user typed it.
        place: the same with an absolute path, where it has one.
    """

    cell: Cell
    origin: Origin = field(default_factory=Origin)
    dataset: str = ""
    place: str = ""

    @property
    def opens(self) -> str:
        """What opens its data set."""
        return self.place or self.dataset or self.cell.bench.dataset


@dataclass(frozen=True)
class Task:
    """A cell to finish on data with known evidence.

    Attributes:
        ask: the cell, and how it was asked for.
        evidence: what was found.
        replaces: the store's mark of the failed or damaged record there was
            when the run was planned, "" if there was none. A record with
            another mark was written since, by another run: the cell is trained.
        trained: whether it had codes when the run was planned, and lacks scores alone.
    """

    ask: Ask
    evidence: Evidence
    replaces: str = ""
    trained: bool = False

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.ask.cell

    @cached_property
    def key(self) -> str:
        """The key of its result."""
        return self.cell.key(self.evidence)
