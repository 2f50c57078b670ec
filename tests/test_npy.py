"""Small arrays of archives are read as numpy reads them, parsed headers remembered or not."""

import io
import zipfile

import numpy as np
import pytest

from hashbench.npy import read_arrays

ARRAYS = {
    "empty": np.zeros((0, 3)),
    "scalar": np.array(5, np.int8),
    "words": np.array(["a", "bcd", ""]),
    "nothing": np.array(["", ""]).astype("U0"),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "fields": np.array([(1, 0.5)], [("a", "i4"), ("b", "f8")]),
    "swapped": np.arange(3, dtype=">u2"),
    "large": np.arange(200_000),
    "long": np.zeros(2, [(f"{place:040}", "u1") for place in range(20)]),
}


def test_arrays_of_any_kind_come_back_as_they_were_and_can_be_written_to(tmp_path):
    np.savez(tmp_path / "a.npz", **ARRAYS)
    for _ in range(2):  # headers not yet seen, then remembered
        found = read_arrays(tmp_path / "a.npz")
        assert found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
            assert found[name].tobytes() == array.tobytes(), name
            assert found[name].flags.f_contiguous == array.flags.f_contiguous, name
            assert found[name].flags.writeable, name
            found[name][...] = np.zeros((), array.dtype)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(10,)", b"(-1,)"),
        (b"(10,)", b"(99,)"),
        (b"(10,)", b"(1e,)"),
        (b"<f8", b"|O8"),
        (b"<f8", b"<q8"),
        (b"NUMPY\1", b"NUMPY\7"),
        (b"NUMPY\1\0v\0", b"NUMPY\1\0v\7"),
    ],
)
def test_a_header_that_tells_no_array_of_plain_values_is_refused(tmp_path, old, new):
    content = io.BytesIO()
    np.save(content, np.arange(10.0))
    assert content.getvalue().count(old) == 1
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content.getvalue().replace(old, new))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"no whole \.npz file of plain values"):
            read_arrays(tmp_path / "a.npz")
