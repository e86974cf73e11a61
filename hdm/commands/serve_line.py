"""`hdm serve`: a line's live model behind HTTP."""

import logging
from typing import Annotated

import typer

from hdm.commands.listening_options import AllowedHosts, Host, KeyFile, KeyVariable, NoKey
from hdm.config import load_pipelines
from hdm.errors import ConfigError
from hdm.line import Line, find_project
from hdm.serving.http_server import http_server, reserve_descriptors
from hdm.serving.line_in_use import serving
from hdm.serving.listening import Entrance, enter_at
from hdm.serving.serving_options import Options, read_api_key

MEGA = 1_000_000


def serve(
    lines: Annotated[list[str] | None, typer.Argument(
        metavar="LINE...", help="Product lines of pipelines.yaml.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Serve every line.")] = False,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    api_key_env: KeyVariable = "",
    api_key_file: KeyFile = None,
    no_key: NoKey = False,
    allowed_host: AllowedHosts = None,
    backend: Annotated[str, typer.Option(metavar="torch|onnx", help=(
        "What computes; onnx is ONNX Runtime."))] = "torch",
    max_mb: Annotated[float, typer.Option(min=0.001, help="Largest request in MiB.")] = 32,
    max_megapixels: Annotated[float, typer.Option(min=0.001, help="Largest image.")] = 32,
    batch: Annotated[int, typer.Option(min=1, help="Images judged at once.")] = 16,
    gather_ms: Annotated[float, typer.Option(min=0, help=(
        "How long a batch waits for images that are on their way."))] = 4,
    queue: Annotated[int, typer.Option(min=1, help=(
        "Images of a line that may wait; more are refused."))] = 512,
    timeout: Annotated[float, typer.Option(min=0.01, help=(
        "Seconds for a request's body, and for its answer."))] = 30,
    header_timeout: Annotated[float, typer.Option(min=0.01, help=(
        "Seconds for the headers of a request."))] = 10,
    min_rate: Annotated[int, typer.Option(min=1, help=(
        "Least bytes a second of a body, after 5 s."))] = 1024,
    max_connections: Annotated[int, typer.Option(min=1, help="Open at once.")] = 512,
    client_connections: Annotated[int, typer.Option(min=1, help=(
        "Open at once of one address; a proxy in front is one."))] = 256,
    client_requests: Annotated[int, typer.Option(min=1, help=(
        "Requests of one address that are worked at, at once."))] = 256,
    poll: Annotated[float, typer.Option(min=0.05, help=(
        "Seconds between two looks for a new live version."))] = 5,
    log: Annotated[bool, typer.Option(help="Log predictions in data/LINE/log.")] = True,
) -> None:
    """Judge images over HTTP with the live model, and follow it when another becomes live."""
    if backend not in ("torch", "onnx"):
        raise ConfigError(f"expected --backend torch or onnx, received {backend!r}.")
    chosen = _chosen(lines or [], every)
    key = read_api_key(api_key_env, api_key_file)
    reserve_descriptors(max_connections)
    entrance = enter_at(host, port, key, no_key, allowed_host or [], chosen[0].project)
    if entrance.note:
        print(entrance.note, flush=True)
    options = Options(
        backend="onnx" if backend == "onnx" else "torch", max_bytes=round(max_mb * 2**20),
        max_pixels=round(max_megapixels * MEGA), batch=batch, gather=gather_ms / 1000, queue=queue,
        patience=timeout, poll=poll, log=log, api_key=entrance.key,
        hosts=entrance.hosts, connections=max_connections,
        client_connections=client_connections, client_requests=client_requests,
        header_patience=header_timeout, body_rate=min_rate)
    _run(chosen, host, entrance, options)


def _chosen(names: list[str], every: bool) -> list[Line]:
    project = find_project()
    if every == bool(names):
        raise ConfigError("expected the names of lines, or --all; name at least one.")
    wanted = list(load_pipelines(project).lines) if every else list(dict.fromkeys(names))
    return [Line.load(name, project) for name in wanted]


def _run(lines: list[Line], host: str, entrance: Entrance, options: Options) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("hdm.serving").setLevel(logging.INFO)
    from hdm.serving.app import build_app
    from hdm.serving.line_service import Service

    with serving(lines[0].project, [line.name for line in lines]):
        app = build_app(Service(lines, options))
        print(f"serving {', '.join(line.name for line in lines)} at {entrance.address(host)}",
              flush=True)
        http_server(app, options).run(sockets=[entrance.listener])
