"""Whether a stranger's code may end this process, or end a command as if Ctrl-C had been pressed.

An end of the system's kind, `os._exit(0)`, leaves no trace: whoever waits for the command reads
that it succeeded. Here it becomes an exception as any other. What ends a process from outside of
Python, such as a library that crashes, is seen by the process that waits for it.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from hashbench.errors import cause
from hashbench.parsing import plain

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

#: Ends this process at once, whatever is guarded.
end_now = os._exit

#: Signals that a process outlives that has no handler for them.
_HARMLESS = {"SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"}


class NotPressed(RuntimeError):  # noqa: N818 - what it says is that it is no Ctrl-C
    """A stranger's code raised KeyboardInterrupt, and nobody had pressed Ctrl-C."""


@contextmanager
def only_pressed() -> Iterator[None]:
    """Let a KeyboardInterrupt out of the block if Ctrl-C was pressed in it, and only then.

    What a stranger's code makes of one that was pressed does not count: it goes on as one. The
    handler of Ctrl-C is put back.

    Raises:
        NotPressed: in place of a KeyboardInterrupt that was raised like any error.
        KeyboardInterrupt: if Ctrl-C was pressed.
    """
    pressed = False
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if main else signal.SIG_IGN
    if callable(before):
        handle: Callable[..., Any] = before

        def press(*given: Any) -> None:
            nonlocal pressed
            pressed = True
            handle(*given)

        signal.signal(signal.SIGINT, press)
    try:
        yield
    except BaseException as error:
        known = before is not None  # else the handler is not Python's, and says nothing to us
        interrupt = isinstance(error, KeyboardInterrupt)
        if pressed and not interrupt:
            raise KeyboardInterrupt from error
        if interrupt and known and not pressed:
            said = f"{cause(error)}, though nobody pressed Ctrl-C"
            raise NotPressed(said).with_traceback(error.__traceback__) from error
        raise
    else:
        if pressed:
            raise KeyboardInterrupt
    finally:
        if main and before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def no_sudden_end(*, threads: bool = False) -> Iterator[None]:
    """Make of what would end this process at once, or replace it, a SystemExit in the block.

    Args:
        threads: whether other threads are kept from it too, not only this one.
    """
    guard = (os.getpid(), None if threads else threading.get_ident())
    found = [] if _guards else [item for item in _ENDS if hasattr(item[0], item[1])]
    reals = [getattr(module, name) for module, name, _ in found]
    _guards.append(guard)
    for (module, name, ends), real in zip(found, reals, strict=True):
        setattr(module, name, _guarded(f"{module.__name__}.{name}", real, ends))
    try:
        yield
    finally:
        _guards.remove(guard)
        for (module, name, _), real in zip(found, reals, strict=True):
            setattr(module, name, real)


#: Process and thread (None for any) of every block of `no_sudden_end` that is going on.
_guards: list[tuple[int, int | None]] = []


def _guarded(name: str, real: Callable[..., Any], ends: Callable[..., bool]) -> Callable[..., Any]:
    def end(*given: Any, **named: Any) -> Any:
        here = os.getpid()  # a fork's child may end as it likes
        held = any(here == p and t in (None, threading.get_ident()) for p, t in _guards)
        if held and ends(*given, **named):
            said = ", ".join(map(str, given)) if name.rpartition(".")[2] in _TOLD else "..."
            raise SystemExit(f"{name}({said}) would have ended this process")
        return real(*given, **named)

    return end


#: Seconds that threads have to end, once they are told to.
_GRACE = 3.0

#: What strangers' code has left running in this process, which would wait for it at its end.
_left: list[threading.Thread | BaseProcess] = []


@contextmanager
def watched_threads() -> Iterator[None]:
    """Know what a stranger's code in the block leaves running, for `end_for_good`."""
    before = _running()
    try:
        yield
    finally:
        _left.extend(one for one in _running() if one not in before)


def _running() -> list[threading.Thread | BaseProcess]:
    import multiprocessing

    threads = [one for one in threading.enumerate() if not one.daemon]
    return [*threads, *multiprocessing.active_children()]


def end_for_good(code: int) -> NoReturn:
    """End this process without waiting for what strangers' code has left running in it."""
    if end_left():
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # it may be closed, or be none
                stream.flush()
        end_now(code)
    sys.exit(code)


def end_left() -> bool:
    """End what strangers' code has left running in this process; whether a thread goes on.

    Its end would wait for that one.
    """
    threads = [one for one in _left if isinstance(one, threading.Thread) and one.is_alive()]
    if threads:
        _end_pools(threads)
    held = any(one.is_alive() for one in threads)
    for one in _left:
        if isinstance(one, threading.Thread):
            continue
        of_joblib = type(one).__module__.startswith("joblib")
        # Python ends daemons at its end, and joblib its own: where there is such an end.
        if held or not (one.daemon or of_joblib):
            with suppress(OSError):
                one.terminate() if of_joblib else one.kill()  # theirs have no kill
    return held


def _end_pools(threads: list[threading.Thread]) -> None:
    """Let threads of pools end that have nothing to do: Python has them end with the process."""
    from concurrent.futures import Executor

    for one in gc.get_objects():
        if issubclass(type(one), Executor):
            with suppress(Exception):  # it may be made by halves
                one.shutdown(wait=False)
    until = time.monotonic() + _GRACE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


@contextmanager
def watched_exits(stranger: str) -> Iterator[None]:
    """Let what is registered in the block for this process's end neither end nor fail it.

    Args:
        stranger: what the names of the modules begin with that are meant.
    """
    real = atexit.register

    def register(function: Callable[..., Any], /, *given: Any, **named: Any) -> Callable[..., Any]:
        asked = str(sys._getframe(1).f_globals.get("__name__", ""))
        if asked.startswith(stranger):
            real(_at_the_end, asked, function, given, named)
        else:
            real(function, *given, **named)
        return function

    atexit.register = register
    try:
        yield
    finally:
        atexit.register = real


def _at_the_end(asked: str, function: Callable[..., Any], given: Any, named: Any) -> None:
    where = getattr(sys.modules.get(asked), "__file__", asked)
    try:
        with no_sudden_end():
            function(*given, **named)
    except BaseException as error:  # it may raise anything, and all is done
        said = f"what {plain(str(where))} left for the end fails: {cause(error)}"
        with suppress(Exception):  # it may have closed the stream
            sys.stderr.write(f"hashbench: {said}\n")


def _always(*_: Any, **__: Any) -> bool:
    return True


def _fatal(number: int) -> bool:
    kind = signal.Signals(number) if number in set(signal.Signals) else None
    if kind is None or kind.name in _HARMLESS:
        return False
    return kind == signal.SIGINT or signal.getsignal(kind) is signal.SIG_DFL


def _at_us(pid: int, number: int) -> bool:
    group = os.getpgrp() if hasattr(os, "getpgrp") else pid
    return pid in (os.getpid(), 0, -1, -group) and _fatal(number)


def _at_our_group(group: int, number: int) -> bool:
    return group in (0, os.getpgrp()) and _fatal(number)


#: Where those of the system are: `os` has them from a module of its own.
_SYSTEM = (os, *(sys.modules[name] for name in ("posix", "nt") if name in sys.modules))

#: What ends or replaces a process, and when.
_ENDS: tuple[tuple[Any, str, Callable[..., bool]], ...] = (
    *(
        (module, name, ends)
        for module in _SYSTEM
        for name, ends in (
            ("_exit", _always),
            ("abort", _always),
            ("execv", _always),
            ("execve", _always),
            ("kill", _at_us),
            ("killpg", _at_our_group),
        )
    ),
    (signal, "raise_signal", _fatal),
    (sys.modules["_signal"], "raise_signal", _fatal),
)

#: Those whose arguments are short numbers.
_TOLD = {"_exit", "abort", "raise_signal"}
