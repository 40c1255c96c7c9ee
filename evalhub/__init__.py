"""evalhub: datasets, runs and honest comparisons for teams that build AI systems.

Importing this package is light: a plug-in needs `evalhub.target` and gets no framework with it.
"""

from evalhub.kit.answers import Blocked, Output
from evalhub.kit.plugins import target

__all__ = ["Blocked", "Output", "target"]
