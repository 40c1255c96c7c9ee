"""What to do about an error of a target, by its type. Pure."""

from __future__ import annotations

import re

_ADVICE = {
    "timeout": "The target took longer than the timeout of a try. Raise the timeout in a new run, "
    "or lower the number of calls at once.",
    "deadline": "Tries and waiting together took longer than the deadline of a result. Raise the "
    "deadline or the timeout in a new run.",
    "rate_limited": "The target asked for fewer calls until no try was left. Lower the number of "
    "calls at once, or set limits per minute on the connection, then retry the errors.",
    "exception": "The target's own code raised this. Its message names the place; mend it, then "
    "retry the errors.",
    "worker_died": "The worker died each time that it called this item: look for what ends the "
    "process or eats its memory.",
    "not_storable": "The database refused the output. Its message says which part.",
    "no_recorded_output": "The item or the recording has no output here. Check the path, or that "
    "the recording has a row for this item.",
    "invalid_output": "The target answered, but not in the form that its kind asks for. Compare "
    "its answer with the output path and the kind of the target.",
    "invalid_input": "The item's input does not have the form that this target needs.",
    "output_too_large": "The output is larger than a result can keep. Let the target give less.",
    "missing_field": "A template names a field that this item does not have. Add it to the item, "
    "or change the template.",
    "bad_template": "A template of the target cannot be filled in for this item.",
    "refused_address": "The address is inside a private network. An administrator can allow it in "
    "the server's settings.",
    "dns": "The host name is not known. Check the address of the target or of its connection.",
    "connect": "Nothing accepts connections there. Check the address, and that the target runs.",
    "tls": "There is no secure connection. Check the certificate and the port.",
    "connection_lost": "The target broke the connection off. Retry the errors; when it goes on, "
    "look into the target's own log.",
    "redirect": "Redirects are not followed. Give the address that it leads to.",
    "too_large": "The answer is larger than what is read. Let the target give less.",
    "bad_encoding": "The answer could not be unpacked. Look into the target's own log.",
    "bad_response": "The answer was not valid HTTP. Check that the address is that of the target.",
    "bad_request": "The request could not be sent as it is set up. Check headers and body.",
    "bad_url": "The address cannot be called. Check it at the target or its connection.",
    "suspended": "The workflow waits for something. A run takes only what ends by itself.",
    "paused": "The workflow waits for something. A run takes only what ends by itself.",
    "tripwire": "A guardrail of the workflow stopped it. When that is right for this item, use a "
    "target of the kind processor, where a block is an outcome.",
    "blocked": "A guardrail of the target stopped the call.",
    "not_scored": "The scorer under test did not apply to this item.",
    "scorer_error": "The scorer under test failed itself. Its message says how.",
}
_BY_STATUS = {
    "400": "The target refused the request. Compare its message with the body and the parameters.",
    "401": "The key was refused. Check the key of the connection.",
    "403": "The key may not do this. Check its rights, and the model's name.",
    "404": "There is nothing at this address, or no such model. Check the address and the model.",
    "413": "The request is too large for the target.",
    "422": "The target refused the request. Compare its message with the body and the parameters.",
    "429": _ADVICE["rate_limited"],
    "4": "The target refused the request. Its message says why.",
    "5": "The target itself failed, on every try. Look into its own log, then retry the errors.",
}


def advice(error_type: str) -> str:
    """One or two sentences on what to do; "" for a type that the target made up itself."""
    if status := re.fullmatch(r"http_([1-5]\d\d)", error_type):
        code = status[1]
        return _BY_STATUS.get(code) or _BY_STATUS.get(code[0], "")
    return _ADVICE.get(error_type, "")
