"""The store: one connection, the catalogue, training sets, and online features."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from featherflight._address import DEFAULT_URL, PemSource, Tls, ssl_context
from featherflight._catalogue import CatalogueTable
from featherflight._frames import read_frame
from featherflight._historical import HistoricalJob
from featherflight._http import HttpTransport
from featherflight._online import OnlineResponse, encode_columns, encode_frame
from featherflight._request import encode_request
from featherflight._transport import Transport
from featherflight.errors import FailedPreconditionError

if TYPE_CHECKING:
    from featherflight._frames import EntityFrame

_CONNECT_TIMEOUT_SECONDS = 20.0


def connect(
    url: str | None = None,
    *,
    token: str | None = None,
    timeout: float | None = None,
    progress: bool | None = None,
    tls_root_certs: PemSource | None = None,
    tls_client_cert: PemSource | None = None,
    tls_client_key: PemSource | None = None,
    tls_hostname: str | None = None,
    tls_verify: bool = True,
) -> Store:
    """Connects to a server and asks it who it is.

    Args:
        url: `grpc://host:port`, or `grpc+tls://host:port`; by default FEATHERFLIGHT_URL, else grpc://127.0.0.1:8815.
        token: sent with every call as `Authorization: Bearer …`; by default FEATHERFLIGHT_TOKEN.
        timeout: seconds that any one call may take, streams of rows included; None: no limit.
        progress: False shows no progress bars, True shows them also where stderr is no terminal.
        tls_root_certs: certificates to trust instead of the system's: PEM text, bytes or the path of a file.
        tls_client_cert: this client's own certificate, for a server that asks for one.
        tls_client_key: the key of `tls_client_cert`.
        tls_hostname: the name that the server's certificate carries, where the address has another.
        tls_verify: False accepts any certificate; for trials only.

    Raises:
        UnavailableError: nobody answers at the address.
        UnauthenticatedError: the server wants a token, or another one.
    """
    token = token if token is not None else os.environ.get("FEATHERFLIGHT_TOKEN")
    tls = Tls(tls_root_certs, tls_client_cert, tls_client_key, tls_hostname, tls_verify)
    transport = Transport(
        url or os.environ.get("FEATHERFLIGHT_URL") or DEFAULT_URL, token=token, tls=tls, timeout=timeout
    )
    try:
        info = transport.action("server_info", {}, timeout=min(timeout or _CONNECT_TIMEOUT_SECONDS, 20.0))
    except BaseException:
        transport.close()
        raise
    return Store(transport, info, progress=progress, token=token, tls=tls, timeout=timeout)


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

    def push(
        self,
        source: str,
        rows: EntityFrame | Mapping[str, Sequence[Any]],
        *,
        to: str = "online_and_offline",
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Pushes rows of a source with `push: true`; they are on the server's disk when this returns.

        Args:
            source: the source's name.
            rows: a frame, or a dict of lists, with the source's columns.
            to: "online", "offline" or "online_and_offline".
            idempotency_key: the same for every try of one push, which then counts once; None: a new one.
        """
        body = {
            "source": source,
            "rows": encode_frame(rows),
            "to": to,
            "idempotency_key": idempotency_key or uuid.uuid4().hex,
        }
        return dict(self._http().post("/api/v1/push", body, timeout=self._timeout))

    def write_to_online_store(self, view: str, rows: EntityFrame | Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Writes rows of a view to the online store alone: they are served at once, and training sets do not see them.

        Of each key the greatest event timestamp wins, then the greatest created timestamp, in any order of arrival, so
        that writing rows again changes nothing of what is served.

        Args:
            view: the name of a feature view that is computed from a source.
            rows: a frame, or a dict of lists, with a column for each join key and each feature of the view, of the
                view's types, and the timestamps, with a zone and to the microsecond: `event_timestamp` always,
                `created_timestamp` and `available_at` where the source has such columns, each of which is the moment
                of the write where it is left out. The names that the source has for them are taken as well.

        Returns:
            How many `rows` there were, and of these how many were `written`, were `unchanged` (the store has them, or
            newer ones) and belong to `erased` entities.

        Raises:
            NotFoundError: no such view; the message names the nearest.
            InvalidArgumentError: a column is missing, is none of the view's, or has a value that is not of its type;
                the message names column and row, and nothing was written.
            OutOfRangeError: more rows than one request may have: write them in parts.
            PermissionDeniedError: the token has not the scope `write`, or is not for this view.
            UnavailableError: the server, or its online store, is away; part of the rows may be written.
        """
        body = {"view": view, "rows": encode_frame(rows)}
        return dict(self._http().post("/api/v1/write-to-online-store", body, timeout=self._timeout))

    def materialize(
        self,
        views: Sequence[str] | None = None,
        *,
        start: datetime | str,
        end: datetime | str | None = None,
    ) -> dict[str, Any]:
        """Moves the rows of a range of event timestamps into the online store; all views where none is named."""
        return self._materialize(views, start, end)

    def materialize_incremental(
        self, views: Sequence[str] | None = None, *, end: datetime | str | None = None
    ) -> dict[str, Any]:
        """Moves whatever is new into the online store; all views where none is named."""
        return self._materialize(views, None, end)

    def erase(self, entity: str, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Removes an entity from the online store and from what was pushed, until that is lifted.

        Args:
            entity: the entity's name.
            keys: its join keys and their values.

        Returns:
            What was removed, and under `foreign` the tables that may hold the entity and were not changed.
        """
        return dict(self._transport.action("erase", _erasure(entity, keys)))

    def lift_erasure(self, entity: str, keys: Mapping[str, Any]) -> bool:
        """Takes an erasure back, if there was one: rows are taken again, and what was removed stays away."""
        return bool(self._transport.action("lift_erasure", _erasure(entity, keys))["lifted"])

    def erasures(self) -> list[dict[str, Any]]:
        """All that is erased, the oldest first."""
        return list(self._transport.action("list_erasures", {})["erasures"])

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

    def _materialize(
        self, views: Sequence[str] | None, start: datetime | str | None, end: datetime | str | None
    ) -> dict[str, Any]:
        instants = encode_columns({"start": [start], "end": [end]})
        body: dict[str, Any] = {"start": instants["start"][0], "end": instants["end"][0]}
        if views is not None:
            body["views"] = [views] if isinstance(views, str) else list(views)
        return dict(self._http().post("/api/v1/materialize", body, timeout=self._timeout))

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


def _erasure(entity: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    columns = encode_columns({name: [value] for name, value in keys.items()})
    return {"entity": entity, "keys": {name: values[0] for name, values in columns.items()}}
