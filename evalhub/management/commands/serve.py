"""`evalhub-server serve`: the web server alone, for a machine that runs workers apart."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from evalhub.web import serve


class Command(BaseCommand):
    help = "Serve the web pages and the API."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(options["host"], options["port"])
