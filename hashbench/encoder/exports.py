"""An encoder in the formats of other runtimes, each run again by its own to see that it agrees."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from hashbench.encoder.encoder import Encoder
from hashbench.encoder.model import Model, frames_of, model_of
from hashbench.encoder.pictures import Pictures
from hashbench.errors import InputError, installs, shown
from hashbench.files import write_named

#: Outputs nearer to zero than this may fall on either side of it.
NEAR = 1e-4

#: Pictures the check makes up where none are given.
CHECKED = 24

Outputs = tuple[NDArray[np.uint8], NDArray[np.float32]]
Runner = Callable[[NDArray[np.uint8]], Outputs]


@dataclass(frozen=True)
class Agreement:
    """How an exported model compares with the encoder.

    Attributes:
        pictures: how many were compared.
        bits: of all codes together.
        near: outputs within `NEAR` of zero, whose bits are not compared.
        differing: other bits that differ.
        largest: largest difference of an output.
    """

    pictures: int
    bits: int
    near: int
    differing: int
    largest: float


def export(
    encoder: Encoder, file_format: str, path: Path, pictures: Pictures | None = None
) -> Agreement:
    """Write an encoder's model, run it again by its runtime, compare its codes.

    Args:
        encoder: what to export.
        file_format: "onnx", "openvino" or "torch".
        path: the file; an OpenVINO model's `.bin` lies beside it.
        pictures: what to compare on; made up if None.

    Raises:
        InputError: if a library is missing, the hash function or the network cannot be
            exported, the file cannot be written, or the exported model gives other codes;
            what was at `path` then stays.
    """
    write, run = FORMATS[file_format]
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file for the model")
    if file_format == "openvino" and path.suffix != ".xml":
        raise InputError(f"OpenVINO's models are files .xml: name {path}.xml in place of {path}")
    images = made_up(encoder) if pictures is None else pictures
    frames = frames_of(encoder, images)
    model = model_of(encoder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A model in use is replaced by one that is whole and agrees, or not at all.
        with tempfile.TemporaryDirectory(prefix="hashbench-export-") as folder, _quiet():
            made = Path(folder) / path.name
            write(model, torch.from_numpy(frames[:2]), made)
            found = compare(encoder, images, *run(made)(frames))
            if not found.differing:
                for file in sorted(made.parent.iterdir()):
                    data = file.read_bytes()
                    write_named(path.with_name(file.name), partial(_put, data))
    except InputError:
        raise
    except ImportError as error:
        raise InputError(
            f"--format {file_format} needs {error.name}: {installs(file_format)}"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be written ({shown(error)}): name another file") from error
    except Exception as error:  # exporters refuse networks in their own ways
        raise InputError(
            f"{encoder.sight.backbone} cannot be exported as {file_format} "
            f"({type(error).__name__}: {shown(error)}): choose another format"
        ) from error
    if found.differing:
        raise InputError(
            f"the exported model gives other codes ({found.differing} of {found.bits} bits differ "
            f"beyond {NEAR:g} of zero): it was removed; choose another format"
        )
    return found


def _put(data: bytes, stream: BinaryIO) -> None:
    stream.write(data)


def compare(
    encoder: Encoder, images: Any, codes: NDArray[np.uint8], outputs: NDArray[np.float32]
) -> Agreement:
    """Compare what a model gave for pictures with what the encoder gives.

    Args:
        encoder: the encoder.
        images: the pictures.
        codes: `(n, width)` packed codes of the model.
        outputs: `(n, bits)` outputs of the model.
    """
    wanted = encoder.encode(images)
    assert wanted.relaxed is not None
    unpacked = np.unpackbits(codes, axis=1, count=encoder.bits, bitorder="little")
    sizes = np.abs(wanted.relaxed)
    near = sizes <= NEAR * min(1.0, float(sizes.max()))  # of small outputs all would be near
    return Agreement(
        len(wanted),
        len(wanted) * encoder.bits,
        int(near.sum()),
        int(((unpacked != wanted.unpack()) & ~near).sum()),
        float(np.abs(outputs - wanted.relaxed).max()),
    )


def made_up(encoder: Encoder) -> NDArray[np.uint8]:
    """Pictures of coloured blobs and noise, of the training images' shape: the same every time."""
    generator = np.random.default_rng(0)
    height, width, _ = encoder.sight.shape
    coarse = generator.integers(0, 256, (CHECKED, 4, 4, 3))
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    blobs = coarse[:, rows][:, :, columns]
    noise = generator.integers(-30, 31, blobs.shape)
    return np.clip(blobs + noise, 0, 255).astype(np.uint8)


def _write_onnx(model: Model, example: torch.Tensor, path: Path) -> None:
    import onnxruntime  # noqa: F401 - what it is checked with
    import onnxscript  # noqa: F401 - what the exporter needs

    torch.onnx.export(
        model,
        (example,),
        str(path),
        dynamo=True,
        input_names=["images"],
        output_names=["codes", "outputs"],
        dynamic_shapes=({0: torch.export.Dim("n")},),
        external_data=False,
        verbose=False,
    )


def _run_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(frames: NDArray[np.uint8]) -> Outputs:
        codes, outputs = session.run(["codes", "outputs"], {"images": frames})
        return codes, outputs

    return run


def _write_openvino(model: Model, example: torch.Tensor, path: Path) -> None:
    from hashbench.backbones.engines import import_openvino

    openvino = import_openvino()
    with torch.no_grad():
        converted = openvino.convert_model(model, example_input=example)
    converted.reshape([-1, *example.shape[1:]])
    converted.inputs[0].get_tensor().set_names({"images"})
    for output, name in zip(converted.outputs, ("codes", "outputs"), strict=True):
        output.get_tensor().set_names({name})
    openvino.save_model(converted, str(path), compress_to_fp16=False)


def _run_openvino(path: Path) -> Runner:
    from hashbench.backbones.engines import import_openvino

    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = import_openvino().Core().compile_model(str(path), "CPU", options)

    def run(frames: NDArray[np.uint8]) -> Outputs:
        found = compiled({"images": frames})
        return found["codes"], found["outputs"]

    return run


def _write_torch(model: Model, example: torch.Tensor, path: Path) -> None:
    shapes = ({0: torch.export.Dim("n")},)
    whole = io.BytesIO()  # torch ends the process where the disk is full
    torch.export.save(torch.export.export(model, (example,), dynamic_shapes=shapes), whole)
    path.write_bytes(whole.getbuffer())


def _run_torch(path: Path) -> Runner:
    module = torch.export.load(str(path)).module()

    def run(frames: NDArray[np.uint8]) -> Outputs:
        with torch.no_grad():
            codes, outputs = module(torch.from_numpy(frames))
        return codes.numpy(), outputs.numpy()

    return run


#: Format -> how its file is written, and how it is run.
FORMATS: dict[str, tuple[Callable[[Model, torch.Tensor, Path], None], Callable[[Path], Runner]]] = {
    "onnx": (_write_onnx, _run_onnx),
    "openvino": (_write_openvino, _run_openvino),
    "torch": (_write_torch, _run_torch),
}

#: What the files are called.
ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2"}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' notes, which are about what is fixed here on purpose."""
    names = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")
    before = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
