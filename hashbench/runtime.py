"""Where and how a hasher runs: never what it computes.

Hyper-parameters belong to a hasher's constructor; the device, the thread count
and the progress line do not change its codes, so they travel beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

#: Folder of the results where nobody names another.
DEFAULT_RESULTS = Path("hashbench-results")

#: CPU threads a head is trained with, and encodes with, whatever the machine and the number of
#: workers. Its matrices are small: on a busy machine a second thread is waited for far longer
#: than it helps. And sums in the order of one thread are the same whoever asks for them.
HEAD_THREADS = 1


def _silent(_fraction: float, _note: str) -> None:
    return None


def _forget(_name: str, _value: object) -> None:
    return None


@dataclass(frozen=True)
class Runtime:
    """Device, threads, progress and checkpoints of one cell.

    Attributes:
        device: "auto", "cpu", "cuda", "cuda:1" or "mps": where features are extracted,
            networks trained and run, and pairs counted.
        threads: CPU threads one cell may use; None leaves the libraries' default.
        progress: called with the share done in [0, 1] and a short note.
        checkpoints: a folder of this cell's own for resumable training, or None.
        note: called with a name and a JSON-able value that the record of the cell is to have
            of how it was computed, such as its precision.
    """

    device: str = "auto"
    threads: int | None = None
    progress: Callable[[float, str], None] = _silent
    checkpoints: Path | None = None
    note: Callable[[str, object], None] = _forget


DEFAULT = Runtime()
_current: ContextVar[Runtime] = ContextVar("hashbench_runtime", default=DEFAULT)


def current() -> Runtime:
    """The runtime of the cell being computed."""
    return _current.get()


@contextmanager
def use(runtime: Runtime) -> Iterator[Runtime]:
    """Make `runtime` the current one within the block."""
    token = _current.set(runtime)
    try:
        yield runtime
    finally:
        _current.reset(token)
