"""Clients that nobody wants, in a process of their own: 200 idle, 200 slow and 50 hostile ones.

    python -m benchmarks.serving.hostile_crowd PORT LINE SECONDS SOURCE

SOURCE: the address that they come from, of 127.0.0.0/8. Each connects again when it is closed. The
environment's HDM_KEY is the right key, which a half of the slow bodies has.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat

IDLE, SLOW, HOSTILE = 200, 200, 50
PAUSE = 1.0
"""Seconds before a client that was closed connects again."""
HOST = b"Host: localhost\r\n"
Script = Callable[[], Iterator[tuple[float, bytes]]]
"""What a connection sends: seconds to wait before each piece."""


def main() -> None:
    """Run for some seconds and print how many connections of each kind there were."""
    port, line, seconds, source = sys.argv[1:]
    print(json.dumps(asyncio.run(crowd(int(port), line, float(seconds), source))))


async def crowd(port: int, line: str, seconds: float, source: str) -> dict[str, int]:
    """Connections that were made, by kind."""
    made: Counter[str] = Counter()
    kinds = scripts(line)
    slow = ("slow headers", "slow body", "slow headers", "slow body without key")
    hostile = [kind for kind in kinds if kind != "idle" and not kind.startswith("slow")]
    chosen = ["idle"] * IDLE + list(islice(cycle(slow), SLOW)) \
        + list(islice(cycle(hostile), HOSTILE))
    users = [asyncio.create_task(user(kind, kinds[kind], port, source, made)) for kind in chosen]
    await asyncio.wait(users, timeout=seconds)
    for task in users:
        task.cancel()
    await asyncio.gather(*users, return_exceptions=True)
    return dict(made)


async def user(kind: str, script: Script, port: int, source: str, made: Counter[str]) -> None:
    """One connection after the other."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port,
                                                           local_addr=(source, 0))
            made[kind] += 1
            closed = asyncio.create_task(reader.read())
            try:
                for wait, piece in script():
                    await asyncio.wait([closed], timeout=wait)
                    if closed.done():
                        break
                    writer.write(piece)
                    await writer.drain()
                await closed
            finally:
                closed.cancel()
                writer.transport.abort()
        except OSError:
            made[f"{kind}, reset"] += 1
        await asyncio.sleep(PAUSE)


def scripts(line: str) -> dict[str, Script]:
    """What each kind of client sends."""
    ask = b"GET /healthz HTTP/1.1\r\n" + HOST
    post = b"POST /v1/%s/predict HTTP/1.1\r\nContent-Type: image/png\r\n" % line.encode() + HOST
    key = b"X-API-Key: " + os.environ["HDM_KEY"].encode() + b"\r\n"
    wrong, chunked = b"X-API-Key: wrong\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
    long, chunk = b"Content-Length: 1000000\r\n\r\n", b"10000\r\n" + bytes(65536) + b"\r\n"

    def after(first: bytes, wait: float, piece: bytes) -> Script:
        return lambda: ((wait if number else 0.0, first if not number else piece)
                        for number, _ in enumerate(repeat(0)))

    return {
        "idle": lambda: iter(()),
        "slow headers": after(ask + b"A: ", 0.5, b"a"),
        "slow body": after(post + key + long, 0.5, b"a"),
        "slow body without key": after(post + long, 0.5, b"a"),
        "garbage": after(os.urandom(4096), 0.0, os.urandom(4096)),
        "TLS": after(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 0.1, b"\0"),
        "endless headers": after(ask, 0.0, b"A: " + b"a" * 1000 + b"\r\n"),
        "endless chunks, wrong key": after(post + wrong + chunked, 0.0, chunk),
        "large body, wrong key": after(post + wrong + b"Content-Length: 30000000\r\n\r\n", 0.0,
                                       bytes(65536)),
        "bad chunks, right key": after(post + key + chunked, 0.0, b"zz\r\n"),
        "requests in advance": after((ask + b"\r\n") * 500, 0.0, (ask + b"\r\n") * 100)}


if __name__ == "__main__":
    main()
