"""CIFAR-100, with its 100 fine classes."""

from __future__ import annotations

from hashbench.data.cifar import CIFAR, Archive
from hashbench.data.protocols import Protocol

#: In the order of the official labels, which is the alphabet's.
_CLASSES = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus "
    "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch "
    "crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo "
    "keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain "
    "mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain "
    "plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
    "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)


class CIFAR100(CIFAR):
    """60,000 images in 100 classes."""

    name = "cifar100"
    title = "CIFAR-100"
    summary = "60,000 images of 32x32 in 100 classes"
    citation = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    bibtex = """@techreport{krizhevsky2009cifar,
  author      = {Alex Krizhevsky},
  title       = {Learning Multiple Layers of Features from Tiny Images},
  institution = {University of Toronto},
  year        = {2009},
}"""
    classes = tuple(_CLASSES.split())
    sizes = {"train": 500, "test": 100}  # noqa: RUF012 - declared ClassVar in CIFAR
    archive = Archive(
        name="cifar-100-python.tar.gz",
        md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        batches={
            "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
            "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        },
        labels=b"fine_labels",
    )
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "cifar100": Protocol(
            name="cifar100",
            queries=10_000,
            train=10_000,
            train_in_database=True,
            summary="100 queries and 100 training images a class, 50k database that holds them",
            balanced=True,
            database=50_000,
            pins={0: "0628f64113e3629c1f1c1c6ab3992ccbb0868c0b3b5f82ea9b0b10c0800764ca"},
        ),
        "cifar100-2": Protocol(
            name="cifar100-2",
            queries=10_000,
            train=None,
            train_in_database=True,
            summary="10k queries, 50k database that is the training set too",
            balanced=True,
            database=50_000,
            pins={0: "8ca5bdf5100e953dd666a456ea63cb264709c0a3ff31d454941444db25dd0efe"},
        ),
    }
    default_protocol = "cifar100"
