from runs_app.models.defaults import DatasetDefaults, RunChange
from runs_app.models.results import Result, Score, ScoreState
from runs_app.models.runs import Purpose, Run, RunEvent, RunScorer
from runs_app.models.targets import (
    Connection,
    RatePace,
    RecordedOutput,
    Recording,
    SavedTarget,
    TargetVersion,
)
from runs_app.models.vectors import RunVector
from runs_app.models.work import Rescore, Shard, Stay

__all__ = [
    "Connection",
    "DatasetDefaults",
    "Purpose",
    "RatePace",
    "RecordedOutput",
    "Recording",
    "Rescore",
    "Result",
    "Run",
    "RunChange",
    "RunEvent",
    "RunScorer",
    "RunVector",
    "SavedTarget",
    "Score",
    "ScoreState",
    "Shard",
    "Stay",
    "TargetVersion",
]
