"""What the tests of hostile files share: changes to valid files, and what a refusal looks like."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from hashbench.errors import InputError

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def plain(text: str) -> bool:
    """Whether a text is one printable line."""
    return _CONTROL.search(text) is None


def fuzz(examples: int) -> settings:
    """So many examples; a fixture may serve all of them, as each rewrites its files.

    HASHBENCH_FUZZ asks for more (benchmarks/faults.py).
    """
    return settings(
        max_examples=max(examples, int(os.environ.get("HASHBENCH_FUZZ", 0))),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def corpus(of: str, kind: str) -> list[Path]:
    """The files that once broke a parser, from the folder `hostile/<kind>` beside a test file."""
    found = sorted((Path(of).parent / "hostile" / kind).iterdir())
    assert found
    return found


def sentence(error: BaseException, *names: Path) -> str:
    """What an error says, held to be one short line of printable text.

    The names of files, which the user gave, do not count.
    """
    text = str(error)
    for name in names:
        text = text.replace(str(name), name.name)
    assert 0 < len(text) < 400, text
    assert plain(text), ascii(text)
    return text


def result_or_refusal(call: Callable[[], T], *names: Path) -> T | None:
    """What `call` gives, or None if it refuses with one sentence; all else fails the test."""
    try:
        return call()
    except InputError as error:
        sentence(error, *names)
        return None


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail after so many seconds of this process's own time, or a hundred times as many of waiting.

    How busy the machine is with others does not count; a read that never ends does.
    """

    def stop(*_: object) -> None:
        pytest.fail(f"still at it after {seconds} s")  # no Exception, which parsers catch

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, 1), (signal.SIGALRM, signal.ITIMER_REAL, 100))
    before = {number: signal.signal(number, stop) for number, _, _ in timers}
    for _, timer, times in timers:
        signal.setitimer(timer, times * seconds)
    try:
        yield
    finally:
        for number, timer, _ in timers:
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


@contextlib.contextmanager
def memory_below(megabytes: int) -> Iterator[None]:
    """Fail if the most memory this process ever held grows by more."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < megabytes, f"{grown:.0f} MB more"


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` cut short, or with bytes changed, put in, taken out or repeated, up to four times."""
    body = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        end = place + draw(st.integers(1, 8))
        kind = draw(st.sampled_from(("flip", "insert", "cut", "remove", "repeat")))
        if kind == "flip":
            body[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "insert":
            body[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "cut":
            del body[place:]
        elif kind == "remove":
            del body[place:end]
        else:
            body[place:place] = body[place:end] * draw(st.sampled_from((1, 2, 1000)))
    return bytes(body)


#: Any JSON value, Python's extensions (Infinity, NaN, half surrogates) included.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((2**63, -(2**63) - 1, 10**400, 1e308))
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ("", ".", "..", "../x", "/x", "a\0b", "a\nb", "\ud800", "\x1b[2J", "x" * 999)
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)

DEEP = b"[" * 100_000


@st.composite
def replaced(draw: st.DrawFn, body: Any) -> Any:
    """`body` with the value at one to three random places another, gone, or twice there."""
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        holder, value = None, body
        while isinstance(value, (dict, list)) and value and (holder is None or draw(st.booleans())):
            keys = sorted(value) if isinstance(value, dict) else range(len(value))
            holder, key = value, draw(st.sampled_from(list(keys)))
            value = holder[key]
        if holder is None:
            return draw(JSON)
        kind = draw(st.sampled_from(("replace", "replace", "remove", "repeat")))
        if kind == "remove":
            del holder[key]
        elif kind == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(value))
        else:
            holder[key] = draw(JSON)
    return body


def mutated_json(body: Any) -> st.SearchStrategy[bytes]:
    """The JSON of `body` with values replaced, or with its bytes changed."""
    return st.one_of(
        replaced(body).map(lambda value: json.dumps(value).encode()),
        mutated(json.dumps(body).encode()),
    )
