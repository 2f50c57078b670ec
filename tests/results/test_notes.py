"""What a reader is told below a table."""

from __future__ import annotations

from made_records import printed

from hashbench.origin import Origin
from hashbench.results.collect import collect
from hashbench.results.notes import ceiling, notes, uneven
from hashbench.results.sheets import paper_sheets


def test_fewer_seeds_are_said_beside_the_number_and_below(judge) -> None:
    records = [judge.add("dch", b, 0.7, s) for b in (16, 32) for s in range(3)]
    records += [judge.add("ksh", b, 0.6) for b in (16, 32)]
    records += [judge.add("hashnet", b, 0.5, s) for b in (16, 32) for s in range(b // 16)]
    (series,) = collect(records, judge)
    text = printed(series)
    assert "3 seeds" in text
    assert text.count("(n=1)") == 3
    assert text.count("(n=2)") == 1
    assert uneven(series) == (
        "Means are over 3 seeds, but of KSH 1; HashNet 1 at 16 bits, 2 at 32 bits."
    )


def test_a_note_names_every_row_of_a_large_table(judge) -> None:
    records = [judge.add("dch", 16, 0.7, seed) for seed in range(3)]
    records += [judge.add(f"method-{number}", 16, 0.5) for number in range(40)]
    (series,) = collect(records, judge)
    (sheet,) = paper_sheets([series])
    for number in range(40):
        assert f"method-{number} 1" in sheet.remarks[0]
    assert sheet.remarks[0] in " ".join(printed(series, 4000).split())


def test_one_seed_is_said(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    assert "1 seed" in printed(series)
    assert "(n=" not in printed(series)


def test_lookup_is_below_the_table(judge) -> None:
    made = judge.add("dch", 16, 0.7)
    judge.lookups[made.key] = {
        "radius": 2,
        "hash": {"queries_per_s": 5e4, "candidates": 120.0, "identical": True},
        "flat": {"queries_per_s": 9e3, "candidates": 54000.0, "identical": True},
    }
    assert "hash 50,000 (120)" in printed(collect([made], judge)[0])


def test_the_ceiling_is_below_the_table_as_full_map_and_of_the_view_shown(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    assert ceiling(series) == ""
    judge.ceilings |= {"": 0.4321, "unseen@all": 0.25}
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    text = " ".join(printed(series, 400).split())
    assert "un-hashed efficientnet_lite0 features has a full mAP of 0.432 (house" in text
    assert "hold the methods' full mAP (--metric map) against it, not map@h2" in text
    assert "full mAP is in this table" in ceiling(series.of("map"))
    assert "full mAP [unseen@all] of 0.250" in ceiling(series.of_view("unseen@all"))
    assert ceiling(series.of_view("seen@seen")) == ""
    (sheet,) = paper_sheets([series])
    assert any("full mAP of 0.432" in remark for remark in sheet.remarks)


def test_tuned_methods_without_labels_are_said_to_be_chosen_by_labels(judge) -> None:
    quiet = {"summary": "", "supervised": False, "kind": "shallow", "role": "method"}
    records = [
        judge.add(
            "itq", 16, 0.4, part=quiet, params={"iterations": 50}, origins=(Origin(base="tuned"),)
        ),
        judge.add("sh", 16, 0.3, part=quiet),
        judge.add("itq-cca", 16, 0.5, origins=(Origin(base="tuned"),)),
    ]
    (series,) = collect(records, judge)
    (said,) = [note for note in notes(series) if "chose by labels" in note]
    assert said.endswith("without any, too: itq.")
    (series,) = collect(records[1:], judge)
    assert not [note for note in notes(series) if "chose by labels" in note]
