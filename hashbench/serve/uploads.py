"""Pictures that a browser sends: bounded, kept in memory, decoded as any stranger's."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from hashbench.data.images import decode_stream
from hashbench.errors import InputError

#: Bytes of the largest request.
LARGEST = 16 * 2**20

_TOO_LARGE = f"the upload is larger than {LARGEST // 2**20} MB: shrink the picture"


class _InMemory(MultiPartParser):
    """Never a file on disk, however large a part is."""

    spool_max_size = LARGEST + 1


async def form_of(request: Request) -> FormData:
    """The fields of an upload.

    Raises:
        InputError: if it is too large, or no form.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and len(length) < 20 and int(length) > LARGEST:
        raise InputError(_TOO_LARGE)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError("the upload is no form: send the picture with the page's own button")

    async def bounded() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST:
                raise InputError(_TOO_LARGE)
            yield chunk

    try:
        return await _InMemory(request.headers, bounded(), max_files=1, max_fields=10).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("the upload is damaged: send the picture again") from error


async def picture_of(form: FormData) -> NDArray[np.uint8]:
    """The picture in the field "picture".

    Raises:
        InputError: if there is none, or it cannot be decoded.
    """
    sent = form.get("picture")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise InputError("no picture was sent: choose one first")
    data = await sent.read()
    return decode_stream(io.BytesIO(data), "the picture you sent")
