"""The deployments that a Prefect server has, all of them."""

from typing import Any, Protocol

PAGE = 200
"""Rows that Prefect's server gives at once, at most."""


class Asking(Protocol):
    """An httpx client whose base_url is the server's API, or Prefect's own client."""

    def request(self, method: Any, url: Any, /, *, json: Any) -> Any:
        """The answer to one request."""


def listed(client: Asking) -> set[str]:
    """Every deployment of the server as `<flow>/<name>`.

    Raises httpx.HTTPError, or ValueError where what answers is no Prefect server.
    """
    flows = {flow["id"]: flow["name"] for flow in _all(client, "/flows/filter")}
    return {f"{flows.get(one['flow_id'])}/{one['name']}"
            for one in _all(client, "/deployments/filter")}


def _all(client: Asking, path: str) -> list[dict[str, Any]]:
    """Every row, page after page."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = client.request("POST", path, json={
            "offset": len(rows), "limit": PAGE, "sort": "NAME_ASC"})
        answer.raise_for_status()
        page = answer.json()
        if not isinstance(page, list):
            raise ValueError(f"expected a list of rows, received a {type(page).__name__}")
        rows += page
        if len(page) < PAGE:
            return rows
