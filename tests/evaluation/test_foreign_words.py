"""Texts, cells and lists in files of MATLAB and torch are read as what they are."""

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch
from codes_of_peers import IDS, SIGNS, WORDS, same_ids

from hashbench.errors import InputError
from hashbench.evaluation.foreign import parse_names, read_codes


@pytest.mark.parametrize("how", [{"format": "4"}, {}, {"do_compression": True}])
@pytest.mark.parametrize("form", ["characters", "cells of texts", "cells of numbers", "codes"])
def test_texts_and_cells_of_a_matlab_file(tmp_path, how, form):
    path = tmp_path / "x.mat"
    codes, labels = SIGNS, [WORDS[ids] for ids in IDS]
    if form == "codes":
        codes = [
            np.array(["".join("01"[int(x > 0)] for x in row) for row in side]) for side in SIGNS
        ]
    elif form != "characters":
        if how.get("format") == "4":
            return  # it has no cells
        wanted = labels if form == "cells of texts" else [ids + 1.0 for ids in IDS]
        labels = [np.array([*side, None], dtype=object)[:-1] for side in wanted]
    arrays = dict(zip(("tB", "B", "testgnd", "traingnd"), [*codes, *labels], strict=True))
    scipy.io.savemat(path, arrays, **how)
    same_ids(read_codes(path))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([[1, 2], [3], [1], [1], [2], [3]], "a list of lists and numbers"),
        ([{"a": 1}] * 6, "a cell array of structs"),
        (["cat", 1, "dog", "a", "b", "c"], "a list of numbers and texts"),
        (["cat", "", "dog", "a", "b", "c"], "an empty text, which is no name"),
    ],
)
def test_cells_that_are_no_list_of_classes_are_refused(tmp_path, cells, words):
    kept = np.empty(6, object)
    kept[:] = cells
    arrays = {"qB": SIGNS[0], "rB": SIGNS[1], "qL": kept, "rL": WORDS[IDS[1]]}
    scipy.io.savemat(tmp_path / "x.mat", arrays)
    with pytest.raises(InputError, match=words) as told:
        read_codes(tmp_path / "x.mat")
    assert "\n" not in str(told.value)


LISTS = {
    "numbers": lambda ids: ids.tolist(),
    "texts": lambda ids: WORDS[ids].tolist(),
    "tensors": lambda ids: list(torch.from_numpy(ids)),
    "columns": lambda ids: ids[:, None].tolist(),
    "batches": lambda ids: list(torch.from_numpy(ids)[:, None].split(4)),
}


@pytest.mark.parametrize("form", LISTS)
def test_lists_in_torch_files(tmp_path, form):
    packed = [np.packbits(side > 0, axis=1, bitorder="little").tolist() for side in SIGNS]
    signs = [list(torch.from_numpy(side).split(4)) for side in SIGNS]
    labels = [LISTS[form](ids) for ids in IDS]
    names = {"test_class_names": WORDS.tolist(), "epoch": 7}
    body = dict(zip(("qB", "rB", "test_label", "rL"), [*signs, *labels], strict=True))
    torch.save(body | names, tmp_path / "x.pt")
    same_ids(read_codes(tmp_path / "x.pt"))
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, value in zip(("qB", "rB", "qL", "rL"), [*signs, *labels], strict=True):
        torch.save(value, folder / f"{name}.pt")
    same_ids(read_codes(folder))
    torch.save({"all": tuple(packed)}, tmp_path / "y.pt")  # several, and no array of ours
    with pytest.raises(InputError, match="no array 'query_codes'"):
        read_codes(tmp_path / "y.pt")


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (
            ("codes", "ids"),
            "codes.0=query_codes,codes.1=database_codes,ids.0=query_labels,ids.1=database_labels",
        ),
        ((), "0.0=query_codes,0.1=database_codes,1.0=query_labels,1.1=database_labels"),
    ],
)
def test_tensors_side_by_side_in_lists_of_torch_files(tmp_path, keys, names):
    body = [[torch.from_numpy(side) for side in part] for part in (SIGNS, IDS)]
    torch.save(dict(zip(keys, body, strict=True)) if keys else body, tmp_path / "x.pt")
    same_ids(read_codes(tmp_path / "x.pt", parse_names(names)))


def test_a_number_of_bits_in_a_torch_file(tmp_path):
    packed = [np.packbits(side > 0, axis=1, bitorder="little") for side in SIGNS]
    tensors = [torch.from_numpy(side) for side in packed + IDS]
    body = dict(zip(("qB", "rB", "test_labels", "rL"), tensors, strict=True))
    # A list that is called as a tensor is, is not asked about.
    torch.save(body | {"bits": 12, "test_label_names": WORDS.tolist()}, tmp_path / "x.pt")
    same_ids(read_codes(tmp_path / "x.pt"))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[1], [2, 3], [1], [1], [1], [1]], r"rows of shapes \(1,\) and \(2,\)"),
        (["cat", 1, 2, 3, 4, 5], "a list of numbers and texts"),
        ([None] * 6, "a list of NoneTypes"),
        ([2**70] * 6, "beyond 64 bits"),
        ([["cat"], ["dog"]], "of other things than numbers"),
    ],
)
def test_lists_that_are_no_array_are_refused(tmp_path, labels, words):
    body = {"qB": torch.from_numpy(SIGNS[0]), "rB": torch.from_numpy(SIGNS[1])}
    torch.save(body | {"qL": labels, "rL": IDS[1].tolist()}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=words) as told:
        read_codes(tmp_path / "x.pt")
    assert "\n" not in str(told.value)
