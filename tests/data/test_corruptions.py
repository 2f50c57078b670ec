"""Queries that are corrupted on the fly, and databases grown by distractors."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hashbench.backbones import feature_table
from hashbench.data import open_dataset
from hashbench.data.corruptions import KINDS, CorruptedSource, corrupt
from hashbench.data.images import PixelSource
from hashbench.data.joined import JoinedSource
from hashbench.data.split import PLAIN
from hashbench.errors import InputError
from hashbench.items import ids_of, rows_of, source_of


def picture(side=32, seed=0):
    """Smooth shades, so that corruptions differ from it by little at severity 1."""
    ramp = np.linspace(40, 200, side)
    image = np.stack(
        [ramp[:, None] + 0 * ramp, ramp + 0 * ramp[:, None], 60 + 0 * ramp * ramp[:, None]], 2
    )
    return (image + np.random.default_rng(seed).integers(0, 9, image.shape)).astype(np.uint8)


@pytest.mark.parametrize("side", [32, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_severity_moves_an_image_further(kind, side):
    image = picture(side)
    moved = [
        np.abs(corrupt(image, kind, severity, 1).astype(float) - image).mean()
        for severity in (1, 3, 5)
    ]
    assert moved == sorted(moved)
    assert 0 < moved[0] < moved[2]


def test_noise_has_its_scale_and_its_seed():
    image = np.full((60, 60, 3), 128, np.uint8)
    first, again, other = (corrupt(image, "gaussian_noise", 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.std(first / 255) == pytest.approx(0.10, rel=0.03)
    # The stream (1.62434536, -0.61175641, -0.52817175, ...) may never change.
    assert first[0, 0].tolist() == [169, 112, 114]


def test_contrast_is_drawn_to_the_mean_of_each_colour():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 200
    expected = np.floor((np.array([200, 0]) - 100) * 0.75 + 100)
    assert corrupt(image, "contrast", 1, 0)[:, 0, 0].tolist() == pytest.approx(expected, abs=1)


def test_blur_spreads_a_point_as_a_gaussian():
    image = np.zeros((33, 33, 3), np.uint8)
    image[16, 16] = 255
    found = corrupt(image, "gaussian_blur", 5, 0)[..., 0].astype(float) / 255  # sigma 1
    distance = np.hypot(*(np.indices((33, 33)) - 16))
    expected = np.exp(-(distance**2) / 2) / (2 * np.pi)
    assert np.abs(found - expected).max() < 1 / 255 + 1e-3
    flat = np.full((20, 20, 3), 77, np.uint8)
    assert np.abs(corrupt(flat, "gaussian_blur", 3, 0).astype(int) - 77).max() <= 1


def test_jpeg_has_the_quality_of_its_severity():
    image = picture()
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=58)
    assert np.array_equal(corrupt(image, "jpeg_compression", 3, 0), np.asarray(Image.open(stream)))


def test_corrupted_images_are_told_apart_by_their_fingerprint():
    source = PixelSource(np.stack([picture(seed=seed) for seed in range(3)]), ["a", "b", "c"])
    rows = np.array([2, 0])
    one = CorruptedSource(source, rows, "contrast", 3, 0)
    assert one.ids == ["c#contrast-3", "a#contrast-3"]
    assert np.array_equal(one.read(0), corrupt(source.read(2), "contrast", 3, 5))
    noisy = CorruptedSource(source, np.array([0, 1]), "gaussian_noise", 3, 0)
    strays = [noisy.read(row).astype(int) - source.read(row) for row in (0, 1)]
    assert not np.array_equal(*strays)
    others = [
        CorruptedSource(source, rows, "contrast", 5, 0),
        CorruptedSource(source, rows, "gaussian_blur", 3, 0),
        CorruptedSource(source, rows[::-1], "contrast", 3, 0),
        CorruptedSource(source, rows, "contrast", 3, 1),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_queries_come_clean_and_under_each_corruption():
    base = open_dataset("digits").split()
    split = open_dataset("digits").split("digits-shifted")
    assert split.counts == {"query": 200 * 13, "train": 500, "database": 1097}
    assert ids_of(split.query)[:200] == ids_of(base.query)
    assert ids_of(split.database) == ids_of(base.database)
    assert np.array_equal(split.train.labels, base.train.labels)
    names = [PLAIN, *(f"{kind}-{level}" for level in (1, 3, 5) for kind in KINDS)]
    assert list(split.views) == [*names, "severity-1", "severity-3", "severity-5"]
    for name in names:
        query, database = split.views[name]
        assert np.array_equal(split.query_labels[query], base.query_labels)
        assert len(database) == 1097
        told = [f"{clean}#{name}" if name else clean for clean in ids_of(base.query)]
        assert ids_of(split.query.subset(query)) == told
    assert len(split.views["severity-3"][0]) == 800
    query = split.views["contrast-5"][0]
    expected = corrupt(base.query.image(3), "contrast", 5, 0)
    assert np.array_equal(split.query.image(int(query[3])), expected)


def test_features_of_shifted_queries_leave_the_others_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path))
    split = open_dataset("digits").split("digits-shifted")
    table = feature_table(source_of(split.query), "pixels")
    assert table.shape[0] == 1797 + 12 * 200
    assert len(split.with_features(lambda: table).query.features()) == 2600


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    for number, name in enumerate(["b/2.png", "a.JPG", "b/1.png"]):
        path = tmp_path / "more" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(40, number)).save(path)
    (tmp_path / "more" / "notes.txt").write_text("no image")
    return tmp_path / "more"


def test_distractors_come_last_and_are_relevant_to_nothing(folder):
    base = open_dataset("digits").split()
    split = open_dataset("digits", distractors=folder).split()
    assert split.counts == {"query": 200, "train": 500, "database": 1100}
    names = ["distractors/a.JPG", "distractors/b/1.png", "distractors/b/2.png"]
    assert ids_of(split.database) == [*ids_of(base.database), *names]
    assert not split.database_labels[-3:].any()
    assert np.array_equal(split.database_labels[:-3], base.database_labels)
    assert split.notes == ("3 distractors without labels in the database.",)
    assert split.database.image(1099).shape == (40, 40, 3)
    assert split.digest != base.digest


def test_copies_of_the_data_sets_own_images_are_no_distractors(folder, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    for number, part in enumerate(("query", "train", "database")):
        Image.fromarray(picture(40, 10 + number)).save(lists / f"{part}.png")
        (lists / f"{part}.txt").write_text(f"{part}.png 1 0\n")
    shutil.copy(lists / "query.png", folder / "again.png")
    split = open_dataset(f"lists:{lists}", distractors=folder).split()
    assert len(split.database) == 4
    assert split.notes[-1].endswith("1 copies of the data set's own left out.")


def test_variants_and_distractors_go_together(folder):
    split = open_dataset("digits", distractors=folder).split("digits-unseen")
    assert [len(split.views[name][1]) for name in ("seen@all", "unseen@all")] == [1100, 1100]
    split = open_dataset("digits", distractors=folder).split("digits-shifted")
    source = source_of(split.query)
    assert isinstance(source, JoinedSource)
    assert [len(part) for part in source.parts] == [1797, 3, *[200] * 12]
    assert len(split.views[PLAIN][1]) == 1100
    assert rows_of(split.database)[-1] == 1799


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="no image in"):
        open_dataset("digits", distractors=tmp_path).split()


def test_what_the_plain_score_is_of_is_part_of_the_digest():
    split = open_dataset("digits").split("digits-shifted")
    assert replace(split, views={}).digest != split.digest
