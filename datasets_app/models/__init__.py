from datasets_app.models.datasets import Dataset, DatasetVersion
from datasets_app.models.imports import ImportJob, RememberedMapping
from datasets_app.models.items import ItemRevision
from datasets_app.models.jobs import DatasetJob, JobState
from datasets_app.models.notes import ItemNote
from datasets_app.models.search import SearchIndex

__all__ = [
    "Dataset",
    "DatasetJob",
    "DatasetVersion",
    "ImportJob",
    "ItemNote",
    "ItemRevision",
    "JobState",
    "RememberedMapping",
    "SearchIndex",
]
