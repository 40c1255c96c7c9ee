"""The form of a connection. What was typed as a key never comes back in a page."""

from __future__ import annotations

from typing import Any

from django import forms

from evalhub.kit.errors import EvalhubError
from runs_app.actions.connections import KEEP, MAX_LIMIT
from runs_app.connections import key_state
from runs_app.models import Connection


class ConnectionForm(forms.Form):
    name = forms.CharField(
        max_length=120,
        error_messages={"required": "Give the connection a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "OpenAI"}),
    )
    base_url = forms.CharField(
        max_length=500,
        label="Base URL",
        help_text="What comes before /chat/completions, or before the paths of your own service.",
        error_messages={"required": "Say where the provider is."},
        widget=forms.TextInput(
            attrs={
                "class": "input--code",
                "placeholder": "https://api.openai.com/v1",
                "spellcheck": "false",
                "autocomplete": "off",
                "inputmode": "url",
            }
        ),
    )
    key = forms.CharField(
        required=False,
        strip=True,
        help_text="Stored encrypted and never shown again. Or write env:OPENAI_API_KEY to take it "
        "from that environment variable of the worker.",
        widget=forms.PasswordInput(
            attrs={"class": "input--code", "autocomplete": "new-password", "spellcheck": "false"}
        ),
    )
    remove_key = forms.BooleanField(required=False, label="Remove the key")
    requests_per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_LIMIT,
        label="Requests per minute",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "no limit"}),
    )
    tokens_per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_LIMIT,
        label="Tokens per minute",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "no limit"}),
    )

    def __init__(self, *args: Any, connection: Connection | None = None, **options: Any) -> None:
        if connection is not None:
            fields = ("name", "base_url", "requests_per_minute", "tokens_per_minute")
            options["initial"] = {field: getattr(connection, field) for field in fields}
        super().__init__(*args, **options)
        self.key_state = key_state(connection) if connection else None
        if self.key_state:
            self.fields["key"].widget.attrs["placeholder"] = "Leave empty to keep it"

    def given(self) -> dict[str, Any]:
        """What the actions take. An empty key leaves the stored one, unless it is to go."""
        values = dict(self.cleaned_data)
        key, remove = values.pop("key"), values.pop("remove_key")
        if key:
            return values | {"key": key}
        return values | {"key": None if remove or not self.key_state else KEEP}

    def take(self, error: EvalhubError) -> None:
        """Show what the action refused, beside its field where the error names one."""
        for problem in error.errors:
            self.add_error(problem.pointer.lstrip("/"), problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)
