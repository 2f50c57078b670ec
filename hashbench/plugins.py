"""Files with parts of a user's own, imported once an edit together with the files they import."""

from __future__ import annotations

import ast
import faulthandler
import hashlib
import importlib.util
import os
import signal
import stat
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from hashbench.endings import no_sudden_end, watched_exits
from hashbench.kept import kept_process, printed_aside

#: Seconds after which importing a file is given up.
LONGEST = 300.0

#: Bytes of the largest file that is read as a plugin.
LARGEST = 2**24

#: What the names of the modules of plugins begin with.
_MODULES = "hashbench_plugin_"

#: Set on a sibling's module: the text it was imported from.
_DIGEST = "__hashbench_digest__"


def import_file(path: Path) -> tuple[ModuleType, str]:
    """The module of a Python file, and a sha256 of its text and of the siblings it imports.

    The module is named after path and digest, so that an unchanged file is executed once, an
    edited one (or one with an edited sibling) again, and another process finds the classes of a
    pickle by importing the same file. Siblings are the modules and packages in its folder.

    Raises:
        OSError: if there is no such file, or it cannot be read.
        TimeoutError: if it hangs.
        Exception: whatever the file raises.
    """
    if not os.path.lexists(path):
        raise FileNotFoundError(f"no plugin file at {path}")
    path = Path(os.path.realpath(path))  # resolve() says of links in a ring what is no OSError
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        large = stat.S_ISREG(found.st_mode)
        raise OSError(f"it is {'larger than any plugin' if large else 'no regular file'}")
    text = path.read_bytes()
    siblings = _siblings(path, text)
    digest = hashlib.sha256(text)
    for sibling in sorted(siblings):
        digest.update(f"\0{sibling}\0{_digest_of(siblings[sibling])}".encode())
    code = digest.hexdigest()
    where = hashlib.sha256(str(path).encode()).hexdigest()
    name = f"{_MODULES}{path.stem}_{where[:8]}_{code[:8]}"
    if name in sys.modules:
        return sys.modules[name], code
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look the module up by name
    folder = str(path.parent)
    _forget_others(path.parent, siblings)
    sys.path.insert(0, folder)
    try:
        # Not exec_module(): a bytecode file may be older than an edit within its second.
        with (
            _limited(),
            _crash_told(),
            kept_process(),
            printed_aside(),
            no_sudden_end(),
            watched_exits(_MODULES),
            _without_bytecode(),
        ):
            exec(compile(text, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(folder)
        if siblings and folder not in sys.path:
            sys.path.append(folder)  # for what it imports later
    for sibling in siblings:
        if (loaded := sys.modules.get(sibling)) is not None:
            setattr(loaded, _DIGEST, _digest_of(siblings[sibling]))
    return module, code


@contextmanager
def _limited() -> Iterator[None]:
    """Press Ctrl-C, as it were, once the block has taken too long; in the main thread alone.

    Where Ctrl-C is ignored nothing is pressed: the parent of a worker has a limit of its own.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or not hasattr(signal, "pthread_kill"):
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return
    late = threading.Event()
    handle: Callable[..., Any] = before

    def press() -> None:
        late.set()
        signal.pthread_kill(main.ident or 0, signal.SIGINT)

    def pressed(*given: Any) -> None:
        if late.is_set():
            raise KeyboardInterrupt  # ours: nobody else is told of it
        handle(*given)

    timer = threading.Timer(LONGEST, press)
    timer.daemon = True
    signal.signal(signal.SIGINT, pressed)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if late.is_set():
            raise TimeoutError(f"importing it took more than {LONGEST:g} s") from None
        raise
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Have siblings leave no bytecode, which would be taken for an edit within its second."""
    known = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = known


@contextmanager
def _crash_told() -> Iterator[None]:
    """Have the system say on stderr which line of Python it was at if it crashes in the block."""
    known = faulthandler.is_enabled()
    with suppress(OSError, ValueError, AttributeError, RuntimeError):  # stderr may be no file
        faulthandler.enable(all_threads=False)
    try:
        yield
    finally:
        if not known:
            faulthandler.disable()


def blamed(error: BaseException) -> str:
    """The line of a plugin that an error comes from, as "FILE, line 7"; empty if of none.

    A plugin is a file of `--plugin` or an installed package that brings parts. What it calls of
    other libraries is its affair, and what it calls of ours is ours.
    """
    place = ""
    packages = _packages()
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__", ""))
        package = name.partition(".")[0]
        if name.startswith(_MODULES) or package in packages:
            place = f"{frame.f_code.co_filename}, line {line}"
        elif package == "hashbench" and name != "hashbench.endings":
            place = ""
    return place


def _packages() -> set[str]:
    """The packages that entry points of ours name, hashbench itself left out."""
    found = (point for one in distributions() for point in one.entry_points)
    ours = (point.module for point in found if point.group.startswith("hashbench."))
    return {module.partition(".")[0] for module in ours} - {"hashbench"}


def _siblings(path: Path, text: bytes) -> dict[str, bytes]:
    """The text of every module beside a file that it imports, directly or not, by module name."""
    found: dict[str, bytes] = {}
    waiting = [text]
    while waiting:
        for name in _imported(waiting.pop()):
            if name in found or name in sys.stdlib_module_names:
                continue
            candidates = [path.parent / f"{name}.py", path.parent / name / "__init__.py"]
            file = next((item for item in candidates if item.is_file()), None)
            if file is None or file.resolve() == path:
                continue
            parts = [file] if file.name != "__init__.py" else sorted(file.parent.rglob("*.py"))
            texts = [part.read_bytes() for part in parts]
            found[name] = b"\0".join(texts)
            waiting += texts
    return found


def _imported(text: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # importing it will say what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _forget_others(folder: Path, siblings: dict[str, bytes]) -> None:
    """Drop modules of the siblings' names that are another folder's, or were edited since."""
    for name, text in siblings.items():
        loaded = sys.modules.get(name)
        if loaded is None:
            continue
        ours = Path(getattr(loaded, "__file__", None) or "").is_relative_to(folder)
        if not ours or getattr(loaded, _DIGEST, "") != _digest_of(text):
            for module in [key for key in sys.modules if key.partition(".")[0] == name]:
                del sys.modules[module]


def _digest_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
