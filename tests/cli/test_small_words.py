"""What the command line says to a slip of the hand, and to what a stranger's code does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hostility import fuzz, sentence
from hypothesis import given
from hypothesis import strategies as st

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
        (("run", "--seeds", "\x1b[2J\n"), ["'?[2J' in --seeds"]),
        (("new-method", "class"), ["is a word of Python", "class-hash"]),
        (("new-method", "a\x1b b"), ["'a? b' cannot be a method's name"]),
    ],
)
def test_a_slip_is_one_sentence_before_anything_begins(hashbench, args, parts) -> None:
    done = hashbench(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1, done.err
    for part in parts:
        assert part in done.err


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("0123456789,- \0\ud800"), max_size=9))
@fuzz(500)
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


def test_whatever_a_method_raises_fails_its_cell_alone(hashbench) -> None:
    Path("odd.py").write_text(
        "from hashbench.baselines.lsh import LSH\n"
        "class Odd(BaseException):\n"
        "    def __str__(self): raise Odd\n"
        "class Mine(LSH):\n"
        "    name = 'mine'\n"
        "    def fit(self, train, y=None): raise Odd\n"
    )
    run = ("run", "--methods", "mine,lsh", "--plugin", "odd.py", "--bits", "8", "--workers", "0")
    done = hashbench(*run, "--no-floors")
    assert done.code == 1, done.err
    assert "Odd: its message cannot be shown" in done.out
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
