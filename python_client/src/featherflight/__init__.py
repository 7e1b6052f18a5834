"""Point-in-time correct training sets from a Featherflight server.

>>> import featherflight as ff
>>> store = ff.connect()
>>> job = store.get_historical_features(entity_df, features=["user_profile:age"])
>>> job.to_pandas()
"""

from __future__ import annotations

from featherflight._catalogue import CatalogueTable
from featherflight._historical import HistoricalJob
from featherflight._online import OnlineResponse
from featherflight._report import FeatureReport, JobReport
from featherflight._store import Store, connect
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
    "CancelledError",
    "CatalogueTable",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FeatherflightError",
    "FeatureReport",
    "HistoricalJob",
    "InternalError",
    "InvalidArgumentError",
    "JobReport",
    "NotFoundError",
    "OnlineResponse",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "Store",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "connect",
]
