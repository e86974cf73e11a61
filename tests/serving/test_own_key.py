"""A server that others reach has a key, also where nobody gave it one."""

import pytest

from hdm.errors import ConfigError
from hdm.serving.own_key import own_key, own_key_file
from hdm.serving.serving_options import read_api_key


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path) -> None:
    key = own_key(tmp_path)
    assert len(key) >= 40 and own_key(tmp_path) == key
    assert own_key_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert list(own_key_file(tmp_path).parent.iterdir()) == [own_key_file(tmp_path)]
    assert own_key(tmp_path / "other") != key


@pytest.mark.parametrize("damage", [
    lambda file: file.chmod(0o644), lambda file: file.write_text("\n"),
    lambda file: (file.rename(file.with_name("a")), file.symlink_to("a")),
    lambda file: (file.unlink(), file.symlink_to("nowhere")), lambda file: file.write_text("a\nb")])
def test_a_key_that_others_may_know_is_not_used(tmp_path, damage) -> None:
    own_key(tmp_path)
    damage(own_key_file(tmp_path))
    with pytest.raises(ConfigError, match="key"):
        own_key(tmp_path)


@pytest.mark.parametrize("key", ["a\nb", "a\0b", "a\x1bb"])
def test_a_key_that_no_header_carries_is_refused(tmp_path, key) -> None:
    (tmp_path / "key").write_text(key)
    with pytest.raises(ConfigError, match="no header can carry"):
        read_api_key("", tmp_path / "key")


@pytest.mark.parametrize("key", ["sécret", "キー", "a b"])
def test_a_key_in_any_letters(served, key) -> None:
    client = served(api_key=key)
    path = "/v1/plate/model"
    assert client.get(path, headers={"X-API-Key": key.encode()}).status_code == 200
    for other in (b"\xff\xfe", key.encode()[:-1], b"", key.encode() + b"\xc3"):
        assert client.get(path, headers={"X-API-Key": other}).status_code == 401
