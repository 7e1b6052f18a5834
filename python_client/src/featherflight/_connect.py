"""How a program reaches a server."""

from __future__ import annotations

import os

from featherflight._address import DEFAULT_URL, PemSource, Tls
from featherflight._store import Store
from featherflight._transport import Transport

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
