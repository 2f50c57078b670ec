"""Making what comes next while what is there is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T], depth: int = 4) -> Iterator[T]:
    """The same items in the same order, `depth` of them made in advance in a thread."""
    with ThreadPoolExecutor(1, "ahead") as pool:
        waiting: deque[Future[T | object]] = deque()
        while True:
            while len(waiting) < depth:
                waiting.append(pool.submit(next, items, _END))
            item = waiting.popleft().result()
            if item is _END:
                return
            yield item  # type: ignore[misc]
