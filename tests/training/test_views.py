"""Augmented views, and the tables of canvases and activations."""

import numpy as np
import pytest
import torch
from mocked_gpus import pretend
from tiny_network import tiny_backbone

from hashbench import runtime
from hashbench.backbones.activations import Cut, Pixels, canvases
from hashbench.backbones.backbone import Preprocessing
from hashbench.backbones.views import Draw, Viewer
from hashbench.items import rows_of, source_of
from hashbench.runtime import Runtime

TINY = Viewer(Preprocessing(enlarged=48), (16, 24, 3))
LARGE = Viewer(Preprocessing(resize=40, crop=32), (80, 100, 3))
each_size = pytest.mark.parametrize("viewer", [TINY, LARGE], ids=["tiny", "large"])


def image(viewer, seed=0):
    return np.random.default_rng(seed).integers(0, 256, viewer.shape, dtype=np.uint8)


@each_size
def test_the_centred_view_is_what_encoding_sees(viewer):
    picture = image(viewer)
    seen = viewer.look(viewer.prepare(picture)[None], viewer.centred(1))[0]
    wanted = viewer.preprocessing.frame(picture, viewer.shape).astype(int)
    # A larger image is resized once more closely to the rim: equal up to rounding.
    assert np.abs(seen - wanted).max() <= (0 if viewer is TINY else 2)


def test_a_canvas_of_the_whole_short_side_stays_within_the_image():
    # By rounding, 256 / (256 / side) is more than side for one side in twelve; COCO has 428.
    for side in (98, 428):
        viewer = Viewer(Preprocessing(), (side, side + 30, 3))
        for shape in ((side, side + 30, 3), (side + 30, side, 3)):
            assert viewer.prepare(np.zeros(shape, np.uint8)).shape == (256, 256, 3)


@each_size
def test_a_view_is_a_window_of_its_canvas_mirrored_or_not(viewer):
    canvas = viewer.prepare(image(viewer))
    height, width = viewer.window
    for top, left, flip in [(0, 0, False), (1, 3, True)]:
        draw = Draw(np.array([[top, left]]), np.array([flip]))
        view = viewer.look(canvas[None], draw)[0]
        for y, x in [(0, 0), (2, 5), (height - 1, width - 1)]:
            column = width - 1 - x if flip else x
            assert view[y, x].tolist() == canvas[top + y, left + column].tolist()


@each_size
def test_a_generator_settles_the_draws_and_they_stay_within_the_canvas(viewer):
    first, again, other = (viewer.draw(np.random.default_rng(s), 500) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.corners, again.corners)
    np.testing.assert_array_equal(first.flips, again.flips)
    assert (first.corners != other.corners).any()
    room = np.subtract(viewer.canvas, viewer.window)
    assert first.corners.min(0).tolist() == [0, 0]
    assert first.corners.max(0).tolist() == room.tolist()
    assert 200 < first.flips.sum() < 300


def pixels():
    return Pixels(tiny_backbone(), (16, 16, 3), 48)


def test_a_gpu_that_the_runtime_does_not_name_is_left_alone(monkeypatch):
    trunk = pixels().build()
    pretend(monkeypatch, 1)
    with runtime.use(Runtime("cpu")):
        assert "cuda" not in pixels().engine(trunk).name


def test_canvases_are_decoded_once(train):
    first = canvases(pixels(), train)
    source_of(train).seen.clear()
    np.testing.assert_array_equal(first, canvases(pixels(), train))
    assert not source_of(train).seen
    for index in (0, 29):
        wanted = pixels().viewer.prepare(train.image(index))
        np.testing.assert_array_equal(first[index], wanted)


@pytest.mark.parametrize("late", [1, 2, 3])
def test_late_stages_on_cached_activations_are_the_whole_network(train, late):
    cut = Cut(pixels(), late)
    trunk = pixels().build()
    with torch.inference_mode():
        activations = torch.from_numpy(cut.of_source(train)[rows_of(train)])
        images = np.stack([train.image(index) for index in range(len(train))])
        whole = pixels().graph(trunk)(torch.from_numpy(images))
        np.testing.assert_allclose(cut.rest()(activations), whole, atol=2e-3)


def test_views_are_of_their_items_and_more_views_keep_the_first(train):
    cut = Cut(pixels(), 2)
    few, many = cut.of_views(train, 2), cut.of_views(train, 5)
    many = many.reshape(len(train), 5, -1)
    np.testing.assert_allclose(few.reshape(len(train), 2, -1), many[:, :2], atol=2e-3)
    # The first view is the whole image, the others are not.
    whole = cut.of_source(train)[rows_of(train)]
    np.testing.assert_allclose(many[:, 0], whole, atol=2e-3)
    difference = np.abs(many[:, 1:].astype(float) - whole[:, None]).max((1, 2))
    assert (difference > 0.01).all()


def test_tables_of_other_images_sides_or_cuts_are_other_tables(train, cache):
    Cut(pixels(), 2).of_views(train, 2)
    before = len(list((cache / "pixels").iterdir()))
    Cut(pixels(), 2).of_views(train, 2)
    assert len(list((cache / "pixels").iterdir())) == before
    Cut(pixels(), 1).of_views(train, 2)
    Cut(Pixels(tiny_backbone(), (16, 16, 3), 64), 2).of_views(train, 2)
    Cut(pixels(), 2).of_views(train.subset(np.arange(29)), 2)
    # Three tables of views, and canvases for another side and for other items.
    assert len(list((cache / "pixels").iterdir())) == before + 5
