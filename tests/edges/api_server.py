"""The partner API behind a real server on loopback, in a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import NamedTuple

import uvicorn
from api_client import HERE
from fastapi import FastAPI
from running_processes import wait_until
from sqlalchemy import Engine

from integrations.api.app import api


class Serving(NamedTuple):
    """Where the API answers, and the server, which can be told to stop."""

    url: str
    server: uvicorn.Server


@contextmanager
def serve(engine: Engine, clock: Callable[[], datetime]) -> Iterator[Serving]:
    """The API under `/v1` of the address, until the end."""
    numbers = count(1)
    here = HERE._replace(stopping=lambda: server.should_exit)
    app = FastAPI()
    app.mount("/v1", api(engine, here, clock=clock, new_id=lambda: f"api-{next(numbers)}", readiness=lambda: "ready"))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server of the API")
        yield Serving(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1", server)
    finally:
        server.should_exit = True
        thread.join()
