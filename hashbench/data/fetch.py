"""Archives: fetched, verified by their published checksum, unpacked."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import urllib.request
from pathlib import Path

from hashbench.errors import InputError, shown
from hashbench.files import open_regular


def fetch(url: str, path: Path, md5: str) -> None:
    """Download what is missing or damaged.

    Raises:
        InputError: if it cannot be fetched or written, or is not what was published.
    """
    if matches(path, md5):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as aside:
            whole = Path(aside) / path.name
            with urllib.request.urlopen(url) as answer, whole.open("wb") as stream:
                while chunk := answer.read(2**20):
                    stream.write(chunk)
            if not matches(whole, md5):
                raise InputError(f"{url} gave another file than the published one: try again")
            whole.replace(path)
    except OSError as error:
        raise InputError(f"{url} could not be fetched: {shown(error)}") from error


def matches(path: Path, md5: str) -> bool:
    """Whether a file is there and has this checksum."""
    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, "md5").hexdigest() == md5
    except OSError:
        return False


def unpack(archive: Path, md5: str, name: str) -> None:
    """Unpack the folder `name` of a tar archive beside it, unless it is there.

    Raises:
        InputError: if the archive is missing or damaged, or cannot be unpacked.
    """
    folder = archive.parent / name
    if folder.exists():
        return
    if not matches(archive, md5):
        raise InputError(f"{archive} is missing or damaged: fetch it again")
    try:
        # Unpacked aside and renamed: two runs at once must not read half a batch.
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".unpack-") as aside:
            with tarfile.open(archive) as tar:
                # An argument from Python 3.11.4 on; before it nothing looks at this.
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(aside)
            if not folder.exists():
                (Path(aside) / name).rename(folder)
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{archive} could not be unpacked: {shown(error)}") from error
