"""What the pages of a server may do: their own script, their own styles, nothing from elsewhere."""

import re

from hdm.serving.secured_page import secured


def policy(**options) -> dict[str, str]:
    found = secured(lambda nonce: nonce, **options)
    text = found.headers["content-security-policy"].replace(found.body.decode(), "NONCE")
    return dict(re.match(r"(\S+) (.*)", one.strip()).groups() for one in text.split(";"))


def test_a_page_runs_what_has_its_nonce_and_loads_nothing() -> None:
    assert policy() == {
        "default-src": "'none'", "script-src": "'nonce-NONCE'", "style-src": "'nonce-NONCE'",
        "img-src": "data: blob:", "connect-src": "'self'", "frame-ancestors": "'none'",
        "base-uri": "'none'", "form-action": "'none'"}


def test_an_illustrated_one_shows_charts_and_pictures_of_this_server_too() -> None:
    assert dict(policy(illustrated=True).items() - policy().items()) == {
        "img-src": "'self' data: blob:", "style-src-attr": "'unsafe-inline'"}


def test_no_two_pages_have_the_same_nonce() -> None:
    assert secured(str).body != secured(str).body
