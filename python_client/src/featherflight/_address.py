"""Where a server is and how it is trusted."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from featherflight.errors import InvalidArgumentError

DEFAULT_URL = "grpc://127.0.0.1:8815"
DEFAULT_PORT = 8815
_schemes = {"grpc": "grpc+tcp", "grpc+tcp": "grpc+tcp", "grpcs": "grpc+tls", "grpc+tls": "grpc+tls"}

PemSource = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class Tls:
    """How to trust the server and, with a certificate and key of its own, to be trusted by it (PEM)."""

    root_certs: PemSource | None = None
    client_cert: PemSource | None = None
    client_key: PemSource | None = None
    hostname: str | None = None
    verify: bool = True


def parse_url(url: str) -> tuple[str, str, bool]:
    """The address as people write it, as pyarrow takes it, and whether it is this machine's own."""
    parts = urlsplit(url if "://" in url else f"grpc://{url}")
    scheme = _schemes.get(parts.scheme)
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        port = 0
    if scheme is None or not parts.hostname or not port or parts.path.strip("/"):
        raise InvalidArgumentError(
            f"{url!r} is not an address of a server: write grpc://host:port, or grpc+tls://host:port for TLS"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "grpc+tls" if scheme == "grpc+tls" else "grpc"
    return f"{shown}://{host}:{port}", f"{scheme}://{host}:{port}", parts.hostname in ("127.0.0.1", "::1", "localhost")


def tls_options(tls: Tls) -> dict[str, Any]:
    """What a FlightClient takes of it."""
    if (tls.client_cert is None) != (tls.client_key is None):
        raise InvalidArgumentError("tls_client_cert and tls_client_key belong together: give both or neither")
    options: dict[str, Any] = {}
    if tls.root_certs is not None:
        options["tls_root_certs"] = _read_pem(tls.root_certs)
    if tls.client_cert is not None and tls.client_key is not None:
        options["cert_chain"] = _read_pem(tls.client_cert)
        options["private_key"] = _read_pem(tls.client_key)
    if tls.hostname is not None:
        options["override_hostname"] = tls.hostname
    if not tls.verify:
        options["disable_server_verification"] = True
    return options


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """The same for HTTP by the standard library."""
    try:
        roots = None if tls.root_certs is None else _read_pem(tls.root_certs).decode()
        context = ssl.create_default_context(cadata=roots)
        if not tls.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if tls.client_cert is not None and tls.client_key is not None:
            with tempfile.TemporaryDirectory() as folder:
                paths = Path(folder, "cert.pem"), Path(folder, "key.pem")
                for path, pem in zip(paths, (tls.client_cert, tls.client_key), strict=True):
                    path.write_bytes(_read_pem(pem))
                context.load_cert_chain(*paths)
    except (ssl.SSLError, ValueError) as raised:
        raise InvalidArgumentError(f"the certificate or key cannot be used: {raised}") from raised
    return context


def _read_pem(source: PemSource) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str) and source.lstrip().startswith("-----BEGIN"):
        return source.encode()
    try:
        return Path(source).read_bytes()
    except OSError as raised:
        raise InvalidArgumentError(f"cannot read the certificate or key {str(source)!r}: {raised}") from raised
