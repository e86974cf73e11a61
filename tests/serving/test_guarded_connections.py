"""Clients that say nothing, too little, too slowly or without end, over real sockets."""

import json
import select
import time
from contextlib import ExitStack
from threading import Event, Timer

import pytest
from raw_requests import answer, connect, exchange, talk
from served import png

from hdm.serving.guarded_connection import peer_of
from hdm.serving.lingering_transport import LINGER_BYTES
from hdm.serving.serving_options import Options

HOST = b"Host: localhost\r\n"
ASK = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /v1/plate/predict HTTP/1.1\r\nContent-Type: image/png\r\n" + HOST
LONG, CHUNKED = b"Content-Length: 10000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
OTHER = "127.0.0.2"
QUICK = {"header_patience": 0.2, "body_patience": 0.2}


def status_of(received: bytes) -> int:
    assert json.loads(received.partition(b"\r\n\r\n")[2])["error"]
    return int(received.split()[1])


@pytest.mark.parametrize(("sent", "status"), [
    (b"GET /healthz HT", 408), (ASK, 408),
    (POST + LONG, 408), (POST + LONG + b"a" * 30, 408), (POST + CHUNKED, 408),
    (POST + CHUNKED + b"3\r\nab", 408), (ASK + b"A: " + b"a" * 70_000, 431),
    (ASK + b"A: " + b"a" * 20_000 + b"\r\n\r\n", 431), (b"GET /" + b"a" * 400_000, 431),
    (POST + CHUNKED + b"0\r\nA: " + b"a" * 70_000, 431), (POST + CHUNKED + b"zz\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(99), 400), (b"GET /\r\n\r\n", 400),
    (ASK + HOST + b"\r\n", 400), (POST + b"Content-Length: 1e3\r\n\r\n", 400),
    (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    (POST + b"Content-Length: 3\r\n" + CHUNKED + b"0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    (POST + b"Content-Type: text/plain\r\n" + LONG, 400)])
def test_who_does_not_finish_is_told_and_left(listening, sent, status) -> None:
    last = exchange(listening(**QUICK), sent).split(b"HTTP/1.1 ")[-1]
    assert status_of(b"HTTP/1.1 " + last) == status


def test_a_connection_that_says_nothing_is_closed_without_a_word(listening) -> None:
    port = listening(**QUICK)
    begun = time.monotonic()
    assert exchange(port, b"") == b"" and time.monotonic() - begun < 1.5


def test_a_slow_body_that_keeps_the_least_rate_is_taken(listening) -> None:
    port, picture = listening(body_patience=0.2, body_rate=10), png()
    with connect(port, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(picture)
                 + picture[:60]) as line:
        time.sleep(0.4)
        line.sendall(picture[60:])
        assert answer(line).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("key", [b"", b"X-API-Key: other\r\n", b"X-API-Key: \xc3\xa9\xff\r\n"])
@pytest.mark.parametrize("rest", [LONG, b"Expect: 100-continue\r\n" + LONG, CHUNKED])
def test_without_the_key_a_body_is_not_read(listening, key, rest) -> None:
    port = listening(api_key="sécret")
    with connect(port, POST + key + rest) as line:
        received = answer(line)
        assert received.startswith(b"HTTP/1.1 401") and b"\r\nconnection: close" in received
        with pytest.raises(OSError):  # it is not read on for ever either
            for _ in range(LINGER_BYTES):
                line.sendall(bytes(65536))


def test_who_sends_a_small_body_without_the_key_reads_the_refusal(listening) -> None:
    status, _, content = talk(listening(api_key="a"), POST.decode().partition("\r\n")[0],
                              bytes(100_000))
    assert status == 401 and json.loads(content)["error"]


def test_the_longest_waiting_of_the_greediest_gives_way(listening) -> None:
    port = listening(connections=6, client_connections=4)
    with ExitStack() as stack:
        first, *others = [stack.enter_context(connect(port, POST + LONG)) for _ in range(4)]
        time.sleep(0.1)
        fifth = stack.enter_context(connect(port, ASK + b"\r\n"))
        assert answer(first) == b"" and fifth.recv(99).startswith(b"HTTP/1.1 200")
        foreign = [stack.enter_context(connect(port, ASK, OTHER)) for _ in range(3)]
        assert answer(others[0]) == b""  # six in all
        foreign[0].sendall(b"\r\n")
        assert foreign[0].recv(99).startswith(b"HTTP/1.1 200")


@pytest.fixture
def held(registry, listening):
    """held(port) -> the model has a picture, and waits for held.release to be set."""
    begun, release = Event(), Event()

    def hold(**options) -> int:
        port = listening(**options)
        judge = registry.judges[0].predict
        registry.judges[0].predict = lambda *given, **named: (
            begun.set(), release.wait(10), judge(*given, **named))[-1]
        return port

    hold.begun, hold.release = begun, release
    return hold


def test_where_all_are_at_work_one_more_is_refused(held) -> None:
    port, picture = held(connections=1), png()
    with connect(port, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(picture)
                 + picture) as line:
        held.begun.wait(10)
        assert status_of(exchange(port, ASK + b"\r\n")) == 503
        held.release.set()
        assert answer(line).startswith(b"HTTP/1.1 200")
    assert exchange(port, ASK + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_who_does_not_read_an_answer_is_closed(served_app) -> None:
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(30_000_000)})

    with connect(served_app(app, Options(patience=0.3)), ASK + b"\r\n") as line:
        reset = select.poll()
        reset.register(line, 0)
        assert reset.poll(15_000)


def test_of_requests_sent_in_advance_the_first_is_answered(listening) -> None:
    found = exchange(listening(), (ASK + b"\r\n") * 900)
    assert found.count(b"HTTP/1.1 ") == 1 and found.startswith(b"HTTP/1.1 200")


def test_it_ends_although_clients_hold_on_and_answers_who_is_at_work(held, served_app) -> None:
    port, picture = held(body_patience=0.5), png()
    with ExitStack() as stack:
        for sent in (b"", ASK, ASK + b"\r\n", POST + LONG, (ASK + b"\r\n") * 50, b"\0"):
            stack.enter_context(connect(port, sent))
        working = stack.enter_context(connect(
            port, POST + b"Content-Length: %d\r\n\r\n" % len(picture) + picture))
        held.begun.wait(10)
        Timer(0.3, held.release.set).start()
        served_app.stop()
        assert answer(working).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("address", "client"), [
    (("10.0.0.1", 5), "10.0.0.1"), (("::ffff:10.0.0.1", 5), "10.0.0.1"), (None, ""),
    (("2001:db8:1:2:3::4", 5), peer_of(("2001:db8:1:2:ffff::", 6))),
    (("fe80::1%eth0", 5), peer_of(("fe80::2%eth1", 5))), (("testclient", 5), "")])
def test_who_is_one_client(address, client) -> None:
    assert peer_of(address) == client != peer_of(("2001:db8:1:3::4", 5))
