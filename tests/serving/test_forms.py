"""Forms as other clients write them: as many answers as pictures, under their names, or none."""

import base64
import json

import pytest
from served import png

PREDICT = "/v1/plate/predict"
NAMED = b'Content-Disposition: form-data; name="files"; filename="a.png"'
CODED = base64.b64encode(png())


def body(*parts: tuple[bytes, bytes] | bytes, boundary: bytes = b"x", end: bytes = b"--\r\n"
         ) -> bytes:
    """A form of (headers, content), or of headers around a picture."""
    pairs = [part if isinstance(part, tuple) else (part, png()) for part in parts]
    return b"".join(b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"
                    for head, content in pairs) + b"--" + boundary + end


def disposition(rest: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="files"; ' + rest


def send(client, content: bytes, kind: str = "multipart/form-data; boundary=x"):
    return client.post(PREDICT, content=content, headers={"content-type": kind})


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert {image["decision"] for image in answer.json()["images"]} == {"good"}
    return [image["name"] for image in answer.json()["images"]]


@pytest.mark.parametrize(("rest", "name"), [
    (b"filename*=utf-8''T%C3%BCr.png", "Tür.png"),
    (b"filename*=UTF-8'de'T%C3%BCr%20%22%E2%82%AC%22.png", 'Tür "€".png'),
    (b"filename*=iso-8859-1''T%FCr.png", "Tür.png"),
    (b"filename=\"T_r.png\"; filename*=utf-8''T%C3%BCr.png", "Tür.png"),
    (b"filename*=utf-8''T%C3%BCr.png; filename=\"T_r.png\"", "Tür.png"),
    (b"filename*=no-such-codec''T%FCr.png; filename=\"plain.png\"", "plain.png"),
    (b"filename*0=\"long\"; filename*1=\"er.png\"", "longer.png"),
    ("filename=\"Tür;1=2.png\"".encode(), "Tür;1=2.png"),
    ("filename=\"Tür.png\"".encode("latin-1"), "Tür.png"),
    (b"FileName=token.png", "token.png"),
    (b'filename="a\\"b.png"', 'a"b.png'),
    (b'filename="line1/../a.png"', "line1/../a.png"),
    (b'filename="C:\\shots\\a.png"', "C:\\shots\\a.png"),
    (b"filename*=utf-8''a%00%1B%0Ab.png", "a\0\x1b\nb.png"),
    (b'filename="' + b"n" * 300 + b'.png"', "n" * 300 + ".png"),
    (b"filename*=utf-8''" + b"%E5%90%8D" * 255 + b".png", "名" * 255 + ".png"),
    (b'filename=""', "image 1"),
])
def test_a_picture_is_judged_under_its_name(served, rest, name) -> None:
    assert names(send(served(), body(disposition(rest)))) == [name]


@pytest.mark.parametrize("head", [
    b'Content-Disposition: form-data; name="files"\r\nContent-Type: image/png',
    b'Content-Disposition: form-data; name="other"\r\nContent-Type: IMAGE/PNG; q=1',
    b'Content-Disposition: form-data; name="files"\r\nContent-Type: application/octet-stream',
    b'Content-Disposition: form-data; name="files"',
    b'Content-Disposition: form-data; name=""',
    b'Content-Disposition: form-data',
    b"Content-Type: image/png",
    b"X-Odd: 1",
    b"",
])
def test_a_picture_without_a_name_is_judged(served, head) -> None:
    head = head or b"X: y"
    assert names(send(served(), body(head, NAMED))) == ["image 1", "a.png"]


def test_pictures_of_one_name_and_of_mixed_forms_are_all_judged(served) -> None:
    star = disposition(b"filename*=utf-8''T%C3%BCr.png")
    bare = b'Content-Disposition: form-data; name="files"\r\nContent-Type: image/png'
    assert names(send(served(), body(NAMED, star, bare, NAMED, NAMED))) == [
        "a.png", "Tür.png", "image 3", "a.png", "a.png"]


@pytest.mark.parametrize("kind", [
    "Multipart/Form-Data; boundary=x", "MULTIPART/FORM-DATA;BOUNDARY=x",
    'multipart/form-data ; Boundary="x"; charset=utf-8',
    "multipart/form-data; charset=; boundary=x",
    "multipart/form-data; charset=klingon-8; boundary=x",
    "multipart/form-data; charset=zip; boundary=x"])
def test_the_media_type_in_any_case_and_with_any_charset(served, kind) -> None:
    name = disposition("filename=\"Tür.png\"".encode())
    assert names(send(served(), body(name, NAMED), kind)) == ["Tür.png", "a.png"]


@pytest.mark.parametrize(("charset", "name"), [
    ("iso-8859-1", "Tür.png"), ("shift_jis", "名前.png"), ("utf-16-le", "Tür.png")])
def test_names_in_the_charset_of_the_form(served, charset, name) -> None:
    part = disposition(b"filename=" + name.encode(charset))
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    if charset == "utf-16-le":  # cannot be told from others, but is answered
        assert len(names(send(served(), body(part), kind))) == 1
    else:
        assert names(send(served(), body(part), kind)) == [name]


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape"])
def test_names_that_are_no_unicode_are_answered(served, charset) -> None:
    parts = [disposition(b"filename*=" + charset.encode() + b"''%2B2AA-%5Cud800.png"),
             disposition(b'filename="\\\\ud800+2AA-.png"')]
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    assert len(names(send(served(), body(*parts), kind))) == 2


@pytest.mark.parametrize(("coding", "content"), [
    (b"base64", CODED), (b"BASE64", base64.encodebytes(png()).replace(b"\n", b"\r\n")),
    (b"quoted-printable", b"".join(b"=%02X" % byte for byte in png())), (b"binary", png()),
    (b"8bit", png())])
def test_parts_that_are_coded_as_in_mail(served, coding, content) -> None:
    head = NAMED + b"\r\nContent-Transfer-Encoding: " + coding
    assert names(send(served(), body((head, content), NAMED))) == ["a.png", "a.png"]


@pytest.mark.parametrize(("parts", "part"), [
    ([(b'Content-Disposition: form-data; name="image"', CODED)],
     "part 2 of the form ('image') holds a picture as text (base64)"),
    ([(b'Content-Disposition: form-data; name="image"', b"data:image/png;base64," + CODED)],
     "holds a picture as text (base64)"),
    ([(b'Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json',
       json.dumps({"image": CODED.decode()}).encode())], "holds a picture as text (base64)"),
    ([(b'Content-Disposition: form-data; name="files"', b"a.png")],
     "part 2 of the form ('files') has neither a file name nor the media type of an image"),
    ([(b'Content-Disposition: form-data; name="blob"', b"\0\1\2" * 99)], "bytes that are no text"),
    ([(b'Content-Disposition: form-data; name="latin"', b"f\xfcr")], "bytes that are no text"),
    ([(b'Content-Disposition: form-data; name="novel"', b"word " * 1000)], "more than 4096 bytes"),
    ([(b"Content-Disposition: form-data; filename*=klingon''%FC.png", png())],
     "part 2 of the form has a filename* that is no text in 'klingon'"),
    ([(b"Content-Disposition: form-data; filename*=utf-8''%FC.png", png())], "no text in 'utf-8'"),
    ([(b"Content-Disposition: form-data; filename*=utf-8''a; filename*0=b", png())],
     "part 2 of the form has a Content-Disposition that cannot be understood"),
    ([(NAMED + b"\r\nContent-Transfer-Encoding: base64", png())],
     "part 2 of the form ('files') is no base64"),
    ([(NAMED + b"\r\nContent-Transfer-Encoding: x-uuencode", b"begin")],
     "unknown Content-Transfer-Encoding 'x-uuencode'"),
    ([(b'Content-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=y',
       body(NAMED, NAMED, boundary=b"y"))], "is a multipart/mixed itself"),
    ([(disposition(b'filename="' + b"n" * 9000 + b'.png"'), png())], "header size exceeded"),
])
def test_a_form_with_a_picture_that_would_be_left_out_is_refused(served, parts, part) -> None:
    answer = send(served(), body(NAMED, *parts))
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"] and part in answer.json()["error"]


@pytest.mark.parametrize(("content", "part"), [
    (body(NAMED, NAMED, end=b""), "before its last boundary"),
    (body(NAMED, NAMED)[:-40], "before its last boundary"),
    (body(NAMED)[:30], "before its last boundary"),
    (body(NAMED) + body(NAMED), "its boundary occurs 4 times for 1 parts"),
    (body(NAMED) + b"--x\r\n" + NAMED + b"\r\n\r\n" + png(), "occurs 3 times for 1 parts"),
    (body(NAMED, NAMED).replace(b"\x82\r\n--x\r\n", b"\x82--x\r\n"), "occurs 3 times for 1 part"),
    (body(NAMED, NAMED).replace(b"\x82\r\n--x\r\n", b"\x82\n--x\r\n"), "occurs 3 times for 1 part"),
    (body(NAMED, NAMED).replace(b"\x82\r\n--x\r\n", b"\x82\r\n--x;\r\n"), "for 1 parts"),
    (body(NAMED, NAMED, boundary=b"y"), "cannot be read"),
    (body(NAMED, NAMED).replace(b"\r\n", b"\n"), "cannot be read"),
    (b"", "before its last boundary"),
    (b"--x--\r\n", "without a file"),
    (png(), "cannot be read"),
])
def test_a_form_that_is_cut_or_split_wrongly_is_refused(served, content, part) -> None:
    answer = send(served(), content)
    assert answer.status_code == 400
    assert part in answer.json()["error"]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_form_may_come_in_pieces(served, size) -> None:
    content = body(NAMED, disposition(b"filename*=utf-8''b.png"), boundary=b"-x-")

    def pieces():
        for start in range(0, len(content), size):
            yield content[start:start + size]

    answer = served().post(PREDICT, content=pieces(), headers={
        "content-type": "multipart/form-data; boundary=-x-"})
    assert names(answer) == ["a.png", "b.png"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=",
                                  "multipart/form-data; charset=x"])
def test_a_form_without_a_boundary_is_refused(served, kind) -> None:
    answer = send(served(), body(NAMED), kind)
    assert answer.status_code == 400 and "expected a boundary" in answer.json()["error"]


@pytest.mark.parametrize("value", ["", "batch 12", "für", '{"shift": 2}'])
def test_text_fields_are_named_in_the_answer(served, value) -> None:
    answer = served().post(PREDICT, files=[("files", ("a.png", png()))], data={"remark": value})
    assert names(answer) == ["a.png"]
    assert answer.json()["not_read"] == ["remark"]


def test_as_many_files_as_are_allowed(served) -> None:
    client = served(max_images=3)
    assert len(names(send(client, body(NAMED, NAMED, NAMED)))) == 3
    for number in (4, 7, 50):
        answer = send(client, body(*[NAMED] * number))
        assert answer.status_code == 400 and "at most 3 files" in answer.json()["error"]
