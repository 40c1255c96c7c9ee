from runs_app.models.results import Result, Score, ScoreState
from runs_app.models.runs import Run, RunScorer
from runs_app.models.work import Shard, Stay

__all__ = ["Result", "Run", "RunScorer", "Score", "ScoreState", "Shard", "Stay"]
