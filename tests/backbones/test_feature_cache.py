import json
import multiprocessing
import os
import random
import signal
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from hashbench.backbones import cache as cache_module
from hashbench.backbones.cache import BLOCK, CachedTable, damaged_blocks
from hashbench.errors import InputError

ROWS = 3 * BLOCK + 17
SILENT = lambda _share, _note: None  # noqa: E731


def value(rows: np.ndarray) -> np.ndarray:
    return (rows[:, None] * 10 + np.arange(3)).astype(np.float32)


EXPECTED = value(np.arange(ROWS))


class Computer:
    """Computes features in odd batches, counts them, and may stop on the way."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.asked: list[int] = []
        self.stop_after = stop_after

    def __call__(self, rows):
        for start in range(0, len(rows), 100):
            if self.stop_after is not None and start >= self.stop_after:
                raise RuntimeError("stopped")
            part = rows[start : start + 100]
            self.asked += part.tolist()
            yield value(part)


@pytest.fixture
def table(tmp_path):
    return CachedTable(tmp_path / "table", (ROWS, 3), {"backbone": "test"})


def test_a_table_is_computed_once_and_mapped(table):
    assert table.open() is None
    computer = Computer()
    found = table.compute(computer, "engine", SILENT)
    assert np.array_equal(found, EXPECTED)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    assert computer.asked == list(range(ROWS))
    again = Computer()
    assert np.array_equal(table.compute(again, "engine", SILENT), EXPECTED)
    assert again.asked == []
    description = json.loads((table.folder / "table.json").read_text())
    assert description["backbone"] == "test"
    assert description["engines"] == ["engine"]
    assert sorted(path.name for path in table.folder.iterdir()) == [
        ".lock", "features.npy", "table.json",
    ]  # fmt: skip


def test_a_stopped_computation_goes_on_from_its_blocks(table):
    with pytest.raises(RuntimeError, match="stopped"):
        table.compute(Computer(stop_after=2 * BLOCK + 200), "first", SILENT)
    assert table.open() is None
    rest = Computer()
    assert np.array_equal(table.compute(rest, "second", SILENT), EXPECTED)
    assert rest.asked == list(range(2 * BLOCK, ROWS))
    description = json.loads((table.folder / "table.json").read_text())
    assert description["engines"] == ["first", "second"]


def test_a_block_damaged_while_stopped_is_computed_again(table):
    with pytest.raises(RuntimeError):
        table.compute(Computer(stop_after=2 * BLOCK + 200), "first", SILENT)
    part = np.lib.format.open_memmap(table.folder / "features.part", mode="r+")
    part[3] = -1
    part.flush()
    with (table.folder / "blocks.jsonl").open("a") as log:
        log.write('{"block": 2, "cr')  # the line a kill cut short
    rest = Computer()
    assert np.array_equal(table.compute(rest, "second", SILENT), EXPECTED)
    assert rest.asked == [*range(BLOCK), *range(2 * BLOCK, ROWS)]


def test_an_unfinished_table_of_another_shape_is_started_anew(table):
    table.folder.mkdir()
    np.save(table.folder / "features.part.npy", np.zeros((5, 3), np.float32))
    (table.folder / "features.part.npy").rename(table.folder / "features.part")
    (table.folder / "blocks.jsonl").write_text('{"block": 0, "crc32": 0, "engine": "x"}\n')
    assert np.array_equal(table.compute(Computer(), "engine", SILENT), EXPECTED)


@pytest.mark.parametrize("damage", ["cut", "shape", "header", "pickle", "empty"])
def test_a_damaged_table_is_put_aside_with_one_warning(table, damage):
    table.compute(Computer(), "engine", SILENT)
    path = table.path
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif damage == "header":
        path.write_bytes(b"junk" + path.read_bytes()[4:])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "shape":
        np.save(path, np.zeros((ROWS, 4), np.float32))
    else:
        np.save(path, np.array([object()]), allow_pickle=True)
    computer = Computer()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = table.compute(computer, "engine", SILENT)
    assert len(caught) == 1
    assert "are damaged" in str(caught[0].message)
    assert np.array_equal(found, EXPECTED)
    assert (table.folder / "features.damaged").exists()


def test_checksums_find_the_damaged_block(table):
    table.compute(Computer(), "engine", SILENT)
    assert damaged_blocks(table.folder) == []
    data = np.load(table.path, mmap_mode="r+")
    data[BLOCK + 1, 2] += 1
    data.flush()
    assert damaged_blocks(table.folder) == [1]
    (table.folder / "table.json").write_text("{}")
    with pytest.raises(InputError, match="no finished table"):
        damaged_blocks(table.folder)


def test_progress_says_how_far_and_ends_at_one(table):
    said = []
    table.compute(Computer(), "engine", lambda share, note: said.append((share, note)))
    shares = [share for share, _note in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert f"{ROWS:,}/{ROWS:,} images" in said[-1][1]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    table = CachedTable(tmp_path / "file" / "table", (5, 3), {})
    with pytest.raises(InputError, match="HASHBENCH_CACHE"):
        table.compute(Computer(), "engine", SILENT)


def test_a_full_disk_is_known_beforehand(table, monkeypatch):
    usage = cache_module.shutil.disk_usage(Path.cwd())._replace(free=10)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(InputError, match=r"0\.00 GB are free"):
        table.compute(Computer(), "engine", SILENT)


def _compute_slowly(folder: Path, started, log: Path) -> None:
    def compute(rows):
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            with log.open("a") as stream:
                stream.write(f"{os.getpid()} {part[0]}\n")
            yield value(part)
            started.set()
            time.sleep(0.2)

    CachedTable(folder, (ROWS, 3), {}).compute(compute, "engine", SILENT)


@pytest.fixture
def context():
    return multiprocessing.get_context("fork" if os.name == "posix" else "spawn")


def test_two_processes_share_the_work_of_one(table, tmp_path, context):
    started, log = context.Event(), tmp_path / "log"
    workers = [
        context.Process(target=_compute_slowly, args=(table.folder, started, log)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(900)
        assert worker.exitcode == 0
    lines = log.read_text().split("\n")[:-1]
    assert len({line.split()[0] for line in lines}) == 1
    assert len(lines) == 4
    found = table.open()
    assert found is not None
    assert np.array_equal(found, EXPECTED)


def test_a_killed_process_is_taken_over_from(table, tmp_path, context):
    started, log = context.Event(), tmp_path / "log"
    worker = context.Process(target=_compute_slowly, args=(table.folder, started, log))
    worker.start()
    assert started.wait(900)
    time.sleep(0.1)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(900)
    rest = Computer()
    assert np.array_equal(table.compute(rest, "engine", SILENT), EXPECTED)
    assert 0 < len(rest.asked) < ROWS


def test_two_hundred_flips_of_a_bit_are_computed_again_and_never_used(table):
    table.compute(Computer(), "engine", SILENT)
    whole, dice = table.path.read_bytes(), random.Random(0)
    start = len(whole) - EXPECTED.nbytes
    for _ in range(200):
        place = dice.randrange(start, len(whole))
        flipped = bytes([whole[place] ^ 1 << dice.randrange(8)])
        table.path.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        cache_module._held_tables.clear()  # another run
        with pytest.warns(UserWarning, match="blocks do not match"):
            assert table.open() is None
    assert np.array_equal(table.compute(Computer(), "engine", SILENT), EXPECTED)


@pytest.mark.skipif(os.name != "posix", reason="limits open files")
def test_a_table_is_not_damaged_because_no_more_files_may_be_open(table):
    import resource

    table.compute(Computer(), "engine", SILENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            table.open()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert np.array_equal(table.open(), EXPECTED)
