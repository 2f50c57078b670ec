"""The one door: built-in classes, installed plugins and plugin files."""

from __future__ import annotations

import sys
import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from hashbench import registries
from hashbench.errors import InputError
from hashbench.hasher import Hasher, code_version
from hashbench.plugins import blamed
from hashbench.registries import add_plugin, load_plugins
from hashbench.registry import Registered, Registry

GOOD = """
from hashbench import Hasher

class Good(Hasher):
    name = "good"
    def fit(self, train): return self
    def encode(self, items): return None
"""


class _Point(EntryPoint):
    """An entry point of a distribution called `dist`, that loads `what`."""

    def __new__(cls, name: str, dist: str, what: object) -> _Point:
        return super().__new__(cls)

    def __init__(self, name: str, dist: str, what: object) -> None:
        super().__init__(name, "module:Class", "hashbench.methods")
        vars(self).update(dist=SimpleNamespace(name=dist), what=what)

    def load(self) -> object:
        what = vars(self)["what"]
        if isinstance(what, BaseException):
            raise what
        return what


def _method(called: str) -> type[Hasher]:
    class Method(Hasher):
        name = called

        def fit(self, train):
            return self

        def encode(self, items):
            raise NotImplementedError

    return Method


@pytest.fixture
def registry(monkeypatch) -> Registry[Hasher]:
    """The registry of methods that plugin files come into, without ours."""
    made = Registry("method", Hasher, "hashbench.methods")  # type: ignore[type-abstract]
    monkeypatch.setitem(registries.made, "methods", made)
    return made


def _file(folder: Path, text: str, name: str = "plugin.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_registered_under_its_names_with_its_digest(registry, tmp_path) -> None:
    path = _file(tmp_path, GOOD + GOOD.replace("Good", "Other").replace("good", "other"))
    assert add_plugin(path) is None
    assert registry.names() == ["good", "other"]
    assert registry.get("good").name == "good"
    assert registry.entry("good").origin == str(path)
    assert len(registry.entry("good").digest) == 64
    assert not registry.broken


def test_the_same_file_may_be_named_twice(registry, tmp_path) -> None:
    path = _file(tmp_path, GOOD)
    assert add_plugin(path) is add_plugin(path) is None
    assert registry.names() == ["good"]
    assert not registry.broken


def test_an_edited_file_takes_its_old_place(registry, tmp_path) -> None:
    add_plugin(_file(tmp_path, GOOD))
    old, digest = registry.get("good"), registry.entry("good").digest
    path = _file(tmp_path, GOOD.replace("return None", "return 'edited'"))
    assert add_plugin(path) is None
    assert registry.entry("good").digest != digest
    assert registry.get("good") is not old
    assert registry.get("good").encode(None, None) == "edited"  # type: ignore[call-arg,arg-type]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (GOOD.replace("    def encode(self, items): return None\n", ""), "does not define encode"),
        (GOOD.replace('name = "good"', "pass"), "name is None"),
        (GOOD.replace('"good"', '"Good One"'), "'Good One' is no name"),
        (GOOD.replace('"good"', "3"), "TypeError"),
        (
            GOOD.replace("    def fit", "    only_for = None\n    def fit"),
            "only_for is None, and not a",
        ),
        (GOOD.replace("    def fit", "    bibtex = b'@'\n    def fit"), "is b'@', and not a text"),
        (GOOD.replace("    def fit", "    version = ()\n    def fit"), "is (), and not a text"),
        (GOOD.replace("    def fit", "    kind = 'big'\n    def fit"), "is big, and not deep or"),
    ],
)
def test_a_broken_file_is_listed_with_its_reason(registry, tmp_path, text, reason) -> None:
    assert reason in str(add_plugin(_file(tmp_path, text)))
    assert len(registry.broken) == 1
    assert reason in registry.broken[0].reason
    assert str(tmp_path) in registry.broken[0].origin
    assert registry.names() == []
    # The others still come in.
    assert add_plugin(_file(tmp_path, GOOD, "second.py")) is None
    assert registry.names() == ["good"]


@pytest.mark.parametrize("text", ["x = 1", "from hashbench.hasher import Hasher"])
def test_a_file_without_a_part_is_no_broken_part(registry, tmp_path, text) -> None:
    path = _file(tmp_path, text)
    assert str(add_plugin(path)).startswith("it defines no public part (one of: method, data set,")
    with pytest.raises(
        InputError, match=r"no part could be loaded from .*plugin\.py: it defines no"
    ):
        load_plugins([path])
    assert not registry.broken


def test_a_file_that_failed_half_way_is_not_left_half_imported(registry, tmp_path) -> None:
    before = set(sys.modules)
    path = _file(tmp_path, GOOD + "raise RuntimeError('half')")
    for _ in range(2):
        assert add_plugin(path) == "RuntimeError: half"
    assert set(sys.modules) == before
    assert [item.reason for item in registry.broken] == ["RuntimeError: half"] * 2


def test_a_missing_file_is_broken_too(registry, tmp_path) -> None:
    assert "no plugin file" in str(add_plugin(tmp_path / "nothing.py"))
    assert "no plugin file" in registry.broken[0].reason


def test_one_broken_class_does_not_take_its_file_with_it(registry, tmp_path) -> None:
    bad = GOOD.replace("Good", "Bad").replace('"good"', '"BAD"')
    assert add_plugin(_file(tmp_path, bad + GOOD)) is None
    assert registry.names() == ["good"]
    assert [item.name for item in registry.broken] == ["BAD"]


def test_a_name_defined_twice_in_a_file_is_broken_once(registry, tmp_path) -> None:
    assert add_plugin(_file(tmp_path, GOOD + GOOD.replace("Good", "Again"))) is None
    assert registry.names() == ["good"]
    assert registry.get("good").__name__ == "Good"
    assert "defined twice" in registry.broken[0].reason


def test_a_file_cannot_steal_a_name(registry, tmp_path) -> None:
    registry.add_installed([_Point("good", "hashbench", _method("good"))])
    assert "belongs to hashbench" in str(add_plugin(_file(tmp_path, GOOD)))
    assert "belongs to hashbench" in registry.broken[0].reason
    assert registry.entry("good").origin == "hashbench"


def test_an_installed_plugin_cannot_steal_a_name_whatever_the_order(registry) -> None:
    ours, theirs = _method("dch"), _method("dch")
    points = [_Point("dch", "aaa-plugin", theirs), _Point("dch", "hashbench", ours)]
    registry.add_installed(points)
    assert registry.get("dch") is ours
    assert registry.broken[0].origin == "aaa-plugin"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (ImportError("no torch here"), "ImportError: no torch here"),
        (SystemExit(1), "SystemExit: 1"),
        (dict, "not a subclass of Hasher"),
        (42, "not a subclass of Hasher"),
        (Hasher, "does not define encode, fit"),
        (_method("other"), "name is 'other', registered as 'bad'"),
    ],
)
def test_a_broken_installed_plugin_never_stops_the_others(registry, what, reason) -> None:
    good = _method("good")
    registry.add_installed([_Point("bad", "plugin", what), _Point("good", "plugin", good)])
    assert registry.names() == ["bad", "good"]  # nothing is imported by listing
    with pytest.raises(InputError, match="method 'bad' from plugin is broken"):
        registry.get("bad")
    assert registry.parts() == {"good": good}
    assert reason in registry.broken[0].reason
    with pytest.raises(InputError, match="is broken"):  # and it says so every time
        registry.get("bad")
    assert len(registry.broken) == 1


def test_unknown_names_come_with_the_nearest(registry) -> None:
    registry.add_installed([_Point("hashnet", "hashbench", _method("hashnet"))])
    with pytest.raises(InputError, match="unknown method 'hasnet': did you mean hashnet"):
        registry.get("hasnet")


def test_threads_load_a_class_once(registry) -> None:
    cls, loads = _method("slow"), []
    entered = threading.Event()

    def load() -> type[Hasher]:
        loads.append(1)
        entered.wait(0.05)
        return cls

    registry.add(Registered("slow", "test", load))
    got: list[type[Hasher]] = []
    threads = [threading.Thread(target=lambda: got.append(registry.get("slow"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [cls] * 8
    assert len(loads) == 1


def test_the_same_text_in_two_places_is_two_modules(registry, tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first = _file(tmp_path / "a", GOOD)
    second = _file(tmp_path / "b", GOOD.replace('"good"', '"better"'))
    load_plugins([first, second])
    assert registry.get("good").__module__ != registry.get("better").__module__
    assert registry.get("good").__module__ in sys.modules


SIBLINGS = """
from helper import WIDTH
import pack.inner
from hashbench import Hasher

class Good(Hasher):
    name = "good"
    width = WIDTH + pack.inner.MORE
    def fit(self, train): return self
    def encode(self, items): return None
"""


def _with_siblings(folder: Path, width: int) -> Path:
    (folder / "pack").mkdir(parents=True)
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "inner.py").write_text("MORE = 100\n")
    (folder / "helper.py").write_text(f"WIDTH = {width}\n")
    return _file(folder, SIBLINGS)


def test_a_file_imports_its_own_siblings_and_not_those_of_another_folder(
    registry, tmp_path
) -> None:
    for name, width in (("good", 1), ("other", 2)):
        path = _with_siblings(tmp_path / name, width)
        path.write_text(path.read_text().replace('"good"', f'"{name}"'))
        assert add_plugin(path) is None
    assert [registry.get(name).width for name in ("good", "other")] == [101, 102]


@pytest.mark.parametrize("edited", ["helper.py", "pack/inner.py"])
def test_an_edited_sibling_is_another_digest_and_is_imported_again(
    registry, edited, tmp_path
) -> None:
    path = _with_siblings(tmp_path / edited.replace("/", "-"), 1)
    load_plugins([path])
    before = registry.entry("good").digest
    sibling = path.parent / edited
    sibling.write_text(sibling.read_text().replace("1", "5", 1))
    load_plugins([path])
    assert registry.entry("good").digest != before
    assert registry.get("good").width in (105, 501)


def test_a_base_of_another_version_gives_another_code_version() -> None:
    class Base(Hasher):
        version = "7"

    class Own(Base):
        version = "2"

    class Newer(Hasher):
        version = "8"

    class Same(Newer):
        version = "2"

    Same.__name__, Newer.__name__ = "Own", "Base"
    assert code_version(Own) != code_version(Same)


def test_an_error_of_an_installed_package_is_blamed_on_it(monkeypatch, tmp_path: Path) -> None:
    code = "def fail():\n    return 1 / 0\n"
    for name in ("brings_parts", "brings_none"):
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    points = "[hashbench.methods]\nfails = brings_parts:Fails\n"
    (tmp_path / "brings_parts-1.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    for name, line in (
        ("brings_parts", f"{tmp_path / 'brings_parts.py'}, line 2"),
        ("brings_none", ""),
    ):
        module = __import__(name)
        with pytest.raises(ZeroDivisionError) as raised:
            module.fail()
        assert blamed(raised.value) == line
