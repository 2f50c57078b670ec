"""Results of known content on the embedded digits: two methods, a floor, and a hostile name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.data import Split, open_dataset
from hashbench.evidence import Evidence
from hashbench.items import ids_of, source_of
from hashbench.origin import Origin
from hashbench.store import Record, Store
from hashbench.store.arrays import digest_of
from hashbench.store.ceilings import put_ceiling
from hashbench.store.layout import split_arrays

BENCH = Bench("digits", "digits", 0, "pixels")
#: What a stranger may call a method.
EVIL = "</script><script>window.pwned=1</script>\"'$x$ & <img src=x onerror=window.pwned=1>"
BITS = (16, 32)
SEEDS = (0, 1)
HISTORY = [{"epoch": epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]

#: Digits are coded by four bits, each as often as the code is long: classes lie `bits / 4`
#: apart or more.
NIBBLES = (np.arange(10)[:, None] >> np.arange(4)) & 1


def codes(classes: np.ndarray, bits: int) -> np.ndarray:
    return np.repeat(NIBBLES[classes], bits // 4, axis=1).astype(np.float32) * 2 - 1


def steady(split: Split, bits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Every ball has items; of the database every fifth is coded as the next class."""
    asked, searched = split.query_labels.argmax(1), split.database_labels.argmax(1)
    wrong = np.arange(len(searched)) % 5 == seed
    return codes(asked, bits), codes(np.where(wrong, (searched + 1) % 10, searched), bits)


def sparse(split: Split, bits: int, _seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three of five queries find nothing, the others nothing wrong."""
    asked, searched = split.query_labels.argmax(1), split.database_labels.argmax(1)
    query = codes(asked, bits)
    lost = np.arange(len(asked)) % 5 < 3
    query[lost, : bits // 4 // 2 + 1] *= -1  # 3 of 4 or 5 of 8 bits that the classes share
    return query, codes(searched, bits)


def noise(split: Split, bits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = len(split.query), len(split.database)
    return tuple(rng.standard_normal((n, bits)).astype(np.float32) for n in sizes)  # type: ignore[return-value]


METHODS = {
    "steady": (steady, "Steady", {"kind": "deep", "year": 2020}),
    "sparse": (sparse, EVIL, {"kind": "deep", "summary": EVIL, "citation": EVIL, "bibtex": EVIL}),
    "lsh": (noise, "LSH", {"kind": "shallow", "role": "floor", "supervised": False}),
}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results."""
    store = Store(tmp_path_factory.mktemp("page") / "results", create=True)
    split = open_dataset("digits", Path()).split()
    evidence = Evidence(split.digest, source_of(split.query).fingerprint)
    arrays = split_arrays(
        {"query": split.query_labels, "database": split.database_labels},
        {"query": ids_of(split.query), "database": ids_of(split.database)},
        split.classes,
    )
    store.put_split(evidence.split, lambda: arrays)
    put_ceiling(store, evidence, "pixels", {"": 0.6543})
    for name, (coded, title, part) in METHODS.items():
        for bits in BITS:
            for seed in SEEDS:
                mode = "none" if name == "lsh" else "head"
                params = {} if name == "lsh" else {"rate": 0.1, "note": EVIL}
                cell = Cell(BENCH, name, params, mode, bits, seed, "Hasher 1")
                query, database = map(Codes.from_real, coded(split, bits, seed))
                tuned = Origin(base="tuned") if name == "sparse" else Origin()
                record = Record(
                    key=cell.key(evidence),
                    cell=cell,
                    evidence=evidence,
                    status="ok",
                    parts={"method": {"title": title, **part}, "dataset": {"title": "Digits"}},
                    request={"dataset": "digits", "plugins": []},
                    split={"counts": {"query": 200, "train": 500, "database": 1097}},
                    files={"split": digest_of(arrays)},
                    health={"database": {"balance": 0.5, "unique": 10.0}},
                    history=[{"epoch": n, "loss": 1 / n} for n in (1, 2, 3)]
                    if mode == "head"
                    else [],
                    timings={"fit": 1.5, "encode": 0.1},
                    environment={"processor": EVIL, "versions": {"hashbench": "0.1.0"}},
                    finished=f"2026-01-0{1 + seed}T00:00:00+00:00",
                )
                codes_of = tuple(replace(one, relaxed=None) for one in (query, database))
                store.put(record.with_origins((tuned,)), codes_of)
    return store.root


@pytest.fixture(scope="session")
def data_of() -> Callable[[str], dict]:
    """What a page shows, out of its text."""
    return lambda text: json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])


@pytest.fixture(scope="session")
def page_file(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page that `hashbench report` writes of it."""
    pytest.importorskip("plotly", reason="plotly is not installed: pip install '.[report]'")
    from click.testing import CliRunner

    from hashbench.commands import report

    out = tmp_path_factory.mktemp("page") / "page.html"
    arguments = [str(results), "--out", str(out), "--title", f"A <page> {EVIL}"]
    found = CliRunner().invoke(report.command, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return out
