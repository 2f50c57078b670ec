"""Plugins that end their process, or shut its mouth: the command says so, and ends as it should."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hashbench import endings
from hashbench.endings import NotPressed, only_pressed
from hashbench.kept import kept_process

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and exec are POSIX's")

ENDS = {
    "leaves": ("os._exit(0)", "SystemExit: os._exit(0) would have ended this process"),
    "slips": ("__import__('posix')._exit(0)", "SystemExit: posix._exit(0) would have ended"),
    "shoots": ("os.kill(os.getpid(), 9)", "SystemExit: os.kill(...) would have ended"),
    "sighs": ("signal.raise_signal(15)", "SystemExit: signal.raise_signal(15) would have"),
    "aborts": ("os.abort()", "SystemExit: os.abort() would have ended this process"),
    "becomes": ("os.execlp('true', 'true')", "SystemExit: os.execv"),
    "presses": ("raise KeyboardInterrupt", "KeyboardInterrupt, though nobody pressed Ctrl-C"),
}

CLOSES = """
import atexit, os, signal, sys
from hashbench.baselines.lsh import LSH
atexit.register(os._exit, 7)
atexit.register(sys.exit, 7)
signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork() == 0:
    os._exit(0)  # a child of its own may
os.close(1)
sys.stderr.close()
class Mine(LSH):
    name = "mine"
"""


def test_a_plugin_can_neither_end_a_command_nor_silence_it(tmp_path: Path) -> None:
    plugins = []
    for name, (act, _) in ENDS.items():
        (tmp_path / f"{name}.py").write_text(f"import os, signal\n{act}\n")
        plugins += ["--plugin", f"{name}.py"]
    (tmp_path / "closes.py").write_text(CLOSES)
    done = subprocess.run(
        [sys.executable, "-m", "hashbench", "methods", *plugins, "--plugin", "closes.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("mine ") for line in lines)
    for name, (_, reason) in ENDS.items():
        assert any(line.startswith(f"{name} ") and reason in line for line in lines), name
    ends = done.stderr.splitlines()
    assert [line.rpartition("fails: ")[2] for line in ends] == [
        "SystemExit: 7",
        "SystemExit: os._exit(7) would have ended this process",
    ]
    assert all("closes.py left for the end" in line for line in ends)


def test_only_a_ctrl_c_that_was_pressed_leaves_a_strangers_code() -> None:
    def raises() -> None:
        raise KeyboardInterrupt

    def is_pressed() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    def hides_it() -> None:
        try:
            is_pressed()
        except BaseException as error:
            raise ValueError from error

    for act, left in (
        (raises, NotPressed),
        (is_pressed, KeyboardInterrupt),
        (hides_it, KeyboardInterrupt),
    ):
        with pytest.raises(left), kept_process():
            act()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt), only_pressed(), kept_process():
        is_pressed()


def test_what_a_method_leaves_running_is_not_waited_for(monkeypatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(endings, "end_now", codes.append)
    monkeypatch.setattr(endings, "_GRACE", 0.01)
    free = threading.Event()
    with endings.watched_threads():
        thread = threading.Thread(target=free.wait)
        thread.start()
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        child.start()
    with pytest.raises(SystemExit):
        endings.end_for_good(1)
    free.set()
    thread.join()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert codes == [1]
    with pytest.raises(SystemExit, match="0"):
        endings.end_for_good(0)  # nothing runs any more
    assert codes == [1]


def test_threads_of_an_idle_pool_end_as_with_any_process(monkeypatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(endings, "end_now", codes.append)
    monkeypatch.setattr(endings, "_GRACE", 60.0)
    with endings.watched_threads():
        pool = ThreadPoolExecutor(1)
        pool.submit(int).result()
    with pytest.raises(SystemExit, match="3"):
        endings.end_for_good(3)
    assert codes == []  # what is registered for the end of the process is done, then
