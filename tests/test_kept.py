"""What of a process is put back after a stranger's code."""

import os
import signal
import sys
import threading

import pytest

from hashbench.kept import kept_process, printed_aside


def test_stdout_comes_back_after_overlapping_blocks_of_two_threads(
    capfd: pytest.CaptureFixture[str],
) -> None:
    stdout, begun, go_on = sys.stdout, threading.Event(), threading.Event()

    def first() -> None:
        with kept_process(), printed_aside():
            begun.set()
            go_on.wait(60)
            sys.stdout.write("of the first\n")

    def second() -> None:
        with kept_process(), printed_aside():
            go_on.set()
            thread.join(60)
            os.write(1, b"of the second\n")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(60)
    second()
    sys.stdout.write("of neither\n")
    os.write(1, b"nor this\n")

    assert sys.stdout is stdout
    told = capfd.readouterr()
    assert sorted(told.out.split("\n")) == ["", "nor this", "of neither"]
    assert sorted(told.err.split("\n")) == ["", "of the first", "of the second"]


def test_what_a_block_within_changes_of_stdout_is_put_back_aside() -> None:
    stdout = sys.stdout
    with printed_aside():
        with kept_process():
            sys.stdout = None
        assert sys.stdout is sys.stderr
    assert sys.stdout is stdout


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of Unix")
@pytest.mark.parametrize("after", [0.0, 5000.0])
def test_a_timer_that_went_before_goes_on(after: float) -> None:
    before = signal.getitimer(signal.ITIMER_REAL)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000, 300)
        with kept_process():
            signal.setitimer(signal.ITIMER_REAL, after)
        left, interval = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
    assert 500 < left <= 1000
    assert interval == 300


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of Unix")
def test_a_timer_of_the_block_rings_no_more() -> None:
    with kept_process():
        signal.setitimer(signal.ITIMER_VIRTUAL, 1000, 1000)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
