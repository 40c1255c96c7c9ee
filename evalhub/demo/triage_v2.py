"""Ticket triage, version 2: all the evidence, weighed.

Every clue in the text gives points to a category, unless a word such as "not" stands before it.
Urgency is a sum of signals, and the reply is the first template that fits the situation.
"""

import re
from dataclasses import dataclass

CATEGORIES = ("billing", "account", "technical", "shipping", "feedback")


@dataclass(frozen=True, slots=True)
class Clue:
    """A pattern that speaks for `name` with `weight` points."""

    name: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Template:
    """A reply for tickets of `category` whose text matches `when`."""

    category: str
    when: re.Pattern[str]
    text: str


def clues(*rows: tuple[str, float, str]) -> tuple[Clue, ...]:
    """Clues whose patterns match at the start of a word, so that "ship" is not in "membership"."""
    return tuple(
        Clue(name, weight, re.compile(rf"\b(?:{pattern})", re.IGNORECASE))
        for name, weight, pattern in rows
    )


def templates(*rows: tuple[str, str, str]) -> tuple[Template, ...]:
    """Reply templates; of those that match, the first is used."""
    return tuple(
        Template(category, re.compile(when, re.IGNORECASE), text) for category, when, text in rows
    )


V2_CATEGORIES = clues(
    ("billing", 3, r"refund|charged?\b|invoice|receipt|voucher|discount"),
    ("billing", 2, r"payment|paid|price|pay\b|bank\b|EUR\b"),
    ("billing", 1, r"plan\b|trial|credit card|monthly"),
    ("account", 3, r"password|locked out|sign(?:ing)? in|log(?:ged)? in"),
    ("account", 2, r"user\b|profile|account|delete my"),
    ("account", 1, r"team\b|code\b|invited"),
    ("technical", 3, r"error|crash|broken|not work|stuck|cannot find|smoke"),
    ("technical", 2, r"blink|sensor|battery|update\b|network|connect|dark mode|export"),
    ("technical", 1, r"hub\b|app\b|pots?\b|version|notification|water"),
    ("shipping", 2, r"parcel|delivery|tracking|arrived|ship\b|shipping"),
    ("shipping", 1, r"order(?:ed)?\b|package|carrier"),
    ("feedback", 3, r"idea|suggest|wish\b|would be (?:lovely|nice|great)"),
    ("feedback", 2, r"loves?\b|please let|thanks to|well done"),
)

V2_PRIORITY = clues(
    ("danger", 4, r"smoke|fire|burn|flood|hacked"),
    ("deadline", 2, r"today|tomorrow|right now|on (?:mon|tues|wednes|thurs|fri)day"),
    ("blocked", 2, r"locked out|crash|cannot|broken|stuck|error|declined|lost\b|empty"),
    ("money", 2, r"refund|charged|twice"),
    ("calm", -2, r"rush|whenever|not a tragedy|small question"),
    ("cheer", -1, r"thank|loves?\b|idea|suggest|well done"),
)

NEGATION = re.compile(r"\b(?:no|not|nothing|never|neither|without)\b", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?;:]")
ORDER_NUMBER = re.compile(r"\bFW-\d{5}\b")
AMOUNT = re.compile(r"\b\d[\d,]*(?:\.\d\d)? EUR\b")

V2_REPLIES = templates(
    (
        "billing",
        r"refund|charge|twice|taken|give back|abgebucht",
        (
            "Sorry about the wrong charge. I have asked billing to refund {amount}; "
            "you have it back within five working days."
        ),
    ),
    (
        "billing",
        r"invoice|receipt",
        "You find every invoice under Plan, Invoices, and you can download the old ones again.",
    ),
    (
        "billing",
        r"",
        "You can change this under Plan, Change plan, and you see the amount before you confirm.",
    ),
    (
        "account",
        r"password|locked out|code|sign in|mot de passe",
        (
            "Sorry about that. I have sent you a link to set a new password. "
            "It works once and expires after one hour."
        ),
    ),
    (
        "account",
        r"delete",
        "We are sorry to see you go. Your account and its data will be deleted in 14 days.",
    ),
    ("account", r"", "You can change this under Profile, Sign-in. Nothing is lost."),
    (
        "technical",
        r"hub|network|update|connect",
        (
            "Sorry about the trouble. Please restart the hub and open the app again. "
            "If it happens again, send us the log from Settings, Help."
        ),
    ),
    (
        "technical",
        r"",
        (
            "Sorry about the trouble. Please install the newest version of the app and try again. "
            "If it happens again, send us the log from Settings, Help."
        ),
    ),
    (
        "shipping",
        r"wrong|missing|lost|broken|skipped",
        (
            "Sorry about that. A new parcel leaves today, free of charge. "
            "There is no need to send anything back."
        ),
    ),
    (
        "shipping",
        r"FW-",
        (
            "Sorry about the wait. I have asked the carrier to trace order {order} "
            "and will let you know within one working day."
        ),
    ),
    (
        "shipping",
        r"",
        (
            "Thank you for asking about your parcel. I have added a note to your order "
            "and will write again by tomorrow noon."
        ),
    ),
    (
        "feedback",
        r"thanks to|love|well done",
        "Thank you for the kind words! They are on the wall of the people who build the app now.",
    ),
    (
        "feedback",
        r"",
        "Thank you for writing. I have passed your idea to the people who build the app.",
    ),
)


def is_negated(text: str, start: int) -> bool:
    """Whether one of the five words before `start`, in the same sentence, says no."""
    before = SENTENCE_END.split(text[:start])[-1].split()[-5:]
    return NEGATION.search(" ".join(before)) is not None


def weigh(text: str, evidence: tuple[Clue, ...]) -> dict[str, float]:
    """Points per name. A clue counts once however often it occurs, and not at all when negated."""
    points: dict[str, float] = {}
    for clue in evidence:
        if any(not is_negated(text, found.start()) for found in clue.pattern.finditer(text)):
            points[clue.name] = points.get(clue.name, 0.0) + clue.weight
    return points


def category_v2(subject: str, body: str) -> str:
    """The category by the clues of this version."""
    return category_of(subject, body, V2_CATEGORIES)


def category_of(subject: str, body: str, evidence: tuple[Clue, ...]) -> str:
    """The category with the most points; clues in the subject count twice. No clue: technical."""
    in_all = weigh(f"{subject}. {body}", evidence)
    in_subject = weigh(subject, evidence)
    points = {name: in_all.get(name, 0.0) + in_subject.get(name, 0.0) for name in CATEGORIES}
    best = max(CATEGORIES, key=lambda name: points[name])
    return best if points[best] > 0 else "technical"


def priority_v2(subject: str, body: str) -> str:
    """Priority from the sum of all signals; shouting and exclamation marks add one point each."""
    text = f"{subject}. {body}"
    points = sum(weigh(text, V2_PRIORITY).values())
    points += 1 if re.search(r"\b[A-Z]{4,}\b", text) else 0
    points += 1 if text.count("!") >= 2 else 0
    if points >= 4:
        return "urgent"
    if points >= 2:
        return "high"
    return "normal" if points >= 0 else "low"


def reply_v2(category: str, subject: str, body: str) -> str:
    """The first fitting template, with the order number and the amount that the ticket names."""
    text = f"{subject}. {body}"
    order = ORDER_NUMBER.search(text)
    amount = AMOUNT.search(text)
    template = next(t for t in V2_REPLIES if t.category == category and t.when.search(text))
    return template.text.format(
        order=order.group() if order else "you placed",
        amount=amount.group() if amount else "the amount",
    )


def triage_v2(subject: str, body: str) -> dict[str, str]:
    """Category, priority and reply from weighted clues, negation, urgency and fitting templates."""
    category = category_v2(subject, body)
    return {
        "category": category,
        "priority": priority_v2(subject, body),
        "reply": reply_v2(category, subject, body),
    }
