"""Mixed sizes: how images are seen does not depend on which of them is listed first."""

import numpy as np
import pytest

from hashbench.backbones import catalogue, feature_table
from hashbench.backbones.joined import JoinedTable
from hashbench.backbones.regime import typical_shape
from hashbench.data.images import PixelSource
from hashbench.data.joined import JoinedSource
from hashbench.errors import InputError


@pytest.fixture
def named(network, monkeypatch):
    """The tiny network under its name."""
    monkeypatch.setattr(catalogue, "NETWORKS", {"tiny": lambda: network})


class Mixed:
    """Images of any sizes in memory."""

    def __init__(self, shapes, name="m"):
        rng = np.random.default_rng(3)
        self.ids = [f"{name}/{number}" for number in range(len(shapes))]
        self.images = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
        self.fingerprint = f"{name} {shapes}"

    def __len__(self):
        return len(self.ids)

    def read(self, row):
        if self.images[row].shape[0] == 13:
            raise InputError("damaged")
        return self.images[row]

    def turned(self):
        """The same images in reverse order."""
        other = Mixed([])
        other.ids, other.images = self.ids[::-1], self.images[::-1]
        other.fingerprint = f"turned {self.fingerprint}"
        return other


def test_one_thumbnail_does_not_decide_for_photographs():
    source = Mixed([(32, 32), (90, 120), (120, 90), (100, 80), (32, 32)])
    assert max(typical_shape(source)) > 64
    assert typical_shape(source) == typical_shape(source.turned())


def test_one_photograph_does_not_decide_for_thumbnails():
    source = Mixed([(90, 120), (32, 32), (28, 28), (32, 32)])
    assert typical_shape(source) == (32, 32, 3)
    assert typical_shape(source.turned()) == (32, 32, 3)


def test_what_cannot_be_decoded_is_not_asked():
    assert typical_shape(Mixed([(13, 9), (20, 30)])) == (20, 30, 3)
    with pytest.raises(InputError, match="damaged"):
        typical_shape(Mixed([(13, 9), (13, 9)]))


def test_features_are_the_same_in_any_order(named):
    source = Mixed([(32, 32), (90, 120), (120, 90), (200, 80)])
    table = feature_table(source, "tiny")
    turned = feature_table(source.turned(), "tiny")
    np.testing.assert_allclose(turned[::-1], table, rtol=1e-5, atol=1e-6)


def test_what_is_joined_is_seen_as_the_data_set_is(named, source):
    photographs = Mixed([(90, 120), (70, 90), (200, 80)], "more")
    joined = JoinedSource([source, photographs])
    table = feature_table(joined, "tiny")
    assert table.shape == (len(source) + 3, feature_table(source, "tiny").shape[1])
    rows = np.array([0, len(source), 5, len(source) + 2])
    np.testing.assert_array_equal(table[rows][[0, 2]], feature_table(source, "tiny")[[0, 5]])
    small = Mixed([], "more")
    small.ids, small.fingerprint = photographs.ids, "resized"
    from PIL import Image

    height, width = source.read(0).shape[:2]
    small.images = [
        np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
        for image in photographs.images
    ]
    expected = feature_table(small, "tiny")[[0, 2]]
    np.testing.assert_allclose(table[rows][[1, 3]], expected, rtol=1e-5, atol=1e-6)
    assert [joined.read(row).shape for row in (0, len(source))] == [
        (height, width, 3),
        (90, 120, 3),
    ]


def test_pixels_of_joined_sources_are_one_table():
    parts = [PixelSource(np.full((2, 4, 4, 3), 10, np.uint8), ["a", "b"])]
    coloured = np.zeros((1, 4, 4, 3), np.uint8)
    coloured[..., 1] = 255
    parts.append(PixelSource(coloured, ["c"]))
    table = feature_table(JoinedSource(parts), "pixels")
    assert table.shape == (3, 48)
    assert table[2].sum() == 16


def test_rows_of_a_joined_table_are_those_of_its_parts():
    whole = np.arange(20, dtype=np.float32).reshape(10, 2)
    table = JoinedTable([whole[:3], whole[3:4], whole[4:]])
    rows = np.array([9, 0, 3, 3, 2])
    np.testing.assert_array_equal(table[rows], whole[rows])
    np.testing.assert_array_equal(table[2:6], whole[2:6])
    np.testing.assert_array_equal(np.asarray(table), whole)
    assert len(table) == 10
    with pytest.raises(IndexError):
        table[np.array([10])]
