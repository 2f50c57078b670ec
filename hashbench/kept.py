"""What of this process a stranger's code may change while it runs, put back after it."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
    Ctrl-C among them, and timers that would ring later, but those that went before go on. A
    fork made in the block ends where the block does: one process goes on.

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
    """Send to stderr what a stranger's code in the block prints: stdout is what programs read.

    Blocks of several threads may overlap: the last that ends puts stdout back.
    """
    _aside.begin()
    try:
        yield
    finally:
        _aside.end()


class _Aside:
    """Where stdout was before blocks of `printed_aside`: the streams are the whole process's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.blocks = 0
        self.file: Any = None
        self.copy: int | None = None

    def begin(self) -> None:
        """Redirect stdout, unless another block has."""
        with self.lock:
            self.blocks += 1
            if self.blocks > 1:
                return
            _flush()
            with suppress(OSError):
                self.copy = _copy(1)
                os.dup2(2, 1)
            self.file, sys.stdout = sys.stdout, sys.stderr

    def end(self) -> None:
        """Put stdout back, unless another block goes on."""
        with self.lock:
            self.blocks -= 1
            _flush()
            if self.blocks:
                return
            sys.stdout, self.file = self.file, None
            copy, self.copy = self.copy, None
            if copy is not None:
                os.dup2(copy, 1)
                os.close(copy)


_aside = _Aside()


def _flush() -> None:
    with suppress(AttributeError, OSError, ValueError):  # it may be closed, or be none
        sys.stdout.flush()


class _Signals:
    """What signals do in this process; a timer that nobody handles raises, and does not kill."""

    def __init__(self) -> None:
        self.handlers: dict[int, Any] = {}
        self.timers: dict[str, tuple[float, float, float]] = {}
        if threading.current_thread() is not threading.main_thread():
            return  # others cannot set any
        fixed = {signal.SIGINT} | {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
        for number in signal.valid_signals() - fixed:
            self.handlers[number] = signal.getsignal(number)
        for timer, (name, clock) in _TIMERS.items():
            if not hasattr(signal, timer):
                continue
            left, interval = signal.getitimer(getattr(signal, timer))
            self.timers[timer] = clock() + left, left, interval
            rung = getattr(signal, name)
            if not left and self.handlers[rung] == signal.SIG_DFL:
                signal.signal(rung, _rings)

    def put_back(self) -> None:
        """Have them do so again: timers of before go on as if nobody had touched them."""
        for timer, (end, left, interval) in self.timers.items():
            rest = end - _TIMERS[timer][1]() if left else 0.0
            if rest <= 0:  # it has rung
                rest = interval and rest % interval
            signal.setitimer(getattr(signal, timer), rest, interval)
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)


#: Timers of the system, the signals that they ring with, and the clocks that they go by.
_TIMERS: dict[str, tuple[str, Callable[[], float]]] = {
    "ITIMER_REAL": ("SIGALRM", time.monotonic),
    "ITIMER_VIRTUAL": ("SIGVTALRM", lambda: os.times().user),
    "ITIMER_PROF": ("SIGPROF", time.process_time),
}


def _rings(number: int, _frame: object) -> None:
    raise RuntimeError(f"a timer has rung ({signal.Signals(number).name}) that nobody handles")


class _Streams:
    """The standard streams as they are, open descriptors and Python's files."""

    def __init__(self) -> None:
        with _aside.lock:
            self.files = [getattr(sys, name) for name in _STREAMS]
            if _aside.blocks:
                self.files[1] = _aside.file
            self.copies: dict[int, int] = {}
            for number in range(len(_STREAMS)) if _files_allowed() >= _FILES else ():
                with suppress(OSError):  # it is closed, or there are no more descriptors
                    self.copies[number] = _copy(_place_of(number))

    def put_back(self) -> None:
        """Have them so again; what was closed is opened again."""
        with _aside.lock:
            self._put_back()
            if _aside.blocks:  # of another thread, or around this
                _aside.file, sys.stdout = sys.stdout, sys.stderr
                if _aside.copy is not None:
                    with suppress(OSError):
                        os.dup2(2, 1)

    def _put_back(self) -> None:
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


def _place_of(number: int) -> int:
    """The descriptor that a standard stream is at."""
    return _aside.copy if number == 1 and _aside.copy is not None else number


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
