"""The API of exports."""

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from datasets_app.api import find_dataset
from datasets_app.exporting import FORMATS
from datasets_app.exports import Export, open_export, parse_numbers
from datasets_app.views.exports import file_answer

router = Router(tags=["datasets"])


class ExportQuery(Schema):
    format: str = Field("jsonl", description="csv, json or jsonl")
    version: int | None = Field(None, description="read at this version; default: the current one")
    q: str = Field("", max_length=500, description="as in the list of items")
    where: str = Field("", max_length=4_000, description="a filter, as in the list of items")
    split: str = Field("", max_length=60, description="only items of this split")
    numbers: str = Field("", max_length=20_000, description="only these items, such as 1-50,60")


_CONTENT = {media.partition(";")[0]: {"schema": {"type": "string"}} for media in FORMATS.values()}


@router.get("/datasets/{id}/export", openapi_extra={"responses": {200: {"content": _CONTENT}}})
def export_dataset(
    request: HttpRequest, id: str, query: Query[ExportQuery]
) -> StreamingHttpResponse:
    """The items as a file, streamed, in number order. An import takes it back without loss."""
    return file_answer(opened(request, id, query))


def opened(request: HttpRequest, ref: str, query: ExportQuery) -> Export:
    return open_export(
        find_dataset(request, ref),
        format=query.format,
        version=query.version,
        q=query.q.strip(),
        where=query.where.strip(),
        split=query.split.strip(),
        numbers=parse_numbers(query.numbers),
    )
