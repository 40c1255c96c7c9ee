"""The registry of python targets: callables that an installed plug-in registered.

    import evalhub

    @evalhub.target(kind="agent", id="triage", name="Ticket triage", version="3")
    def triage(input, *, item=None, context=None):
        ...

The callable gets the item's input as its first positional argument and, when it declares them, the
keywords `item` (a read-only mapping with `number`, `external_id`, `metadata` and `repetition`) and
`context` (the request context). It may be `async`, and return an `evalhub.Output` instead of a
plain value. Only code that the operator installed gets here; no form does.
"""

import functools
import importlib
import importlib.metadata
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, get_args, overload

ENTRY_POINT_GROUP: Final = "evalhub.plugins"
KEYWORDS: Final = ("item", "context")

Kind = Literal["agent", "workflow", "scorer", "processor"]
Func = TypeVar("Func", bound=Callable[..., Any])

# No colon: a reference such as `python:triage` must stay readable as kind and id.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class RegisteredTarget:
    """One callable under its id.

    `module` is where it was defined. `project` is the slug of the only project that may see it,
    None when all may. `keywords` are those of KEYWORDS that the callable declares.
    """

    id: str
    name: str
    kind: Kind
    description: str
    version: str
    func: Callable[..., Any]
    is_async: bool
    module: str
    project: str | None
    keywords: tuple[str, ...]

    def arguments(self, item: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The keyword arguments of one call: `func(input, **arguments(...))`."""
        given = {"item": item, "context": context}
        return {keyword: given[keyword] for keyword in self.keywords}

    def visible_to(self, project: str | None) -> bool:
        """Whether a project (by slug) may use it; None asks for no project in particular."""
        return project is None or self.project is None or self.project == project


@dataclass(frozen=True, slots=True)
class PluginError:
    """Why a plug-in, or one target of it, is not available. `traceback` may be empty."""

    module: str
    error: str
    traceback: str


class Registry:
    """Targets by id, in the order of their registration, and the errors met on the way."""

    def __init__(self) -> None:
        self._targets: dict[str, RegisteredTarget] = {}
        self._errors: list[PluginError] = []

    @property
    def errors(self) -> tuple[PluginError, ...]:
        """Plug-ins that could not be imported and targets that were refused."""
        return tuple(self._errors)

    def all(self, project: str | None = None) -> tuple[RegisteredTarget, ...]:
        """All targets, or those that a project may see."""
        return tuple(target for target in self._targets.values() if target.visible_to(project))

    def get(self, id_or_name: str, project: str | None = None) -> RegisteredTarget | None:
        """The target with this id, else with this name, else None. `project` as in `all`."""
        target = self._targets.get(id_or_name)
        if target is not None and target.visible_to(project):
            return target
        return next((found for found in self.all(project) if found.name == id_or_name), None)

    def add(self, target: RegisteredTarget) -> None:
        """Register a target. An id or name that another target has is recorded as an error.

        The same callable again (its module is imported anew) replaces itself.
        """
        for other in self._targets.values():
            if _same_definition(other, target):
                continue
            if other.id == target.id or other.name == target.name:
                word, value = ("id", target.id) if other.id == target.id else ("name", target.name)
                error = (
                    f"The target “{target.id}” is not registered: {other.module} already has "
                    f"a target with the {word} “{value}”."
                )
                self._errors.append(PluginError(target.module, error, ""))
                return
        self._targets[target.id] = target

    def load(self, modules: Iterable[str]) -> None:
        """Import modules by name, then every entry point of the group `evalhub.plugins`.

        Whatever a plug-in raises is kept in `errors`; the others are loaded all the same.
        """
        for module in modules:
            self._attempt(module, functools.partial(importlib.import_module, module))
        for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            self._attempt(entry_point.module, entry_point.load)

    def _attempt(self, module: str, load: Callable[[], object]) -> None:
        # A further attempt forgets how the last one failed.
        self._errors = [
            known for known in self._errors if known.module != module or not known.traceback
        ]
        try:
            load()
        # A module may well end in sys.exit(); that must not take the server down.
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
            # Half a plug-in is worse than none: what it registered before it failed goes too.
            for target in self.all():
                if target.module == module:
                    del self._targets[target.id]
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self._errors.append(PluginError(module, reason, traceback.format_exc()))


registry: Final = Registry()


@overload
def target(func: Func, /) -> Func: ...


@overload
def target(
    *,
    kind: Kind = "agent",
    id: str = "",
    name: str = "",
    description: str = "",
    version: str = "",
    project: str | None = None,
) -> Callable[[Func], Func]: ...


def target(
    func: Func | None = None,
    /,
    *,
    kind: Kind = "agent",
    id: str = "",
    name: str = "",
    description: str = "",
    version: str = "",
    project: str | None = None,
) -> Func | Callable[[Func], Func]:
    """Register a sync or async callable as a target; gives the callable back unchanged.

    Without arguments the id is the function's name, the name that in words, and the description the
    first line of its docstring. Raises ValueError or TypeError for what can never be called.
    """

    def register(func: Func) -> Func:
        own_name = str(getattr(func, "__name__", type(func).__name__))
        target_id = id or own_name
        if kind not in get_args(Kind):
            raise ValueError(f"“{kind}” is no kind of target. Kinds: {', '.join(get_args(Kind))}.")
        if not _ID.fullmatch(target_id):
            raise ValueError(
                f"“{target_id}” is no id for a target. Use up to 100 letters, digits, dots, "
                "hyphens and underscores; the first is a letter or a digit."
            )
        registry.add(
            RegisteredTarget(
                id=target_id,
                name=name or id or own_name.replace("_", " ").strip().capitalize(),
                kind=kind,
                description=description or _first_line(func),
                version=version,
                func=func,
                is_async=_is_async(func),
                module=str(getattr(func, "__module__", "")),
                project=project,
                keywords=call_kwargs(func),
            )
        )
        return func

    return register if func is None else register(func)


def call_kwargs(func: Callable[..., Any]) -> tuple[str, ...]:
    """Which of the keywords `item` and `context` a callable declares; the input comes first.

    Raises TypeError for a callable that takes no input, or that requires anything else.
    """
    if inspect.isclass(func):
        raise TypeError(f"{func.__name__} is a class; a target is a function.")
    parameters = list(inspect.signature(func).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    ):
        raise TypeError("A target takes the item's input as its first positional argument.")
    rest = parameters[1:]
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in rest):
        return KEYWORDS
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    declared = {parameter.name for parameter in rest if parameter.kind in by_keyword}
    for parameter in rest:
        required = parameter.default is inspect.Parameter.empty
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL or not required:
            continue
        if parameter.name not in KEYWORDS or parameter.name not in declared:
            raise TypeError(
                f"The argument “{parameter.name}” is never given: a target gets its input and, "
                "by keyword, item and context."
            )
    return tuple(keyword for keyword in KEYWORDS if keyword in declared)


def _same_definition(one: RegisteredTarget, other: RegisteredTarget) -> bool:
    names = [getattr(found.func, "__qualname__", None) for found in (one, other)]
    return one.id == other.id and one.module == other.module and names[0] == names[1] is not None


def _is_async(func: Callable[..., Any]) -> bool:
    call = getattr(func, "__call__", None)  # noqa: B004 (an object whose __call__ is async)
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(call)


def _first_line(func: Callable[..., Any]) -> str:
    # An instance without a docstring of its own would inherit its class's; that is meant.
    return (inspect.getdoc(func) or "").strip().partition("\n")[0]
