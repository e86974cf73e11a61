"""Damage done to a sound input, the same for the same number.

A few lines, as libraries do not fit: those that cover code as they go do not see into decoders in
C, and those that build values from a description spend most of their time on it.
"""

import random
from collections.abc import Callable, Sequence

ODD = (b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0",
       b"-1", b"1e999", b"NaN", b"null", b"[]", b"{}", b'"', b",", b"\n", b"\r\n", b"'", b"=1+1",
       b"../../etc/passwd", b"\xf0\x9f\x92\xa9", b"\xc3\x28", b"9" * 30, b"[" * 2000, b"%00",
       b"--", b"; charset=zip", b"base64", b"\xe2\x80\xae", b"true")
"""What programs stumble over: limits of numbers, words of formats, other alphabets."""


def mutated(seeds: Sequence[bytes], number: int) -> bytes:
    """Input `number`: one of the seeds, damaged one to six times."""
    chance = random.Random(number)
    data = bytearray(seeds[number % len(seeds)])
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(_WAYS)(data, chance, seeds)
    return bytes(data)


Way = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def _place(data: bytearray, chance: random.Random) -> int:
    """Anywhere, the head of a file more often than the rest of it."""
    return chance.randrange(min(len(data), chance.choice((64, 512, 10**9))) or 1)


def _flip(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[_place(data, chance) % len(data)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start, odd = _place(data, chance), chance.choice(ODD)
    data[start:start + len(odd)] = odd


def _number(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start, size = _place(data, chance), chance.choice((1, 2, 4))
    bits = 8 * size
    value = chance.choice((0, 1, 2**bits - 1, 2**(bits - 1), chance.getrandbits(bits)))
    data[start:start + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _insert(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start = _place(data, chance)
    data[start:start] = chance.choice((chance.choice(ODD), chance.randbytes(chance.randrange(64))))


def _cut(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start = _place(data, chance)
    del data[start:start + chance.choice((1, 4, 64, len(data)))]


def _repeat(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    start = _place(data, chance)
    piece = bytes(data[start:start + chance.choice((4, 32, 256))])
    data[start:start] = piece * chance.choice((1, 2, 50))


def _splice(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    other, start = chance.choice(seeds), _place(data, chance)
    data[start:] = other[min(start, len(other)):]


_WAYS: tuple[Way, ...] = (_flip, _flip, _overwrite, _number, _number, _insert, _cut, _repeat,
                          _splice)
