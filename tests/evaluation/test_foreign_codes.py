"""Codes kept and called as others do are read as what they are."""

import json
import pickle
import subprocess

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch
from click.testing import CliRunner
from codes_of_peers import IDS, LABELS, OUTPUTS, SIGNS, WORDS, same, same_ids

from hashbench.commands.score import command
from hashbench.errors import InputError
from hashbench.evaluation.foreign import parse_names, read_codes
from hashbench.evaluation.foreign.names import assign


@pytest.mark.parametrize(
    "names",
    [
        "query_codes database_codes query_labels database_labels",
        "qB rB qL rL",  # DPSH, ADSH
        "tst_binary trn_binary tst_label trn_label",  # DeepHash-pytorch
        "test_code database_code test_labels database_labels",  # HashNet
        "query_code database_code query_targets database_targets",  # DPSH and ADSH by TreezzZ
        "B_tst B_trn L_tst L_trn",
        "query_B retrieval_B query_L retrieval_L",  # DCMH
        "tB B testgnd traingnd",  # SDH, KSH
        "qB retrievalB queryL retrievalL",
        "gallery_query_hash query_gallery_hash qry_y_label db_label",
    ],
)
def test_the_names_of_peers(tmp_path, names):
    np.savez(tmp_path / "x.npz", **dict(zip(names.split(), SIGNS + LABELS, strict=True)))
    same(read_codes(tmp_path / "x.npz"))


def test_the_training_set_is_the_database_only_where_none_is():
    found = ["train_codes", "db_codes", "test_codes", "train_labels", "query_codes"]
    chosen = assign(found, {})
    assert chosen["database_codes"] == "db_codes"
    assert chosen["query_codes"] == "query_codes"
    assert chosen["database_labels"] == "train_labels"


def test_two_names_for_one_array_are_asked_about(tmp_path):
    arrays = dict(zip(("qB", "rB", "qL", "rL"), SIGNS + LABELS, strict=True))
    np.savez(tmp_path / "x.npz", **arrays, re_B=SIGNS[1])
    with pytest.raises(InputError, match="rB or re_B: say which with --names rB=database_codes"):
        read_codes(tmp_path / "x.npz")
    same(read_codes(tmp_path / "x.npz", {"re_B": "database_codes"}))


def test_other_names_are_told(tmp_path):
    names = ("q_img", "r_txt", "q_l", "r_l")
    np.savez(tmp_path / "x.npz", **dict(zip(names, SIGNS + LABELS, strict=True)))
    with pytest.raises(InputError, match=r"'query_codes'.*q_img \(6, 12\) float32, r_txt"):
        read_codes(tmp_path / "x.npz")
    same(read_codes(tmp_path / "x.npz", parse_names("q_img=query_codes, r_txt=database_codes")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q_img", "theirs=ours"),
        ("=query_codes", "theirs=ours"),
        ("a=query_code", "did you mean query_codes"),
        ("a=query_codes,b=query_codes", "something else"),
        ("qb=query_codes", "did you mean qB"),
    ],
)
def test_names_that_say_nothing_are_refused(text, words):
    with pytest.raises(InputError, match=words):
        assign(["qB", "rB"], parse_names(text))


def test_real_outputs_are_codes_where_there_are_no_others(tmp_path):
    arrays = dict(zip(("test_output", "db_output", "qL", "rL"), OUTPUTS + LABELS, strict=True))
    np.savez(tmp_path / "x.npz", **arrays)
    same(read_codes(tmp_path / "x.npz"), relaxed=True)


@pytest.mark.parametrize("how", [{"format": "4"}, {}, {"do_compression": True}])
def test_matlab_files(tmp_path, how):
    path = tmp_path / "x.mat"
    arrays = dict(zip(("tB", "B"), SIGNS, strict=True)) | {"nbits": 12.0}
    labels = {"testgnd": IDS[0] + 1.0, "traingnd": IDS[1] + 1.0}
    for axis in ("row", "column"):
        scipy.io.savemat(path, arrays | labels, oned_as=axis, **how)
        if axis == "row":
            same_ids(read_codes(path))
    types = {"query_labels": LABELS[0].astype(float), "database_labels": LABELS[1] > 0}
    if how.get("format") != "4":
        types["database_labels"] = scipy.sparse.csc_matrix(LABELS[1])
    scipy.io.savemat(path, {"qB": SIGNS[0].astype(np.int8), "rB": SIGNS[1]} | types, **how)
    same(read_codes(path))


def test_what_else_a_matlab_file_holds_is_named(tmp_path):
    others = {"result": {"a": 1.0}, "list": np.array([{"a": 1}])}
    scipy.io.savemat(tmp_path / "x.mat", others)
    with pytest.raises(InputError, match=r"it holds result \(1, 1\) struct, list"):
        read_codes(tmp_path / "x.mat")
    scipy.io.savemat(tmp_path / "x.mat", {"qB": SIGNS[0], "rB": SIGNS[1]} | others)
    names = parse_names("result=query_labels,list=database_labels")
    with pytest.raises(InputError, match=r"'result' in .* is not a readable array .*struct"):
        read_codes(tmp_path / "x.mat", names)


def test_matlab_v73_is_told_how_to_convert(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=r"save\('x-v7.mat', '-v7'\)"):
        read_codes(tmp_path / "x.mat")


#: Names of classes, as wide as each other or not, with a blank and with accents.
@pytest.mark.parametrize("legacy", [False, True])
def test_torch_files(tmp_path, legacy):
    tensors = [torch.from_numpy(side) for side in SIGNS + LABELS]
    body = {"record": dict(zip(("qB", "rB", "qL", "rL"), tensors, strict=True)), "map": 0.7}
    torch.save(body, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    same(read_codes(tmp_path / "x.pth"))


def test_a_torch_file_of_more_than_tensors_is_refused(tmp_path):
    torch.save({"qB": SIGNS[0]}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"not a readable torch file .*more than tensors"):
        read_codes(tmp_path / "x.pt")


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path):
    few = torch.ones(1).expand(10**6, 10**6)
    torch.save({"qB": few, "rB": few, "qL": few, "rL": few}, tmp_path / "x.pt")
    with pytest.raises(InputError, match="claims more values"):
        read_codes(tmp_path / "x.pt")


def test_folders_as_peers_leave_them(tmp_path):
    deephash = tmp_path / "deephash"
    deephash.mkdir()
    for name, array in zip(("tst", "trn"), SIGNS, strict=True):
        np.save(deephash / f"cifar100.8123-{name}_binary.npy", array)
    for name, array in zip(("tst", "trn"), LABELS, strict=True):
        np.save(deephash / f"cifar100.8123-{name}_label.npy", array)
    torch.save({"weight": torch.zeros(3)}, deephash / "cifar10-0.8123-model.pt")
    same(read_codes(deephash))
    treezzz = tmp_path / "treezzz"
    treezzz.mkdir()
    names = ("query_code", "database_code", "query_targets", "database_targets")
    for name, array in zip(names, SIGNS + LABELS, strict=True):
        torch.save(torch.from_numpy(array), treezzz / f"{name}.t")
    same(read_codes(treezzz))
    fire = tmp_path / "fire"
    fire.mkdir()
    for name, outputs, labels in zip(("test", "db"), OUTPUTS, LABELS, strict=True):
        body = {"codes": torch.from_numpy(outputs), "labels": torch.from_numpy(labels)}
        torch.save(body, fire / f"{name}_outputs.pth")
    same(read_codes(fire), relaxed=True)


def test_an_array_of_a_file_of_a_folder_is_named_with_the_file(tmp_path):
    np.savez(tmp_path / "a.npz", one=SIGNS[0], two=SIGNS[1])
    np.savez(tmp_path / "b.npz", qL=LABELS[0], rL=LABELS[1])
    same(read_codes(tmp_path, parse_names("a.one=query_codes,a.two=database_codes")))
    with pytest.raises(InputError, match="unknown array on the left"):
        read_codes(tmp_path, parse_names("a.three=query_codes"))


def test_folders_of_text(tmp_path):
    for name, codes in zip(("query", "database"), SIGNS, strict=True):
        np.savetxt(tmp_path / f"{name}_codes.txt", codes, fmt="%d")
    for name, labels in zip(("query", "database"), LABELS, strict=True):
        np.savetxt(tmp_path / f"{name}_labels.csv", labels, fmt="%d", delimiter=", ")
    same(read_codes(tmp_path))
    for name, codes, ids in zip(("query", "database"), SIGNS, IDS, strict=True):
        lines = ["".join("01"[int(value > 0)] for value in row) for row in codes]
        (tmp_path / f"{name}_codes.txt").write_text("\n".join(lines))
        (tmp_path / f"{name}_labels.csv").unlink()
        (tmp_path / f"{name}_labels.txt").write_text("\n".join(map(str, ids)))
    same_ids(read_codes(tmp_path))
    for name, ids in zip(("query", "database"), IDS, strict=True):
        (tmp_path / f"{name}_labels.txt").write_text("\n".join(f"class-{i}" for i in ids))
    same_ids(read_codes(tmp_path))
    for name, ids in zip(("query", "database"), IDS, strict=True):
        (tmp_path / f"{name}_labels.txt").write_text("\n".join(WORDS[ids]), encoding="utf-8")
    same_ids(read_codes(tmp_path))
    (tmp_path / "query_labels.txt").write_text("\n".join(["cat;dog"] * 6))
    with pytest.raises(InputError, match="'cat;dog' may be several classes"):
        read_codes(tmp_path)
    for name, labels in zip(("query", "database"), LABELS, strict=True):
        np.savetxt(tmp_path / f"{name}_labels.txt", labels)  # 1.000e+00, which is no name
    same(read_codes(tmp_path))


def test_codes_of_a_column_an_item_are_told(tmp_path):
    sides = [side.T for side in SIGNS]
    for labels in (LABELS, IDS, [ids[None] for ids in IDS]):
        np.savez(
            tmp_path / "x.npz",
            **dict(zip(("qB", "rB", "qL", "rL"), [*sides, *labels], strict=True)),
        )
        with pytest.raises(InputError, match=r"\(12, 6\) and \(12, 15\) have a column an item"):
            read_codes(tmp_path / "x.npz")


def table(several: bool) -> str:
    lines = ["id,Split,code,label"]
    for side, codes, labels, ids in zip(("test", "database"), SIGNS, LABELS, IDS, strict=True):
        for row, (code, hot, number) in enumerate(zip(codes, labels, ids, strict=True)):
            bits = "".join("01"[int(value > 0)] for value in code)
            classes = ";".join(str(place) for place in np.flatnonzero(hot))
            lines.append(f"{side}{row},{side},{bits},{classes if several else number}")
    return "\n".join(lines) + "\n"


def test_a_table_of_items(tmp_path):
    (tmp_path / "x.csv").write_text(table(several=False))
    same_ids(read_codes(tmp_path / "x.csv"))
    (tmp_path / "x.csv").write_text(table(several=True))
    inputs = read_codes(tmp_path / "x.csv")
    same(inputs, inputs[2:])
    relevant = inputs.query_labels.astype(int) @ inputs.database_labels.T.astype(int) > 0
    assert (relevant == (LABELS[0].astype(int) @ LABELS[1].T.astype(int) > 0)).all()


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (["0 0 1", "1 0 0", "0 1 1"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),  # a row of 0/1 each
        (["-1;1", "1;-1", "-1;1"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
        (["2 0", "0 11", "2"], [[1, 1, 1], [1, 1, 0], [1, 0, 1]]),
        (["00000001", "01000000", "00000001"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
        (["00000001", "2", "1010"], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),  # ids, whatever digits
        (["5", "", "5"], [[1, 0, 1], [0, 0, 0], [1, 0, 1]]),  # one has no label
        (["", "", ""], "no item has a label"),
        (["007", "010", "007"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
        (["10101010", "00000001", "2"], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (["10101010", "00000001", "10000000"], "'10101010' may be one class or a row of zeros"),
        (["007", "7", "8"], "the labels '007' and '7', which are one number"),
        (["1;007", "1;7", "8"], "the labels '007' and '7', which are one number"),
        (["polar bear;cat", "cat", "dog"], "put ; between classes"),  # polar may be a class
        ([f"{2**60}", f"{2**60 + 1}", f"{2**60}"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
        (["\u00e9;a", "e\u0301;b", "c;d"], [[1, 1, 0], [1, 1, 0], [0, 0, 1]]),
    ],
)
def test_what_the_labels_of_a_table_mean(tmp_path, written, wanted):
    lines = [f"{side},{'01' * 4},{label}" for side in ("query", "db") for label in written]
    (tmp_path / "x.csv").write_text("\n".join(["split,code,label", *lines]), encoding="utf-8")
    if isinstance(wanted, str):
        with pytest.raises(InputError, match=wanted):
            read_codes(tmp_path / "x.csv")
        return
    query, items = (side.astype(int) for side in read_codes(tmp_path / "x.csv")[2:])
    alike = query[:, None] == items if query.ndim == 1 else (query > 0) @ (items > 0).T
    assert alike.astype(int).tolist() == wanted


def test_tables_as_spreadsheets_with_decimal_commas_write_them(tmp_path):
    lines = ['query;01010101;"1;2"', "db;01010111;2", "db;11110000;1"]
    (tmp_path / "x.csv").write_text("\n".join(["split;code;label", *lines]))
    query, database, *labels = read_codes(tmp_path / "x.csv")
    assert (query.bits, len(database)) == (8, 2)
    assert ((labels[0] > 0) @ (labels[1] > 0).T).tolist() == [[True, True]]
    for side in ("query", "database"):
        (tmp_path / f"{side}_codes.csv").write_text("0,5;-0,25\n1;1,5\n")
        (tmp_path / f"{side}_labels.csv").write_text("1\n2\n")
    (tmp_path / "x.csv").unlink()
    with pytest.raises(InputError, match="commas and semicolons stand in one line"):
        read_codes(tmp_path)


@pytest.mark.parametrize(
    ("heading", "last", "words"),
    [
        ("split,code,label", "train,10101010,1", "rows of 'db' and of 'train', and both would"),
        ("split,code,label,class", "db,10101010,1,2", "'label' and 'class' may both be the label"),
    ],
)
def test_a_table_that_may_mean_two_things_is_refused(tmp_path, heading, last, words):
    more = ",3" * (heading.count(",") - 2)
    lines = [heading, f"query,01010101,1{more}", f"db,01010101,1{more}", last]
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_codes(tmp_path / "x.csv")


def test_a_file_of_class_ids_is_not_taken_for_codes(tmp_path):
    for side in ("query", "database"):
        (tmp_path / f"{side}_codes.txt").write_text("01010101\n11110000\n")
        (tmp_path / f"{side}_labels.txt").write_text("10101010\n2\n")
    query, items = read_codes(tmp_path)[2:]
    assert (query[:, None] == items).tolist() == [[True, False], [False, True]]
    (tmp_path / "query_labels.txt").write_text("10101010\n00110011\n")
    with pytest.raises(InputError, match=r"query_labels.txt: the label '00110011' may be one"):
        read_codes(tmp_path)


def test_class_ids_that_a_short_float_runs_together_are_refused(tmp_path):
    ids = [torch.tensor(side + 300).to(torch.bfloat16) for side in IDS]
    body = dict(zip(("qB", "rB", "qL", "rL"), [*map(torch.tensor, SIGNS), *ids], strict=True))
    torch.save(body, tmp_path / "x.pt")
    with pytest.raises(InputError, match="cannot be told apart as bfloat16"):
        read_codes(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("split,code,label\nquery,01010101\n", "line 2 has 2 columns"),
        ("split,code,label\nvalid,01010101,1\n", "line 2 says neither query nor database"),
        ("split;code;label\nquery;01010101;1;2\n", "has 4 columns.* with a semicolon needs quotes"),
        ("a,b\n1,2\n", "columns split, code and label"),
        ("\0", "no text"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path, text, words):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_codes(tmp_path / "x.csv")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickles_are_refused_with_the_line_that_converts_them(tmp_path, protocol):
    body = dict(zip(("qB", "rB", "qL", "rL"), SIGNS + LABELS, strict=True))
    path = tmp_path / "12bits record.pkl"
    path.write_bytes(pickle.dumps(body, protocol))
    with pytest.raises(InputError, match="is a pickle") as refusal:
        read_codes(path)
    line = str(refusal.value).partition("if you trust it: ")[2]
    subprocess.run(line, shell=True, check=True, cwd=tmp_path)
    same(read_codes(tmp_path / "codes.npz"))


def test_the_command_takes_names_and_a_file_to_write(tmp_path):
    names = ("q_img", "r_txt", "q_l", "r_l")
    np.savez(tmp_path / "x.npz", **dict(zip(names, SIGNS + LABELS, strict=True)))
    given = ["--codes", str(tmp_path / "x.npz"), "--names", "q_img=query_codes,r_txt=rB"]
    assert isinstance(CliRunner().invoke(command, given).exception, InputError)
    given[-1] = "q_img=query_codes,r_txt=database_codes"
    printed = CliRunner().invoke(command, [*given, "--json", "--metric", "map"])
    assert list(json.loads(printed.stdout)["scores"]["house"]) == ["map"]
    to_stdout = CliRunner().invoke(command, [*given, "--json", "--metric", "map", "--out", "-"])
    assert to_stdout.stdout == printed.stdout
    written = CliRunner().invoke(
        command, [*given, "--json", "--metric", "map", "--out", str(tmp_path / "out.json")]
    )
    assert written.stdout == ""
    assert (tmp_path / "out.json").read_text() == printed.stdout
    assert isinstance(CliRunner().invoke(command, ["--names", "a=bits"]).exception, InputError)
