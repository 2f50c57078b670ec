"""What a worker and everything it started have allocated, as Linux tells it."""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")

#: Seconds until all processes are looked through again for those that a worker started.
LOOK = 1.0


#: Bytes of address space that PyTorch and a small cell take, CUDA's libraries included.
NEEDED = 6 * 10**9


def warn_of_limit() -> None:
    """Say beforehand what may end a run without a word: libraries abort where they lack memory."""
    try:
        import resource
    except ImportError:
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < NEEDED:
        warnings.warn(
            f"a process may map {soft / 1e9:.1f} GB here (ulimit -v), and PyTorch with CUDA's "
            f"libraries may need {NEEDED / 1e9:g}: without them the run breaks off",
            stacklevel=2,
        )


class Memory:
    """Bytes that sessions of processes have allocated; mapped files, such as features, not counted.

    A worker leads a session of its own, and what it starts belongs to that, unless it leaves it.
    """

    def __init__(self) -> None:
        self._looked = -LOOK
        self._sessions: dict[int, list[int]] = {}

    def of(self, leader: int) -> int:
        """Bytes allocated by the session that process `leader` leads; 0 where it is gone."""
        if time.monotonic() - self._looked >= LOOK:
            self._looked, self._sessions = time.monotonic(), _sessions()
        others = [pid for pid in self._sessions.get(leader, ()) if pid != leader]
        if not others:
            return _own(leader)
        return sum(_shared_out(pid) for pid in (leader, *others))


def _sessions() -> dict[int, list[int]]:
    """Process ids by session."""
    found: dict[int, list[int]] = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            # After the name, which may hold anything: state, parent, group, session.
            fields = _read(folder / "stat").rpartition(")")[2].split()
            if len(fields) > 3:
                found[int(fields[3])].append(int(folder.name))
    return found


def _own(pid: int) -> int:
    """What a process alone has allocated."""
    return _sum(_PROC / str(pid) / "status", ("RssAnon", "RssShmem", "VmSwap"))


def _shared_out(pid: int) -> int:
    """The same of one among several, for which what a fork shares is shared out."""
    path = _PROC / str(pid) / "smaps_rollup"
    return _sum(path, ("Pss_Anon", "Pss_Shmem", "SwapPss")) or _own(pid)


def _sum(path: Path, names: tuple[str, ...]) -> int:
    sizes = dict(line.split(":", 1) for line in _read(path).splitlines() if ":" in line)
    return 1024 * sum(int(sizes[name].split()[0]) for name in names if name in sizes)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has just ended, or is another user's
        return ""
