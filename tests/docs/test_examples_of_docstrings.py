"""The examples in the docstrings of every public name run, and there is one for each."""

import doctest
import inspect

import pytest

import hashbench


@pytest.mark.parametrize("name", hashbench.__all__)
def test_the_example_of_a_public_name_runs(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    part = getattr(hashbench, name)
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(part) or "")
    assert examples, "its docstring has no example"
    test = doctest.DocTest(examples, {}, name, inspect.getfile(part), None, None)
    runner = doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
