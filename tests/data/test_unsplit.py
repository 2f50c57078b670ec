"""Any data: folders of classes, tables and single lists, split by numbers and pinned by import."""

import numpy as np
import pytest
from click.testing import CliRunner
from pictures import noise, write_image

from hashbench.commands.data import command as data
from hashbench.data import open_dataset
from hashbench.data.gathered import gather
from hashbench.data.unsplit import drawing, import_images
from hashbench.errors import InputError
from hashbench.items import ids_of


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of three class folders, with blanks in names."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    seed = 0
    for kind in ("a cat", "dog", "emu"):
        for number in range(6):
            seed += 1
            write_image(tmp_path / "photos" / kind / f"{kind} {number} 1 0.png", noise(seed, 8, 8))
    (tmp_path / "photos" / "notes.txt").write_text("not an image")
    return tmp_path / "photos"


def opened(path, **options):
    return open_dataset(f"images:{path}", path.parent / "root", **options)


def everything(split):
    return [*ids_of(split.query), *ids_of(split.train), *ids_of(split.database)]


def labels_by_name(split):
    found = dict(zip(ids_of(split.query), split.query_labels.tolist(), strict=True))
    found |= dict(zip(ids_of(split.train), split.train.labels.tolist(), strict=True))
    found |= dict(zip(ids_of(split.database), split.database_labels.tolist(), strict=True))
    return found


def test_folders_of_classes_are_split_by_numbers(photos):
    split = opened(photos).split("4-6-rest")
    assert split.counts == {"query": 4, "train": 6, "database": 8}
    assert split.classes == ("a cat", "dog", "emu")
    assert len(set(everything(split))) == 18
    for name, label in labels_by_name(split).items():
        assert split.classes[int(np.argmax(label))] == name.split("/")[0]
    again = opened(photos).split("4/6/rest")
    assert again.digest == split.digest
    assert opened(photos).split("4-6-rest", 1).digest != split.digest


@pytest.mark.parametrize(
    ("text", "counts"),
    [("4-6-rest+train", (4, 6, 14)), ("4-all-rest", (4, 14, 14)), ("1/2/rest", (1, 2, 15))],
)
def test_what_a_split_may_say(photos, text, counts):
    assert tuple(opened(photos).split(text).counts.values()) == counts


@pytest.mark.parametrize("text", ["", "4", "4-6", "4-6-8", "x-6-rest", "4-6-rest-", "4--rest"])
def test_other_words_are_no_split(photos, text):
    assert drawing(text) is None
    with pytest.raises(InputError, match="say how many queries and training images to draw"):
        opened(photos).split(text)


def test_unseen_classes_of_any_images(photos):
    split = opened(photos).split("6-9-rest-unseen")
    assert split.train.labels.shape[1] == 2
    assert set(split.views) == {"seen@seen", "seen@all", "unseen@unseen", "unseen@all"}


def test_test_and_train_folders_say_who_asks(tmp_path, monkeypatch):
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    for number in range(12):
        part = "test" if number < 4 else "train"
        write_image(tmp_path / "d" / part / f"k{number % 2}" / f"{number}.png", noise(number))
    split = opened(tmp_path / "d").split("4-3-rest")
    assert all(name.startswith("test/") for name in ids_of(split.query))
    assert split.counts == {"query": 4, "train": 3, "database": 5}
    assert split.classes == ("k0", "k1")
    with pytest.raises(InputError, match=r"4 images ask in .*, as its folders say, and not 2"):
        opened(tmp_path / "d").split("2-3-rest")


def table(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table_of_words(photos):
    text = (
        'Path,Labels\r\n"a cat/a cat 0 1 0.png",cat;pet\r\ndog/dog 1 1 0.png, pet | dog \r\n'
        "emu/emu 2 1 0.png,\r\n"
    )
    found = gather(table(photos, text))
    assert found.classes == ("cat", "dog", "pet")
    assert found.names == ["a cat/a cat 0 1 0.png", "dog/dog 1 1 0.png", "emu/emu 2 1 0.png"]
    assert found.labels.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]


def test_a_name_with_its_accents_apart_is_the_same_class(photos):
    found = gather(table(photos, "path,label\na.png,\u00e9\nb.png,e\u0301\nc.png,polar bear\n"))
    assert found.classes == ("polar bear", "\u00e9")
    assert found.labels[:, 1].tolist() == [1, 1, 0]


def test_a_table_as_spreadsheets_with_decimal_commas_write_it(photos):
    found = gather(table(photos, 'path;label\n"a;b.png";"cat;a, b"\nc,d.png;cat\n'))
    assert found.names == ["a;b.png", "c,d.png"]
    assert found.classes == ("a, b", "cat")
    assert found.labels.tolist() == [[1, 1], [0, 1]]
    found = gather(table(photos, 'path;"a, b";cat\nc.png;1;0\n'))
    assert found.classes == ("a, b", "cat")


def test_a_table_with_a_column_for_each_class(photos):
    found = gather(table(photos, "file\tcat\tbig dog\nx/1.png\t1\t0\ny,2.png\t1\t1\n", "t.tsv"))
    assert found.classes == ("cat", "big dog")
    assert found.names == ["x/1.png", "y,2.png"]
    assert found.labels.tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize("marks", ["1 0", "1 -1", "True False", "1.0 0.0", "1.0 -1.0"])
def test_columns_of_classes_as_pandas_and_others_write_them(photos, marks):
    yes, no = marks.split()
    found = gather(
        table(photos, f"file,cat,dog,cow\na.png,{yes},{no},{no}\nb.png,{no},{yes},{yes}\n")
    )
    assert found.labels.tolist() == [[1, 0, 0], [0, 1, 1]]


@pytest.mark.parametrize("before", ["/home/author/photos/", "C:\\photos\\", "photos/"])
def test_folders_of_another_machine_are_dropped_from_a_table(photos, before):
    names = [f"{kind}/{kind} {number} 1 0.png" for kind in ("dog", "emu") for number in range(6)]
    plain, listed = (
        table(
            photos, "path,label\n" + "".join(f"{head}{name},{name[:3]}\n" for name in names), file
        )
        for head, file in (("", "plain.csv"), (before, "listed.csv"))
    )
    (photos / names[0]).unlink()
    splits = [opened(file, allow_missing=True).split("2-4-rest") for file in (plain, listed)]
    assert splits[0].digest == splits[1].digest
    assert len(everything(splits[1])) == 11


def test_what_a_mac_or_a_viewer_leaves_beside_images_is_none(photos):
    wanted = opened(photos).split("5-5-rest").digest
    for name in ("__MACOSX/dog/._dog 0 1 0.png", "dog/._dog 0 1 0.png", "emu/.thumbs/x.png"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(b"no image")
    assert opened(photos).split("5-5-rest").digest == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: a header is needed"),
        ("a.png,cat\nb.png,dog\n", "line 1: a header is needed"),
        ("path,label\n", "lists no image"),
        ("path,label\na.png,cat\nb.png\n", "line 3 has 1 cell and the header 2"),
        ("path;label\na.png;x;y\n", "line 2 has 3 cells .* a cell with a semicolon needs quotes"),
        ("path,label\na.png,cat\na.png,dog\n", "lists a.png twice"),
        ("path,label\na.png,cat\nb.png,cat\n", "has 1 class:"),
        ("path,label\n../a.png,cat\n", "line 2: '../a.png' leads out"),
        ("path,label,extra\na.png,cat,1\n", "beside 'label' there is 'extra'"),
        ("path,cat,dog\na.png,1,yes\n", "line 2: 'yes' in column 'dog' is neither 0 nor 1"),
        (b"path,label\na.png,\xff\n", "is not UTF-8"),
        (b"path,label\na.png,x\0\n", "NUL byte"),
        ('path,label\n"a.png,cat\n', "mend the table"),
        ("path,label\na.png,\x07\nb.png,x\n", "line 2: a label holds a control character"),
        ("path,label\na.png,x\nb.png,0 1 1\n", "line 3: '0 1 1' is no name of a class"),
        ('path,label\na.png,"[0, 1]"\n', r"line 2: '\[0, 1\]' is no name of a class"),
        ("path,label\na.png,x\nb.png,NaN\n", "line 3: 'NaN' is no name of a class"),
        ("path,label\na.png,1\nb.png,1.0\nc.png,2\n", "'1' and '1.0', which are one number"),
        ("path,label\na.png,a b\nb.png,a  b\nc.png,c\n", "differ in blanks alone"),
        ("path,label\na.png,-1\nb.png,0\nc.png,3\n", "the label '-1' may stand for none"),
        ("path,label\na.png,0110\nb.png,0010\n", "'0110' may be a class or a row"),
        ("path,cat\na.png,1\nb.png,0\n", "'cat' is the only column beside the paths"),
        ("path,cat,dog\na.png,1,0\nb.png,-1,1\n", r"has 0 \(line 2\) and -1 \(line 3\)"),
        ('path,label\na.png,x\nb.png,y\nc.png,"x,y"\n', "'x,y' and each word of it"),
    ],
)
def test_other_tables_are_refused_with_their_line(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        gather(table(tmp_path, text))


def test_one_list_is_split_too(photos):
    lines = [
        f"{kind}/{kind} {number} 1 0.png {' '.join(str(int(kind == x)) for x in kinds)}\n"
        for kinds in [("a cat", "dog", "emu")]
        for kind in kinds
        for number in range(6)
    ]
    (photos / "all.txt").write_text("".join(lines))
    (photos / "turned.txt").write_text("".join(lines[::-1]))
    split = opened(photos / "all.txt").split("4-6-rest")
    assert split.classes == ("class 0", "class 1", "class 2")
    assert everything(split) == everything(opened(photos).split("4-6-rest"))
    assert opened(photos / "turned.txt").split("4-6-rest").digest == split.digest
    assert split.query.image(0).shape == (8, 8, 3)
    (photos / "classes.txt").write_text("cat\ndog\nemu\n")
    assert opened(photos / "all.txt").split("4-6-rest").classes == ("cat", "dog", "emu")


def test_folders_that_hold_no_classes_are_refused(tmp_path):
    write_image(tmp_path / "one" / "a.png", noise(0))
    for path, says in ((tmp_path, "images of 1 class:"), (tmp_path / "one", "of 0 classes")):
        with pytest.raises(InputError, match=says):
            gather(path)
    with pytest.raises(InputError, match=r"there is no .*nowhere"):
        opened(tmp_path / "nowhere").split("1-1-rest")


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (("train", "val", "test"), "the parts test, train, val of a split, and no classes"),
        (("Train", "Test"), "the parts Test, Train of a split"),
        (("train", "test", "more"), "images in more beside train and test"),
    ],
)
def test_parts_of_a_split_are_no_classes(tmp_path, parts, says):
    for number in range(12):
        part = parts[number % len(parts)]
        write_image(tmp_path / part / f"k{number % 2}" / f"{number}.png", noise(number))
    with pytest.raises(InputError, match=says):
        gather(tmp_path)


def test_copies_are_refused_as_in_lists(photos):
    for number in range(1, 6):
        path = photos / "dog" / f"dog {number} 1 0.png"
        path.write_bytes((photos / "dog" / "dog 0 1 0.png").read_bytes())
    with pytest.raises(InputError, match="--allow-duplicates"):
        opened(photos).split("9-3-rest")


def test_import_keeps_the_split_it_drew(photos, tmp_path):
    root = tmp_path / "root"
    import_images(photos, "mine", root, protocol="4-6-rest", seed=3)
    drawn = opened(photos).split("4-6-rest", 3)
    kept = open_dataset("mine", root)
    assert kept.split().digest == drawn.digest
    write_image(photos / "dog" / "one more.png", noise(99, 8, 8))
    assert open_dataset("mine", root).split().digest == drawn.digest
    assert opened(photos).split("4-6-rest", 3).digest != drawn.digest
    assert np.array_equal(kept.split().query.image(0), drawn.query.image(0))


def test_the_command_imports_whatever_it_is_given(photos, tmp_path):
    root, runner = str(tmp_path / "root"), CliRunner()
    args = ["import", str(photos), "--as", "mine", "--data-root", root]
    result = runner.invoke(data, args)
    assert isinstance(result.exception, InputError)
    assert "say how many queries" in str(result.exception)
    assert runner.invoke(data, [*args, "--split", "4/6/rest"]).exit_code == 0
    assert runner.invoke(data, ["verify", "mine", "--data-root", root]).exit_code == 0
    lists = tmp_path / "root" / "mine"
    again = ["import", str(lists), "--as", "other", "--data-root", root, "--split", "1/1/rest"]
    assert "are a split already" in str(runner.invoke(data, again).exception)
