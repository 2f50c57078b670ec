"""What of this process a stranger's code may change while it runs, put back after it."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hashbench.endings import end_now, only_pressed

#: The three streams that every process has, by their descriptors.
_STREAMS = ("stdin", "stdout", "stderr")

#: Open files that a system lets every process have.
_FILES = 256


@contextmanager
def kept_process() -> Iterator[None]:
    """Put back what of this process a stranger's code in the block may have changed.

    That is its folder, its mask of new files, its limits, its standard streams, what signals do,
    Ctrl-C among them, and timers that would ring later. A fork made in the block
    ends where the block does: one process goes on.

    Raises:
        NotPressed: in place of a KeyboardInterrupt that no Ctrl-C is behind.
    """
    process, folder, limits = os.getpid(), None, _limits()
    with suppress(OSError):  # it may be gone
        folder = Path.cwd()
    mask = os.umask(0)
    os.umask(mask)
    streams = _Streams()
    signals = _Signals()
    try:
        with only_pressed():
            yield
    finally:
        if os.getpid() != process:
            end_now(0)
        signals.put_back()
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)
        os.umask(mask)
        _set_limits(limits)
        streams.put_back()


@contextmanager
def printed_aside() -> Iterator[None]:
    """Send to stderr what a stranger's code in the block prints: stdout is what programs read."""
    with suppress(AttributeError, OSError, ValueError):  # it may be closed, or be none
        sys.stdout.flush()
    copy = None
    with suppress(OSError):
        copy = _copy(1)
        os.dup2(2, 1)
    before, sys.stdout = sys.stdout, sys.stderr
    try:
        yield
    finally:
        with suppress(AttributeError, OSError, ValueError):
            sys.stdout.flush()
        sys.stdout = before
        if copy is not None:
            os.dup2(copy, 1)
            os.close(copy)


class _Signals:
    """What signals do in this process; a timer that nobody handles raises, and does not kill."""

    def __init__(self) -> None:
        self.handlers: dict[int, Any] = {}
        if threading.current_thread() is not threading.main_thread():
            return  # others cannot set any
        fixed = {signal.SIGINT} | {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
        for number in signal.valid_signals() - fixed:
            self.handlers[number] = signal.getsignal(number)
        for name in _TIMERS.values():
            rung: int | None = getattr(signal, name, None)
            if rung is not None and self.handlers[rung] == signal.SIG_DFL:
                signal.signal(rung, _rings)

    def put_back(self) -> None:
        """Have them do so again, and stop every timer."""
        if not self.handlers:
            return
        for timer in _TIMERS:
            if hasattr(signal, timer):
                signal.setitimer(getattr(signal, timer), 0)
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)


#: Timers of the system, and the signals that they ring with.
_TIMERS = {"ITIMER_REAL": "SIGALRM", "ITIMER_VIRTUAL": "SIGVTALRM", "ITIMER_PROF": "SIGPROF"}


def _rings(number: int, _frame: object) -> None:
    raise RuntimeError(f"a timer has rung ({signal.Signals(number).name}) that nobody handles")


class _Streams:
    """The standard streams as they are, open descriptors and Python's files."""

    def __init__(self) -> None:
        self.files = [getattr(sys, name) for name in _STREAMS]
        self.copies: dict[int, int] = {}
        for number in range(len(_STREAMS)) if _files_allowed() >= _FILES else ():
            with suppress(OSError):  # it is closed, or there are no more descriptors
                self.copies[number] = _copy(number)

    def put_back(self) -> None:
        """Have them so again; what was closed is opened again."""
        for number, copy in self.copies.items():
            with suppress(OSError):
                if not _same(number, copy):
                    os.dup2(copy, number)
                os.close(copy)
        for number, (name, file) in enumerate(zip(_STREAMS, self.files, strict=True)):
            if file is not None and file.closed and number in self.copies:
                raw = io.FileIO(number, "w" if number else "r", closefd=False)
                file = io.TextIOWrapper(
                    io.BufferedWriter(raw) if number else io.BufferedReader(raw),
                    file.encoding,
                    "backslashreplace",
                    line_buffering=number == 2 or raw.isatty(),
                )
            setattr(sys, name, file)


def _copy(number: int) -> int:
    try:
        import fcntl
    except ImportError:
        return os.dup(number)
    # High up: streams that are closed stay so, and low numbers are for who may open few files.
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _FILES - len(_STREAMS))


def _files_allowed() -> int:
    """How many files this process may have open; no copies of streams where they are few."""
    try:
        import resource
    except ImportError:
        return _FILES
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _FILES if soft == resource.RLIM_INFINITY else soft


def _same(number: int, other: int) -> bool:
    """Whether two descriptors are of one file; a closed one is of none."""
    try:
        return os.path.sameopenfile(number, other)
    except OSError:
        return False


def _limits() -> dict[int, tuple[int, int]]:
    """What this process may use of the system, by kind; empty where there are no such limits."""
    try:
        import resource
    except ImportError:
        return {}
    kinds = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    return {kind: resource.getrlimit(kind) for kind in kinds}


def _set_limits(limits: dict[int, tuple[int, int]]) -> None:
    """Put limits back, as far as the system lets a process raise them again."""
    for kind, (soft, hard) in limits.items():
        import resource

        if resource.getrlimit(kind) != (soft, hard):
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, (soft, min(hard, resource.getrlimit(kind)[1])))
