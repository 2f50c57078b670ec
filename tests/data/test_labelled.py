"""What a data set of one's own may give as labels, ids and parts."""

import numpy as np
import pytest

from hashbench.data.images import PixelSource
from hashbench.data.labelled import LabelledImages
from hashbench.errors import InputError

IDS = np.array([0, 2, 1, 2, 0])
HOT = np.eye(3, dtype=np.uint8)[IDS]
NAMES = [f"i{number}" for number in range(5)]


def labelled(labels, names=NAMES, classes=("a", "b", "c"), **more):
    return LabelledImages(
        PixelSource(np.zeros((5, 2, 2, 3), np.uint8), names), labels, classes, **more
    )


@pytest.mark.parametrize(
    "labels",
    [HOT, HOT > 0, HOT.astype(float), HOT.tolist(), HOT.astype(np.int8) * 2 - 1, HOT * 2.0 - 1],
)
def test_every_form_of_multi_hot_labels_is_one(labels):
    found = labelled(labels).labels
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, HOT)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (IDS, r"got shape \(5,\): of class ids give np\.eye"),
        (IDS[:, None], r"got shape \(5, 1\)"),
        (HOT[:4], r"\(5, 3\) of 5 images and 3 classes, got shape \(4, 3\)"),
        ((HOT.astype(np.int8) * 2 - 1).view(np.uint8), "they hold 255"),
        (np.where(HOT > 0, 1, np.nan), "they hold nan"),
        (HOT * 2, "they hold 2"),
        (HOT - 1.0 * (np.arange(3) == 0), "they hold 0 and -1"),
        (np.where(HOT > 0, "1", "0"), "must be numbers"),
    ],
)
def test_other_labels_are_refused(labels, says):
    with pytest.raises(InputError, match=says):
        labelled(labels)


def test_ids_are_unique_and_parts_are_rows():
    with pytest.raises(InputError, match="two images have the id i1"):
        labelled(HOT, ["i0", "i1", "i2", "i1", "i4"])
    with pytest.raises(InputError, match="5 images and 2 classes"):
        labelled(HOT, classes=("a", "b"))
    parts = np.array([0]), np.array([1]), np.array([2, 3])
    assert labelled(HOT, parts=parts, queries=parts[0]).parts == parts
    for odd in (np.array([5]), np.array([-1]), np.array([True, False, True, False, True])):
        with pytest.raises(InputError, match="must be rows of the 5 images"):
            labelled(HOT, parts=(parts[0], parts[1], odd))
        with pytest.raises(InputError, match="must be rows of the 5 images"):
            labelled(HOT, queries=odd)
