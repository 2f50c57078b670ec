"""How methods and data sets are printed, in the order papers list them."""

from __future__ import annotations

from collections.abc import Iterable

#: Registered name -> printed name; shallow methods first, the newest last.
METHODS = {
    "lsh": "LSH",
    "itq-cca": "ITQ-CCA",
    "bre": "BRE",
    "ksh": "KSH",
    "sdh": "SDH",
    "cnnh": "CNNH",
    "dnnh": "DNNH",
    "dhn": "DHN",
    "hashnet": "HashNet",
    "dch-released": "DCH (released)",
    "dch-q": "DCH-Q",
    "dch-c": "DCH-C",
    "dch-e": "DCH-E (our reading)",
    "dch": "DCH",
}
#: The full method first, then one part of it left out or exchanged at a time.
ABLATION = ("dch", "dch-q", "dch-c", "dch-e")

DATASETS = {
    "nuswide": "NUS-WIDE",
    "coco": "MS-COCO",
    "cifar10": "CIFAR-10",
    "digits": "Digits",
}


def method_name(label: str) -> str:
    """The printed name of a method or of a row label such as "dch [gamma=5]"."""
    name, bracket, variant = label.partition(" [")
    return METHODS.get(name, name) + bracket + variant


def dataset_name(name: str) -> str:
    """The printed name of a data set."""
    return DATASETS.get(name, name)


def method_order(labels: Iterable[str]) -> list[str]:
    """Methods or row labels as papers list them; unknown ones before the known, by name."""
    places = {name: place for place, name in enumerate(METHODS)}
    return sorted(
        dict.fromkeys(labels), key=lambda label: (places.get(label.partition(" [")[0], -1), label)
    )


def dataset_order(names: Iterable[str]) -> list[str]:
    """Data sets as papers list them; unknown ones last, by name."""
    places = {name: place for place, name in enumerate(DATASETS)}
    return sorted(dict.fromkeys(names), key=lambda name: (places.get(name, len(places)), name))
