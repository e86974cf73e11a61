"""Servers of this machine are asked directly, whatever proxy the environment names."""

import os

HOSTS = ("127.0.0.1", "localhost")


def spare_loopback() -> None:
    """Add this machine's own names to NO_PROXY, for this process and those that it starts.

    Prefect's temporary server, an MLflow server beside it: behind a company's proxy none of them
    would answer. What the user excepted stays excepted.
    """
    named = [name for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)]
    known = [host.strip() for name in named for host in os.environ[name].split(",")]
    # A star excepts everything, but only where it stands alone.
    hosts = "*" if "*" in known else ",".join(
        dict.fromkeys(host for host in (*known, *HOSTS) if host))
    # Both spellings: libraries differ in which one they read.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = hosts
