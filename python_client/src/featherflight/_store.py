"""The store: one connection, the catalogue, training sets, and online features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from featherflight import _audit, _drift, _leaks, _lineage, _long_calls, _parity, _usage, _writes
from featherflight._address import Tls, ssl_context
from featherflight._catalogue import CatalogueTable
from featherflight._datasets import methods as _dataset_methods
from featherflight._frames import read_frame
from featherflight._historical import HistoricalJob
from featherflight._http import HttpTransport
from featherflight._online import OnlineResponse, encode_columns
from featherflight._request import encode_request
from featherflight._transport import Transport
from featherflight.errors import FailedPreconditionError

if TYPE_CHECKING:
    from featherflight._frames import EntityFrame


class Store:
    """A feature store, as seen through one connection; safe to share between threads. Made by `connect`."""

    def __init__(
        self,
        transport: Transport,
        info: Mapping[str, Any],
        *,
        progress: bool | None,
        token: str | None = None,
        tls: Tls | None = None,
        timeout: float | None = None,
    ) -> None:
        self._transport = transport
        self._info = dict(info)
        self._progress = progress
        self._token = token
        self._tls = tls if tls is not None else Tls()
        self._timeout = timeout
        self._online: HttpTransport | None = None

    def server_info(self) -> dict[str, Any]:
        """What the server says of itself now: product, version, project, registry version, addresses, schemas."""
        self._info = dict(self._transport.action("server_info", {}))
        return dict(self._info)

    def entities(self) -> CatalogueTable:
        """The entities: their join keys and types."""
        return self._list("entities")

    def sources(self) -> CatalogueTable:
        """The sources: tables, timestamps, columns."""
        return self._list("sources")

    def feature_views(self) -> CatalogueTable:
        """The feature views: entities, source, ttl, delay, features, newest event."""
        return self._list("feature_views")

    def feature_services(self) -> CatalogueTable:
        """The feature services: named lists of features."""
        return self._list("feature_services")

    def features(self) -> CatalogueTable:
        """Every feature of every view: type, default, newest event."""
        return self._list("features")

    def streams(self) -> CatalogueTable:
        """How far the streams of event sources are, a row for each partition, by name `source/partition`.

        `lag_records` are the records that are not applied yet; `lag_seconds` is 0 where there are none, else for
        how long the first of them has been seen waiting, None where that is not known; `freshness_seconds` is the age
        of the newest applied event. `ignored_fields` are the fields of the
        source's events that it does not declare, each with how many events had it since the server started. `error`
        says why a stream stands still, or why its log cannot be asked.
        """
        answer = self._transport.action("streams", {})
        return CatalogueTable("streams", [row for stream in answer["streams"] for row in _partition_rows(stream)])

    def set_aside(
        self, source: str, *, limit: int = 100, partition: str | None = None, reason: str | None = None
    ) -> dict[str, Any]:
        """Events of a source's stream that count nowhere, the newest first.

        Args:
            source: the source's name.
            limit: most events that are shown, 1 to 1000.
            partition: only of this partition.
            reason: only with this in their reason.

        Returns:
            `events`, each with its partition, offset, reason and value; how many there are in `total`, and by reason in
            `counts`; and how many older ones were `removed` to make room.
        """
        asked = {"source": source, "limit": limit, "partition": partition, "reason": reason}
        body = {name: value for name, value in asked.items() if value is not None}
        return dict(self._transport.action("set_aside", body))

    def get_historical_features(
        self,
        entity_df: EntityFrame,
        features: Sequence[str] | str,
        *,
        full_feature_names: bool = False,
        statuses: bool = False,
        as_known: bool | None = None,
        timestamp: str = "event_timestamp",
        timezone: str | None = None,
        at: datetime | str | None = None,
        keys: Mapping[str, Mapping[str, str]] | None = None,
        batch_rows: int | None = None,
        compression: str | None = None,
        progress: bool | None = None,
    ) -> HistoricalJob:
        """Asks for every row of `entity_df` the features as they were known at the row's time.

        Uploads the rows and lets the server check the whole request; rows stream when the job is read.

        Args:
            entity_df: a pandas or Polars frame, an Arrow table, a RecordBatchReader, record batches, anything with
                `__arrow_c_stream__`; or the path of a file that the server can read.
            features: `["view:feature", "view@prefix:feature", …]`, or the name of a feature service.
            full_feature_names: name the columns `view__feature` instead of `feature`.
            statuses: put `<name>__status`, `<name>__event_timestamp` and `<name>__is_default` after each feature.
            as_known: True shows a row only from its created timestamp on, False does not; None: as each view says.
            timestamp: the frame's column that holds each row's time.
            timezone: the zone of that column where its values carry none, as an IANA name.
            at: one time for all rows: a datetime with a zone, an ISO instant, or "now".
            keys: view or prefix -> {join key: the frame's column}, where the names differ.
            batch_rows: rows per batch of the answer; None: the server's choice.
            compression: "lz4" or "zstd" for slow networks; None for fast ones.
            progress: False shows no progress bar, True always does; None: as `connect` was told.

        Raises:
            InvalidArgumentError: a name, key, type or time in the frame or the request is wrong; the message says how.
            NotFoundError: no such view, feature, service or file; the message names the nearest.
        """
        command = encode_request(
            features,
            full_feature_names=full_feature_names,
            statuses=statuses,
            as_known=as_known,
            timestamp=timestamp,
            timezone=timezone,
            at=at,
            keys=keys,
            batch_rows=batch_rows,
            compression=compression,
        )
        show = progress if progress is not None else self._progress
        return HistoricalJob(self._transport, command, read_frame(entity_df), progress=show)

    def get_online_features(
        self,
        features: Sequence[str] | str,
        entities: Mapping[str, Sequence[Any] | Any],
        *,
        request: Mapping[str, Sequence[Any] | Any] | None = None,
        keys: Mapping[str, Mapping[str, str]] | None = None,
        full_feature_names: bool = False,
        timeout: float | None = None,
    ) -> OnlineResponse:
        """Asks for the features of entities as they are now.

        Args:
            features: `["view:feature", "view@prefix:feature", …]`, or the name of a feature service.
            entities: join keys by column; a column of one value stands for all rows.
            request: the values that on-demand features need, by column.
            keys: view or prefix -> {join key: column of `entities`}, where the names differ.
            full_feature_names: name the columns `view__feature` instead of `feature`.
            timeout: seconds; None: as `connect` was told, else 5.

        Raises:
            NotFoundError: no such view, feature or service; the message names the nearest.
            InvalidArgumentError: a key, type or value is wrong.
            UnavailableError: the server, or its online store, is away.
        """
        body: dict[str, Any] = {"service": features} if isinstance(features, str) else {"features": list(features)}
        body["entities"] = encode_columns(entities)
        body["full_feature_names"] = full_feature_names
        if request is not None:
            body["request"] = encode_columns(request)
        if keys is not None:
            body["keys"] = {name: dict(renamed) for name, renamed in keys.items()}
        limit = timeout if timeout is not None else self._timeout if self._timeout is not None else 5.0
        return OnlineResponse(self._http().post("/api/v1/online-features", body, timeout=limit))

    push = _writes.push
    write_to_online_store = _writes.write_to_online_store
    erase = _writes.erase
    lift_erasure = _writes.lift_erasure
    erasures = _writes.erasures

    materialize = _long_calls.materialize
    materialize_incremental = _long_calls.materialize_incremental
    run_sql = _long_calls.run_sql
    replay = _long_calls.replay
    reset = _long_calls.reset

    create_dataset = _dataset_methods.create_dataset
    dataset = _dataset_methods.dataset
    datasets = _dataset_methods.datasets

    audit_leaks = _leaks.audit_leaks
    check_parity = _parity.check_parity
    drift = _drift.drift
    audit = _audit.audit

    lineage = _lineage.lineage
    usage = _usage.usage

    def close(self) -> None:
        """Ends the connection; jobs that were not read cannot be read any more."""
        self._transport.close()
        if self._online is not None:
            self._online.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        facts = [f"project {self._info['project']}"] if self._info.get("project") else []
        facts.append(f"server {self._info.get('version', 'of unknown version')}")
        if self._info.get("registry_version") is not None:
            facts.append(f"definitions {self._info['registry_version']}")
        return f"feature store at {self._transport.address} ({', '.join(facts)})"

    def _http(self) -> HttpTransport:
        """Where the server says that its HTTP listens."""
        if self._online is None:
            address = self.server_info().get("http")
            if not address:
                raise FailedPreconditionError(f"the server at {self._transport.address} does not answer HTTP")
            host = str(address["host"])
            if host in ("0.0.0.0", "::"):
                host = self._transport.host
            tls = ssl_context(self._tls) if address.get("tls") else None
            self._online = HttpTransport(
                host, int(address["port"]), token=self._token, tls=tls, tls_hostname=self._tls.hostname
            )
        return self._online

    def _list(self, kind: str) -> CatalogueTable:
        return CatalogueTable(kind, self._transport.action("list", {"kind": kind})["rows"])


def _partition_rows(stream: Mapping[str, Any]) -> list[dict[str, Any]]:
    source, error = str(stream["source"]), stream["error"] or stream["log_error"]
    since_start = stream.get("since_start") or {}
    ignored = {str(one["name"]): int(one["events"]) for one in since_start.get("ignored_fields", ())} or None
    facts = {"ignored_fields": ignored, "error": error}
    return [
        {"name": f"{source}/{partition['partition']}", "source": source, **partition, **facts}
        for partition in stream["partitions"]
    ]
