"""What the command line says to a slip of the hand, and to what a stranger's code does to it."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hostility import fuzz, sentence
from hypothesis import given
from hypothesis import strategies as st

from hashbench import cli
from hashbench.errors import InputError
from hashbench.parsing import parse_numbers, parse_seeds


@pytest.mark.parametrize("verb", [(), ("data",)])
def test_without_arguments_it_shows_its_help(hashbench, verb) -> None:
    done = hashbench(*verb)
    assert (done.code, done.err) == (0, "")
    assert "Usage: hashbench" in done.out
    assert done.out == hashbench(*verb, "--help").out


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("run", "--methods", "dch", "hashnet"), ["'hashnet'", "--methods dch,hashnet"]),
        (("run", "--methods", "DCH"), ["did you mean dch"]),
        (("run", "--executor", "rai"), ["unknown executor 'rai'", "ray"]),
        (("run", "--timeout", "5x"), ["--timeout '5x'"]),
        (("export",), ["Missing option '--format'", "`hashbench export --help`"]),
        (("export",), ["bib, csv, latex, markdown"]),
        (("export", "--format", "csv", "results"), ["named with --results results"]),
        (("compare", "dch", "itq-cca"), ["named with --methods dch,itq-cca"]),
        (("explain", "dch", "48", "0"), ["'48 0'", "dch:48:0"]),
        (("run", "results"), ["is no sweep file", "--results DIR"]),
        (("run", "mine.py"), ["is no sweep file", "--plugin FILE"]),
        (("run", "--methods", "mine.py"), ["--plugin mine.py"]),
        (("run", "--methods", "zebra", "--plugin", "mine.py"), ["--plugin brings own-lsh"]),
        (("run", "--plugin", "results"), ["but a folder", "--plugin"]),
        (("run", "--plugin", "no.py"), ["there is no plugin file no.py"]),
        (("check", "results"), ["is a folder", "Python file"]),
        (("check", "zebra"), ["unknown method 'zebra'", "by its file"]),
        (("run", "--datasets", "results"), ["images:results", "--protocol 500-2000-rest"]),
        (("score", "mine.py"), ["--codes FILE"]),
        (("data", "verify"), ["Missing argument 'NAME'", "`hashbench data verify --help`"]),
        (("run", "--seeds", "\x1b[2J\n"), ["'?[2J' in --seeds"]),
        (("new-method", "class"), ["is a word of Python", "class-hash"]),
        (("new-method", "a\x1b b"), ["'a? b' cannot be a method's name"]),
    ],
)
def test_a_slip_is_one_sentence_before_anything_begins(hashbench, tmp_path, args, parts) -> None:
    (tmp_path / "results").mkdir()
    own = "class Own(LSH):\n    name = 'own-lsh'\n"
    (tmp_path / "mine.py").write_text(f"from hashbench.baselines.lsh import LSH\n{own}")
    done = hashbench(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    for part in parts:
        assert part in done.err


def test_forgetting_is_asked_for_and_says_how_not_to_be(hashbench, monkeypatch) -> None:
    run = ("run", "--methods", "lsh", "--bits", "8", "--no-floors", "--workers", "0")
    assert hashbench(*run).code == 0
    for answer, code, said in (("", 2, "say --yes"), ("n\n", 1, ""), ("y\n", 0, "")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        done = hashbench("forget", "lsh:8:0")
        assert done.code == code
        assert said in done.err
        left = len(list(Path("hashbench-results/records").iterdir()))
        assert left == int(code != 0)


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("0123456789,- \0\ud800"), max_size=9))
@fuzz(200)
def test_any_text_is_numbers_or_one_sentence(text) -> None:
    for parse in (parse_seeds, lambda text: parse_numbers(text, "--bits", low=1, high=1024)):
        try:
            found = parse(text)
        except InputError as error:
            sentence(error)
        else:
            assert all(isinstance(number, int) for number in found)


RAISES = {
    "a class of its own": "class Odd(BaseException): pass\nraise Odd('boo')",
    "its message raises": "class Odd(Exception):\n    def __str__(self): raise Odd()\nraise Odd",
    "it writes to the terminal": "raise ValueError('\\x1b[2Jboo\\nsecond line')",
    "it leaves": "raise SystemExit('boo')",
}


@pytest.mark.parametrize("text", RAISES.values(), ids=RAISES)
@pytest.mark.parametrize(
    "verb", [("run", "--methods", "dch", "--plugin"), ("check",), ("parts", "--plugin")]
)
def test_whatever_a_plugin_raises_at_import_is_one_sentence(hashbench, verb, text) -> None:
    Path("odd.py").write_text(text)
    done = hashbench(*verb, "odd.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    assert "no part could be loaded from odd.py: " in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize(
    ("act", "said"),
    [("raise Odd('\\x1b[2Jboo')", "Odd: ?[2Jboo"), ("raise SystemExit(0)", "SystemExit: 0")],
)
def test_whatever_a_method_raises_when_it_is_made_is_one_sentence(hashbench, act, said) -> None:
    Path("odd.py").write_text(
        "from hashbench.baselines.lsh import LSH\n"
        "class Odd(BaseException): pass\n"
        "class Mine(LSH):\n"
        "    name = 'mine'\n"
        f"    def __init__(self, bits=8, seed=0): {act}\n"
    )
    done = hashbench("run", "--methods", "mine", "--plugin", "odd.py", "--datasets", "digits")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"hashbench: a hasher of mine cannot be made: {said}\n"


NOT_FILES = {
    "a folder": (Path.mkdir, "no regular file"),
    "a pipe": (os.mkfifo, "no regular file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "Too many levels"),
    "a huge file": (lambda path: path.open("wb").truncate(2**32), "larger than any plugin"),
    "bytes": (lambda path: path.write_bytes(bytes(range(256))), "null bytes"),
    "a ring of imports": (lambda path: path.write_text("from odd import A"), "ImportError"),
}


@pytest.mark.skipif(os.name != "posix", reason="makes pipes")
@pytest.mark.parametrize(("make", "said"), NOT_FILES.values(), ids=NOT_FILES)
def test_what_is_no_file_of_python_is_one_sentence(hashbench, make, said) -> None:
    make(Path("odd.py"))
    done = hashbench("parts", "--plugin", "odd.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    assert "no part could be loaded from odd.py: " in done.err
    assert said in done.err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_plugin_that_forks_and_wanders_leaves_one_process_where_it_was(hashbench) -> None:
    Path("odd.py").write_text(
        "import os\nfrom hashbench.baselines.lsh import LSH\nos.chdir('/')\nos.umask(0o777)\n"
        "os.fork()\nclass Mine(LSH):\n    name = 'mine'\n"
        "    def __init__(self, bits=8, seed=0):\n"
        "        os.chdir('/')\n        os.fork()\n        super().__init__(bits=bits, seed=seed)\n"
    )
    here = Path.cwd()
    run = ("run", "--methods", "mine", "--datasets", "digits", "--bits", "8", "--dry-run")
    done = hashbench(*run, "--no-floors", "--plugin", "odd.py")
    assert done.code == 0, done.err
    assert done.out.count("1 cell, 0 done, 1 to do") == 1
    assert Path.cwd() == here
    Path("made").write_text("")
    assert Path("made").stat().st_mode & 0o600 == 0o600


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (OSError(errno.EMFILE, "Too many open files"), ["Too many open files", "ulimit -n 1024"]),
        (OSError(errno.ENOSPC, "No space left", "/a\nb"), ["No space left, /a?b", "make room"]),
        (MemoryError("9 TB"), ["MemoryError: 9 TB", "fewer --workers"]),
        (ImportError("libx.so: failed to map"), ["(libx.so: failed to map)", "ulimit -v"]),
        (SystemExit(0), ["plugin", "SystemExit: 0"]),
        (GeneratorExit(), ["plugin", "GeneratorExit"]),
    ],
)
def test_a_machine_that_lacks_something_is_one_sentence(
    hashbench, monkeypatch, error, parts
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("hashbench.commands.parts.command.callback", fail)
    done = hashbench("parts")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    for part in parts:
        assert part in done.err


def test_a_part_of_a_plugin_that_fails_is_named_with_its_line(hashbench) -> None:
    Path("odd.py").write_text(
        "from hashbench import Metric\nimport json\n"
        "ODD = Metric(name='odd', title='odd', per_query=lambda counts: json.loads('\\x1b'))\n"
    )
    run = ("run", "--methods", "lsh", "--bits", "8", "--workers", "0", "--no-floors")
    assert hashbench(*run, "--datasets", "digits").code == 0
    given = ("--metric", "odd", "--format", "markdown", "--plugin", "odd.py")
    done = hashbench("export", *given)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(
        r"hashbench: the plugin .*/odd.py, line 3 fails: JSONDecodeError: .*\n", done.err
    )


def test_any_other_error_keeps_its_traceback(hashbench, monkeypatch) -> None:
    monkeypatch.setattr("hashbench.commands.parts.command.callback", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["parts"])


def test_whatever_a_method_raises_fails_its_cell_alone(hashbench) -> None:
    Path("odd.py").write_text(
        "import os\n"
        "from hashbench.baselines.lsh import LSH\n"
        "class Odd(BaseException):\n"
        "    def __str__(self): raise Odd\n"
        "class Mine(LSH):\n"
        "    name = 'mine'\n"
        "    def fit(self, train, y=None): raise Odd\n"
        "class Presses(LSH):\n"
        "    name = 'presses'\n"
        "    def encode(self, items): raise KeyboardInterrupt\n"
        "class Leaves(LSH):\n"
        "    name = 'leaves'\n"
        "    def fit(self, train, y=None): os._exit(0)\n"
    )
    run = ("run", "--methods", "mine,presses,leaves,lsh", "--plugin", "odd.py", "--bits", "8")
    done = hashbench(*run, "--no-floors", "--workers", "0")
    assert done.code == 1, done.err
    assert "Odd: its message cannot be shown" in done.out
    assert "NotPressed: KeyboardInterrupt, though nobody pressed Ctrl-C" in done.out
    assert "SystemExit: os._exit(0) would have ended this process" in done.out
    assert "mAP@H<=2 0." in done.out  # of the other


IGNORED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script's shell leaves it for what ends in &
from hashbench import cli
from hashbench.commands import methods
def wait(*_, **__):
    try:
        print("begun", flush=True)
        time.sleep(600)
    finally:
        if {stubborn}:
            print("still here", flush=True)
            time.sleep(600)
methods.command.callback = wait
cli.main(["methods"])
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_is_heeded_in_the_background_and_twice_at_once(presses) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", IGNORED.format(stubborn=presses == 2)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in ("begun\n", "still here\n")[:presses]:
            assert process.stdout.readline() == line
            process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.strip().splitlines()[-1].startswith("hashbench: stopped; what was finished is kept")
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
@pytest.mark.parametrize(
    "args", [("methods",), ("--help",), ("run", "--help"), ("parts", "--json")]
)
def test_where_nobody_reads_its_output_it_ends_without_a_word(args) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hashbench", *args],
            stdout=writes,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(os.name != "posix", reason="has no pipes as here")
def test_a_pipe_and_a_link_are_written_into(hashbench, tmp_path) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "table.csv"
    os.mkfifo(pipe)
    link.symlink_to(file.name)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        for out in (pipe, link):
            export = ("export", "--format", "markdown", "--against", "published", "--out", str(out))
            done = hashbench(*export)
            assert done.code == 0, done.err
        said = os.read(reader, 1 << 16).decode()
    finally:
        os.close(reader)
    assert "DCH" in said
    assert file.read_text() == said
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_what_is_written_into_a_folder_that_is_not_there_makes_it(hashbench) -> None:
    run = ("--datasets", "digits", "--methods", "lsh", "--bits", "8", "--workers", "0")
    assert hashbench("run", *run).code == 0
    for name, args in {
        "export": ("--format", "markdown"),
        "report": ("hashbench-results", "--no-gallery"),
        "score": ("hashbench-results",),
    }.items():
        out = Path("new", name, "out")
        assert hashbench(name, *args, "--out", str(out)).code == 0
        assert out.stat().st_size
