"""A fitted hasher goes into a file and comes back as the same hasher; other files are refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hostility import fuzz, memory_below, mutated, replaced, result_or_refusal, sentence, within
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from hashbench.baselines.lsh import LSH
from hashbench.errors import InputError
from hashbench.registries import load_plugins, made, methods
from hashbench.saved import dump_hasher, load_hasher, read_hasher, write_hasher
from hashbench.testing.subject import Subject
from hashbench.testing.toy import toy

BUILT_IN = [name for name in methods().names() if methods().entry(name).origin == "hashbench"]
HEADS = [
    (name, head)
    for name in BUILT_IN
    for head in (("linear", "mlp") if methods().get(name).kind == "deep" else (None,))
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fitted(name: str, head: str | None = None):
    subject = Subject(methods().get(name))
    return subject.fit_briefly(**({"head": head} if head else {})), subject.toy


def body_of(data: bytes) -> dict:
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["hashbench"])


def forged(data: bytes, **changes) -> bytes:
    """A whole file with other words in it."""
    return save(load(data), {"hashbench": json.dumps(body_of(data) | changes)})


@pytest.mark.parametrize(("name", "head"), HEADS)
def test_a_loaded_hasher_gives_the_same_codes_and_outputs(name, head, tmp_path) -> None:
    hasher, toy = fitted(name, head)
    digest = write_hasher(tmp_path / "h.safetensors", hasher)
    assert digest == hashlib.sha256((tmp_path / "h.safetensors").read_bytes()).hexdigest()
    again = read_hasher(tmp_path / "h.safetensors", digest)
    assert type(again) is type(hasher)
    assert (again.bits, again.seed) == (hasher.bits, hasher.seed)
    for items in (toy.query, toy.database, toy.query.subset([0])):
        one, two = hasher.encode(items), again.encode(items)
        assert np.array_equal(one.packed, two.packed)
        assert np.array_equal(one.relaxed, two.relaxed)


def test_a_loaded_hasher_can_be_saved_again_to_the_same_bytes() -> None:
    for name in ("ksh", "dch"):
        data = dump_hasher(fitted(name)[0])
        assert dump_hasher(load_hasher(data, "it")) == data


def test_the_file_holds_no_training_set() -> None:
    hasher, toy = fitted("cnnh")
    assert len(toy.train) not in {
        side for tensor in load(dump_hasher(hasher)).values() for side in tensor.shape
    }


def test_a_changed_byte_is_refused_by_digest(tmp_path) -> None:
    path = tmp_path / "h.safetensors"
    digest = write_hasher(path, fitted("lsh")[0])
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    read_hasher(path)  # it is whole: only its digest can tell
    with pytest.raises(InputError, match="damaged or another one"):
        read_hasher(path, digest)


def test_a_hasher_that_learned_nothing_is_not_saved() -> None:
    with pytest.raises(InputError, match="call fit"):
        dump_hasher(LSH(bits=8))


def test_memory_order_and_odd_values_survive() -> None:
    hasher, _ = fitted("lsh")
    hasher.projection_ = np.asfortranarray(hasher.projection_)
    hasher.odd_ = [np.float32(0.1), (1, {"a": float("inf"), 3: None}), np.array(["x", "yz"])]
    hasher.half_ = torch.arange(6, dtype=torch.bfloat16).view(2, 3)
    again = load_hasher(dump_hasher(hasher), "it")
    assert again.projection_.flags.f_contiguous
    assert again.odd_[0].dtype == np.float32
    assert again.odd_[1] == (1, {"a": float("inf"), 3: None})
    assert again.odd_[2].tolist() == ["x", "yz"]
    assert torch.equal(again.half_, hasher.half_)


def test_what_cannot_be_kept_is_named() -> None:
    hasher, _ = fitted("lsh")
    for value in (Path("x"), np.array([1j]), lambda: 0, np.array([{}], dtype=object)):
        hasher.odd_ = {"deep": value}
        with pytest.raises(InputError, match=r"lsh\.odd_\.deep .* cannot be kept"):
            dump_hasher(hasher)


@dataclass(kw_only=True, repr=False, eq=False)
class Unknown(LSH):
    name = "unknown"


def test_a_method_that_is_not_here_is_named() -> None:
    data = dump_hasher(Unknown(bits=4).fit(np.eye(5)))
    with pytest.raises(InputError, match="'unknown', which is not registered here"):
        load_hasher(data, "it")


def test_another_version_is_said(recwarn) -> None:
    load_hasher(forged(dump_hasher(fitted("lsh")[0]), version="0"), "it")
    assert any("version 0 of lsh" in str(warning.message) for warning in recwarn)


@pytest.mark.parametrize(
    "piece",
    ["os:_Environ", "subprocess:Popen", "hashbench.baselines.lsh:LSH", "sklearn.base:clone",
     "hashbench.baselines.nowhere:X", "own:np", "builtins:dict", "hashbench.training.deep:nn"],
)  # fmt: skip
def test_no_other_class_comes_to_life(piece) -> None:
    data = dump_hasher(fitted("lsh")[0])
    learned = body_of(data)["learned"]
    for pair in learned["dict"]:
        if pair[0] == "scaler_":
            pair[1]["piece"] = piece
    with pytest.raises(InputError, match="does not fit the method lsh"):
        load_hasher(forged(data, learned=learned), "it")


def broadcast(name: str, attribute: str, shape: tuple[int, ...]) -> bytes:
    hasher, _ = fitted(name)
    setattr(hasher, attribute, np.zeros(shape))
    return dump_hasher(hasher)


@pytest.mark.parametrize("shape", [(1000, 1), (0,), (7,)])
def test_shapes_that_would_multiply_are_refused(shape) -> None:
    with pytest.raises(InputError, match="does not fit the method ksh"):
        load_hasher(broadcast("ksh", "means_", shape), "it")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("dch", {"hidden": 10**9, "head": "mlp"}),
        ("dch", {"bits": 10**6}),
        ("dch", {"tuning": "full"}),
        ("dnnh", {"slice_width": 10**10}),
        ("lsh", {"bits": 10**9}),
        ("dch", {"nonsense": 1}),
        ("dch", {"gamma": [1]}),
    ],
)
def test_hyper_parameters_of_another_size_cost_no_memory(name, changes) -> None:
    data = dump_hasher(fitted(name)[0])
    data = forged(data, params=body_of(data)["params"] | changes)
    with memory_below(200), within(20), pytest.raises(InputError) as refusal:
        load_hasher(data, "it")
    sentence(refusal.value)


@pytest.fixture(scope="module", params=["itq-cca", "sdh", "dch"])
def whole(request) -> bytes:
    return dump_hasher(fitted(request.param)[0])


@fuzz(80)
@given(st.data())
def test_damaged_files_are_refused_in_one_sentence(whole, tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(data.draw(mutated(whole)))
    with within(20):
        result_or_refusal(lambda: read_hasher(path), path)


@fuzz(100)
@given(st.data())
def test_forged_files_are_refused_in_one_sentence(whole, data) -> None:
    body = data.draw(replaced(body_of(whole)))
    try:
        text = json.dumps(body)
        text.encode()
    except (UnicodeEncodeError, ValueError):
        return
    with within(20):
        result_or_refusal(lambda: load_hasher(save(load(whole), {"hashbench": text}), "it"))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 7, b"\xff" * 64, (2**62).to_bytes(8, "little"), b"\x80\x04N.",
     (100).to_bytes(8, "little") + b"[" * 100],
)  # fmt: skip
def test_no_hasher_at_all(tmp_path, data) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is no hasher"):
        read_hasher(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_hasher(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_hasher(tmp_path / "none")


PLUGIN = """
from dataclasses import dataclass
import numpy as np
import hashbench

class Centre:
    def __init__(self, features):
        self.mean = features.mean(axis=0)
    def __call__(self, features):
        return features - self.mean

@dataclass(kw_only=True)
class Mine(hashbench.Hasher):
    name = "mine"
    bits: int = 8
    seed: int = 0
    def fit(self, train):
        self.centre_ = Centre(train.features())
        rng = np.random.default_rng(self.seed)
        self.planes_ = {"all": [rng.normal(size=(train.features().shape[1], self.bits))]}
        return self
    def encode(self, items):
        values = self.centre_(items.features()) @ self.planes_["all"][0]
        return hashbench.Codes.from_real(values)
"""


def test_a_strangers_method_needs_no_code_to_be_kept(tmp_path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    load_plugins([tmp_path / "mine.py"])
    problem = toy()
    hasher = methods().get("mine")(bits=12).fit(problem.train)
    write_hasher(tmp_path / "h", hasher)
    made.clear()
    with pytest.raises(InputError, match="'mine', which is not registered here"):
        read_hasher(tmp_path / "h")
    # The same file elsewhere is another module: its classes are found all the same.
    (tmp_path / "moved").mkdir()
    (tmp_path / "mine.py").rename(tmp_path / "moved" / "mine.py")
    load_plugins([tmp_path / "moved" / "mine.py"])
    again = read_hasher(tmp_path / "h")
    assert type(again) is not type(hasher)
    assert np.array_equal(again.encode(problem.query).packed, hasher.encode(problem.query).packed)
