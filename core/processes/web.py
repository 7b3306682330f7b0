"""The embedded web server."""

from __future__ import annotations

from typing import Any

from flask import Flask
from waitress.server import create_server

from core.app import create_app
from core.base.budget import AT_ONCE_BYTES
from core.base.config import Config
from core.imports import reader_process
from core.web.bodies import ANYBODY_BYTES, Doorkeeper, guarded

CONNECTIONS = 1000
"""How many browsers may be connected; most of them are silent."""


def run_web(config: Config) -> None:
    """Serve pages and the API until told to stop."""
    app = create_app(config)
    reader_process.start(app)
    serve = web_server(app, config)
    serve.print_listen("Serving on http://{}:{}")
    serve.run()


def web_server(app: Flask, config: Config) -> Any:
    """Return the embedded web server; what is sent to it is judged by the headers before it is stored."""
    made = create_server(
        app, host=config.web_host, port=config.web_port, threads=config.web_threads, ident=None, outbuf_high_watermark=AT_ONCE_BYTES,
        max_request_body_size=ANYBODY_BYTES, clear_untrusted_proxy_headers=False, connection_limit=CONNECTIONS, asyncore_use_poll=True)
    channel = guarded(Doorkeeper(app, config.upload_limit_bytes))
    for one in getattr(made, "map", {made: made}).values() if not hasattr(made, "channel_class") else [made]:
        if hasattr(one, "channel_class"):
            one.channel_class = channel
    return made
