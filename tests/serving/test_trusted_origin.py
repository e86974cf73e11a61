"""Neither a name that was pointed here nor another site's page gets a word in."""

import pytest
from served import png

from hdm.monitoring.prediction_log import PredictionLog

PREDICT, FEEDBACK, REGION = "/v1/plate/predict", "/v1/plate/feedback", "/v1/plate/region"
SAFE = ("/healthz", "/plate", "/v1/plate/model", "/metrics")


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
    "127.0.0.2", "localhost@evil.example", "evil.example#localhost", "[::1", "::1",
    "localhost:0", "localhost:99999", "localhost:port", "2130706433", "local host", "", "[::2]"])
@pytest.mark.parametrize("path", [PREDICT, *SAFE[:2]])
def test_a_name_that_is_not_ours_is_not_answered(served, host, path) -> None:
    client = served()
    method = "POST" if path == PREDICT else "GET"
    answer = client.request(method, path, headers={"Host": host}, content=png())
    assert answer.status_code == 421 and answer.json()["error"].startswith("no server ")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1:1",
                                  "[::1]:8080", "[::1]", "plant"])
def test_own_names_are_answered(served, host) -> None:
    client = served(hosts=frozenset({"localhost", "127.0.0.1", "::1", "plant"}))
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_bound_to_all_addresses_any_address_is_answered_but_no_other_name(served) -> None:
    client = served(hosts=frozenset({"*", "localhost"}))
    for host, status in (("10.1.2.3", 200), ("[2001:db8::1]:80", 200), ("evil.example", 421),
                         ("*", 421)):
        assert client.get("/healthz", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1"}, {"Origin": "localhost"}, {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost.evil.example"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "odd"}])
@pytest.mark.parametrize("key", [None, "secret"])
def test_another_site_changes_nothing(served, headers, key) -> None:
    client = served(log=True, api_key=key)
    headers |= {"X-API-Key": key} if key else {}
    answers = [client.post(PREDICT, headers=headers, content=png()),
               client.post(FEEDBACK, headers=headers, files={"picture": png()},
                           data={"verdict": "good"}),
               client.put(REGION, headers=headers, json={}),
               client.delete(REGION, headers=headers)]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert all(answer.json()["error"] for answer in answers)
    line = client.service.lines["plate"]
    line.journal.close()
    folder = line.slot.line.log_folder
    assert len(PredictionLog(folder, line.slot.line.params.monitor).read()) == 0
    assert not line.slot.line.region_file.exists()


@pytest.mark.parametrize("headers", [
    {}, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://LOCALHOST"}, {"Sec-Fetch-Site": "none"}])
def test_the_own_page_and_programs_are_answered(served, headers) -> None:
    assert served().post(PREDICT, headers=headers, content=png()).status_code == 200


def test_a_link_of_another_site_leads_to_the_page(served) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    assert all(served().get(path, headers=headers).status_code == 200 for path in SAFE)
