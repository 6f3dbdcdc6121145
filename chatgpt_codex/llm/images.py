"""Image and file parts from addresses, bytes and files, checked before anything is sent."""

import mimetypes
from base64 import b64encode
from pathlib import Path

from .errors import InvalidRequestError
from .messages import FilePart, ImageDetail, ImagePart, Message
from .requests import Request

MAX_ENCODED_BYTES = 50_000_000
"""OpenAI takes no larger request (https://platform.openai.com/docs/guides/images-vision)."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_from_url(url: str, *, detail: ImageDetail = "auto") -> ImagePart:
    """The image at an http or https address, or in a `data:image/…;base64,` URL.

    Raises:
        InvalidRequestError: it is neither, or too large.
    """
    part = ImagePart(url=url, detail=detail)
    _check_image(part)
    return part


def image_from_bytes(data: bytes, *, detail: ImageDetail = "auto") -> ImagePart:
    """The image that `data` holds: PNG, JPEG, GIF or WebP, told by its first bytes.

    Raises:
        InvalidRequestError: it is none of these, or too large.
    """
    media_type = _image_type(data)
    if media_type is None:
        raise InvalidRequestError("The image is not PNG, JPEG, GIF or WebP. Convert it to one of these.")
    return image_from_url(f"data:{media_type};base64,{_encoded(data, 'image')}", detail=detail)


def image_from_file(path: Path, *, detail: ImageDetail = "auto") -> ImagePart:
    """The image in a file; reads it, so call it in a thread where a loop must not wait.

    Raises:
        InvalidRequestError: the file cannot be read, is no PNG, JPEG, GIF or WebP, or is too large.
    """
    return image_from_bytes(_read(path), detail=detail)


def file_from_bytes(data: bytes, filename: str) -> FilePart:
    """The file that `data` holds, such as a PDF; its type follows from its name.

    Raises:
        InvalidRequestError: it is too large.
    """
    media_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return FilePart(filename=filename, data_url=f"data:{media_type};base64,{_encoded(data, 'file')}")


def file_from_file(path: Path) -> FilePart:
    """The file at `path`; reads it, so call it in a thread where a loop must not wait.

    Raises:
        InvalidRequestError: the file cannot be read, or is too large.
    """
    return file_from_bytes(_read(path), path.name)


def check_images(request: Request) -> None:
    """Refuses images that no server takes, before a request with megabytes of them is sent.

    Raises:
        InvalidRequestError: an image is neither a web address nor a data URL of an image, or too large.
    """
    for item in request.input:
        if isinstance(item, Message) and not isinstance(item.content, str):
            for part in item.content:
                if isinstance(part, ImagePart):
                    _check_image(part)


def _check_image(part: ImagePart) -> None:
    if part.url.startswith(("https://", "http://")):
        return
    head = part.url[:100].lower()
    if not head.startswith("data:image/") or ";base64," not in head:
        raise InvalidRequestError(
            "An image is neither a web address nor a data URL. Give https://… or data:image/png;base64,…."
        )
    _check_size(len(part.url), "image")


def _encoded(data: bytes, what: str) -> str:
    _check_size(len(data) * 4 // 3, what)
    return b64encode(data).decode("ascii")


def _check_size(size: int, what: str) -> None:
    if size > MAX_ENCODED_BYTES:
        raise InvalidRequestError(
            f"The {what} is too large: {size:,} bytes as base64, and a request can have {MAX_ENCODED_BYTES:,}. "
            "Make it smaller, or give its web address."
        )


def _image_type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for signature, media_type in _SIGNATURES if data.startswith(signature)), None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}. Check the path.") from None
