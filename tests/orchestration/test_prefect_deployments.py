"""All deployments of a real server, of which it gives 200 at once."""

import httpx
import pytest
from prefect.client.orchestration import get_client

from hdm.orchestration.prefect_deployments import PAGE, listed

COUNT = PAGE + 5


@pytest.mark.usefixtures("prefect_server")
def test_a_server_with_more_deployments_than_a_page_names_them_all() -> None:
    with get_client(sync_client=True) as client:
        flow = client.create_flow_from_name("many-lines")
        for number in range(COUNT):
            client.create_deployment(flow_id=flow, name=f"line{number}")
        wanted = {f"many-lines/line{number}" for number in range(COUNT)}
        assert len(client.read_deployments()) == PAGE
        assert wanted <= listed(client)
        with httpx.Client(base_url=str(client.api_url)) as plain:
            assert listed(plain) == listed(client)


def test_what_is_no_prefect_server_is_told_as_such() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"hello": "world"})

    with httpx.Client(base_url="http://x/api", transport=httpx.MockTransport(answer)) as client, \
            pytest.raises(ValueError, match="expected a list of rows, received a dict"):
        listed(client)
