"""Ticket triage, version 1: the first keyword wins.

Quick to write and quick to fool: keywords are looked for as substrings, so "membership" contains
"ship" and "apparently" contains "app".
"""

V1_KEYWORDS = (
    ("shipping", ("order", "parcel", "package", "deliver", "arrive", "ship", "tracking")),
    ("billing", ("charge", "invoice", "payment", "refund", "card")),
    ("account", ("password", "account", "sign in", "log in", "email", "user")),
    ("technical", ("error", "crash", "app", "broken", "not working", "hub")),
    ("feedback", ("love", "idea", "suggest", "wish", "thank")),
)

V1_PRIORITIES = (
    ("urgent", ("urgent", "right now", "today", "call back")),
    ("high", ("broken", "refund", "locked", "error", "cannot")),
    ("low", ("idea", "thank", "love", "no rush", "small")),
)

V1_REPLY = (
    "Thank you for contacting us. Your message about {category} has been received, "
    "and a member of our team will get back to you as soon as possible."
)


def first_match(text: str, groups: tuple[tuple[str, tuple[str, ...]], ...], otherwise: str) -> str:
    """The name of the first group with a keyword anywhere in the text, else `otherwise`."""
    for name, keywords in groups:
        if any(keyword in text for keyword in keywords):
            return name
    return otherwise


def triage_v1(subject: str, body: str) -> dict[str, str]:
    """Category, priority and reply by the first keyword found, as a substring of the text."""
    text = f"{subject} {body}".lower()
    category = first_match(text, V1_KEYWORDS, "technical")
    priority = first_match(text, V1_PRIORITIES, "normal")
    return {
        "category": category,
        "priority": priority,
        "reply": V1_REPLY.format(category=category),
    }
