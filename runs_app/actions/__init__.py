"""Changes to runs. Each function is one transaction and knows no request."""

from runs_app.actions.cancel import cancel_run
from runs_app.actions.delete import delete_run
from runs_app.actions.pause import pause_run, resume_run
from runs_app.actions.rescore import rescore_run
from runs_app.actions.retry import retry_run
from runs_app.actions.start import start_run

__all__ = [
    "cancel_run",
    "delete_run",
    "pause_run",
    "rescore_run",
    "resume_run",
    "retry_run",
    "start_run",
]
