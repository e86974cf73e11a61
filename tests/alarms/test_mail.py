"""Alarms by e-mail, against a real SMTP server."""

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from services import free_port

from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Mail
from hdm.alarms.mail import send
from hdm.errors import ConfigError, HDMError

MESSAGE = Message("ab12", "drift", "plate", "3", "2026-10-01T19:00:00Z",
                  "plate, version 3: Bilder sind dunkler geworden – größer als sonst.", "",
                  "/plant/data/plate/monitor/index.html", "cell7")


class Letters:
    """What came; addresses beginning with `no` are refused."""

    def __init__(self) -> None:
        self.came: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str,
                          options: Any) -> str:
        if address.startswith("no"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.came.append((envelope.mail_from, envelope.rcpt_tos, session.authenticated,
                          message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """That of a plant's own authority, which SSL_CERT_FILE makes known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of the plant")])
    now = datetime.now(UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([
                x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    file = tmp_path / "plant.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                       serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption())
                     + made.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def server() -> Iterator[Callable[..., tuple[Letters, dict[str, Any]]]]:
    """`server(require_starttls=True, ...)` starts one; its letters, and settings to reach it."""
    started: list[Controller] = []

    def start(**options: Any) -> tuple[Letters, dict[str, Any]]:
        letters, context = Letters(), options.pop("ssl_context", None)
        one = Controller(letters, hostname="127.0.0.1", port=free_port(), ssl_context=context,
                         **options)
        one.start()
        started.append(one)
        return letters, {"host": "127.0.0.1", "port": one.port, "sender": "hdm@example.com",
                         "to": ("ann@example.com", "bob@example.com")}

    yield start
    for one in started:
        one.stop()


def accepts(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"hdm", b"s3cret")
    return AuthResult(success=right, handled=False, auth_data=data if right else None)


def test_everyone_gets_the_alarm(server: Any) -> None:
    letters, place = server()
    send(Mail(**place, security="none"), MESSAGE)
    [(sender, to, _, letter)] = letters.came
    assert (sender, to) == ("hdm@example.com", ["ann@example.com", "bob@example.com"])
    assert letter["Subject"] == "HDM: an alarm of plate"
    text = letter.get_content()
    assert MESSAGE.sentence in text and "Model version: 3" in text
    assert "/plant/data/plate/monitor/index.html on cell7" in text


def test_login_over_starttls(server: Any, certificate: ssl.SSLContext,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    letters, place = server(tls_context=certificate, require_starttls=True, auth_required=True,
                            authenticator=accepts)
    settings = Mail(**place, user="hdm", password_env="PLANT_MAIL")
    with pytest.raises(ConfigError, match="PLANT_MAIL"):
        send(settings, MESSAGE)
    monkeypatch.setenv("PLANT_MAIL", "wrong")
    with pytest.raises(HDMError, match="it answered 535"):
        send(settings, MESSAGE)
    monkeypatch.setenv("PLANT_MAIL", "s3cret")
    send(settings, MESSAGE)
    [(*_, logged_in, letter)] = letters.came
    assert logged_in and "s3cret" not in str(letter)


def test_encrypted_from_the_start(server: Any, certificate: ssl.SSLContext) -> None:
    letters, place = server(ssl_context=certificate)
    send(Mail(**place, security="ssl"), MESSAGE)
    assert len(letters.came) == 1


def test_a_certificate_that_nobody_knows_is_refused(server: Any, certificate: ssl.SSLContext,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    letters, place = server(tls_context=certificate)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(HDMError, match="its certificate is not accepted"):
        send(Mail(**place), MESSAGE)
    assert not letters.came


def test_what_cannot_be_sent_is_one_sentence(server: Any) -> None:
    letters, place = server()
    with pytest.raises(ConfigError, match="a password is not sent over a connection that is not"):
        send(Mail(**place, security="none", user="hdm", password_env="X"), MESSAGE)
    with pytest.raises(HDMError, match=r"it refused every address: nobody@example\.com"):
        send(Mail(**place | {"to": ("nobody@example.com",)}, security="none"), MESSAGE)
    with pytest.raises(HDMError, match=r"it refused the addresses nobody@example\.com"):
        send(Mail(**place | {"to": ("nobody@example.com", "ann@example.com")}, security="none"),
             MESSAGE)
    assert len(letters.came) == 1, "the others got it"
    with pytest.raises(HDMError, match="it cannot be reached"):
        send(Mail(**place), MESSAGE)  # no STARTTLS there
    with pytest.raises(HDMError, match="it cannot be reached"):
        send(Mail(**place | {"port": free_port()}), MESSAGE)
