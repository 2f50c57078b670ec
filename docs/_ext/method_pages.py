"""A page for each registered method, and the table of all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from docstrings import arguments, prose
from markdown_text import cell, table

from hashbench.hasher import Hasher, hyperparameters
from hashbench.registries import methods
from hashbench.training.deep import DeepHasher

#: The groups of the table of methods, and whether a method belongs there.
GROUPS = {
    "Deep, with labels": lambda cls: cls.kind == "deep" and cls.supervised,
    "Deep, without labels": lambda cls: cls.kind == "deep" and not cls.supervised,
    "Shallow, with labels": lambda cls: (
        cls.kind == "shallow" and cls.supervised and cls.role == "method"
    ),
    "Shallow, without labels": lambda cls: (
        cls.kind == "shallow" and not cls.supervised and cls.role == "method"
    ),
    "Floors": lambda cls: cls.role == "floor",
}


def pages(docs: Path) -> dict[str, str]:
    """`methods/<name>.md` for every method, and `methods.md`."""
    every = methods().parts()
    traps = known_traps(docs / "traps.md")
    made = {f"methods/{name}.md": page(cls, traps.get(name, "")) for name, cls in every.items()}
    return {"methods.md": "\n".join(_index(every)), **made}


def known_traps(path: Path) -> dict[str, str]:
    """The sections of `traps.md` by the method each is about."""
    text = path.read_text("utf-8")
    parts = re.split(r"^## `([a-z0-9_-]+)`\n", text, flags=re.MULTILINE)[1:]
    deeper = re.compile(r"\]\((?=[\w-]+\.md)")  # links are from two folders further down
    return {
        name: deeper.sub("](../../", said.strip())
        for name, said in zip(parts[::2], parts[1::2], strict=True)
    }


def page(cls: type[Hasher], traps: str) -> str:
    """Everything a method says of itself, its traps, and how to run it."""
    lines = [f"# {cls.title or cls.name}", "", f"`{cls.name}`: {cls.summary.rstrip('.')}.", ""]
    lines += ["## Idea", "", prose(cls), ""]
    if traps:
        lines += ["## Traps", "", traps, ""]
    lines += ["## What it needs", "", *_needs(cls), ""]
    lines += ["## Hyper-parameters", "", *_hyperparameters(cls), ""]
    lines += ["## Run it", "", "```console", *_commands(cls), "```", ""]
    lines += ["## Source", "", f"{cls.citation.rstrip('.')}.", ""]
    if cls.bibtex:
        lines += ["```bibtex", cls.bibtex, "```", ""]
    lines += [f"Code: `{_file(cls)}`, version {cls.version}.", ""]
    return "\n".join(lines)


def bounds(item: Any) -> str:
    """The values a hyper-parameter's field allows, in words; empty where it declares none."""
    if options := item.metadata.get("options"):
        return " or ".join(f"`{option}`" for option in options)
    found = item.metadata.get("bounds")
    if found is None:
        return "`True` or `False`" if isinstance(item.default, bool) else ""
    words = {"low": "≥ {:g}", "above": "> {:g}", "high": "≤ {:g}", "below": "< {:g}"}
    said = ["whole"] if item.metadata["whole"] else []
    said += [words[kind].format(bound) for kind, bound in found.items()]
    said += [f"or `{word}`" for word in item.metadata.get("words") or ()]
    return ", ".join(said).replace(", or ", " or ")


def searched(space: Sequence[Any] | None) -> str:
    """What `hashbench tune` tries of a hyper-parameter, in words."""
    if space is None:
        return ""
    match list(space):
        case [float() | int() as low, float() | int() as high, "log"]:
            return f"{low:g} to {high:g}, log"
        case [float() | int() as low, float() | int() as high] if isinstance(space, tuple):
            return f"{low:g} to {high:g}"
        case choices:
            return ", ".join(f"`{choice}`" for choice in choices)


def _index(every: dict[str, Any]) -> Iterator[str]:
    yield "# Every method\n"
    yield "A page for each, made from what the method says of itself. What they share and how they"
    yield "are trained is in [deep methods](../methods.md) and [shallow methods](../baselines.md);"
    yield "where others' code went wrong is in [traps](../traps.md)."
    for heading, belongs in GROUPS.items():
        chosen = [cls for cls in every.values() if belongs(cls)]
        yield f"\n## {heading}\n"
        yield from table(
            "method |  | idea | source",
            (
                (_link(cls), f"`{cls.name}`", cell(cls.summary), cell(cls.citation))
                for cls in sorted(chosen, key=lambda cls: (cls.year, cls.name))
            ),
        )
    yield "\n```{toctree}\n:hidden:\n:glob:\n\nmethods/*\n```\n"


def _link(cls: type[Hasher]) -> str:
    return f"[{cls.title or cls.name}](methods/{cls.name}.md)"


def _needs(cls: type[Hasher]) -> Iterator[str]:
    if cls.supervised:
        yield "- Labels of the training set; two items are similar if they share one."
    else:
        yield "- No labels: it is never shown any."
    if not issubclass(cls, DeepHasher):
        yield "- Features of a backbone, or plain arrays: it is a scikit-learn transformer too."
        return
    yield "- Features (`--train head`) or images (`--train partial`, `--train full`)."
    if cls.two_views:
        yield "- Two views of each item: two draws of dropout on features, two crops of images."
    for hook, said in _HOOKS.items():
        if getattr(cls, hook) is not getattr(DeepHasher, hook):
            yield f"- {said}"


#: What a method that overrides one of these needs.
_HOOKS = {
    "loss_state": "A state of its loss beside the head, dropped when training ends.",
    "prepare": "A look at all labels of the training set before training starts.",
    "between_epochs": "A step of its own between two epochs.",
    "hash_layer": "A hash layer of its own in place of the linear one.",
}


def _hyperparameters(cls: type[Hasher]) -> Iterator[str]:
    shared = set(hyperparameters(DeepHasher)) if issubclass(cls, DeepHasher) else set()
    own = {name: value for name, value in hyperparameters(cls).items() if name not in shared}
    said = arguments(cls)
    declared = {item.name: item for item in fields(cls)} if is_dataclass(cls) else {}
    if own:
        yield from table(
            "name | default | allowed | `tune` tries | what",
            (
                (
                    f"`{name}`",
                    f"`{default}`",
                    bounds(declared[name]) if name in declared else "",
                    searched(cls.space.get(name)),
                    cell(said.get(name, "")),
                )
                for name, default in own.items()
            ),
        )
    else:
        yield "None of its own."
    if shared:
        yield "\nThose of every deep method (`epochs`, `lr`, `head` ...) are in"
        yield "[training](../../training.md)."


def _commands(cls: type[Hasher]) -> Iterator[str]:
    yield f"hashbench run --datasets digits --methods {cls.name} --bits 16,48"
    if cls.space:
        yield f"hashbench tune --datasets digits --method {cls.name} --bits 16,48"


def _file(cls: type[Hasher]) -> str:
    return f"{cls.__module__.replace('.', '/')}.py"
