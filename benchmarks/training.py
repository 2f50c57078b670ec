"""Images/s of training from pixels, as a ratio to a plain PyTorch loop with a DataLoader.

Random 32x32 images enlarged to `--side`, every layer trained with DCH's loss on
batches of 64, whole epochs timed, augmentation and loading included, so that it
runs without data: `python benchmarks/training.py [--backbone NAME] [--images N]
[--side PX] [--threads N] [--device NAME]`. Both loops train the same network
at the same side with the same loss. The feature extractor has
`benchmarks/extraction.py`; heads on cached features are held against an
earlier version by `python benchmarks/versions.py REVISION --only head`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from hashbench import runtime
from hashbench.backbones import get_backbone
from hashbench.data.images import PixelSource
from hashbench.items import TrainItems
from hashbench.methods.dch import DCH
from hashbench.training.balance import PairBalance
from hashbench.training.step import Step

SHAPE = (32, 32, 3)
CLASSES = 10
BATCH = 64
BITS = 48


class Plain(Dataset):
    """The data set anyone would write: transforms of torchvision, image by image."""

    def __init__(self, train: TrainItems, side: int, backbone: str) -> None:
        preprocessing = get_backbone(backbone).preprocessing
        self.train = train
        self.transform = v2.Compose(
            [
                v2.ToImage(),
                v2.RandomCrop(SHAPE[0], padding=4, padding_mode="reflect"),
                v2.RandomHorizontalFlip(),
                v2.Resize(side, v2.InterpolationMode.BICUBIC, antialias=True),
                v2.ToDtype(torch.float32),
                v2.Normalize(preprocessing.mean, preprocessing.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.train)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        label = torch.from_numpy(self.train.labels[index].astype(np.float32))
        return self.transform(self.train.image(index)), label


def plain(train: TrainItems, arguments: argparse.Namespace) -> list[float]:
    """Seconds of each epoch of a plain loop: eager, default memory format, float32."""
    device = torch.device(arguments.device)
    backbone = get_backbone(arguments.backbone)
    trunk = backbone.build(arguments.side)
    network = nn.Sequential(trunk, nn.Dropout(0.2), nn.Linear(backbone.dim, BITS)).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4)
    workers = 0 if arguments.threads == 1 else arguments.threads
    loader = DataLoader(
        Plain(train, arguments.side, arguments.backbone),
        batch_size=BATCH,
        shuffle=True,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )
    method = DCH(bits=BITS)
    balance = PairBalance.of(torch.from_numpy(train.labels.astype(np.float32)))
    generator = torch.Generator(device)
    seconds = []
    for _ in range(arguments.rounds + 1):
        start = time.perf_counter()
        network.train()
        for images, labels in loader:
            step = Step(0, 1, torch.arange(len(images)), balance, generator)
            loss = method.loss(network(images.to(device)), labels.to(device), step)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return seconds[1:]  # the first warms up


def ours(tuning: str) -> Callable[[TrainItems, argparse.Namespace], list[float]]:
    def run(train: TrainItems, arguments: argparse.Namespace) -> list[float]:
        ends = []

        def progress(_share: float, note: str) -> None:
            if note.startswith("epoch"):
                if arguments.device.startswith("cuda"):
                    torch.cuda.synchronize()
                ends.append(time.perf_counter())

        settings = runtime.Runtime(arguments.device, arguments.threads, progress)
        extra = {"compiled": True} if arguments.compiled else {}
        method = DCH(
            bits=BITS, tuning=tuning, side=arguments.side, epochs=arguments.rounds + 1, **extra
        )
        with runtime.use(settings):
            method.fit(train)
        return [end - start for start, end in pairwise(ends)]

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3, help="epochs timed")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (arguments.images, *SHAPE), dtype=np.uint8)
    source = PixelSource(pixels, [f"random/{row}" for row in range(len(pixels))])
    labels = np.eye(CLASSES, dtype=np.uint8)[np.arange(len(pixels)) % CLASSES]
    train = TrainItems(source, np.arange(len(pixels)), backbone=arguments.backbone, labels=labels)
    loops = {"plain loop": plain, "full": ours("full"), "partial": ours("partial")}
    baseline = 0.0
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HASHBENCH_CACHE"] = cache
        for name, loop in loops.items():
            speed = arguments.images / float(np.median(loop(train, arguments)))
            baseline = baseline or speed
            line = {
                "loop": name,
                "backbone": arguments.backbone,
                "side": arguments.side,
                "device": arguments.device,
                "threads": arguments.threads,
                "images_per_s": round(speed, 1),
                "ratio": round(speed / baseline, 2),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
