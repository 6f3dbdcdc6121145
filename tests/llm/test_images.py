from base64 import b64decode
from pathlib import Path

import pytest

from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.images import (
    MAX_ENCODED_BYTES,
    check_images,
    file_from_bytes,
    file_from_file,
    image_from_bytes,
    image_from_file,
    image_from_url,
)
from chatgpt_codex.llm.messages import ImagePart, Message
from chatgpt_codex.llm.requests import Request

STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP",
}


@pytest.mark.parametrize("media_type", STARTS)
def test_bytes_are_told_by_their_start(media_type: str) -> None:
    data = STARTS[media_type] + b"rest"
    part = image_from_bytes(data, detail="high")
    head, _, encoded = part.url.partition(",")
    assert (head, part.detail, b64decode(encoded)) == (f"data:{media_type};base64", "high", data)


def test_bytes_that_are_no_image() -> None:
    with pytest.raises(InvalidRequestError, match="not PNG, JPEG, GIF or WebP"):
        image_from_bytes(b"%PDF-1.7")


def test_too_large() -> None:
    with pytest.raises(InvalidRequestError, match=r"too large: 50,000,\d+ bytes"):
        image_from_bytes(STARTS["image/png"] + bytes(MAX_ENCODED_BYTES * 3 // 4))


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(STARTS["image/png"])
    assert image_from_file(path) == image_from_bytes(STARTS["image/png"])
    with pytest.raises(InvalidRequestError, match=r"gone\.png cannot be read: No such file"):
        image_from_file(tmp_path / "gone.png")


def test_a_files_type_follows_from_its_name(tmp_path: Path) -> None:
    assert file_from_bytes(b"x", "a.pdf").data_url == "data:application/pdf;base64,eA=="
    path = tmp_path / "a.unheard-of"
    path.write_bytes(b"x")
    assert file_from_file(path).data_url == "data:application/octet-stream;base64,eA=="
    assert file_from_file(path).filename == "a.unheard-of"


@pytest.mark.parametrize("address", ["ftp://x/a.png", "/tmp/a.png", "data:text/plain;base64,eA==", "data:image/png,x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(InvalidRequestError, match="neither a web address nor a data URL"):
        image_from_url(address)
    with pytest.raises(InvalidRequestError, match="neither a web address nor a data URL"):
        check_images(Request(model="m", input=(Message("user", (ImagePart(url=address),)),)))


def test_addresses() -> None:
    for address in ("https://x.test/a.png", "http://127.0.0.1/a", "data:image/png;base64,eA=="):
        assert image_from_url(address).url == address
