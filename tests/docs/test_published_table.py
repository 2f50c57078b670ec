"""The README's table says what the published scores say, rounded as it stands there."""

import csv
import lzma
import statistics
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = [(bits, "map@h2") for bits in (16, 32, 48, 64)]


def test_the_readmes_table_is_the_published_one() -> None:
    values = defaultdict(list)
    with lzma.open(ROOT / "results" / "cifar10-head" / "scores.csv.xz", "rt", newline="") as file:
        for line in csv.DictReader(file):
            if line["convention"] == "house":
                place = line["variant"], int(line["bits"]), line["metric"]
                values[place].append(float(line["value"]))
    table = (ROOT / "README.md").read_text().split("## A table")[1].split("\n\n")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    rows = [row for row in rows[2:] if row[1]]
    assert len(rows) > 8
    for name, *shown, empty, recall in rows:
        for (bits, metric), text in zip(MAP, shown, strict=True):
            found = values[name, bits, metric]
            assert len(found) == 3
            assert text == f"{statistics.fmean(found):.3f} ± {statistics.stdev(found):.3f}", name
        assert empty == f"{statistics.fmean(values[name, 64, 'empty@h2']):.1%}", name
        assert recall == f"{statistics.fmean(values[name, 64, 'r@h2']):.3f}", name
