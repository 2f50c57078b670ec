import gzip
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hashbench.data import open_dataset
from hashbench.data.listfile import LONGEST, read_list
from hashbench.data.lists import import_lists, imported_names
from hashbench.errors import InputError
from hashbench.items import ids_of, source_of

QUERY = "a/1.png 1 0 0 \na/2.png 0 1 1 \n"
TRAIN = "a/3.png 0 1 0 \na/4.png 0 0 1 \na/5.png 1 0 0 \n"
DATABASE = TRAIN + "a/6.png 1 1 0 \n"


def write(folder: Path, **lists: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in lists.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def pictures(folder: Path) -> None:
    (folder / "a").mkdir(parents=True, exist_ok=True)
    for number in range(1, 7):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / "a" / f"{number}.png")


@pytest.fixture
def usual(tmp_path):
    folder = write(tmp_path / "lists", test=QUERY, train=TRAIN, database=DATABASE)
    pictures(folder)
    return folder


def opened(folder, **allow):
    return open_dataset(f"lists:{folder}", folder.parent / "root", **allow)


def test_lists_are_the_split(usual):
    split = opened(usual).split()
    assert ids_of(split.query) == ["a/1.png", "a/2.png"]
    assert ids_of(split.train) == ["a/3.png", "a/4.png", "a/5.png"]
    assert ids_of(split.database) == ["a/3.png", "a/4.png", "a/5.png", "a/6.png"]
    assert split.query_labels.tolist() == [[1, 0, 0], [0, 1, 1]]
    assert split.train.labels.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert split.classes == ("class 0", "class 1", "class 2")
    assert split.database.image(3)[0, 0, 0] == 6


def test_gzip_class_names_and_another_root(usual, tmp_path):
    (usual / "classes.txt").write_text("cat\ndog\ncow\n")
    text = DATABASE.replace("a/", "/home/author/data/a/")
    (usual / "database.txt").unlink()
    with gzip.open(usual / "database.txt.gz", "wt") as stream:
        stream.write(text)
    split = opened(usual).split()
    assert split.classes == ("cat", "dog", "cow")
    assert ids_of(split.database) == ["a/3.png", "a/4.png", "a/5.png", "a/6.png"]


def test_images_may_lie_under_the_data_root(tmp_path):
    folder = write(tmp_path / "lists", query=QUERY, train=TRAIN, database=DATABASE)
    pictures(tmp_path / "root")
    assert opened(folder).split().counts == {"query": 2, "train": 3, "database": 4}


def test_queries_in_the_database_are_refused_unless_allowed(usual):
    write(usual, database=DATABASE + "a/2.png 0 1 1\n")
    with pytest.raises(InputError, match=r"1 query is in the database .*a/2\.png.*-overlap"):
        opened(usual).split()
    split = opened(usual, allow_overlap=True).split()
    assert len(split.database) == 5
    assert "in the database" in split.notes[0]


def test_queries_in_the_training_set_are_refused_unless_allowed(usual):
    write(usual, train=TRAIN + "a/1.png 1 0 0\n")
    with pytest.raises(InputError, match="1 query is in the training set"):
        opened(usual).split()
    assert "training set" in opened(usual, allow_overlap=True).split().notes[0]


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("test", QUERY.replace("1 0 0", "0 0 0"), "1 query has no label"),
        ("train", TRAIN.replace("1 0 0", "0 0 0"), "otherwise than an earlier list"),
        ("database", DATABASE.replace("1 1 0", "0 0 0"), "1 database image has no label"),
    ],
)
def test_unlabelled_rows_are_refused(usual, part, text, says):
    write(usual, **{part: text})
    with pytest.raises(InputError, match=says):
        opened(usual).split()


def test_unlabelled_rows_can_be_allowed(usual):
    write(usual, test=QUERY.replace("1 0 0", "0 0 0"))
    split = opened(usual, allow_unlabelled=True).split()
    assert split.query_labels.sum(axis=1).tolist() == [0, 2]
    assert split.notes == ("1 query has no label (the first is a/1.png), allowed.",)


def test_missing_images_can_be_left_out(usual):
    (usual / "a" / "3.png").unlink()
    with pytest.raises(InputError, match="1 of 6 images is missing"):
        opened(usual).split()
    split = opened(usual, allow_missing=True).split()
    assert ids_of(split.train) == ["a/4.png", "a/5.png"]
    assert ids_of(split.database) == ["a/4.png", "a/5.png", "a/6.png"]
    assert split.train.labels.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_folders_of_another_machine_are_dropped_though_the_first_image_is_missing(usual):
    for name in ("test", "train", "database"):
        file = usual / f"{name}.txt"
        file.write_text(file.read_text().replace("a/", "/home/author/a/"))
    (usual / "a" / "3.png").unlink()
    with pytest.raises(InputError, match=r"1 of 6 images is missing \(a/3\.png\)"):
        opened(usual).split()
    (usual / "a" / "1.png").unlink()
    (usual / "3.png").write_bytes(b"another, of the same name")
    split = opened(usual, allow_missing=True).split()
    assert ids_of(split.query) == ["a/2.png"]
    assert ids_of(split.database) == ["a/4.png", "a/5.png", "a/6.png"]


def test_an_image_that_is_there_in_other_capitals_is_told(usual):
    (usual / "a" / "3.png").rename(usual / "a" / "3.PNG")
    if (usual / "a" / "3.png").exists():
        pytest.skip("this file system takes either")
    with pytest.raises(InputError, match=r"there is .*a/3\.PNG, with other capitals"):
        opened(usual).split()


@pytest.mark.parametrize("leads", ["nowhere", "3.png", "."])
def test_a_link_to_no_file_is_an_image_that_is_missing(usual, leads):
    (usual / "a" / "3.png").unlink()
    (usual / "a" / "3.png").symlink_to(leads)  # to nothing, to itself, to a folder
    with pytest.raises(InputError, match="1 of 6 images is missing"):
        opened(usual).split()
    assert ids_of(opened(usual, allow_missing=True).split().train) == ["a/4.png", "a/5.png"]


def test_a_missing_list_is_named(usual):
    (usual / "database.txt").unlink()
    dataset = opened(usual)
    assert "no database list" in dataset.status().hint
    with pytest.raises(InputError, match=r"no database list.*database\.txt"):
        dataset.split()


def test_two_lists_of_one_part_are_refused(usual):
    write(usual, query=QUERY)
    with pytest.raises(InputError, match=r"both query\.txt and test\.txt"):
        opened(usual).split()


def test_lists_of_different_classes_are_refused(usual):
    write(usual, train="a/3.png 0 1\n")
    with pytest.raises(InputError, match=r"train\.txt has 2 classes .* has 3"):
        opened(usual).split()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a.png 1 0\nb.png 1\n", "line 2 has 1 label and line 1 has 2"),
        (b"a.png 1 0\n\nb.png 1 x\n", "line 3: 'x' is not a label"),
        (b"a.png 1 0\nb.png 1 2\n", "line 2: '2' is not a label"),
        (b"a.png 1 0\nb.png\n", "line 2: there are no labels"),
        (b"a.png 1 0\na.png 0 1\n", "line 2 lists a.png again, after line 1"),
        (b"a.png,1,0\n", "line 1: the labels are not apart"),
        (b"a.png, 0, 0, 1\nb.png, 1, 0, 0\n", "line 1 has a single label"),
        (b"a.png 0\nb.png 1\n", "line 1 has a single label, which may be the id of a class"),
        (b"a.png 1 0\n../../etc/passwd 0 1\n", "line 2: .* leads out"),
        (b"a.png 1 0\nb\\..\\c.png 0 1\n", "line 2: .* leads out"),
        (b"a.png 1 0\nb.png\0 0 1\n", "line 2 holds a NUL"),
        (b"a.png 1 0\n\xff\xe9.png 0 1\n", "line 2 is not UTF-8"),
        ("a.png 1 0\n".encode("utf-16"), "line 1 holds a NUL"),
        (b"a.png 1 0\nb.png " + b"0 " * LONGEST, "line 2 is longer than"),
        (b"\n \n", "lists no image"),
        (b"", "lists no image"),
    ],
)
def test_malformed_lists_name_file_and_line(tmp_path, content, says):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read_list(path)
    assert str(path) in str(caught.value)


def test_a_cut_gzip_file_is_refused(tmp_path):
    path = tmp_path / "train.txt.gz"
    text = "".join(f"{number}.png 1 0\n" for number in range(50))
    path.write_bytes(gzip.compress(text.encode())[:-12])
    with pytest.raises(InputError, match="cannot be read"):
        read_list(path)


def test_what_real_lists_have_is_read(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b'\xef\xbb\xbf./b c/1 a.png\t1  0\t\r\n\r\n/x//y.png 0 1   \n"a b.png" 0 1')
    found = read_list(path)
    assert found.paths == ["b c/1 a.png", "/x/y.png", "a b.png"]
    assert found.labels.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert found.lines == [1, 3, 4]


@given(
    st.lists(
        st.tuples(
            st.text(
                st.characters(
                    codec="utf-8",
                    exclude_categories=("Cc", "Zl", "Zp"),
                    exclude_characters='\\/"',
                ),
                min_size=1,
                max_size=50,
            ),
            st.lists(st.integers(0, 1), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0].strip(),
    )
)
@settings(max_examples=50, deadline=None)
def test_lists_survive_writing_and_reading(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    rows = [
        (f"image{number}.{name.strip()}.png", labels) for number, (name, labels) in enumerate(rows)
    ]
    text = "".join(f"{name} {' '.join(map(str, labels))} \n" for name, labels in rows)
    path.write_bytes(text.encode())
    found = read_list(path)
    assert found.paths == [unicodedata.normalize("NFC", name) for name, _labels in rows]
    assert np.array_equal(found.labels, [labels for _name, labels in rows])


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_but_an_input_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "list.txt"
    path.write_bytes(content)
    try:
        found = read_list(path)
    except InputError:
        return
    assert len(found.paths) == len(found.labels) == len(found.lines)
    assert set(np.unique(found.labels)) <= {0, 1}


def test_imported_lists_have_a_name(usual, tmp_path):
    root = tmp_path / "root"
    import_lists(usual, "mine", root)
    assert imported_names(root) == ["mine"]
    split = open_dataset("mine", root).split()
    assert split.ids_sha256 == opened(usual).split().ids_sha256
    assert split.database.image(3)[0, 0, 0] == 6
    with pytest.raises(InputError, match="did you mean mine"):
        open_dataset("mime", root)


def test_importing_refuses_bad_names_and_lists(usual, tmp_path):
    root = tmp_path / "root"
    with pytest.raises(InputError, match="is no name"):
        import_lists(usual, "../x", root)
    import_lists(usual, "mine", root)
    with pytest.raises(InputError, match="is there already"):
        import_lists(usual, "mine", root)
    write(usual, train="a/3.png 0 1 q\n")
    with pytest.raises(InputError, match="line 1"):
        import_lists(usual, "other", root)
    assert imported_names(root) == ["mine"]


@pytest.mark.parametrize(("listed", "kept"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_letters_and_their_accents_may_be_apart_on_disk_or_in_a_list(tmp_path, listed, kept):
    names = {"query": "é1", "train": "à la carte/ü2", "database": "à la carte/ñ3"}
    for shade, (part, name) in enumerate(names.items()):
        path = tmp_path / f"{unicodedata.normalize(kept, name)}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (shade, 0, 0)).save(path)
        line = f"{unicodedata.normalize(listed, name)}.png 1 0\n"
        (tmp_path / f"{part}.txt").write_text(line)
    split = opened(tmp_path).split()
    assert ids_of(split.query) == [unicodedata.normalize("NFC", "é1.png")]
    assert split.train.image(0)[0, 0, 0] == 1
    assert split.database.image(0)[0, 0, 0] == 2


def test_missing_images_are_said_with_where_they_were_looked_for(usual):
    for number in (1, 3, 4, 6):
        (usual / "a" / f"{number}.png").unlink()
    said = (
        r"4 of 6 images are missing \(a/1\.png, a/3\.png, a/4\.png and so on\), looked in "
        rf"{usual} and {usual}/images and {usual.parent}/root: put them there"
    )
    with pytest.raises(InputError, match=said):
        opened(usual).split()
    split = opened(usual, allow_missing=True).split()
    assert split.notes == (
        "4 of 6 images are missing (a/1.png, a/3.png, a/4.png and so on), left out.",
    )
    (usual / "a" / "2.png").unlink()
    (usual / "a").rename(usual.parent / "elsewhere")
    with pytest.raises(InputError, match=r"or say where they are with .* --images FOLDER"):
        opened(usual).split()
    (usual.parent / "elsewhere").rename(usual / "a")
    with pytest.raises(InputError, match="no query image is left"):
        opened(usual, allow_missing=True).split()


def test_lists_are_what_they_say_wherever_their_folder_lies(usual, tmp_path):
    text = DATABASE.replace("a/", f"{usual}/a/")
    (usual / "database.txt").write_text(text)
    before = opened(usual).split()
    elsewhere = tmp_path / "somewhere" / "else"
    elsewhere.parent.mkdir()
    usual.rename(elsewhere)
    after = opened(elsewhere).split()
    assert after.digest == before.digest
    assert source_of(after.query).fingerprint == source_of(before.query).fingerprint
    (elsewhere / "test.txt").write_text(QUERY.replace("0 1 1", "1 1 1"))
    assert opened(elsewhere).split().digest != before.digest
