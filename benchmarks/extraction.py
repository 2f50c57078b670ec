"""Images/s of the feature extractor, per engine, as a ratio to plain eager PyTorch.

Random 32x32 images through a backbone, decoding left out, so that it runs
without data: `python benchmarks/extraction.py [--backbone NAME] [--images N] [--threads N]`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from hashbench.backbones import get_backbone
from hashbench.backbones.engines import OpenVINOEngine, TorchEngine
from hashbench.backbones.extraction import BATCH
from hashbench.backbones.network import Graph

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def plain(graph: Graph) -> Run:
    """The loop anyone would write: eager, default memory format."""

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.no_grad():
            parts = [graph(part) for part in torch.from_numpy(images).split(BATCH)]
        return torch.cat(parts).numpy()

    return run


def through(engine: TorchEngine | OpenVINOEngine) -> Run:
    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
        return np.concatenate(list(engine.run(batches)))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    backbone = get_backbone(arguments.backbone)
    shape = (32, 32, 3)
    side = backbone.preprocessing.side(shape)
    multi = backbone.multi_dim > 0

    def graph() -> Graph:
        return Graph(backbone.build(side), backbone.preprocessing, side, multi=multi).eval()

    runs: dict[str, Run] = {"plain torch": plain(graph())}
    runs["engine torch cpu"] = through(TorchEngine(graph(), "cpu", arguments.threads))
    try:
        runs["engine openvino"] = through(OpenVINOEngine(graph(), shape, arguments.threads))
    except ImportError:
        print("openvino is not installed")
    if torch.cuda.is_available():
        runs["engine torch cuda"] = through(TorchEngine(graph(), "cuda"))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (arguments.images, *shape), dtype=np.uint8)
    expected = runs["plain torch"](images[:BATCH])
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(arguments.rounds):  # interleaved, so that a busy machine slows all alike
        for name, run in runs.items():
            start = time.perf_counter()
            run(images)
            speeds[name].append(len(images) / (time.perf_counter() - start))
    baseline = float(np.median(speeds["plain torch"]))
    for name, run in runs.items():
        speed = float(np.median(speeds[name]))
        difference = float(np.abs(run(images[:BATCH]) - expected).max())
        line = {
            "backbone": arguments.backbone,
            "side": side,
            "threads": arguments.threads,
            "engine": name,
            "images_per_s": round(speed, 1),
            "ratio": round(speed / baseline, 2),
            "largest_difference": difference,
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
