"""Variants: what any protocol's split can be turned into, `<protocol>-<variant>` by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hashbench.data.protocols import Protocol
from hashbench.data.shifted import shifted_queries
from hashbench.data.split import Split
from hashbench.data.unseen import unseen_classes


@dataclass(frozen=True)
class Variant:
    """A variation of splits.

    Attributes:
        apply: from a split and its seed to the varied one; raises `InputError` where it cannot.
        summary: one line for listings.
        version: counts the changes of the variant.
    """

    apply: Callable[[Split, int], Split]
    summary: str
    version: int = 1


VARIANTS: Mapping[str, Variant] = {
    "unseen": Variant(
        unseen_classes,
        "trained on three classes in four; seen and unseen ones scored apart",
    ),
    "shifted": Variant(
        shifted_queries,
        "searched with corrupted queries too, scored by kind and severity",
    ),
}


def variant_of(protocols: Mapping[str, Protocol], name: str) -> Protocol | None:
    """The protocol `<protocol>-<variant>`, or `<protocol>-<variant>.<version>`; None otherwise."""
    for kind, variant in VARIANTS.items():
        label = kind if variant.version == 1 else f"{kind}.{variant.version}"
        base, dash, found = name.rpartition("-")
        if dash and found in (kind, label) and base in protocols:
            protocol = protocols[base]
            return replace(
                protocol,
                name=f"{protocol.id}-{label}",
                summary=f"{protocol.name}, {variant.summary}",
                version=1,
                variant=kind,
            )
    return None


def vary(split: Split, protocol: Protocol, seed: int) -> Split:
    """The variation of a split that a protocol asks for.

    Raises:
        InputError: if the split does not allow it.
    """
    return VARIANTS[protocol.variant].apply(split, seed)
