"""Its folder is where tests of every area find the helpers they share."""

import os
import signal

# One thread a process, before any library reads it: xdist runs as many as there are cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from hashbench import registries

# A shell starts what it puts in the background with Ctrl-C ignored, children included:
# tests that press it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests that name no data set would run on whatever the developer has prepared.
os.environ.pop("HASHBENCH_DATA", None)

# The same examples every time, however slow the machine; HYPOTHESIS_PROFILE=explore draws others.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def _ctrl_c_as_python_has_it():
    """The command line leaves its handler once Ctrl-C was pressed; the next test has Python's."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _parts_as_they_were():
    """What a test plugs in is not there for the next."""
    before = [
        (kind, place, dict(place._entries), dict(place._loaded), list(place._broken))
        for kind, place in registries.made.items()
    ]
    yield
    registries.made.clear()
    for kind, place, entries, loaded, broken in before:
        place._entries, place._loaded, place._broken = entries, loaded, broken
        registries.made[kind] = place
