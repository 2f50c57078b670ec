"""A second process: what a hasher computes when it is unpickled, or fitted, there."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench import runtime
from hashbench.endings import end_left, end_now, watched_threads
from hashbench.hasher import Hasher
from hashbench.items import TrainItems, items_from_features
from hashbench.plugins import import_file
from hashbench.switches import kept_switches


def encode_elsewhere(hasher: Hasher, features: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The packed codes a pickled copy of `hasher` gives in a fresh process.

    Raises:
        Exception: if the hasher cannot be pickled, or whatever it raises there.
    """
    return _elsewhere(_encode, hasher, type(hasher), features)


def fit_elsewhere(
    cls: type[Hasher], params: Mapping[str, Any], train: TrainItems, features: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The packed codes of a hasher that is made and fitted in a fresh process.

    Args:
        cls: its class.
        params: what it is made with.
        train: what it is fitted on.
        features: what it encodes.

    Raises:
        Exception: whatever it raises there.
    """
    return _elsewhere(_fit, (cls, dict(params), train), cls, features)


def _elsewhere(
    work: Callable[..., NDArray[np.uint8]],
    sent: Any,
    cls: type[Hasher],
    features: NDArray[np.float32],
) -> NDArray[np.uint8]:
    body = pickle.dumps(sent)
    source = getattr(importlib.import_module(cls.__module__), "__file__", None)
    plugin = source if cls.__module__.startswith("hashbench_plugin_") else None
    try:
        return _worker().submit(work, body, features, plugin).result()
    except BrokenProcessPool:
        _worker.cache_clear()
        raise


@cache
def _worker() -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would inherit what a pickle must carry. One
    # worker serves all checks, for it costs seconds to import torch.
    return ProcessPoolExecutor(
        max_workers=1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with_parent,
    )


def _end_with_parent() -> None:
    """Let no worker wait for ever for more when what asked it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    # Before this process waits for its children, which may be workers of a method's for ever.
    Finalize(None, _end, exitpriority=1000)


def _end() -> None:
    if end_left():
        end_now(0)


def _encode(body: bytes, features: NDArray[np.float32], plugin: str | None) -> NDArray[np.uint8]:
    with _alone():
        hasher = _received(body, plugin)
        return hasher.encode(items_from_features(features)).packed


def _fit(body: bytes, features: NDArray[np.float32], plugin: str | None) -> NDArray[np.uint8]:
    with _alone():
        cls, params, train = _received(body, plugin)
        hasher = cls(**params)
        hasher.fit(train)
        return hasher.encode(items_from_features(features)).packed


@contextmanager
def _alone() -> Iterator[None]:
    """What a method does in the block leaves this process as it was."""
    where = runtime.Runtime(device="cpu", threads=1)
    with watched_threads(), kept_switches(), runtime.use(where):
        yield


def _received(body: bytes, plugin: str | None) -> Any:
    if plugin is not None:
        import_file(Path(plugin))
    return pickle.loads(body)
