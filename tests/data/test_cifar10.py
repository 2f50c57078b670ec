import numpy as np
import pytest

from hashbench.data.cifar import natural
from hashbench.data.cifar10 import CIFAR10
from hashbench.data.cifar100 import CIFAR100
from hashbench.errors import InputError
from hashbench.items import ids_of


def splits(root):
    return {name: CIFAR10(root).split(name, 0) for name in CIFAR10.protocols}


def test_archive_packed_archive_and_folders_give_the_same_splits(tiny_cifar, tmp_path):
    tiny_cifar.folders(tmp_path / "a" / "cifar10")
    tiny_cifar.packed(tmp_path / "b" / "cifar10")
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


def test_counts_and_labels_follow_the_protocol(tiny_cifar, tmp_path):
    tiny_cifar.archive(tmp_path / "cifar10")
    split = CIFAR10(tmp_path).split()
    assert split.counts == {"query": 20, "train": 30, "database": 70}
    assert split.query_labels.sum(axis=0).tolist() == [2] * 10
    assert split.train.labels.sum(axis=0).tolist() == [3] * 10
    for name, label in zip(ids_of(split.query), split.query_labels, strict=True):
        assert split.classes[int(label.argmax())] == name.split("/")[1]


def test_a_damaged_batch_is_refused_before_it_is_unpickled(tiny_cifar, tmp_path):
    base = tiny_cifar.archive(tmp_path / "cifar10")
    with (base / "data_batch_3").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(InputError, match="published checksum"):
        CIFAR10(tmp_path).split()


def test_a_damaged_archive_is_refused_and_left(tiny_cifar, tmp_path):
    path = tiny_cifar.packed(tmp_path / "cifar10")
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

    monkeypatch.setattr("os.listdir", locked)
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
    def refuse(*_args, **_kwargs):
        raise AssertionError("a download was started")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(InputError, match="prepare cifar10 --download"):
        CIFAR10(tmp_path).prepare()


def test_prepare_fetches_verifies_and_unpacks(tiny_cifar, tmp_path, monkeypatch):
    official = tiny_cifar.packed(tmp_path / "official")
    asked = []

    def answer(url):
        asked.append(url)
        return official.open("rb")

    monkeypatch.setattr("urllib.request.urlopen", answer)
    CIFAR10(tmp_path).prepare(download=True)
    assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"]
    assert (tmp_path / "cifar10" / "cifar-10-batches-py" / "test_batch").is_file()
    CIFAR10(tmp_path).prepare(download=True)
    assert len(asked) == 1
    official.write_bytes(b"something else")
    with pytest.raises(InputError, match="another file than the published one"):
        CIFAR10(tmp_path / "other").prepare(download=True)
    assert list((tmp_path / "other" / "cifar10").iterdir()) == []


def test_prepare_and_verify_agree_on_folders(tiny_cifar, tmp_path):
    tiny_cifar.folders(tmp_path / "cifar10")
    CIFAR10(tmp_path).prepare()
    (tmp_path / "cifar10" / "test" / "cat" / "1.png").unlink()
    with pytest.raises(InputError, match="test/cat holds 1 image instead of 2"):
        CIFAR10(tmp_path).prepare()


def test_a_batch_may_call_for_nothing_but_arrays(tmp_path):
    import hashlib
    import pickle

    from hashbench.data.batches import read_batch

    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps({b"data": print}))
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    with pytest.raises(InputError, match=r"calls for builtins\.print"):
        read_batch(path, md5, b"labels")


@pytest.mark.parametrize("form", ["packed", "folders"])
def test_both_forms_of_cifar100_give_one_split(tiny_cifar100, tmp_path, form):
    tiny_cifar100.archive(tmp_path / "a" / "cifar100")
    reference = CIFAR100(tmp_path / "a").split()
    getattr(tiny_cifar100, form)(tmp_path / "b" / "cifar100")
    split = CIFAR100(tmp_path / "b").split()
    assert split.digest == reference.digest
    assert split.counts == {"query": 100, "train": 100, "database": 200}
    assert np.array_equal(split.database.image(5), reference.database.image(5))
    for name, label in zip(ids_of(split.query), split.query_labels, strict=True):
        assert split.classes[int(label.argmax())] == name.split("/")[1]


@pytest.mark.parametrize("cls", [CIFAR10, CIFAR100])
def test_pinned_splits_hold_for_any_complete_copy(cls):
    # Labels and ids of the real 60,000 images are known without their pixels.
    from hashbench.data.dataset import make_split, verify_pins
    from hashbench.data.labelled import LabelledImages

    count = len(cls.classes)
    names = [
        f"{part}/{name}/{number:04d}"
        for part, size in cls.sizes.items()
        for name in cls.classes
        for number in range(size)
    ]
    targets = np.concatenate([np.repeat(np.arange(count), size) for size in cls.sizes.values()])
    labels = np.eye(count, dtype=np.uint8)[targets]

    class Source:
        ids = names
        fingerprint = ""

        def __len__(self):
            return 60_000

    for protocol in cls.protocols.values():
        parts = protocol.draw(labels, 0)
        split = make_split(LabelledImages(Source(), labels, cls.classes), parts)
        verify_pins(protocol, split, 0)
        wrong = labels.copy()
        wrong[parts[2][0]] = np.roll(wrong[parts[2][0]], 1)
        mislabelled = make_split(LabelledImages(Source(), wrong, cls.classes), parts)
        with pytest.raises(InputError, match="not the official ones"):
            verify_pins(protocol, mislabelled, 0)


def test_file_names_sort_as_numbers():
    names = ["10.png", "2.png", "1_a.png", "0003.png"]
    assert sorted(names, key=natural) == ["1_a.png", "2.png", "0003.png", "10.png"]
