"""The API's side of the one map from kit errors to answers, and strict JSON in both directions.

Every answer that is no success is application/problem+json (RFC 9457). The browser's side of the
map is in kit/doors.py.
"""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, URLResolver
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import ConfigDict

from evalhub.kit import request_ids
from evalhub.kit.disk import is_full
from evalhub.kit.errors import (
    DiskFull,
    EvalhubError,
    FieldError,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from evalhub.kit.json import JsonError, dumps, loads

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
_REFERENCE = {"$ref": "#/components/schemas/Problem"}


class TooLarge(EvalhubError):
    status, title = 413, "Too large"


class WrongMethod(EvalhubError):
    status, title = 405, "Method not allowed"


class Unexpected(EvalhubError):
    status, title = 500, "Unexpected error"


class StrictBody(Schema):
    """A request body: JSON types as they are, and no names that nobody knows."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FieldProblem(Schema):
    pointer: str
    detail: str


class Problem(Schema):
    """Why a request was not done. `errors` names each part of it that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def answer(data: Any, status: int = 200) -> HttpResponse:
    """`data` as JSON. Numbers stay exact; raises JsonError for what JSON cannot hold."""
    return HttpResponse(dumps(data), status=status, content_type="application/json")


def problem(error: EvalhubError) -> HttpResponse:
    """The error as application/problem+json."""
    response = HttpResponse(dumps(error.to_json()), status=error.status, content_type=PROBLEM)
    if error.status == Unauthorized.status:
        response["WWW-Authenticate"] = "Bearer"
    return response


def parse_json(text: str | bytes, what: str) -> Any:
    """The value of a JSON text from outside. Raises EvalhubError (400) with line and column."""
    try:
        return loads(text, what=what)
    except JsonError as error:
        raise _not_json(error) from error


def refuse_nul(text: str, what: str) -> None:
    """Raises Invalid when `text` holds a NUL character, which no database column takes."""
    if "\0" in text:
        raise Invalid(f"{what} holds a NUL character, which cannot stand in a text.")


class StrictParser(Parser):
    """Bodies by `evalhub.kit.json`; query and form texts without NUL."""

    def parse_body(self, request: HttpRequest) -> Any:
        return loads(request.body, what="Request body")

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for name, values in data.lists():
            for text in (name, *values):
                if isinstance(text, str):
                    refuse_nul(text, "The address or the form")
        return super().parse_querydict(data, list_fields, request)


class StrictRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return dumps(data)


class ProblemAPI(NinjaAPI):
    """A NinjaAPI that reads and writes strict JSON and tells every error as a problem."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parser=StrictParser(), renderer=StrictRenderer(), **options)
        self.add_exception_handler(EvalhubError, _on_kit_error)
        self.add_exception_handler(ValidationError, _on_validation_error)
        self.add_exception_handler(HttpError, _on_http_error)
        self.add_exception_handler(Http404, _on_404)
        self.add_exception_handler(RequestDataTooBig, _on_too_large)
        for unreadable in (SuspiciousOperation, MultiPartParserError, UnreadablePostError):
            self.add_exception_handler(unreadable, _on_unreadable)
        for away in (OperationalError, InterfaceError):
            self.add_exception_handler(away, _on_database_away)
        self.add_exception_handler(Exception, _on_unexpected)

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _told(pattern.callback)
        return patterns, app, namespace

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The schema, with the problem as every operation's answer when it is not done."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"] |= described.pop("$defs") | {"Problem": described}
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"]["default"] = {
                    "description": "Not done",
                    "content": {PROBLEM: {"schema": _REFERENCE}},
                }
        return schema


def _told(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view with what django-ninja itself refuses told as a problem too."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404 as error:
            return _on_404(request, error)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = ", ".join(sorted(response["Allow"].split(", ")))
        told = problem(WrongMethod(f"{request.method} is not possible here. Use {allowed}."))
        told["Allow"] = allowed
        return told

    return wrapped


def _on_kit_error(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error)


def _on_404(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(NotFound(f"There is nothing at {request.path}."))


def _on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    # django-ninja wraps what a parser raises; the cause is what the caller needs to know.
    if isinstance(error.__cause__, JsonError):
        return problem(_not_json(error.__cause__))
    told = EvalhubError(str(error))
    told.status = error.status_code
    return problem(told)


def _on_too_large(request: HttpRequest, error: Any) -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024**2
    return problem(
        TooLarge(f"A request body may have {limit:,.0f} MB at most. Import a file for more.")
    )


def _on_unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(EvalhubError(f"The request cannot be read: {str(error).rstrip('.')}."))


def _on_database_away(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("The database failed at %s %s", request.method, request.path, exc_info=error)
    return problem(
        Unavailable(
            "The database does not answer. Try again in a moment; with an Idempotency-Key, what "
            "was done already is not done twice."
        )
    )


def _on_unexpected(request: HttpRequest, error: Any) -> HttpResponse:
    request_id = request_ids.current()
    log.error("Request %s failed: %s %s", request_id, request.method, request.path, exc_info=error)
    if is_full(error):
        return problem(DiskFull("There was no room for what you sent. Nothing was changed."))
    return problem(
        Unexpected(
            f"Something went wrong in evalhub. The server's log says more under {request_id}.",
            request_id=request_id,
        )
    )


def _on_validation_error(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [_field_error(one) for one in error.errors]
    return problem(Invalid(_summary(errors), errors=errors))


def field_errors(errors: Sequence[Any], prefix: str = "") -> list[FieldError]:
    """What pydantic found (`ValidationError.errors()`) under the JSON pointer `prefix`."""
    return [FieldError(prefix + _pointer(one["loc"]), _detail(one)) for one in errors]


def _field_error(one: dict[str, Any]) -> FieldError:
    source, *path = one["loc"]
    # A body is one argument of the view, whose name is nobody's business.
    return FieldError(_pointer(path[1:] if source == "body" else path[-1:]), _detail(one))


def _summary(errors: Sequence[FieldError]) -> str:
    first = errors[0]
    return f"{first.pointer.lstrip('/')}: {first.detail}" if first.pointer else first.detail


def _pointer(path: Sequence[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _detail(one: dict[str, Any]) -> str:
    match one["type"]:
        case "missing":
            return "This is needed and missing."
        case "extra_forbidden":
            return "There is no such field."
        case "model_attributes_type" | "model_type" | "dict_type":
            return "A JSON object is needed here."
        case "list_type":
            return "A list is needed here."
        case "string_type":
            return "A text is needed here."
        case "int_type" | "int_parsing":
            return "A whole number is needed here."
    return str(one["msg"]).removeprefix("Value error, ").rstrip(".") + "."


def _not_json(error: JsonError) -> EvalhubError:
    return EvalhubError(f"{error.message}.", line=error.line, column=error.column)
