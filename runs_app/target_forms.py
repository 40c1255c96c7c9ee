"""The forms of saved targets, one for each transport."""

from __future__ import annotations

from typing import Any

from django import forms

from evalhub.access.models import Project
from evalhub.kit.json import pretty
from runs_app.models import Recording
from runs_app.scorers import catalogue
from runs_app.target_fields import (
    BodyField,
    JsonField,
    LinesField,
    TemplateField,
    as_lines,
    code_line,
)
from runs_app.target_form import ConnectedForm, TargetForm
from runs_app.targets import registered
from runs_app.targets.http_config import HEADER_ROOTS, METHODS, USAGE


class ChatForm(ConnectedForm):
    layout = {
        "Model": ("connection", "model"),
        "Messages": ("system", "user"),
        "Answer": ("parameters", "response", "schema"),
        "+Prices": ("input_price", "output_price"),
    }
    places = {
        "response/schema": "schema",
        "prices/input_per_million": "input_price",
        "prices/output_per_million": "output_price",
        "prices": "input_price",
    }

    connection = forms.ChoiceField(error_messages={"required": "Choose a connection."})
    model = forms.CharField(
        max_length=200,
        help_text="As the provider lists it.",
        widget=code_line("gpt-4.1-mini"),
        error_messages={"required": "Name the model."},
    )
    system = TemplateField(
        label="System message",
        rows=5,
        placeholder="You answer in the language {{ context.locale }}.",
        help_text="A template over the item. Left empty, no system message is sent.",
    )
    user = TemplateField(
        label="User message",
        rows=4,
        initial="{{ input }}",
        help_text="{{ input }} alone also passes an input that is a list of messages through.",
    )
    parameters = JsonField(
        only_object=True,
        rows=3,
        placeholder='{"temperature": 0, "max_tokens": 400}',
        help_text="A JSON object that goes into the request beside model and messages.",
    )
    response = forms.ChoiceField(
        choices=[("text", "Text"), ("json", "JSON")],
        help_text="JSON asks the provider for it; a reply that is none is an error of that item.",
    )
    schema = JsonField(
        only_object=True,
        rows=3,
        label="JSON Schema",
        help_text="For JSON alone: what the provider is to hold the reply to.",
    )
    input_price = forms.FloatField(
        required=False,
        label="Input, US$ per million tokens",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "placeholder": "by the tables"}),
        help_text="Both or none. Without them known models have the price of genai-prices.",
    )
    output_price = forms.FloatField(
        required=False,
        label="Output, US$ per million tokens",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "placeholder": "by the tables"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        prices = [cleaned.get("input_price"), cleaned.get("output_price")]
        if prices.count(None) == 1:
            missing = "input_price" if prices[0] is None else "output_price"
            if missing not in self.errors:
                self.add_error(missing, "Give both prices, or none.")
        return cleaned

    def config(self) -> dict[str, Any]:
        given = self.cleaned_data
        prices = None
        if given["input_price"] is not None:
            prices = {
                "input_per_million": given["input_price"],
                "output_per_million": given["output_price"],
            }
        return {
            "connection": given["connection"],
            "model": given["model"],
            "system": given["system"],
            "user": given["user"],
            "parameters": given["parameters"] or {},
            "response": {"format": given["response"], "schema": given["schema"]},
            "prices": prices,
        }

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        prices = config["prices"] or {}
        return {
            **{name: config[name] for name in ("connection", "model", "system", "user")},
            "parameters": _shown(config["parameters"]),
            "response": config["response"]["format"],
            "schema": _shown(config["response"]["schema"]),
            "input_price": prices.get("input_per_million"),
            "output_price": prices.get("output_per_million"),
        }


class HttpForm(ConnectedForm):
    layout = {
        "Request": ("connection", "method", "url", "headers", "body"),
        "Answer": ("output", "ok_statuses"),
        "+Tokens, cost and trace": (
            "input_tokens",
            "output_tokens",
            "cost_usd",
            "trace_id",
            "spans",
        ),
        "+Context as headers": ("context_headers",),
    }
    places = {f"usage/{name}": name for name in USAGE}

    connection = forms.ChoiceField(
        required=False, help_text="Its key goes out as a bearer token, unless a header names it."
    )
    method = forms.ChoiceField(choices=[(method, method) for method in METHODS])
    url = forms.CharField(
        required=False,
        max_length=2000,
        label="Address",
        widget=code_line("https://agents.example.com/run"),
        help_text="With a connection: only the path after its base URL, such as /run.",
    )
    headers = LinesField(
        roots=HEADER_ROOTS,
        rows=3,
        placeholder="X-Api-Key: {{ key }}",
        help_text="One a line. {{ key }} is the connection's key.",
    )
    body = BodyField(
        rows=5,
        placeholder='{"question": "{{ input.question }}", "lang": "{{ context.locale }}"}',
        help_text='JSON whose texts are templates. Left empty, {"input": the item\'s input} is '
        "sent. A text that is one placeholder becomes the value itself.",
    )
    output = forms.CharField(
        required=False,
        max_length=500,
        label="Path of the output",
        widget=code_line("choices.0.text"),
        help_text="A dotted path into the answer. Left empty, all of it is the output.",
    )
    ok_statuses = forms.CharField(
        required=False,
        max_length=400,
        label="Statuses of success",
        initial="200-299",
        widget=code_line("200-299"),
        help_text="With commas. Any other status is an error of that item.",
    )
    input_tokens = forms.CharField(
        required=False, max_length=500, widget=code_line("usage.prompt_tokens")
    )
    output_tokens = forms.CharField(
        required=False, max_length=500, widget=code_line("usage.completion_tokens")
    )
    cost_usd = forms.CharField(
        required=False, max_length=500, label="Cost in US$", widget=code_line("usage.cost")
    )
    trace_id = forms.CharField(required=False, max_length=500, widget=code_line("trace_id"))
    spans = forms.CharField(
        required=False,
        max_length=500,
        widget=code_line("spans"),
        help_text="Paths into the answer. A traceparent header is always sent.",
    )
    context_headers = LinesField(
        rows=3,
        label="Headers",
        placeholder="X-Tenant: tenant.id",
        help_text="One a line: a header and a path into the context. Left out where it is missing.",
    )

    def config(self) -> dict[str, Any]:
        given = self.cleaned_data
        statuses = [text.strip() for text in given["ok_statuses"].split(",") if text.strip()]
        return {
            "connection": given["connection"] or None,
            "method": given["method"],
            "url": given["url"],
            "headers": given["headers"],
            "body": given["body"],
            "output": given["output"],
            "usage": {name: given[name] for name in USAGE if given[name]},
            "trace_id": given["trace_id"],
            "spans": given["spans"],
            "ok_statuses": statuses,
            "context_headers": given["context_headers"],
        }

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        plain = ("connection", "method", "url", "output", "trace_id", "spans")
        return {
            **{name: config[name] for name in plain},
            **config["usage"],
            "headers": as_lines(config["headers"]),
            "body": "" if config["body"] is None else pretty(config["body"]),
            "ok_statuses": ", ".join(config["ok_statuses"]),
            "context_headers": as_lines(config["context_headers"]),
        }


class PythonForm(TargetForm):
    layout = {"Function": ("function",)}
    places = {"id": "function"}

    function = forms.ChoiceField(
        help_text="What installed plug-ins have registered.",
        error_messages={"required": "Choose a function."},
    )

    def choices_of(self, project: Project) -> None:
        choices = [(one.id, f"{one.name} ({one.id})") for one in registered(project.slug)]
        chosen = self.initial.get("function")
        if chosen and chosen not in [id for id, _ in choices]:
            choices.append((chosen, f"{chosen} (not registered)"))
        self.fields["function"].choices = choices  # type: ignore[attr-defined]

    def config(self) -> dict[str, Any]:
        return {"id": self.cleaned_data["function"]}

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        return {"function": config["id"]}


class RecordedForm(TargetForm):
    layout = {"Where the outputs are": ("path", "recording", "run")}

    path = forms.CharField(
        required=False,
        max_length=300,
        label="Path into the item",
        widget=code_line("metadata.gpt.answer"),
    )
    recording = forms.ChoiceField(required=False, label="Uploaded recording")
    run = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2_147_483_647,
        label="Outputs of run",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "12"}),
        help_text="Fill in one of the three. A run of another dataset is read by external id.",
    )

    def choices_of(self, project: Project) -> None:
        found = Recording.objects.filter(project=project).order_by("name")
        self.fields["recording"].choices = [  # type: ignore[attr-defined]
            ("", "None"),
            *((row.slug, f"{row.name} ({row.rows:,} outputs)") for row in found),
        ]

    def config(self) -> dict[str, Any]:
        names = ("path", "recording", "run")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        return dict(config)


class ScorerForm(TargetForm):
    layout = {"Scorer": ("scorer",)}

    scorer = JsonField(
        label="Scorer specification",
        only_object=True,
        required=True,
        rows=5,
        initial='{"use": "exact_match"}',
        error_messages={"required": "Say which scorer it is."},
    )

    def choices_of(self, project: Project) -> None:
        names = ", ".join(builtin.use for builtin in catalogue())
        self.fields["scorer"].help_text = f"A built-in with its parameters, as JSON: {names}."

    def config(self) -> dict[str, Any]:
        return {"scorer": self.cleaned_data["scorer"]}

    @classmethod
    def values_of(cls, config: dict[str, Any]) -> dict[str, Any]:
        return {"scorer": pretty(config["scorer"])}


FORMS: dict[str, type[TargetForm]] = {
    "chat": ChatForm,
    "http": HttpForm,
    "python": PythonForm,
    "recorded": RecordedForm,
    "scorer": ScorerForm,
}


def _shown(value: Any) -> str:
    return pretty(value) if value else ""
