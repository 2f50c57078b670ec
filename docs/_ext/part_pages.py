"""Pages of the other kinds of part: conventions, metrics, data sets, backbones and so on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from markdown_text import cell, table

from hashbench.data import Dataset, Protocol
from hashbench.data.variants import VARIANTS
from hashbench.evaluation import HOUSE
from hashbench.evaluation.conventions import BUILT_IN
from hashbench.registries import registry

NOTE = "Made from the registry when the site is built."


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    made = {
        "conventions.md": _conventions(),
        "metrics.md": _metrics(),
        "data-sets.md": _datasets(),
        "backbones.md": _backbones(),
        "figures-and-formats.md": _outputs(),
    }
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def _conventions() -> Iterator[str]:
    yield f"# Every convention\n\n{NOTE} What the choices mean is in"
    yield "[the evaluator](../evaluation.md); what each is worth on real codes, in"
    yield "[why your number differs](../why-your-number-differs.md).\n"
    yield "```console\nhashbench score --codes mine.npz --convention house,deephash\n```\n"
    for convention in BUILT_IN:
        yield f"## `{convention.name}`\n"
        yield f"{cell(convention.differs)}\n"
        yield f"Source\n: {cell(convention.source)}\n"
        yield f"Other than `house`\n: {_choices(convention)}\n"
        yield f"Defines\n: {_SCOPES[convention.scope]}\n"
        needs = "packed codes and real outputs" if convention.needs_relaxed else "packed codes"
        yield f"Needs\n: {needs}\n"
        if convention.unstable:
            yield "Ties\n: sorted arbitrarily by the original: the mean over all orders is"
            yield "  reported, with the worst and the best beside it\n"


_SCOPES = {
    "all": "scores within the ball and of the ranked list",
    "ball": "scores within the ball",
    "list": "scores of the ranked list",
    "graded": "scores of graded relevance",
}


def _choices(convention: Any) -> str:
    changed = [
        f"`{item.name}={getattr(convention, item.name)}`"
        for item in fields(convention)
        if item.compare and getattr(convention, item.name) != getattr(HOUSE, item.name)
    ]
    return ", ".join(changed) or "nothing"


def _metrics() -> Iterator[str]:
    yield f"# Every metric\n\n{NOTE} `N` is a length of the ranked list, `R` the radius of the"
    yield "ball; how scores are counted is in [the evaluator](../evaluation.md).\n"
    yield from table(
        "name | what | better | from | to | defined by conventions of",
        (
            (
                f"`{_numbered(metric.name)}`",
                cell(_numbered(metric.title)),
                metric.better,
                *(f"{bound:g}" for bound in metric.bounds),
                str(metric.group),
            )
            for metric in registry("metrics").parts().values()
        ),
    )


def _numbered(template: str) -> str:
    return template.replace("{n}", "N").replace("{radius}", "R")


def _datasets() -> Iterator[str]:
    parts = registry("datasets").parts()
    yield f"# Every data set and protocol\n\n{NOTE} Where to put the files, what is refused and"
    yield "why: [data sets](../data.md).\n"
    yield from table(
        "name | what | licence | backbone | source",
        (
            (
                f"`{name}`",
                cell(cls.summary),
                cell(cls.licence) or "–",
                f"`{cls.default_backbone}`",
                f"[{cell(cls.citation)}]({cls.url})" if cls.url else cell(cls.citation),
            )
            for name, cls in parts.items()
        ),
    )
    yield "\n## Protocols\n"
    yield from table(
        "protocol | data set | queries | training | database | training images searched | what",
        (_protocol(cls, item) for cls in parts.values() for item in cls.protocols.values()),
    )
    yield "\n## Variants of any protocol\n"
    yield from table(
        "name | what",
        ((f"`PROTOCOL-{name}`", cell(variant.summary)) for name, variant in VARIANTS.items()),
    )


def _protocol(cls: type[Dataset], protocol: Protocol) -> tuple[str, ...]:
    default = " (default)" if protocol.name == cls.default_protocol else ""
    return (
        f"`{protocol.id}`{default}",
        f"`{cls.name}`",
        f"{protocol.queries:,}",
        "the database" if protocol.train is None else f"{protocol.train:,}",
        "the rest" if protocol.database is None else f"{protocol.database:,}",
        "yes" if protocol.train_in_database or protocol.train is None else "no",
        cell(protocol.summary),
    )


def _backbones() -> Iterator[str]:
    from hashbench.backbones.catalogue import summaries

    yield f"# Every backbone\n\n{NOTE} Weights, preprocessing and the cache of features:"
    yield "[backbones](../backbones.md).\n"
    yield from table(
        "name | what", ((f"`{name}`", cell(said)) for name, said in summaries().items())
    )


def _outputs() -> Iterator[str]:
    yield f"# Every figure, format and executor\n\n{NOTE} How they are used:"
    yield "[tables and figures](../tables-and-figures.md), [clusters](../clusters.md).\n"
    for kind, heading in (
        ("plots", "Figures: `hashbench plot NAME`"),
        ("exports", "Formats: `hashbench export --format NAME`"),
        ("executors", "Executors: `hashbench run --executor NAME`"),
    ):
        yield f"## {heading}\n"
        yield from table(
            "name | what",
            ((f"`{name}`", cell(part.summary)) for name, part in registry(kind).parts().items()),
        )
        yield ""
