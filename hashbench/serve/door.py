"""The server of the page, which ends in peace."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Uvicorn, whose Ctrl-C is the way it is meant to end, and no signal to raise once more."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Finish what is being answered, and end, at Ctrl-C or SIGTERM; a second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
