"""Making the next batches in a thread."""

import threading
import time

import pytest

from hashbench.training.ahead import ahead


def test_the_same_items_in_the_same_order():
    assert list(ahead(iter(range(50)), depth=3)) == list(range(50))
    assert list(ahead(iter([None, None]))) == [None, None]
    assert list(ahead(iter([]))) == []


def test_they_are_made_in_advance_in_another_thread():
    made, enough = [], threading.Event()

    def items():
        for number in range(10):
            made.append((number, threading.current_thread().name))
            if number == 3:
                enough.set()
            yield number

    stream = ahead(items(), depth=4)
    assert next(stream) == 0
    assert enough.wait(10)  # items 1 to 3, though nobody asked for them yet
    assert all(name.startswith("ahead") for _, name in made)
    assert len(made) <= 5
    stream.close()


def test_an_error_comes_where_its_item_would():
    def items():
        yield 1
        raise ValueError("damaged")

    stream = ahead(items())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(stream)


def test_leaving_early_leaves_no_thread():
    before = threading.active_count()
    stream = ahead(iter(range(100)))
    next(stream)
    stream.close()
    for _ in range(18_000):
        if threading.active_count() == before:
            break
        time.sleep(0.05)
    assert threading.active_count() == before
