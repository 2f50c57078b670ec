"""CIFAR-10."""

from __future__ import annotations

from hashbench.data.cifar import CIFAR, Archive
from hashbench.data.protocols import Protocol


class CIFAR10(CIFAR):
    """60,000 images in 10 classes."""

    name = "cifar10"
    title = "CIFAR-10"
    summary = "60,000 images of 32x32 in 10 classes"
    citation = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    bibtex = """@techreport{krizhevsky2009cifar,
  author      = {Alex Krizhevsky},
  title       = {Learning Multiple Layers of Features from Tiny Images},
  institution = {University of Toronto},
  year        = {2009},
}"""
    classes = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    sizes = {"train": 5000, "test": 1000}  # noqa: RUF012 - declared ClassVar in CIFAR
    archive = Archive(
        name="cifar-10-python.tar.gz",
        md5="c58f30108f718f92721af3b95e74349a",
        folder="cifar-10-batches-py",
        batches={
            "train": {
                "data_batch_1": "c99cafc152244af753f735de768cd75f",
                "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
                "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
                "data_batch_4": "634d18415352ddfa80567beed471001a",
                "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            },
            "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
        },
        labels=b"labels",
    )
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "cifar10": Protocol(
            name="cifar10",
            queries=1000,
            train=5000,
            train_in_database=False,
            summary="1k queries, 5k training images outside the 54k database (DCH, HashNet)",
            balanced=True,
            database=54_000,
            pins={0: "d3c8e3db4d29469dbdc302f87a9670ce96f855595e4f046d08e4046d8a75cab7"},
        ),
        "cifar10-1": Protocol(
            name="cifar10-1",
            queries=1000,
            train=5000,
            train_in_database=True,
            summary="1k queries, 59k database that holds the 5k training images (DSH, DPSH)",
            balanced=True,
            database=59_000,
            pins={0: "351097e471f194c1f9f8a457a2739fa1a05448df522c7861c25f6264f45b0d66"},
        ),
        "cifar10-2": Protocol(
            name="cifar10-2",
            queries=10_000,
            train=None,
            train_in_database=True,
            summary="10k queries, 50k database that is the training set too (GreedyHash)",
            balanced=True,
            database=50_000,
            pins={0: "22c8ceded60dff559538df77652d35d405c8143d142877a46d86eb1bdd9d49eb"},
        ),
    }
    default_protocol = "cifar10"
