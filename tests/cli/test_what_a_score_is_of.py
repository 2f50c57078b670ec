"""Scores know what data they are of: what changes under a name is never shown as the same."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_lists
from PIL import Image

from hashbench.runner import train

LISTS = ("--datasets", "lists:t", "--backbone", "pixels", "--bits", "16", "--workers", "0")


def run(hashbench, *more: str, methods: str = "itq-cca", json_: bool = False):
    done = hashbench(
        "run", "--no-floors", *LISTS, "--methods", methods, *more, *(["--json"] if json_ else [])
    )
    return json.loads(done.out) if json_ else done


def scores(body) -> dict[str, float]:
    return {r["cell"]["method"]: r["scores"]["house"]["map@h2"] for r in body["records"]}


def mend_lists(parts) -> None:
    half = {part: rows[: len(rows) // 2] for part, rows in parts.items()}
    tiny_lists.write(Path("t"), half)


def mend_labels(parts) -> None:
    tiny_lists.write(Path("t"), tiny_lists.rotated(parts))


def rename_classes(parts) -> None:
    Path("t/classes.txt").write_text("cat\ndog\nship\n")


def replace_images(parts) -> None:
    rng = np.random.default_rng(1)
    for path in Path("t").glob("*/*.png"):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(path)


def replace_one_image_keeping_size_and_time(parts) -> None:
    path = Path("t") / parts["database"][0][0]
    status = path.stat()
    data = bytearray(path.read_bytes())
    other = Path("t") / parts["database"][1][0]
    data = other.read_bytes()[: len(data)].ljust(len(data), b"\0")
    path.unlink()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_folder(parts) -> None:
    shutil.rmtree("t")
    tiny_lists.make(Path("t"), count=18, seed=5)


@pytest.mark.parametrize(
    "change",
    [
        mend_lists,
        mend_labels,
        rename_classes,
        replace_images,
        replace_one_image_keeping_size_and_time,
        another_folder,
    ],
)
def test_what_changes_is_computed_again_and_shares_no_table(hashbench, change) -> None:
    parts = tiny_lists.make(Path("t"))
    before = run(hashbench, methods="lsh,itq-cca", json_=True)
    change(parts)
    after = run(hashbench, methods="itq-cca", json_=True)
    assert after["records"][0]["key"] not in {record["key"] for record in before["records"]}
    fresh = run(hashbench, "--results", "fresh", methods="itq-cca", json_=True)
    assert scores(after) == scores(fresh)
    table = hashbench("export", "--format", "markdown").out
    assert "ITQ-CCA" in table
    assert "LSH" not in table  # its score is of what the data were before
    assert re.search(r"2 results of another state of the data are left out", table)
    both = hashbench("export", "--format", "markdown", "--all-versions").out
    assert "LSH" in both
    compared = hashbench("compare", "--json")
    assert json.loads(compared.out)["comparisons"] == []


def test_the_same_data_elsewhere_are_the_same(hashbench) -> None:
    tiny_lists.make(Path("t"))
    before = run(hashbench, json_=True)
    Path("moved").mkdir()
    shutil.copytree("t", "moved/t")
    shutil.rmtree("t")
    moved = ["lists:moved/t" if part == "lists:t" else part for part in LISTS]
    done = hashbench("run", "--no-floors", *moved, "--methods", "itq-cca", "--json")  # fmt: skip
    assert [r["key"] for r in json.loads(done.out)["records"]] == [
        r["key"] for r in before["records"]
    ]


def test_images_that_arrive_bit_by_bit(hashbench) -> None:
    parts = tiny_lists.make(Path("t"))
    gone = [path for path, _ in parts["database"][:10]]
    kept = {name: (Path("t") / name).read_bytes() for name in gone}
    for name in gone:
        (Path("t") / name).unlink()
    run(hashbench, "--allow-missing", methods="lsh,itq-cca")
    for name in gone[:-1]:
        (Path("t") / name).write_bytes(kept[name])
    after = run(hashbench, "--allow-missing", methods="itq-cca", json_=True)
    counts = {str(record["split"]["counts"]) for record in after["records"]}
    assert len(counts) == 1
    table = hashbench("export", "--format", "markdown").out
    assert "LSH" not in table


def test_a_clock_that_is_set_back_makes_nothing_older(hashbench, monkeypatch) -> None:
    parts = tiny_lists.make(Path("t"))
    keys = []
    for year in (2030, 2020):
        monkeypatch.setattr(train, "now", lambda year=year: f"{year}-01-01T00:00:00.000+00:00")
        (record,) = run(hashbench, methods="lsh", json_=True)["records"]
        keys.append(record["key"])
        mend_labels(parts)
    table = hashbench("export", "--format", "csv").out
    assert keys[1] in table
    assert keys[0] not in table
    assert not hashbench("forget", "--superseded", "--yes").code
    assert [path.stem for path in Path("hashbench-results/records").iterdir()] == keys[1:]


@pytest.mark.parametrize("changed", ["labels", "plugin"])
def test_what_is_put_back_is_shown_again_and_not_what_was_between(hashbench, changed) -> None:
    parts = tiny_lists.make(Path("t"))
    plugin = (
        "from hashbench.baselines.lsh import LSH\n"
        "class Mine(LSH):\n    name = 'mine'\n    def fit(self, X, y=None):\n"
        "        self.seed += {}\n        return super().fit(X, y)\n"
    )
    found = []
    for state in (0, 1, 0):
        tiny_lists.write(
            Path("t"), [parts, tiny_lists.rotated(parts)][state * (changed == "labels")]
        )
        Path("mine.py").write_text(plugin.format(state * (changed == "plugin")))
        run(hashbench, "--plugin", "mine.py", "--results", "my r", methods="mine")
        table = hashbench(
            "export", "--format", "csv", "--results", "my r", "--plugin", "mine.py"
        ).out
        found.append([line.rsplit(",", 1)[0] for line in table.splitlines() if ",map," in line])
    assert len(found[0]) == len(found[1]) == len(found[2]) == 1
    assert found[0] != found[1]
    assert found[0] == found[2]
    noted = hashbench("export", "--format", "markdown", "--results", "my r").out
    advice = re.search(r"hashbench (forget --superseded --results 'my r') drops", noted)
    assert advice is not None, noted
    hashbench("forget", "--superseded", "--results", "my r", "--yes")
    table = hashbench("export", "--format", "csv", "--results", "my r").out
    assert [line.rsplit(",", 1)[0] for line in table.splitlines() if ",map," in line] == found[0]


def test_what_was_not_run_again_is_no_result_of_the_new_data_in_any_verb(hashbench) -> None:
    parts = tiny_lists.make(Path("t"))
    run(hashbench, methods="lsh,itq-cca")
    mend_labels(parts)
    codes = {"query_codes": np.zeros((10, 8), int), "database_codes": np.zeros((30, 8), int)}
    np.savez("mine.npz", **codes)
    kept = hashbench("score", "--codes", "mine.npz", "--as", "mine", "--bench", "lists:t")
    assert kept.code == 2
    assert "lists:t has other images or labels here than the results are of" in kept.err
    run(hashbench, methods="itq-cca")
    for verb in (("export", "--format", "csv"), ("compare",), ("plot", "bits"), ("score",)):
        done = hashbench(*verb, "--methods", "lsh")
        assert done.code == 2, verb
        assert "all of another state of the data" in done.err
    scored = hashbench("score", "hashbench-results")
    assert scored.out.count("ITQ-CCA") == 1
    assert "LSH" not in scored.out
    assert "2 results of another state of the data or of other code are left out" in scored.out
    assert hashbench("export", "--methods", "lsh", "--all-versions", "--format", "csv").code == 0


def test_a_convention_asked_for_later_is_scored_without_training(hashbench) -> None:
    args = (
        "run",
        "--no-floors",
        "--datasets",
        "digits",
        "--methods",
        "lsh,itq-cca",
        "--bits",
        "16",
    )
    hashbench(*args)
    codes = {path: path.stat().st_mtime_ns for path in Path("hashbench-results/codes").iterdir()}
    later = json.loads(
        hashbench(*args, "--convention", "house(order=worst),deephash", "--json").out
    )
    assert {name for r in later["records"] for name in r["scores"]} == {
        "house(order=worst)",
        "deephash",
    }
    assert codes == {
        path: path.stat().st_mtime_ns for path in Path("hashbench-results/codes").iterdir()
    }
    other = hashbench("export", "--format", "markdown", "--convention", "house(empty=drop)")
    assert other.code == 0, other.err
    for name, title in (("graded", "WAP"), ("house(radius=3)", "mAP@H<=3"), ("csq", "mAP")):
        shown = hashbench(*args, "--convention", name).out
        assert f"{title} ({name} convention)" in shown
        advice = shlex.split(shown.splitlines()[-1].removeprefix("Next: hashbench "))
        assert hashbench(*advice).code == 0
        assert Path("table.tex").exists()
    assert "wap" in hashbench("score", "hashbench-results", "--convention", "graded").out


def test_relaxed_outputs_asked_for_later_come_from_the_kept_hasher(hashbench) -> None:
    args = ("run", "--no-floors", "--datasets", "digits", "--methods", "itq-cca,dch", "--bits",
            "16", "--set", "dch.epochs=2", "--workers", "0", "--convention", "house")  # fmt: skip
    first = json.loads(hashbench(*args, "--json").out)
    later = hashbench(*args[:-1], "house,deephash", "--keep-relaxed", "--json")
    assert later.code == 0, later.err
    assert all("deephash" in record["scores"] for record in json.loads(later.out)["records"])
    direct = hashbench(*args[:-1], "house,deephash", "--results", "direct", "--json")
    for one, two in zip(
        json.loads(later.out)["records"], json.loads(direct.out)["records"], strict=True
    ):
        assert one["scores"]["deephash"] == two["scores"]["deephash"]
    assert [record["key"] for record in first["records"]] == [
        record["key"] for record in json.loads(later.out)["records"]
    ]


def test_what_needs_a_hasher_that_was_discarded_says_how_to_train_again(hashbench) -> None:
    args = ("run", "--no-floors", "--datasets", "digits", "--methods", "itq-cca", "--bits", "16",
            "--discard", "hashers", "--workers", "0", "--convention")  # fmt: skip
    hashbench(*args, "house")
    later = hashbench(*args, "deephash", "--json")
    assert later.code == 1
    (missing,) = json.loads(later.out)["missing"]
    command = re.search(r"`hashbench (forget [0-9a-f]+ --results \S+)`", missing["reason"])
    assert command is not None
    done = hashbench(*command.group(1).split(), "--yes")
    assert done.code == 0, done.err
    assert hashbench(*args, "deephash").code == 0


def test_every_cell_that_was_asked_for_has_scores_or_the_run_exits_with_1(hashbench) -> None:
    Path("bad.py").write_text(
        "import numpy as np, hashbench\n"
        "class Bad(hashbench.Hasher):\n"
        "    name = 'bad'\n"
        "    def __init__(self, bits=16, seed=0): self.bits = bits; self.seed = seed\n"
        "    def fit(self, train): return self\n"
        "    def encode(self, items):\n"
        "        return hashbench.Codes.from_real(np.full((len(items), self.bits), np.nan))\n"
    )
    args = (
        "run",
        "--no-floors",
        "--datasets",
        "digits",
        "--plugin",
        "bad.py",
        "--bits",
        "16",
        "--workers",
        "0",
    )
    for _ in range(2):
        done = hashbench(*args, "--methods", "bad,lsh", "--json")
        assert done.code == 1
        (missing,) = json.loads(done.out)["missing"]
        assert "bad 16 bits" in missing["cell"]
        assert "NaN" in missing["reason"]
    assert hashbench(*args, "--methods", "lsh").code == 0


def test_a_method_that_throws_switches_changes_no_other_cell(hashbench) -> None:
    Path("rude.py").write_text(
        "import os, numpy as np, torch, hashbench\n"
        "from hashbench.baselines.lsh import LSH\n"
        "class Rude(LSH):\n"
        "    name = 'a-rude'\n"
        "    def fit(self, X, y=None):\n"
        "        torch.set_default_dtype(torch.float64)\n"
        "        torch.set_grad_enabled(False)\n"
        "        np.random.seed(3); np.seterr(all='raise')\n"
        "        os.environ['HASHBENCH_CACHE'] = '/nowhere'\n"
        "        os.chdir('/')\n"
        "        for array in (X.labels, X.features()):\n"
        "            try:\n"
        "                array[...] = 0\n"
        "            except ValueError:\n"
        "                pass\n"
        "        return super().fit(X, y)\n"
    )
    args = ("run", "--no-floors", "--datasets", "digits", "--plugin", "rude.py", "--bits", "16",
            "--set", "dch.epochs=2", "--seeds", "1")  # fmt: skip
    alone = json.loads(hashbench(*args, "--methods", "dch,sdh", "--results", "alone",
                                 "--workers", "0", "--json").out)  # fmt: skip
    for workers in ("0", "1"):
        beside = json.loads(
            hashbench(
                *args, "--methods", "a-rude,dch,sdh", "--results", f"beside{workers}",
                "--workers", workers, "--json",
            ).out
        )  # fmt: skip
        found = {r["cell"]["method"]: r for r in beside["records"]}
        for record in alone["records"]:
            method = record["cell"]["method"]
            assert found[method]["scores"] == record["scores"], method
            assert found[method]["files"]["codes"] == record["files"]["codes"], method


def test_items_tell_a_method_nothing_of_classes(tmp_path, monkeypatch) -> None:
    """On a data set whose file names are its classes."""
    from hashbench.data import open_dataset

    tiny_lists.make(tmp_path / "t")
    query = open_dataset(f"lists:{tmp_path / 't'}").split().query
    public = {name: getattr(query, name) for name in dir(query) if not name.startswith("_")}
    seen = repr({name: value for name, value in public.items() if not callable(value)})
    assert not re.search(r"c[012]/|c[012]\b", seen)
    assert not {"source", "rows", "ids", "table"} & set(public)
    tokens = query.tokens
    assert len(set(tokens)) == len(query)
    assert all(re.fullmatch(r"[0-9a-f]{16}", token) for token in tokens)
