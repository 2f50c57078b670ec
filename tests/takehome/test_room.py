"""How much room the stored hashers take: foretold, and said."""

from __future__ import annotations

import json
import re
from pathlib import Path

ASKED = ("run", "--no-floors", "--datasets", "digits", "--methods", "lsh", "--workers", "0")


def foretold(hashbench, *args: str) -> dict:
    return json.loads(hashbench(*ASKED, *args, "--dry-run", "--json")[1])


def test_a_dry_run_foretells_the_room_of_the_hashers(hashbench) -> None:
    assert foretold(hashbench, "--bits", "16")["hasher_bytes"] is None
    _, out, _ = hashbench(*ASKED, "--bits", "16", "--dry-run")
    assert "hashers: unknown, for no similar cell has stored one yet" in out
    assert hashbench(*ASKED, "--bits", "16")[0] == 0
    (path,) = Path("hashbench-results/hashers").iterdir()
    size = path.stat().st_size
    found = foretold(hashbench, "--bits", "16", "--seeds", "3")
    assert [cell["hasher_bytes"] for cell in found["cells"]] == [size] * 3
    assert found["hasher_bytes"] == 3 * size
    _, out, _ = hashbench(*ASKED, "--bits", "16", "--seeds", "3", "--dry-run")
    assert re.search(rf"hashers: about {3 * size / 1e3:.3g} kB \(--discard hashers keeps", out)
    args = ("--bits", "16", "--methods", "lsh,dch")
    _, out, _ = hashbench(*ASKED, *args, "--dry-run")
    assert f"hashers: about {size / 1e3:.3g} kB, and 1 of a size unknown as yet" in out
    args = ("--bits", "16", "--seeds", "7,", "--discard", "hashers")
    assert foretold(hashbench, *args)["hasher_bytes"] == 0


def test_the_doctor_says_what_a_folder_of_results_takes(hashbench) -> None:
    assert not [check for check in doctor(hashbench) if check["what"].startswith("results")]
    assert hashbench(*ASKED, "--bits", "16")[0] == 0
    (check,) = [check for check in doctor(hashbench) if check["what"].startswith("results")]
    assert check["what"] == "results hashbench-results"
    (path,) = Path("hashbench-results/hashers").iterdir()
    assert f"hashers {path.stat().st_size / 1e3:.3g} kB" in check["found"]
    assert re.search(r"kB: .*codes .* kB, .*records ", check["found"])


def doctor(hashbench) -> list[dict]:
    return json.loads(hashbench("doctor", "--json")[1])
