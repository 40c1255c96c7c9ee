"""`evalhub-server up`: everything on this machine, from one command."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from evalhub.home import HomeError
from evalhub.supervisor import up


class Command(BaseCommand):
    help = "Start evalhub on this machine: web, worker and sweeper, with data in EVALHUB_HOME."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            up()
        except HomeError as error:
            sys.exit(f"evalhub: {error}")
