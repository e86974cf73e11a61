"""`hdm serve` and `hdm export`: what cannot be done is one sentence, before anything heavy."""

import socket

import pytest


@pytest.mark.parametrize(("arguments", "part"), [
    (("serve",), "expected the names of lines, or --all"),
    (("serve", "plates", "--all"), "expected the names of lines, or --all"),
    (("serve", "bolts"), "no product line 'bolts'"),
    (("serve", "plates", "--backend", "magic"), "expected --backend torch or onnx"),
    (("serve", "plates", "--api-key-env", "NO_SUCH_KEY"), "NO_SUCH_KEY holds no key"),
    (("serve", "plates", "--api-key-file", "no-key"), "cannot read the key in no-key"),
    (("serve", "plates", "--host", "256.1.1.1"), "cannot listen at 256.1.1.1"),
    (("export", "bolts", "--output", "a.onnx"), "no product line 'bolts'"),
    (("export", "plates", "--output", "a.txt"), "expected --output to end in .onnx"),
    (("export", "plates", "--output", "a.onnx", "--depth", "12"), "expected --depth 8 or 16"),
    (("export", "plates", "--output", "a.onnx"), "train it with `hdm run plates`"),
    (("export", "plates", "--output", "a.onnx", "--version", "2"), "there is no registry at"),
    (("export", "plates", "--output", "a.onnx", "--version", "2", "--trained"), "at most one of"),
])
def test_what_cannot_be_done_is_one_sentence(hdm, project, arguments, part) -> None:
    before = sorted(project.rglob("*"))
    found = hdm(*arguments)
    assert found.code in (2, 6)
    assert part in found.err
    assert found.err.count("\n") == 1
    assert sorted(project.rglob("*")) == before


def test_answers_do_not_wait_for_acknowledgements() -> None:
    from hdm.commands.serve_line import _listener

    with _listener("127.0.0.1", 0) as made:
        assert made.proto == socket.IPPROTO_TCP  # what asyncio asks before it sets TCP_NODELAY
