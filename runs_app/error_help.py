"""What to do about an error of a target, by its type. Pure."""

from __future__ import annotations

_FEWER = (
    "Lower the number of calls at once, or set limits per minute on the connection, then retry the "
    "errors."
)
_LOG = "Look into the target's own log, then retry the errors."
_END = "A run takes only what ends by itself."
_ADDRESS = "Check the address of the target and of its connection."
_ADVICE = {
    "timeout": "The target took longer than the timeout of a try. Raise the timeout in a new run, "
    "or lower the number of calls at once.",
    "server_timeout": _LOG,
    "rate_limited": f"The target asked for fewer calls until no try was left. {_FEWER}",
    "overloaded": f"The target had too much to do until no try was left. {_FEWER}",
    "quota_exceeded": "When there is something to spend again, retry the errors.",
    "unauthorized": "When the key is mended, retry the errors.",
    "not_found": "Correct the address or the model in the target, and start a new run.",
    "bad_request": "Compare the message with the target's parameters and templates, correct them, "
    "and start a new run.",
    "bad_status": "When that status is a good answer, add it to the statuses of the target.",
    "server_error": f"The target itself failed on every try. {_LOG}",
    "provider_error": _LOG,
    "bad_json": f"The answer broke off or is no JSON, on every try. {_LOG}",
    "not_json": _ADDRESS,
    "empty_reply": "Read the message; allow more tokens or change the prompt, and start a new run.",
    "content_filter": "Look at the input: the provider judged it or the reply.",
    "no_output": "Compare the answer with the output path of the target.",
    "template": "Add the field to the item, or change the template of the target.",
    "exception": "The target's own code raised this. Its message names the place; mend it, then "
    "retry the errors.",
    "worker_lost": "The worker died each time that it called this item: look for what ends the "
    "process or eats its memory.",
    "purged": "Nothing is left of the item. Delete it from the dataset, or write it anew.",
    "not_storable": "Its message says which part of the output a database cannot keep.",
    "no_recorded_output": "Check the path, or that the recording has a row for this item.",
    "invalid_output": "The target answered, but not in the form that its kind asks for. Compare "
    "its answer with the output path and the kind of the target.",
    "invalid_input": "Give the item an input of the form that the message asks for.",
    "output_too_large": "Let the target give less.",
    "refused_address": "An administrator can allow addresses of a private network in the server's "
    "settings.",
    "dns": f"The name of the host is not known. {_ADDRESS}",
    "connect": f"Nothing accepts connections there. {_ADDRESS}",
    "tls": "Check the certificate and the port.",
    "connection_lost": f"The target broke the connection off, on every try. {_LOG}",
    "redirect": "Give the target the address that it leads to.",
    "too_large": "Let the target give less.",
    "bad_encoding": _LOG,
    "bad_response": _ADDRESS,
    "bad_url": _ADDRESS,
    "suspended": f"The workflow waits for something. {_END}",
    "paused": f"The workflow waits for something. {_END}",
    "tripwire": "A guardrail of the workflow stopped it. Where that is right, use a target of the "
    "kind processor: there a block is an outcome.",
    "blocked": "A guardrail of the target stopped it. Where that is right, use a target of the "
    "kind processor: there a block is an outcome.",
    "not_scored": "The scorer under test did not apply to this item.",
    "scorer_error": "The scorer under test failed itself. Its message says how.",
}


def advice(error_type: str) -> str:
    """One or two sentences on what to do; "" for a type that the target made up itself."""
    return _ADVICE.get(error_type, "")
