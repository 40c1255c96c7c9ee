"""The run engine: calls at least once, results recorded exactly once. The database is the only
truth.

A message wakes a worker for a run; the worker makes a *stay* on it (stay.py): it claims shards
(planning.py), calls the target (attempt.py), scores, and hands the outcomes to the recorder
(recorder.py), which writes them in batches under the shard's fencing token (writing.py). A keeper
(keeper.py) holds the leases meanwhile. A shard, and then the run, is done only when its results are
counted (writing.py, finishing.py). The sweeper (sweeper.py) wakes and finishes whatever a dead
worker left.
"""
