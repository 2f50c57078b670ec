"""What the site generates from the registry, and the examples of the pages on extending."""

import re
from pathlib import Path

import from_registry
import method_pages
import pytest

from hashbench import registries

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return from_registry.pages(DOCS)


def test_every_method_has_a_page_with_its_formula_traps_and_hyper_parameters(pages) -> None:
    assert {Path(name).stem for name in pages if name.startswith("methods/")} == set(
        registries.methods().names()
    )
    dch = pages["methods/dch.md"]
    assert "    L = mean_ij w_ij [s_ij log(d_ij/gamma) + log(1 + gamma/d_ij)]" in dch
    gamma = r"\| `gamma` \| `None` \| > 0 \| [^|]*5[^|]*\| scale of the Cauchy distribution"
    assert re.search(gamma, dch)
    assert "minus infinity plus infinity" in dch
    assert "booktitle = {IEEE Conference on Computer Vision" in dch
    hidden = [name for name, page in pages.items() if re.search(r"\| *\|\n", page)]
    assert not hidden, "a hyper-parameter that its class says nothing of"


def test_traps_are_known_of_every_method_and_of_nothing_else() -> None:
    traps = method_pages.known_traps(DOCS / "traps.md")
    assert list(traps) == registries.methods().names()  # in order, each with something to say
    assert all(said.startswith("- ") for said in traps.values())


def test_every_convention_data_set_and_metric_is_on_its_page(pages) -> None:
    for kind, page in (("conventions", "conventions.md"), ("datasets", "data-sets.md")):
        assert all(f"`{name}`" in pages[page] for name in registries.registry(kind).names())
    assert "thulab/DeepHash" in pages["conventions.md"]
    assert "| `map@hR` |" in pages["metrics.md"]
    assert "| `cifar10-1` | `cifar10` | 1,000 | 5,000 | 59,000 | yes |" in pages["data-sets.md"]


def test_pages_that_are_generated_no_more_are_removed(tmp_path: Path) -> None:
    (tmp_path / "traps.md").write_text("")
    gone = tmp_path / "generated" / "methods" / "gone.md"
    gone.parent.mkdir(parents=True)
    gone.write_text("# Gone\n")
    from_registry.write(tmp_path)
    assert not gone.exists()
    assert (tmp_path / "generated" / "methods" / "dch.md").exists()


@pytest.mark.parametrize("page", sorted((DOCS / "extending").glob("*.md")), ids=lambda p: p.stem)
def test_every_file_of_the_pages_on_extending_is_a_plugin(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    wholes = [block for block in blocks if re.search(r"^[A-Za-z_]+ = \w+\(|^class ", block, re.M)]
    assert wholes
    for number, block in enumerate(wholes):
        path = tmp_path / f"part{number}.py"
        path.write_text(block)
        registries.load_plugins([path])
    assert not registries.registry(page.stem).broken
    mine = [name for name in registries.registry(page.stem).names() if _mine(page.stem, name)]
    assert len(mine) == len(wholes)


def _mine(kind: str, name: str) -> bool:
    return registries.registry(kind).entry(name).digest != ""
