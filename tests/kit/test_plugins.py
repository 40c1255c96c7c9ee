import functools
import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evalhub
from evalhub.kit import plugins
from evalhub.kit.plugins import Registry, call_kwargs


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    own = Registry()
    monkeypatch.setattr(plugins, "registry", own)
    return own


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Writes an importable module; gives its name back."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(f"import evalhub\n{source}\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def test_importing_evalhub_imports_no_framework() -> None:
    script = (
        "import sys, evalhub; heavy = {'django', 'celery', 'aiohttp', 'scipy', 'numpy', 'ninja'}; "
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    root = Path(evalhub.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_bare_decorator_derives_everything_from_the_function(registry: Registry) -> None:
    @evalhub.target
    def classify_ticket(input: Any) -> str:
        """Names the team.

        More about it.
        """
        return "billing"

    target = registry.get("classify_ticket")
    assert target is not None
    assert target.func is classify_ticket
    assert (target.name, target.kind, target.version) == ("Classify ticket", "agent", "")
    assert target.description == "Names the team."
    assert target.module == __name__
    assert target.project is None
    assert not target.is_async
    assert classify_ticket("x") == "billing"


def test_a_target_is_found_by_id_before_name(registry: Registry) -> None:
    evalhub.target(kind="workflow", id="a", name="b")(lambda input: 1)
    evalhub.target(kind="agent", id="b", name="Other")(lambda input: 2)
    assert [target.id for target in registry.all()] == ["a", "b"]
    assert getattr(registry.get("b"), "id", None) == "b"
    assert getattr(registry.get("Other"), "id", None) == "b"
    assert getattr(registry.get("a"), "name", None) == "b"
    assert registry.get("c") is None


def test_a_target_of_one_project_is_hidden_from_the_others(registry: Registry) -> None:
    evalhub.target(id="shared")(lambda input: 1)
    evalhub.target(id="demo", project="demo")(lambda input: 1)
    assert [target.id for target in registry.all("demo")] == ["shared", "demo"]
    assert [target.id for target in registry.all("work")] == ["shared"]
    assert registry.get("demo", "work") is None
    assert registry.get("demo", "demo") is not None


def test_async_callables_are_known_in_every_form(registry: Registry) -> None:
    async def plain(input: Any) -> int:
        return 1

    class Async:
        async def __call__(self, input: Any) -> int:
            return 1

    class Sync:
        def __call__(self, input: Any) -> int:
            return 1

    async def with_option(option: int, input: Any) -> int:
        return option

    for name, func, expected in [
        ("plain", plain, True),
        ("async-object", Async(), True),
        ("sync-object", Sync(), False),
        ("partial", functools.partial(with_option, 1), True),
        ("lambda", lambda input: 1, False),
    ]:
        evalhub.target(id=name)(func)
        assert getattr(registry.get(name), "is_async", None) is expected, name


@pytest.mark.parametrize(
    ("func", "expected"),
    [
        (lambda input: 0, ()),
        (lambda input, *, context=None: 0, ("context",)),
        (lambda input, item, context: 0, ("item", "context")),
        (lambda input, context, item=None: 0, ("item", "context")),
        (lambda input, temperature=0.5: 0, ()),
        (lambda input, **anything: 0, ("item", "context")),
        (lambda item: 0, ()),
        (lambda *args, item=None: 0, ("item",)),
    ],
)
def test_only_declared_keywords_are_passed(
    func: Callable[..., Any], expected: tuple[str, ...], registry: Registry
) -> None:
    assert call_kwargs(func) == expected
    evalhub.target(id="t")(func)
    target = registry.get("t")
    assert target is not None
    given = target.arguments({"number": 1}, {"user": "x"})
    assert given == {
        key: value
        for key, value in {"item": {"number": 1}, "context": {"user": "x"}}.items()
        if key in expected
    }
    assert target.func("input", **given) == 0


def _item_as_first(item: Any, context: Any, /) -> int:
    return 0


class _AClass:
    def __init__(self, input: Any) -> None: ...


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (lambda: 0, "takes the item's input"),
        (lambda *, input: 0, "takes the item's input"),
        (lambda **anything: 0, "takes the item's input"),
        (lambda input, model: 0, "“model” is never given"),
        (_item_as_first, "“context” is never given"),
        (_AClass, "is a class"),
    ],
)
def test_what_can_never_be_called_is_refused(
    func: Callable[..., Any], message: str, registry: Registry
) -> None:
    with pytest.raises(TypeError, match=message):
        evalhub.target(id="t")(func)
    assert registry.all() == ()


@pytest.mark.parametrize(
    "bad", [{"kind": "robot"}, {"id": "python:x"}, {"id": "-x"}, {"id": "a b"}]
)
def test_a_bad_kind_or_id_is_refused(bad: dict[str, Any], registry: Registry) -> None:
    with pytest.raises(ValueError, match="target"):
        evalhub.target(**bad)(lambda input: 0)
    assert registry.all() == ()


@pytest.mark.parametrize(
    ("second", "word"), [('id="one", name="Other"', "id"), ('id="two", name="One"', "name")]
)
def test_the_second_target_with_an_id_or_name_is_an_error_and_the_first_stays(
    registry: Registry, plugin: Callable[[str, str], str], second: str, word: str
) -> None:
    first = plugin("plug_first", '@evalhub.target(id="one", name="One")\ndef f(input): return 1')
    other = plugin("plug_second", f"@evalhub.target({second})\ndef g(input): return 2")
    registry.load([first, other])
    assert [target.module for target in registry.all()] == ["plug_first"]
    (error,) = registry.errors
    assert error.module == "plug_second"
    assert "plug_first already has" in error.error
    assert f"the {word} “" in error.error


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("@evalhub.target\ndef nothing(): ...", "TypeError: A target takes"),
    ],
)
def test_a_plug_in_that_fails_is_kept_as_an_error_and_hurts_no_other(
    registry: Registry, plugin: Callable[[str, str], str], source: str, error: str
) -> None:
    # Its first target was registered before it failed: half a plug-in must not stay.
    if "(:" not in source:
        source = f'@evalhub.target(id="half")\ndef half(input): ...\n{source}'
    bad = plugin("plug_bad", source)
    good = plugin("plug_good", '@evalhub.target(id="good")\ndef good(input): ...')
    registry.load([bad, "plug_that_is_not_there", good])
    assert [target.id for target in registry.all()] == ["good"]
    assert [known.module for known in registry.errors] == ["plug_bad", "plug_that_is_not_there"]
    assert registry.errors[0].error.startswith(error)
    assert "Traceback" in registry.errors[0].traceback


def test_a_mended_plug_in_loads_and_its_error_goes(
    registry: Registry, plugin: Callable[[str, str], str]
) -> None:
    name = plugin("plug_mended", "1 / 0")
    registry.load([name])
    assert len(registry.errors) == 1
    plugin("plug_mended", '@evalhub.target(id="mended")\ndef now_it_is_fine(input): ...')
    registry.load([name])
    assert registry.errors == ()
    assert registry.get("mended") is not None


def test_loading_twice_registers_once(
    registry: Registry, plugin: Callable[[str, str], str]
) -> None:
    name = plugin("plug_twice", '@evalhub.target(id="twice")\ndef twice(input): ...')
    registry.load([name])
    del sys.modules[name]
    registry.load([name])
    assert registry.errors == ()
    assert len(registry.all()) == 1


def test_entry_points_are_loaded_too(
    registry: Registry, plugin: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [
        importlib.metadata.EntryPoint(
            "good", plugin("ep_good", "@evalhub.target\ndef ep(input): ..."), "evalhub.plugins"
        ),
        importlib.metadata.EntryPoint(
            "bad", plugin("ep_bad", "1 / 0") + ":thing", "evalhub.plugins"
        ),
    ]
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group: points if group == "evalhub.plugins" else [],
    )
    registry.load([])
    assert [target.id for target in registry.all()] == ["ep"]
    assert [error.module for error in registry.errors] == ["ep_bad"]
