"""Changes to runs. Each function is one transaction and knows no request."""

from runs_app.actions.cancel import cancel_run
from runs_app.actions.start import start_run

__all__ = ["cancel_run", "start_run"]
