import json

import pytest
from click.testing import CliRunner

from hashbench.commands.data import command as data
from hashbench.commands.datasets import command as datasets
from hashbench.data import default_data_root, open_dataset
from hashbench.errors import InputError


def invoke(verb, *args):
    result = CliRunner().invoke(verb, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_digits_are_always_there(tmp_path):
    split = open_dataset("digits", tmp_path).split()
    assert split.counts == {"query": 200, "train": 500, "database": 1097}
    assert split.query_labels.sum(axis=0).tolist() == [20] * 10
    assert split.query.image(0).shape == (8, 8, 3)
    assert split.query.image(0).max() > 200


def test_the_data_root_is_the_variable_or_data(monkeypatch):
    monkeypatch.setenv("HASHBENCH_DATA", "/somewhere")
    assert str(default_data_root()) == "/somewhere"
    monkeypatch.delenv("HASHBENCH_DATA")
    assert str(default_data_root()) == "data"


def test_wrong_names_are_answered_with_near_ones(tmp_path):
    with pytest.raises(InputError, match="unknown data set 'cifar': did you mean cifar10"):
        open_dataset("cifar", tmp_path)
    with pytest.raises(InputError, match="unknown protocol of digits 'digit': did you mean digits"):
        open_dataset("digits", tmp_path).split("digit")


def test_listing_says_what_is_prepared(tmp_path):
    code, output = invoke(datasets, "--data-root", tmp_path, "--json")
    assert code == 0
    listing = {entry["name"]: entry for entry in json.loads(output)["datasets"]}
    assert listing["digits"]["prepared"]
    assert not listing["cifar10"]["prepared"]
    assert "data prepare cifar10" in listing["cifar10"]["hint"]
    assert set(listing["cifar10"]["protocols"]) == {"cifar10", "cifar10-1", "cifar10-2"}
    code, output = invoke(data, "status", "--data-root", tmp_path)
    assert code == 0
    assert "not prepared" in output


def test_verify_finds_everything_at_once(tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "query.txt").write_text("q.png 1 0\nb.png 0 1\nbare.png 0 0\n")
    (lists / "train.txt").write_text("a.png 1 0\n")
    (lists / "database.txt").write_text("a.png 1 0\nb.png 0 1\n")
    code, output = invoke(data, "verify", f"lists:{lists}", "--json")
    found = json.loads(output)
    assert code == 1
    assert found["counts"] == {"query": 3, "train": 1, "database": 2}
    assert found["missing"] == ["q.png", "b.png", "bare.png", "a.png"]
    assert found["unlabelled"] == {"query": 1, "train": 0, "database": 0}
    assert found["overlap"] == {"query/train": 0, "query/database": 1, "train/database": 1}
    assert found["histogram"] == {"class 0": 1, "class 1": 1}
    assert len(found["problems"]) == 3
    assert len(found["sha256"]) == 64
    code, output = invoke(data, "verify", f"lists:{lists}")
    assert code == 1
    assert "problem: 1 query image is in the database list too" in output


def test_verify_passes_what_is_whole(tiny_cifar, tmp_path):
    tiny_cifar.folders(tmp_path / "cifar10")
    code, output = invoke(data, "verify", "cifar10", "--data-root", tmp_path, "--decode")
    assert code == 0
    assert "everything is as it should be" in output
    (tmp_path / "cifar10" / "test" / "cat" / "1.png").write_bytes(b"x")
    code, output = invoke(data, "verify", "cifar10", "--data-root", tmp_path, "--decode")
    assert code == 1
    assert "1.png cannot be decoded" in output


def test_prepare_unpacks_the_archive(tiny_cifar, tmp_path):
    tiny_cifar.packed(tmp_path / "cifar10")
    code, output = invoke(data, "prepare", "cifar10", "--data-root", tmp_path)
    assert code == 0
    assert (tmp_path / "cifar10" / "cifar-10-batches-py" / "test_batch").is_file()
    assert "cifar10 is prepared" in output


def test_import_gives_lists_a_name(tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    for name in ("query", "train", "database"):
        (lists / f"{name}.txt").write_text(f"{name}.png 1 0\n")
    code, _output = invoke(data, "import", lists, "--as", "mine", "--data-root", tmp_path / "root")
    assert code == 0
    code, output = invoke(datasets, "--data-root", tmp_path / "root")
    assert "mine" in output
    with pytest.raises(InputError, match="is a data set of hashbench"):
        invoke(data, "import", lists, "--as", "cifar10", "--data-root", tmp_path / "root")
