"""How fast a run goes at the moment: an average over the last seconds, carried from poll to poll.

The average since the start would be wrong after a pause, a retry or a change of seats. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS = 10.0  # what is this long ago counts about a third
LEAST_S = 0.5  # between two looks
FORGOTTEN_S = 120.0  # an older look says nothing of now
MAX_TEXT = 60


@dataclass(frozen=True, slots=True)
class Look:
    """Results done at a moment (seconds since 1970), and results per second around it, None when
    not known."""

    done: int
    at: float
    rate: float | None

    def to_text(self) -> str:
        """As it goes into an address."""
        rate = "" if self.rate is None else f"{self.rate:.3f}"
        return f"{self.done}_{self.at:.2f}_{rate}"

    @classmethod
    def from_text(cls, text: str) -> Look | None:
        """What `to_text` gave; None for anything else."""
        parts = text[:MAX_TEXT].split("_")
        try:
            done, at, rate = int(parts[0]), float(parts[1]), parts[2]
            look = cls(done, at, float(rate) if rate else None)
        except (ValueError, IndexError):
            return None
        numbers = (look.at, look.rate or 0.0)
        return look if all(map(math.isfinite, numbers)) and min(look.done, *numbers) >= 0 else None


def look_again(earlier: Look | None, done: int, now: float, average: float | None) -> Look:
    """The next look. `average` stands in for the rate where there is no earlier one."""
    if earlier is None or not 0 <= now - earlier.at < FORGOTTEN_S or done < earlier.done:
        return Look(done, now, average)
    passed = now - earlier.at
    if passed < LEAST_S:
        return earlier
    rate = (done - earlier.done) / passed
    if earlier.rate is not None:
        weight = 1 - math.exp(-passed / SECONDS)
        rate = earlier.rate + (rate - earlier.rate) * weight
    return Look(done, now, rate)
