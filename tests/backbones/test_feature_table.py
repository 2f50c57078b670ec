import shutil

import numpy as np
import pytest

from hashbench import backbones
from hashbench.backbones import backbone_names, catalogue, feature_table
from hashbench.data.images import FileSource, PixelSource
from hashbench.errors import InputError

REAL = catalogue.NETWORKS


@pytest.fixture(autouse=True)
def tiny(monkeypatch, network):
    monkeypatch.setattr(catalogue, "NETWORKS", {"tiny": lambda: network})
    monkeypatch.setattr(backbones, "_open", type(backbones._open)())


def test_one_pass_gives_both_variants(source, cache, monkeypatch):
    multi = feature_table(source, "tiny:multi")
    assert multi.shape == (70, 10)
    from hashbench.backbones import extraction

    monkeypatch.setattr(extraction, "make_engine", lambda *_a, **_k: pytest.fail("ran again"))
    plain = feature_table(source, "tiny")
    assert plain.shape == (70, 6)
    assert np.array_equal(plain, multi[:, :6])
    assert len(list((cache / "features").iterdir())) == 1


def test_rows_are_in_the_order_of_the_source(source):
    table = feature_table(source, "tiny")
    for row in (0, 33, 69):
        alone = feature_table(PixelSource(source.pixels[row : row + 1], ["x"]), "tiny")
        np.testing.assert_allclose(alone[0], table[row], atol=1e-5)


def test_other_images_and_other_preprocessing_have_tables_of_their_own(source, cache, network):
    from dataclasses import replace

    feature_table(source, "tiny")
    feature_table(PixelSource(source.pixels[::-1], source.ids), "tiny")
    catalogue.NETWORKS["tiny"] = lambda: replace(
        network, preprocessing=replace(network.preprocessing, enlarged=64)
    )
    feature_table(PixelSource(source.pixels, source.ids), "tiny")
    catalogue.NETWORKS["tiny"] = lambda: replace(network, weights=lambda: "1" * 64)
    feature_table(PixelSource(source.pixels, source.ids), "tiny")
    assert len(list((cache / "features").iterdir())) == 4


def test_large_images_of_any_size_are_cropped(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(1)
    paths = []
    for number, (height, width) in enumerate([(90, 120), (200, 70), (64, 65)]):
        paths.append(tmp_path / f"{number}.png")
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(paths[-1])
    table = feature_table(FileSource(paths, ["a", "b", "c"]), "tiny:multi")
    assert table.shape == (3, 10)
    assert np.isfinite(table).all()


def test_an_undecodable_image_stops_with_its_name_and_keeps_the_rest(tmp_path):
    from PIL import Image

    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        Image.new("RGB", (40, 40), (1, 2, 3)).save(path)
    paths[2].write_bytes(b"x")
    with pytest.raises(InputError, match=r"2\.png cannot be decoded"):
        feature_table(FileSource(paths, ["a", "b", "c"]), "tiny")


def test_pixels_are_scaled_and_grey_ones_kept_once(source):
    table = feature_table(source, "pixels")
    assert table.shape == (70, 32 * 32 * 3)
    np.testing.assert_allclose(table[5], source.pixels[5].ravel() / 255, rtol=1e-6)
    grey = np.repeat(source.pixels[..., :1], 3, axis=3)
    table = feature_table(PixelSource(grey, source.ids), "pixels")
    assert table.shape == (70, 32 * 32)
    np.testing.assert_allclose(table[5], grey[5, ..., 0].ravel() / 255, rtol=1e-6)


def test_pixels_refuse_photographs():
    large = PixelSource(np.zeros((1, 100, 100, 3), np.uint8), ["x"])
    with pytest.raises(InputError, match="choose another backbone"):
        feature_table(large, "pixels")


def test_wrong_names_are_answered(source):
    with pytest.raises(InputError, match="unknown backbone 'tinny': did you mean tiny"):
        feature_table(source, "tinny")
    assert set(backbone_names()) == {"pixels", "tiny", "tiny:multi", "timm:NAME"}


def test_a_backbone_without_multi_says_so(source, network):
    from dataclasses import replace

    catalogue.NETWORKS["tiny"] = lambda: replace(network, multi_dim=0)
    assert feature_table(source, "tiny").shape == (70, 6)
    with pytest.raises(InputError, match="has no ':multi'"):
        feature_table(source, "tiny:multi")


def test_no_images_are_refused():
    with pytest.raises(InputError, match="no images"):
        feature_table(PixelSource(np.zeros((0, 8, 8, 3), np.uint8), []), "pixels")


def test_cached_features_need_no_torch(monkeypatch):
    """A shallow method's worker starts in a fraction of the time without it."""
    import subprocess
    import sys

    code = (
        "import sys, numpy as np\n"
        "from hashbench.backbones import feature_table\n"
        "from hashbench.data.images import PixelSource\n"
        "source = PixelSource(np.zeros((2, 8, 8, 3), np.uint8), ['a', 'b'])\n"
        "feature_table(source, 'efficientnet_lite0')\n"
        "print('torch' in sys.modules)\n"
    )
    monkeypatch.setattr(catalogue, "NETWORKS", REAL)
    feature_table(PixelSource(np.zeros((2, 8, 8, 3), np.uint8), ["a", "b"]), "efficientnet_lite0")
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=900
    )
    assert said.stdout.split()[-1] == "False"


@pytest.mark.parametrize("name", ["tiny", "pixels"])
def test_images_that_change_while_they_are_read_leave_no_features(tmp_path, cache, name):
    from PIL import Image

    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (32, 32), (number, 2, 3)).save(path)
    wanted = feature_table(FileSource(paths, ["a", "b", "c"]), name)[:].copy()
    for table in cache.glob("features/*"):
        shutil.rmtree(table)

    class Edited(FileSource):
        """One of its images is replaced as soon as it was read for the first time."""

        def read(self, row):
            found = super().read(row)
            if row == 1:
                Image.new("RGB", (32, 32), (9, 9, 9)).save(paths[row])
            return found

    source = Edited(paths, ["a", "b", "c"])
    assert source.fingerprint
    with pytest.raises(InputError, match="the image b changed while the run was going on"):
        feature_table(source, name)
    assert not list(cache.glob("features/*/features.*"))
    Image.new("RGB", (32, 32), (1, 2, 3)).save(paths[1])  # put back as it was
    again = feature_table(FileSource(paths, ["a", "b", "c"]), name)
    assert np.array_equal(again[:], wanted)
