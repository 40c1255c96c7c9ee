"""The options of a comparison and of gates."""

from __future__ import annotations

import argparse
import math

EPILOG = """\
A gate decides for a program. It is one of
  no-significant-regression     no scorer is significantly worse
  threshold:0.9                 the mean of B reaches 0.9
  non-inferior:2                B is at most 2 points worse, for certain enough
  max-regressed-items:3         at most 3 items got worse
  must-pass:1,5,9               these items pass in B
A number belongs to the primary scorer unless one is named: threshold:exact_match=0.9.
Exit codes: 0 passed, 1 error or the run failed, 2 usage, 3 a gate failed, 4 inconclusive."""


def add_compare(to: argparse.ArgumentParser) -> None:
    """The arguments of `evalhub compare`."""
    to.add_argument("run_a", metavar="RUN_A", help="number or uuid")
    to.add_argument("run_b", metavar="RUN_B", help="number or uuid")
    to.add_argument(
        "--margin",
        metavar="POINTS",
        type=_points,
        help="a loss to shrug off (default: each scorer's own, else 2)",
    )
    to.add_argument(
        "--cluster",
        metavar="FIELD",
        help="field of the items whose values keep them together, such as metadata.customer; "
        "empty for none (default: the dataset's)",
    )
    to.add_argument(
        "--slices", metavar="FIELD", help="look at each value of a field, such as metadata.topic"
    )
    to.add_argument(
        "--classes",
        metavar="FIELD",
        help="compare precision, recall and F1 by the class that a field of the expected output "
        "says, such as expected_output.queue",
    )
    _add_gate(to, "decide by a rule; again for more (see below)")


def add_run_gates(to: argparse.ArgumentParser) -> None:
    """The options of `evalhub run` that compare the ended run with another."""
    group = to.add_argument_group("then compare (implies --wait)")
    group.add_argument("--baseline", metavar="RUN", help="number or uuid of the run to compare to")
    _add_gate(
        group, "decide by a rule, as in `evalhub compare` (default: no-significant-regression)"
    )


def _add_gate(to: argparse._ActionsContainer, summary: str) -> None:
    to.add_argument("--gate", metavar="RULE", action="append", help=summary)


def _points(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and 0 <= number <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of points from 0 to 100")
    return number
