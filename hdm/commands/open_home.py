"""`hdm home`: the lines of a plant in a browser."""

import logging
import webbrowser
from typing import Annotated

import typer

from hdm.commands.listening_options import AllowedHosts, Host, KeyFile, KeyVariable, NoKey
from hdm.config import load_pipelines
from hdm.line import find_project
from hdm.serving.http_server import http_server, reserve_descriptors
from hdm.serving.listening import enter_at
from hdm.serving.own_key import own_key_file
from hdm.serving.serving_options import Options, read_api_key


def home(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8090,
    api_key_env: KeyVariable = "",
    api_key_file: KeyFile = None,
    no_key: NoKey = False,
    allowed_host: AllowedHosts = None,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Open all lines in the browser: look, compare, decide, retrain, set thresholds, sort the
    inbox.

    What is done there is done by the commands of `hdm`, and leaves the same record.
    """
    project = find_project()
    load_pipelines(project)  # what is wrong there is said here, and not on each page
    options = Options()
    reserve_descriptors(options.connections)
    entrance = enter_at(host, port, read_api_key(api_key_env, api_key_file), no_key,
                        allowed_host or [], project)
    if entrance.key and entrance.note:
        print(f"the page asks for the key, which is in {own_key_file(project)}", flush=True)
    elif entrance.note:
        print(entrance.note, flush=True)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    from hdm.home.home_app import build_home

    options = Options(api_key=entrance.key, hosts=entrance.hosts)
    address = entrance.address(host)
    print(f"home is at {address}", flush=True)
    if browser:
        webbrowser.open(address)
    http_server(build_home(project, options), options).run(sockets=[entrance.listener])
