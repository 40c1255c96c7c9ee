"""Adjusted p-values for several tests at once, in the order in which the p came."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """q-values: the share of false finds among all finds up to this one (Benjamini, Hochberg)."""
    count = len(ps)
    adjusted = [1.0] * count
    least = 1.0
    for rank, place in sorted(enumerate(_ascending(ps), start=1), reverse=True):
        least = min(least, ps[place] * count / rank)
        adjusted[place] = least
    return adjusted


def holm(ps: Sequence[float]) -> list[float]:
    """p-values that hold together: the chance of any false find stays below (Holm)."""
    count = len(ps)
    adjusted = [1.0] * count
    most = 0.0
    for rank, place in enumerate(_ascending(ps)):
        most = max(most, min(1.0, ps[place] * (count - rank)))
        adjusted[place] = most
    return adjusted


def _ascending(ps: Sequence[float]) -> list[int]:
    return sorted(range(len(ps)), key=ps.__getitem__)
