"""uvicorn as it is run here: its limits, the descriptors that they need, and its end."""

import logging
import resource
from typing import Any

import uvicorn

from hdm.errors import ConfigError
from hdm.serving.guarded_connection import guarded
from hdm.serving.request_limits import HEAD_BYTES
from hdm.serving.serving_options import Options

BACKLOG = 512
"""Connections that may come at one moment, before the limit is looked at. Of more the system drops
some, and these clients ask again after a second."""
OTHER_FILES = 256
"""Descriptors for everything else: models, logs, the registry, uploads that wait on the disk."""


def http_server(app: Any, options: Options) -> uvicorn.Server:
    """A server of an application; `run` takes the socket.

    Nothing that a client sends makes a row in its log: that could be as long as clients like.
    """
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    return uvicorn.Server(uvicorn.Config(
        app, http=guarded(options), ws="none", log_level="error", access_log=False,
        backlog=BACKLOG, h11_max_incomplete_event_size=HEAD_BYTES,
        # Whoever is named there would have limits of his own.
        proxy_headers=False,
        # Longer than what a proxy in front keeps a connection: it must not send into one that
        # closes.
        timeout_keep_alive=75, timeout_graceful_shutdown=round(options.patience) + 1))


def reserve_descriptors(connections: int) -> None:
    """Let this process have the descriptors that so many connections need.

    Raises ConfigError if it may not have them: where they run out, nothing works any more.
    """
    wanted = connections + BACKLOG + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else hard
    if wanted > most:
        raise ConfigError(f"{connections} connections need {wanted} open files, but this user may "
                          f"have {most}; raise `ulimit -n`, or choose --max-connections "
                          f"{max(1, most - BACKLOG - OTHER_FILES)}.")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
