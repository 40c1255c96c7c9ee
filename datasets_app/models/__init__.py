from datasets_app.models.datasets import Dataset, DatasetVersion
from datasets_app.models.imports import ImportJob
from datasets_app.models.items import ItemRevision

__all__ = ["Dataset", "DatasetVersion", "ImportJob", "ItemRevision"]
