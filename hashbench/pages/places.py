"""From series to the benches of a page: rows, and at each code length scores and curves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation import Convention, describe_metric
from hashbench.evaluation.lookup import fastest
from hashbench.pages.data import CURVE, rounded
from hashbench.parsing import in_number
from hashbench.results.explain import defaults_of
from hashbench.results.notes import ceiling
from hashbench.results.rows import BLOCKS, Row
from hashbench.results.series import Series
from hashbench.results.sinks import for_csv, for_latex, for_markdown
from hashbench.store import Record

#: Families a page shows, the headline first; "@h" stands for the convention's own radius.
METRICS = (
    "map@h", "r@h", "p@h", "empty@h", "nohit@h", "ball@h", "map", "map@1000", "map@5000", "p@100",
)  # fmt: skip
HEADLINE = METRICS[0]

#: Most points of a curve; thinner ones are drawn the same.
POINTS = 80

Tick = Callable[[str], None]


def metric_name(metric: str, convention: Convention) -> str:
    """What a family is called under a convention."""
    return f"{metric}{convention.radius}" if metric.endswith("@h") else metric


def metrics_of(conventions: Sequence[Convention]) -> list[dict[str, Any]]:
    """What each family is, as the first convention names it."""
    found = []
    for metric in METRICS:
        info = describe_metric(metric_name(metric, conventions[0]))
        found.append(
            {
                "id": metric,
                "title": info.title,
                "better": info.better,
                "digits": info.digits,
                "share": info.bounds == (0.0, 1.0),
            }
        )
    return found


def bench_of(series: Series, conventions: Sequence[Convention], tick: Tick) -> dict[str, Any]:
    """A bench of a page.

    Args:
        series: its results.
        conventions: those to show; the first has the curves.
        tick: called with what is being read.
    """
    bench = series.bench
    tick(f"{series.title}: {in_number(len(series.records), 'cell', 'cells')}")
    views = [
        {
            metric: replace(series, convention=item, metric=metric_name(metric, item))
            for metric in METRICS
        }
        for item in conventions
    ]
    shares = [_first(view[HEADLINE], tick) for view in views]
    dataset = next((r.parts["dataset"] for r in series.records if "dataset" in r.parts), {})
    return {
        "title": series.title,
        "dataset": bench.dataset,
        "protocol": bench.protocol,
        "split_seed": bench.split_seed,
        "backbone": bench.backbone,
        "options": dict(bench.options),
        "about": series.about,
        "citation": str(dataset.get("citation", "")),
        "licence": str(dataset.get("licence", "")),
        "counts": dict(series.counts),
        "evidence": asdict(series.evidence),
        "ceiling": rounded(series.judge.ceiling(bench, series.evidence).get("")),
        "bits": list(series.bits),
        "notes": [note for note in series.notes if note != ceiling(series)],
        "dagger": {str(view[HEADLINE].convention): view[HEADLINE].dagger for view in views},
        "rows": [
            {
                **_row(series, row),
                "places": {
                    str(bits): _place(views, shares, row, bits)
                    for bits in series.bits
                    if (row, bits) in series.places
                },
            }
            for row in series.rows
        ],
    }


def methods_of(series: Iterable[Series]) -> dict[str, dict[str, Any]]:
    """What each method says of itself, by name; the newest result has the word."""
    found: dict[str, dict[str, Any]] = {}
    newest: dict[str, str] = {}
    for one in series:
        facts = {row.method: row for row in one.rows}
        for record in one.records:
            name = record.cell.method
            if name in found and record.finished <= newest[name]:
                continue
            part, row = record.parts.get("method", {}), facts[name]
            newest[name] = record.finished
            found[name] = {
                "title": row.title,
                "kind": row.kind,
                "block": row.block,
                "year": row.year,
                "bibtex": row.bibtex,
                "summary": str(part.get("summary") or ""),
                "citation": str(part.get("citation") or ""),
                "supervised": part.get("supervised") is not False,
                "code": record.cell.code,
            }
    return dict(sorted(found.items(), key=lambda item: (item[1]["title"].lower(), item[0])))


def cells_of(series: Iterable[Series]) -> tuple[dict[str, dict[str, Any]], list[dict[str, str]]]:
    """Every cell by its key, and the environments that they name by position."""
    environments: dict[str, int] = {}
    cells = {}
    for one in series:
        for record in one.records:
            text = json.dumps(dict(record.environment), sort_keys=True, default=str)
            cells[record.key] = {
                "seed": record.cell.seed,
                "status": record.status,
                "reason": record.reason,
                "params": dict(record.cell.params)
                | {name: default["value"] for name, default in defaults_of(record).items()},
                "code": record.cell.code,
                "origins": [asdict(origin) for origin in record.origins],
                "adjusted": dict(record.adjusted),
                "finished": record.finished,
                "codes": record.files.get("codes", ""),
                "timings": {name: rounded(value) for name, value in record.timings.items()},
                "environment": environments.setdefault(text, len(environments)),
            }
    return cells, [_environment(text) for text in environments]


def _environment(text: str) -> dict[str, str]:
    """A machine and its versions: a line, and everything."""
    body = json.loads(text)
    versions = body.get("versions")
    version = versions.get("hashbench", "?") if isinstance(versions, dict) else "?"
    named = (body.get("processor"), body.get("gpu"), f"hashbench {version}", body.get("git"))
    return {
        "summary": ", ".join(str(name) for name in named if name) or "unknown",
        "body": json.dumps(body, indent=1, sort_keys=True),
    }


def escaped_of(
    benches: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """What texts of a table are in each format that is copied, where that is another text."""
    texts = {metric["title"] for metric in metrics}
    for bench in benches:
        texts |= {bench["title"], bench["about"], *bench["dagger"].values()}
        for row in bench["rows"]:
            texts |= {row["label"], row["origin"], row["mode"]}
    sinks = {"latex": for_latex, "markdown": for_markdown, "csv": lambda text: str(for_csv(text))}
    return {
        name: {text: out for text in sorted(texts) if (out := sink(text)) != text}
        for name, sink in sinks.items()
    }


def _row(series: Series, row: Row) -> dict[str, Any]:
    tuned = "none" if not row.origin else row.origin.partition(",")[0]
    return {
        "method": row.method,
        "label": series.labels[row],
        "mode": row.mode,
        "origin": row.origin,
        "tuned": tuned if tuned in ("none", "tuned", "defaults") else "own",
        "block": row.block,
        "apart": BLOCKS[row.block],
        "ranked": row in series.ranked,
    }


def _first(series: Series, tick: Tick) -> dict[int, Mapping[Row, float]]:
    """How often each row is first of its column, by code length."""
    tick(f"{series.title}: how often each is first, and how surely, {series.convention}")
    return {bits: series.first(bits) for bits in series.bits}


def _place(
    views: Sequence[Mapping[str, Series]],
    shares: Sequence[Mapping[int, Mapping[Row, float]]],
    row: Row,
    bits: int,
) -> dict[str, Any]:
    house = views[0][HEADLINE]
    records = house.places[row, bits]
    scores: dict[str, Any] = {}
    first: dict[str, Any] = {}
    failures: list[str] = []
    for view, share in zip(views, shares, strict=True):
        headline = view[HEADLINE]
        name = str(headline.convention)
        scores[name] = {
            metric: values for metric, part in view.items() if (values := _scores(part, row, bits))
        }
        if len(share[bits]) > 1 and row in share[bits]:
            first[name] = rounded(share[bits][row])
        if not scores[name]:
            failures += headline.entry(row, bits).failures
    return {
        "cells": [record.key for record in records],
        "scores": scores,
        "first": first,
        "marked": [
            str(view[HEADLINE].convention) for view in views if view[HEADLINE].marked(row, bits)
        ],
        "failures": list(dict.fromkeys(failures)),
        "curves": _curves(house, row, bits),
        "history": _history(records),
        "health": _means(record.health.get("database", {}) for record in records),
        "timings": _means(record.timings for record in records),
        "lookup": _lookup(house, records),
    }


def _scores(series: Series, row: Row, bits: int) -> list[Any]:
    """Mean, deviation, values by seed and, where there are bounds, worst and best."""
    entry = series.entry(row, bits)
    if entry.mean is None:
        return []
    values = {str(seed): rounded(value) for seed, value in entry.values.items()}
    found: list[Any] = [rounded(entry.mean), rounded(entry.std), values]
    return found + ([rounded(bound) for bound in entry.bounds] if entry.bounds else [])


def _curves(series: Series, row: Row, bits: int) -> dict[str, list[float | None]]:
    """Mean curves over seeds: precision and recall by radius, shares of pairs by distance."""
    found: dict[str, list[float | None]] = {}
    for name in ("p@h", "r@h", "similar", "dissimilar"):
        try:
            values = series.curve(row, bits, name)
        except InputError:
            continue
        if name in ("similar", "dissimilar"):
            values = values / np.maximum(values.sum(axis=1, keepdims=True), 1.0)
        found[name] = [rounded(float(value), CURVE) for value in values.mean(axis=0)]
    return found


def _history(records: Sequence[Record]) -> dict[str, list[list[float | None]]]:
    """Epochs and means over seeds of every measure that was kept of training."""
    by_measure: dict[str, dict[float, list[float]]] = {}
    for record in records:
        for place, step in enumerate(record.history, 1):
            epoch = step.get("epoch", place)
            for measure, value in step.items():
                if measure != "epoch" and isinstance(value, int | float):
                    by_measure.setdefault(measure, {}).setdefault(epoch, []).append(float(value))
    found = {}
    for measure, by_epoch in by_measure.items():
        epochs = thinned(np.array(sorted(by_epoch)))
        found[measure] = [
            [rounded(float(epoch)) for epoch in epochs],
            [rounded(float(np.mean(by_epoch[epoch])), CURVE) for epoch in epochs],
        ]
    return found


def thinned(values: NDArray[Any]) -> NDArray[Any]:
    """At most `POINTS` of them, the first and the last included."""
    if len(values) <= POINTS:
        return values
    return values[np.unique(np.linspace(0, len(values) - 1, POINTS).astype(int))]


def _means(parts: Iterable[Mapping[str, float | None]]) -> dict[str, float | None]:
    values: dict[str, list[float]] = {}
    for part in parts:
        for name, value in part.items():
            if value is not None:
                values.setdefault(name, []).append(float(value))
    return {name: rounded(float(np.mean(found))) for name, found in values.items()}


def _lookup(series: Series, records: Sequence[Record]) -> dict[str, Any]:
    """The fastest exact index that was measured, of the first seed that has one."""
    for record in records:
        if (found := fastest(series.judge.lookup(record))) is not None:
            name, figures = found
            return {
                "index": name,
                "rate": rounded(figures["queries_per_s"]),
                "candidates": rounded(figures.get("candidates")),
            }
    return {}
