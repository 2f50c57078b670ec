from pathlib import Path

import numpy as np
import pytest

from hashbench.data.cifar10 import CIFAR10, _natural
from hashbench.errors import InputError
from hashbench.items import ids_of


def splits(root):
    return {name: CIFAR10(root).split(name, 0) for name in CIFAR10.protocols}


def test_archive_packed_archive_and_folders_give_the_same_splits(tiny_cifar, tmp_path, monkeypatch):
    tiny_cifar.folders(tmp_path / "a" / "cifar10")
    tiny_cifar.packed(tmp_path / "b" / "cifar10", monkeypatch)
    from_folders = splits(tmp_path / "a")
    from_archive = splits(tmp_path / "b")
    for name, split in from_folders.items():
        other = from_archive[name]
        assert split.ids_sha256 == other.ids_sha256
        assert ids_of(split.query) == ids_of(other.query)
        assert np.array_equal(split.query_labels, other.query_labels)
        assert np.array_equal(split.query.image(0), other.query.image(0))
        assert np.array_equal(split.train.image(7), other.train.image(7))
    assert len({split.ids_sha256 for split in from_folders.values()}) == 3


def test_counts_and_labels_follow_the_protocol(tiny_cifar, tmp_path, monkeypatch):
    tiny_cifar.archive(tmp_path / "cifar10", monkeypatch)
    split = CIFAR10(tmp_path).split()
    assert split.counts == {"query": 20, "train": 30, "database": 70}
    assert split.query_labels.sum(axis=0).tolist() == [2] * 10
    assert split.train.labels.sum(axis=0).tolist() == [3] * 10
    for name, label in zip(ids_of(split.query), split.query_labels, strict=True):
        assert split.classes[int(label.argmax())] == name.split("/")[1]


def test_a_damaged_batch_is_refused_before_it_is_unpickled(tiny_cifar, tmp_path, monkeypatch):
    base = tiny_cifar.archive(tmp_path / "cifar10", monkeypatch)
    with (base / "data_batch_3").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(InputError, match="published checksums"):
        CIFAR10(tmp_path).split()


def test_a_damaged_archive_is_refused_and_left(tiny_cifar, tmp_path, monkeypatch):
    path = tiny_cifar.packed(tmp_path / "cifar10", monkeypatch)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="missing or damaged"):
        CIFAR10(tmp_path).split()
    assert [entry.name for entry in (tmp_path / "cifar10").iterdir()] == [path.name]


def test_a_folder_that_lacks_an_image_is_refused(tiny_cifar, tmp_path):
    tiny_cifar.folders(tmp_path / "cifar10")
    (tmp_path / "cifar10" / "train" / "dog" / "3.png").unlink()
    with pytest.raises(InputError, match=r"train/dog holds 9 images instead of 10"):
        CIFAR10(tmp_path).split()


def test_a_folder_nobody_may_list_is_one_sentence(tiny_cifar, tmp_path, monkeypatch):
    tiny_cifar.folders(tmp_path / "cifar10")

    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(InputError, match=r"airplane cannot be listed \(Permission denied\)"):
        CIFAR10(tmp_path).split()


def test_a_symbolic_link_to_the_folder_serves(tiny_cifar, tmp_path):
    tiny_cifar.folders(tmp_path / "elsewhere")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "cifar10").symlink_to(tmp_path / "elsewhere")
    assert CIFAR10(tmp_path / "root").split().counts["database"] == 70


def test_absence_says_how_to_get_it(tmp_path):
    status = CIFAR10(tmp_path).status()
    assert not status.prepared
    assert "data prepare cifar10" in status.hint
    with pytest.raises(InputError, match="data prepare cifar10"):
        CIFAR10(tmp_path).split()


def test_prepare_does_not_download_unless_asked(tmp_path, monkeypatch):
    from torchvision.datasets import utils

    def refuse(*_args, **_kwargs):
        raise AssertionError("a download was started")

    monkeypatch.setattr(utils, "download_url", refuse)
    with pytest.raises(InputError, match="missing or damaged"):
        CIFAR10(tmp_path).prepare()


def test_pinned_splits_hold_for_any_complete_copy():
    # Labels and ids of the real 60,000 images are known without their pixels.
    from hashbench.data.cifar10 import CLASSES, SIZES, _ids
    from hashbench.data.dataset import LabelledImages, make_split, verify_pins

    class Source:
        ids = [  # noqa: RUF012
            name for part, size in SIZES.items() for name in _ids(part, np.full(10, size))
        ]
        fingerprint = ""

        def __len__(self):
            return 60_000

    targets = np.concatenate([np.repeat(np.arange(10), size) for size in SIZES.values()])
    labels = np.eye(10, dtype=np.uint8)[targets]
    for protocol in CIFAR10.protocols.values():
        split = make_split(LabelledImages(Source(), labels, CLASSES), protocol.draw(labels, 0))
        verify_pins(protocol, split, 0)
        assert split.ids_sha256 == protocol.pins[0]
        assert len(split.database) == protocol.database


def test_file_names_sort_as_numbers():
    names = ["10.png", "2.png", "1_a.png", "0003.png"]
    assert sorted(names, key=_natural) == ["1_a.png", "2.png", "0003.png", "10.png"]
