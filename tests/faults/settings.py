"""The product's settings with a shorter lease, so that a short form shows many deaths in its time.

FAULT_LEASE_SECONDS=10 gives back the lease that the product has.
"""

import os

from evalhub.settings import *  # noqa: F403

LEASE_SECONDS = float(os.environ.get("FAULT_LEASE_SECONDS", "4"))
