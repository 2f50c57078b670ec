"""A Ray cluster: connecting to it, and noticing that its head is gone."""

from __future__ import annotations

import socket
import time
from typing import Any

from hashbench.errors import InputError, shown

#: Seconds for which a head may be silent. Ray itself ends this process after a minute.
SILENCE = 10.0


def connect(ray: Any) -> bool:
    """Connect to the cluster of RAY_ADDRESS, or start one here; whether that was not done before.

    Raises:
        InputError: if none can be reached or started.
    """
    if ray.is_initialized():
        return False
    try:
        ray.init(log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Ray cluster can be reached or started: {shown(error, 300)}"
        ) from error
    return True


class ClusterHead:
    """The head of the cluster that Ray is connected to, looked at now and then.

    Attributes:
        address: "HOST:PORT" of it.
    """

    def __init__(self, ray: Any) -> None:
        self.address = str(ray.get_runtime_context().gcs_address)
        self._heard = time.monotonic()
        self._looked = self._heard

    def is_lost(self) -> bool:
        """Whether nobody has listened there for `SILENCE` seconds; looks once a second at most."""
        now = time.monotonic()
        if now - self._looked >= 1:
            self._looked = now
            if self._listens():
                self._heard = now
        return self._looked - self._heard >= SILENCE

    def _listens(self) -> bool:
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
        except (OSError, ValueError):
            return False
        return True
