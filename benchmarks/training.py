"""Images/s of training from pixels, as a ratio to a plain PyTorch loop with a DataLoader.

Random 32x32 images enlarged to `--side`, every layer trained with DCH's loss on
batches of 64, whole epochs timed, augmentation and loading included, so that it
runs without data: `python benchmarks/training.py [--backbone NAME] [--images N]
[--side PX] [--threads N] [--device NAME]`. Both loops train the same network
at the same side with the same loss. The feature extractor has
`benchmarks/extraction.py`; heads on cached features are held against an
earlier version by `python benchmarks/versions.py REVISION --only head`.

    python benchmarks/training.py --stack --device cuda

Four code lengths of a method in one step, which share batches and dropout's masks, against
the four steps in turn: linear heads on features drawn at random, milliseconds of the four
(thread time on a CPU), and whether both end with the same weights.
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
from hashbench.registries import methods
from hashbench.training.balance import PairBalance
from hashbench.training.batches import TensorBatches
from hashbench.training.heads import Dropout
from hashbench.training.optimisation import optimiser_of
from hashbench.training.step import Step

SHAPE = (32, 32, 3)
CLASSES = 10
BATCH = 64
BITS = 48

#: What trains in one step, for how many epochs, on how many features, of which methods.
LENGTHS, EPOCHS, FEATURES = (16, 32, 48, 64), 3, (5000, 1280)
STACKED = ("csq", "hashnet", "dch", "dpsh")


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


def stacked(method: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Milliseconds of a step of `LENGTHS`, in turn and in one."""
    rng = np.random.default_rng(0)
    labels = np.eye(CLASSES, dtype=np.uint8)[np.arange(FEATURES[0]) % CLASSES]
    features = rng.standard_normal(FEATURES, np.float32)
    seconds: dict[str, list[float]] = {"in turn": [], "in one": []}
    weights: dict[str, list[torch.Tensor]] = {}
    for _ in range(arguments.rounds + 1):  # turn and turn about: other work slows both
        apart = [steps(method, (bits,), features, labels, arguments.device) for bits in LENGTHS]
        seconds["in turn"].append(sum(found[0] for found in apart))
        weights["in turn"] = [weight for found in apart for weight in found[1]]
        found = steps(method, LENGTHS, features, labels, arguments.device)
        seconds["in one"].append(found[0])
        weights["in one"] = found[1]
    turn, one = (1e3 * float(np.median(seconds[name][1:])) for name in ("in turn", "in one"))
    same = all(torch.equal(*pair) for pair in zip(*weights.values(), strict=True))
    return {
        "method": method,
        "bits": LENGTHS,
        "device": arguments.device,
        "in_turn_ms": round(turn, 2),
        "in_one_ms": round(one, 2),
        "ratio": round(turn / one, 2),
        "same_weights": same,
    }


def steps(
    method: str, lengths: tuple[int, ...], features: np.ndarray, labels: np.ndarray, where: str
) -> tuple[float, list[torch.Tensor]]:
    """Seconds of the median step of some code lengths together, and the weights they end with."""
    device = torch.device(where)
    hashers = [methods().get(method)(bits=bits) for bits in lengths]
    recipe, layers, states = hashers[0].recipe(), [], []
    for hasher in hashers:
        torch.manual_seed(0)
        hasher.prepare(labels)
        layers.append(hasher.hash_layer(features.shape[1]))
        states.append(hasher.loss_state(labels, features))
    network = nn.Sequential(Dropout(recipe.input_dropout), nn.ModuleList(layers)).to(device)
    kept = nn.ModuleList([state for state in states if state is not None]).to(device)
    optimiser = optimiser_of(network, recipe, kept)
    targets = torch.from_numpy(labels.astype(np.float32)).to(device)
    inputs = torch.from_numpy(features).to(device)
    batches = TensorBatches(inputs, targets, recipe.batch_size, 0, features=inputs)
    balance = PairBalance.of(targets)
    generators = [torch.Generator(device).manual_seed(0) for _ in lengths]
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    total = EPOCHS * len(batches)
    torch.manual_seed(1)
    ends = []
    every = (batch for epoch in range(EPOCHS) for batch in batches.epoch(epoch))
    for index, batch in enumerate(every):
        seen = network[0](batch.inputs)
        optimiser.zero_grad()
        losses = []
        for at, hasher in enumerate(hashers):
            step = Step(index, total, batch.rows, balance, generators[at], 0, states[at])
            losses.append(hasher.loss(layers[at](seen), batch.labels, step))
        torch.autograd.backward(losses)
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        ends.append(clock())
    return float(np.median(np.diff(ends))), [layer.weight.detach() for layer in layers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3, help="epochs timed")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    parser.add_argument("--stack", action="store_true", help="code lengths in one step instead")
    arguments = parser.parse_args()
    if arguments.stack:
        torch.set_num_threads(runtime.HEAD_THREADS)
        for method in STACKED:
            print(json.dumps(stacked(method, arguments)), flush=True)
        return
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
