"""The product's settings with a shorter lease, so that a short form shows many deaths in its time.

FAULT_LEASE_SECONDS=10 gives back the lease that the product has; FAULT_SWEEP_SECONDS may be so long
that a worker never sweeps again.
"""

import os

from evalhub.settings import *  # noqa: F403

LEASE_SECONDS = int(os.environ.get("FAULT_LEASE_SECONDS", "3"))
SWEEP_SECONDS = int(os.environ.get("FAULT_SWEEP_SECONDS", "2"))
