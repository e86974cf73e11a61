"""`hdm serve`: a line's live model behind HTTP."""

import logging
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from hdm.config import load_pipelines
from hdm.errors import ConfigError
from hdm.line import Line, find_project
from hdm.serving.serving_options import Options, read_api_key

MEGA = 1_000_000


def serve(
    lines: Annotated[list[str] | None, typer.Argument(
        metavar="LINE...", help="Product lines of pipelines.yaml.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Serve every line.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0: all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    api_key_env: Annotated[str, typer.Option(metavar="NAME", help=(
        "Environment variable that holds the API key."))] = "",
    api_key_file: Annotated[Path | None, typer.Option(metavar="FILE", help=(
        "File that holds the API key."))] = None,
    backend: Annotated[str, typer.Option(metavar="torch|onnx", help=(
        "What computes; onnx is ONNX Runtime."))] = "torch",
    max_mb: Annotated[float, typer.Option(min=0.001, help="Largest request in MiB.")] = 32,
    max_megapixels: Annotated[float, typer.Option(min=0.001, help="Largest image.")] = 32,
    batch: Annotated[int, typer.Option(min=1, help="Images judged at once.")] = 16,
    gather_ms: Annotated[float, typer.Option(min=0, help=(
        "How long a batch waits for images that are on their way."))] = 4,
    queue: Annotated[int, typer.Option(min=1, help=(
        "Images of a line that may wait; more are refused."))] = 512,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds for one request.")] = 30,
    poll: Annotated[float, typer.Option(min=0.05, help=(
        "Seconds between two looks for a new live version."))] = 5,
    log: Annotated[bool, typer.Option(help="Log predictions in data/LINE/log.")] = True,
) -> None:
    """Judge images over HTTP with the live model, and follow it when another becomes live."""
    if backend not in ("torch", "onnx"):
        raise ConfigError(f"expected --backend torch or onnx, received {backend!r}.")
    chosen = _chosen(lines or [], every)
    options = Options(
        backend="onnx" if backend == "onnx" else "torch", max_bytes=round(max_mb * 2**20),
        max_pixels=round(max_megapixels * MEGA), batch=batch, gather=gather_ms / 1000, queue=queue,
        patience=timeout, poll=poll, log=log, api_key=read_api_key(api_key_env, api_key_file))
    _run(chosen, host, port, options)


def _chosen(names: list[str], every: bool) -> list[Line]:
    project = find_project()
    if every == bool(names):
        raise ConfigError("expected the names of lines, or --all; name at least one.")
    wanted = list(load_pipelines(project).lines) if every else list(dict.fromkeys(names))
    return [Line.load(name, project) for name in wanted]


def _run(lines: list[Line], host: str, port: int, options: Options) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("hdm.serving").setLevel(logging.INFO)
    # Bound here: a port that is taken is told in one sentence, and before torch is loaded.
    listener = _listener(host, port)
    from hdm.serving.app import build_app
    from hdm.serving.line_service import Service

    app = build_app(Service(lines, options))
    place = f"[{host}]" if ":" in host else host
    print(f"serving {', '.join(line.name for line in lines)} at "
          f"http://{place}:{listener.getsockname()[1]}", flush=True)
    if options.api_key is None and host not in ("127.0.0.1", "::1", "localhost"):
        print("everyone who reaches this address may use it; --api-key-env asks for a key",
              flush=True)
    # Longer than what a proxy in front keeps a connection: it must not send into one that closes.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False,
                                  timeout_keep_alive=75,
                                  timeout_graceful_shutdown=round(options.patience) + 1,
                                  )).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio sends small packets at once (TCP_NODELAY) only where the protocol is named;
        # otherwise every answer waits 40 ms for the client's acknowledgement.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        raise ConfigError(f"cannot listen at {host}:{port} ({error.strerror or error}); choose "
                          "another --host or --port.") from None
    return made
