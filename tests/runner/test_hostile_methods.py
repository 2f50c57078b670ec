"""Methods that meddle with their process, plugins that hang, and a system that gives nothing."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest

from hashbench import registries
from hashbench.baselines.lsh import LSH
from hashbench.errors import InputError
from hashbench.runner import local, processes
from hashbench.runner.memory import Memory, warn_of_limit
from hashbench.runner.plan import resolve
from hashbench.switches import kept_switches

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of processes")

METHODS = """
import json, os, resource, signal, subprocess, sys, time
from hashbench.baselines.lsh import LSH


class Forks(LSH):
    name = "forks"

    def fit(self, train, y=None):
        os.fork()  # and both come back
        return super().fit(train)


class Wanders(LSH):
    name = "wanders"

    def fit(self, train, y=None):
        os.chdir("/")
        os.umask(0o777)
        return super().fit(train)


class Shrinks(LSH):
    name = "shrinks"

    def fit(self, train, y=None):
        for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
            resource.setrlimit(kind, (8, resource.getrlimit(kind)[1]))
        return super().fit(train)


class Starves(LSH):
    name = "starves"

    def fit(self, train, y=None):
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))  # for good, but for root
        resource.setrlimit = lambda *_: None
        return super().fit(train)


class Rings(LSH):
    name = "rings"

    def fit(self, train, y=None):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        time.sleep(5)
        return super().fit(train)


class Retypes(LSH):
    name = "retypes"

    def encode(self, items):
        codes = super().encode(items)
        object.__setattr__(codes, "relaxed", codes.relaxed.astype(str))
        return codes


class Contradicts(LSH):
    name = "contradicts"

    def encode(self, items):
        codes = super().encode(items)
        codes.relaxed[3] *= -1
        return codes


class Patches(LSH):
    name = "patches"

    def fit(self, train, y=None):
        json.dumps = lambda *_, **__: "{}"
        return super().fit(train)


class Leaves(LSH):
    name = "leaves"

    def fit(self, train, y=None):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(3600)"])
        with open("left", "w") as note:
            note.write(str(child.pid))
        return super().fit(train)
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_what_a_method_does_to_its_process_is_its_own_affair(bench) -> None:
    mine = Path("mine.py").absolute()
    mine.write_text(METHODS)
    registries.load_plugins([mine])
    bench.settings = replace(bench.settings, plugins=(*bench.settings.plugins, mine))
    whole = ("forks", "wanders", "shrinks", "leaves", "lsh")
    broken = {
        "starves": "after it its process could not write: cannot write results to",
        "patches": "after it its process could not write: after patches 8 bits seed 0",
        "rings": "RuntimeError: a timer has rung (SIGALRM) that nobody handles",
        "retypes": "ValueError: relaxed outputs must be (200, 8) float32, got (200, 8) <U",
        "contradicts": "relaxed outputs of the items contradict its codes: row 3 has",
    }
    found = bench.run(bench.tasks(",".join([*whole, *broken])), workers=1).records
    said = {record.cell.method: (record.status, record.reason) for record in found}
    for name, reason in broken.items():
        assert said[name][0] == "failed"
        assert said.pop(name)[1].startswith(reason)
    assert said == dict.fromkeys(whole, ("ok", ""))
    assert len(found) == len(whole) + len(broken)  # each told of once
    assert gone(int(Path("left").read_text()))


def test_a_plugin_that_is_edited_meanwhile_makes_no_results_of_the_former(bench) -> None:
    tasks = bench.tasks("quick")
    bench.plugin.write_text(bench.plugin.read_text().replace("self.seed)", "self.seed + 1)"))
    (record,) = bench.run(tasks, workers=1).records
    assert record.status == "failed"
    assert record.reason.startswith("the code of quick changed while the run was going on")
    (again,) = bench.tasks("quick")  # this process has the former still
    assert again.key == record.key


def test_a_fork_that_comes_back_ends_there() -> None:
    ends = os.pipe()
    with kept_switches():
        os.fork()
    os.write(ends[1], b"x")
    os.close(ends[1])
    time.sleep(0.2)
    assert os.read(ends[0], 9) == b"x"  # of one process
    os.close(ends[0])


def test_signals_and_timers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGTERM)
    with kept_switches():
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 60)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("value", [float("nan"), b"x", {1}, "\ud800"])
def test_hyper_parameters_that_name_no_result_are_refused(value) -> None:
    class Mine(LSH):
        def __init__(self, bits=8, seed=0, given=None):
            super().__init__(bits=bits, seed=seed)

    with pytest.raises(InputError, match=r"mine.given is .*, and results are named by their"):
        resolve("mine", Mine, {}, "none", {"given": value})


HOLDS = "held = bytearray(b'x') * 100_000_000; print('held', flush=True); input()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {HOLDS!r}])"


def test_memory_is_that_of_all_a_worker_has_started() -> None:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == b"held\n"
        assert 100_000_000 < Memory().of(process.pid) < 200_000_000
        process.communicate(b"\n")
    assert Memory().of(process.pid) == 0


def test_a_plugin_that_hangs_is_given_up(tmp_path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text("import time\ntime.sleep(3600)\n")
    # In a process of its own: what is pressed is that process's Ctrl-C.
    script = (
        "import sys\nfrom pathlib import Path\nfrom hashbench import plugins, registries\n"
        "plugins.LONGEST = 0.2\nregistries.load_plugins([Path(sys.argv[1])])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert re.search(r"InputError: .*hangs.py: TimeoutError: .* took more than 0.2 s", done.stderr)


def test_a_plugin_that_hangs_in_a_worker_alone_is_told_of(bench, monkeypatch) -> None:
    path = Path("hangs.py").absolute()
    path.write_text(
        "import multiprocessing, time\nfrom hashbench.baselines.lsh import LSH\n"
        "class Mine(LSH):\n    name = 'mine'\n"
        "if multiprocessing.parent_process():\n    open('begun', 'w')\n    time.sleep(3600)\n"
    )
    registries.load_plugins([path])
    bench.settings = replace(bench.settings, plugins=(path,))
    tasks, real = bench.tasks("mine"), time.monotonic
    hangs = Path("begun").absolute()
    monkeypatch.setattr(time, "monotonic", lambda: real() + 1e4 * hangs.exists())
    with pytest.raises(InputError, match=r"was not ready within 300 s: .*hangs.py.*line 7"):
        bench.run(tasks)


def test_a_fork_server_that_is_killed_costs_nothing_but_time(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(3), journal=str(bench.journal), seconds=0.3)
    server = forkserver._forkserver

    def kill() -> None:
        while not bench.starts():
            time.sleep(0.02)
        os.kill(server._forkserver_pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    records = bench.run(tasks).records
    thread.join()
    assert [record.status for record in records] == ["ok"] * 3


def test_a_system_that_gives_no_process_is_one_sentence(bench, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(local, "start_within", refuse)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InputError, match="die while starting: Resource temporarily unavailable"):
        bench.run(bench.tasks("quick"))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_too_few_open_files_are_told_of_before_any_worker_starts(monkeypatch) -> None:
    monkeypatch.setattr(processes, "FILES", 100)
    before = len(list(Path("/proc/self/fd").iterdir()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with pytest.raises(InputError, match=r"need 108 more open files, and .*ulimit -n 1024"):
            processes.warm_up(2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_too_little_address_space_is_told_of(monkeypatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2_500_000_000, -1))
    with pytest.warns(UserWarning, match=r"may map 2.5 GB here \(ulimit -v\)"):
        warn_of_limit()
