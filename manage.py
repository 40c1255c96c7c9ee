#!/usr/bin/env python
"""Run a management command of evalhub's server."""

from evalhub.server import main

if __name__ == "__main__":
    main()
