"""Splits drawn from labels alone are those drawn with the images."""

from pathlib import Path

import numpy as np
import pytest

from hashbench.data import open_dataset
from hashbench.data.redrawn import redrawn
from hashbench.errors import InputError

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize("protocol", ["cifar10", "cifar10-1", "cifar10-2"])
def test_cifar10_needs_no_file_to_have_the_split_that_is_pinned(protocol):
    dataset = open_dataset("cifar10", NOWHERE)
    split = redrawn(dataset, protocol, 0)
    assert split.digest == dataset.protocol(protocol).pins[0]


def test_the_embedded_digits_are_redrawn_as_they_are_split():
    dataset = open_dataset("digits", NOWHERE)
    for seed in (0, 3):
        assert (
            redrawn(dataset, "digits-unseen", seed).digest
            == dataset.split("digits-unseen", seed).digest
        )


def test_lists_say_their_labels_without_their_images(tmp_path):
    lines = {"train": ["a.jpg 1 0", "b.jpg 0 1"], "test": ["c.jpg 1 0"], "database": ["d.jpg 0 1"]}
    for name, mine in lines.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(mine))
    dataset = open_dataset(f"lists:{tmp_path}", NOWHERE)
    split = redrawn(dataset)
    assert np.array_equal(split.database_labels, [[0, 1]])
    with pytest.raises(InputError, match="missing"):
        dataset.split()


def test_where_labels_need_the_images_there_is_no_split_without_them():
    assert redrawn(open_dataset("imagenet100", NOWHERE)) is None
