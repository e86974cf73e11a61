"""`python -m flows.start`: what a worker starts; Prefect's engine, once the server answers."""

import runpy
import sys

from hdm.orchestration.prefect_wait import wait_for_server

if __name__ == "__main__":
    wait_for_server()  # where it does not, the engine says so in its own way
    sys.argv = sys.argv[:1]
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
