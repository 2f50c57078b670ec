"""What `torch.save` wrote, loaded without executing anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from hashbench.files import open_regular


def load_plain(path: Path) -> Any:
    """What `torch.save` wrote, on the CPU: tensors and plain values, nothing that is executed.

    Raises:
        Exception: almost any, if the file is damaged or holds anything else.
    """
    import torch

    with open_regular(path) as stream:
        if zipfile.is_zipfile(stream):
            with zipfile.ZipFile(stream) as archive:
                for member in archive.infolist():
                    if member.compress_type != zipfile.ZIP_STORED:
                        # It could inflate to a thousand times its size.
                        raise ValueError("torch.save compresses nothing")
        stream.seek(0)
        return torch.load(stream, map_location="cpu", weights_only=True)
