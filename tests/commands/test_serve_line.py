"""`hdm serve` and `hdm export`: what cannot be done is one sentence, before anything heavy."""

import socket

import pytest

from hdm.serving.own_key import own_key_file


@pytest.mark.parametrize(("arguments", "part"), [
    (("serve",), "expected the names of lines, or --all"),
    (("serve", "plates", "--all"), "expected the names of lines, or --all"),
    (("serve", "bolts"), "no product line 'bolts'"),
    (("serve", "plates", "--backend", "magic"), "expected --backend torch or onnx"),
    (("serve", "plates", "--api-key-env", "NO_SUCH_KEY"), "NO_SUCH_KEY holds no key"),
    (("serve", "plates", "--api-key-file", "no-key"), "cannot read the key in no-key"),
    (("serve", "plates", "--host", "256.1.1.1"), "cannot listen at 256.1.1.1"),
    (("serve", "plates", "--max-connections", "9999999999"), "raise `ulimit -n`"),
    (("serve", "plates", "--no-key", "--api-key-file", "params.yaml"), "a key or --no-key"),
    (("export", "bolts", "--output", "a.onnx"), "no product line 'bolts'"),
    (("export", "plates", "--output", "a.txt"), "to end in .onnx or .xml, or in / for a folder"),
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
    from hdm.serving.listening import listen

    with listen("127.0.0.1", 0) as made:
        assert made.proto == socket.IPPROTO_TCP  # what asyncio asks before it sets TCP_NODELAY


@pytest.mark.parametrize(("arguments", "key", "hosts", "said"), [
    ((), False, {"127.0.0.1", "localhost", "::1"}, ""),
    (("--host", "localhost", "--allowed-host", "Plant.Example."), False, {"plant.example"}, ""),
    (("--host", "127.0.0.2"), False, {"127.0.0.2"}, ""),
    (("--host", "0.0.0.0"), True, {"*", socket.gethostname().lower()}, "serve_key"),
    (("--host", "0.0.0.0", "--no-key"), False, {"*"}, "everyone who reaches")])
def test_an_address_that_others_reach_asks_for_a_key(hdm, project, monkeypatch, arguments, key,
                                                     hosts, said) -> None:
    seen = []
    monkeypatch.setattr("hdm.commands.serve_line._run", lambda *given: (
        seen.append(given[-1]), given[2].close()))
    found = hdm("serve", "plates", "--port", "0", *arguments)
    options, = seen
    assert bool(options.api_key) == key == own_key_file(project).exists()
    assert hosts <= options.hosts and said in found.out
    assert not options.api_key or options.api_key not in found.out + found.err
