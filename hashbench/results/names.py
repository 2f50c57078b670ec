"""How methods, data sets and metrics are printed, in the order papers list them."""

from __future__ import annotations

import re
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
    "dch-e": "DCH-E",
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

_METRICS = {
    "map": "mAP",
    "p": "P",
    "r": "R",
    "empty": "share of empty balls",
    "nohit": "share of balls without a hit",
    "kept": "share of queries counted",
    "ball": "items in the ball",
    "ball-q05": "items in the ball (5% quantile)",
    "ball-median": "items in the ball (median)",
    "ball-q95": "items in the ball (95% quantile)",
}
_METRIC = re.compile(r"(?P<kind>[a-z0-9-]+?)(?:@h(?P<radius>\d+)|@(?P<length>\d+))?")


def method_name(label: str) -> str:
    """The printed name of a method or of a row label such as "dch [gamma=5]"."""
    name, bracket, variant = label.partition(" [")
    return METHODS.get(name, name) + bracket + variant


def dataset_name(name: str) -> str:
    """The printed name of a data set."""
    return DATASETS.get(name, name)


def metric_name(name: str) -> str:
    """The printed name of a metric: "map@h2" is mAP@H<=2, "p@100" is P@100."""
    match = _METRIC.fullmatch(name)
    if match is None or match["kind"] not in _METRICS:
        return name
    text = _METRICS[match["kind"]]
    separator = " within " if " " in text else "@"
    if match["radius"] is not None:
        return f"{text}{separator}H<={match['radius']}"
    return f"{text}{separator}{match['length']}" if match["length"] is not None else text


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
