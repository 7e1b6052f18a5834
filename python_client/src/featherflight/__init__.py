"""Point-in-time correct training sets from a Featherflight server.

>>> import featherflight as ff
>>> store = ff.connect()
>>> job = store.get_historical_features(entity_df, features=["user_profile:age"])
>>> job.to_pandas()
"""

from __future__ import annotations

from featherflight._catalogue import CatalogueTable
from featherflight._connect import connect
from featherflight._datasets.batch import Batch
from featherflight._datasets.dataset import Dataset
from featherflight._drift import DriftFeature, DriftReport
from featherflight._historical import HistoricalJob
from featherflight._leaks import LeakColumn, LeakLabel, LeakReport
from featherflight._lineage import Lineage, LineageEdge, LineageNode
from featherflight._online import OnlineResponse
from featherflight._parity import ParityExample, ParityFeature, ParityReport
from featherflight._report import EventReport, FeatureReport, InvalidReason, JobReport
from featherflight._store import Store
from featherflight._warnings import DeprecatedWarning
from featherflight.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    FeatherflightError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)

__version__ = "0.1.0"

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "Batch",
    "CancelledError",
    "CatalogueTable",
    "DataLossError",
    "Dataset",
    "DeadlineExceededError",
    "DeprecatedWarning",
    "DriftFeature",
    "DriftReport",
    "EventReport",
    "FailedPreconditionError",
    "FeatherflightError",
    "FeatureReport",
    "HistoricalJob",
    "InternalError",
    "InvalidArgumentError",
    "InvalidReason",
    "JobReport",
    "LeakColumn",
    "LeakLabel",
    "LeakReport",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "NotFoundError",
    "OnlineResponse",
    "OutOfRangeError",
    "ParityExample",
    "ParityFeature",
    "ParityReport",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "Store",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "connect",
]
