"""A comparison as a document: HTML that stands alone, Markdown, CSV. Pure: texts in, text out.

JSON is what the API answers; it needs nothing from here but `as_json`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|!~"})


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold one text for each column; columns from `numbers_from` on are right-aligned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers_from: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it; any part may be empty."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`lead` are the verdicts, `address` is the page that the report came from. `figures` are rows
    of unrounded values for CSV, with the same keys each."""

    title: str
    subtitle: str
    address: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    figures: tuple[Mapping[str, Any], ...]
    data: Mapping[str, Any]


def written(report: Report, format: str, css: str = "") -> str:
    """The report in a format of CONTENT_TYPES. `css` goes into the HTML, which links to nothing
    but the page it came from. Raises KeyError for another format."""
    if format == "html":
        return as_html(report, css)
    return {"md": as_markdown, "csv": as_csv, "json": as_json}[format](report)


def as_html(report: Report, css: str) -> str:
    body = "".join(_html_section(section) for section in report.sections)
    lead = "".join(f"<li>{_html(line)}</li>" for line in report.lead)
    lead = f'<ul class="lead">{lead}</ul>' if lead else ""
    address = escape(report.address)
    rules = css.replace("</", "<\\/")  # no rule may end the element
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{_html(report.title)}</title><style>{rules}</style></head>"
        f'<body><main><h1>{_html(report.title)}</h1><p class="meta">{_html(report.subtitle)}</p>'
        f'{lead}{body}<p class="meta">From <a href="{address}">{address}</a></p></main></body>'
        "</html>\n"
    )


def as_markdown(report: Report) -> str:
    parts = [f"# {_markdown(report.title)}", _markdown(report.subtitle)]
    if report.lead:
        parts.append("\n".join(f"- {_markdown(line)}" for line in report.lead))
    for section in report.sections:
        parts.append(f"## {_markdown(section.title)}")
        parts += [_markdown(paragraph) for paragraph in section.paragraphs]
        if section.table is not None:
            parts.append(_markdown_table(section.table))
    parts.append(f"From <{report.address}>")
    return "\n\n".join(parts) + "\n"


def as_csv(report: Report) -> str:
    """One row for each scorer, or scorer and run, unrounded; begins with a byte order mark."""
    out = io.StringIO()
    out.write("\ufeff")
    columns = list(report.figures[0]) if report.figures else ["scorer"]
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in report.figures)
    return out.getvalue()


def as_json(report: Report) -> str:
    return json.dumps(report.data, ensure_ascii=False, indent=2) + "\n"


def _html_section(section: Section) -> str:
    text = "".join(f"<p>{_html(paragraph)}</p>" for paragraph in section.paragraphs)
    return f"<section><h2>{_html(section.title)}</h2>{text}{_html_table(section.table)}</section>"


def _html_table(table: Table | None) -> str:
    if table is None:
        return ""

    number = ' class="num"'

    def cells(tag: str, texts: Sequence[str], scope: str = "") -> str:
        return "".join(
            f"<{tag}{scope}{number if place >= table.numbers_from else ''}>{_html(text)}</{tag}>"
            for place, text in enumerate(texts)
        )

    head = cells("th", table.columns, ' scope="col"')
    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="wide"><table>{body}</table></div>'


def _markdown_table(table: Table) -> str:
    marks = ["---:" if at >= table.numbers_from else "---" for at in range(len(table.columns))]
    lines = [[_markdown(text) for text in row] for row in (table.columns, *table.rows)]
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _html(text: str) -> str:
    return escape(text)


def _markdown(text: str) -> str:
    """One line on which no character of the text is markup."""
    return " ".join(text.split()).translate(MARKDOWN)


def _cell(value: Any) -> Any:
    """The value; a text that a spreadsheet would compute gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
