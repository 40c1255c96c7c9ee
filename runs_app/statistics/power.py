"""What a comparison can detect at 80% power and 5% error, and the items that it needs."""

from __future__ import annotations

from math import sqrt

from runs_app.statistics.intervals import normal_quantile

LEAST_SHARE_CHANGED = 0.05
CONFIDENCE = 0.95
POWER = 0.80


def reach() -> float:
    """z of the test plus z of the power: 2.80 standard errors."""
    return normal_quantile(CONFIDENCE) + normal_quantile(2 * POWER - 1)


def changed_share(changed: int, n: int) -> float:
    """The share of changed pairs to plan with: at least 5%, as few changes may be luck."""
    return max(changed / n, LEAST_SHARE_CHANGED)


def smallest_detectable_binary(changed: int, delta: float, n: int) -> float:
    """The smallest difference of shares that n such pairs detect."""
    return reach() * sqrt((changed_share(changed, n) - delta * delta) / n)


def required_items_binary(changed: int, n: int, delta: float) -> float:
    """Items that detect ``delta`` if the share of changed pairs stays as in these n."""
    share = max(changed_share(changed, n), abs(delta))
    return required_items(share - delta * delta, delta)


def required_items(
    omega2: float,
    delta: float,
    *,
    variance_a: float = 0.0,
    repetitions_a: int = 1,
    variance_b: float = 0.0,
    repetitions_b: int = 1,
) -> float:
    """Items that detect ``delta`` (Miller 2024), not rounded.

    ``omega2`` is the variance of the true differences between items; ``variance_a`` and
    ``variance_b`` are the variances within an item, which repetitions divide. When omega2 comes
    from single repetitions it holds them already.
    """
    noise = variance_a / repetitions_a + variance_b / repetitions_b
    return reach() ** 2 * (omega2 + noise) / delta**2
