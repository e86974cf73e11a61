"""The page stands alone, and names cannot break out of it."""

import re

from served import make_line

from hdm.serving.serving_options import Options
from hdm.serving.upload_page import page


def test_a_page_for_one_line_and_a_list_for_several(served, registry) -> None:
    assert "Drop pictures here" in served().get("/").text
    registry.live["mesh"] = "1"
    client = served("plate", "mesh")
    assert 'href="/mesh"' in client.get("/").text
    assert "<h1>mesh</h1>" in client.get("/mesh").text


def test_nothing_comes_from_elsewhere(served) -> None:
    answer = served().get("/plate")
    nonce = re.search(r"script-src 'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert nonce and f'<script nonce="{nonce[1]}">' in answer.text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", answer.text)
    assert served().get("/plate").headers["content-security-policy"] != \
        answer.headers["content-security-policy"]


def test_the_key_is_asked_for_only_where_there_is_one(served) -> None:
    assert 'id="key"' in served(api_key="secret").get("/").text
    assert 'id="key"' not in served().get("/").text


def test_a_name_is_text(tmp_path) -> None:
    name = make_line(tmp_path, "</script><b>").name
    assert name not in page(name, [name], Options(), "n")
