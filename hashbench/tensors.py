"""What `torch.save` wrote, loaded without executing anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from hashbench.files import open_regular


def load_plain(path: Path, *, checked: bool = False) -> Any:
    """What `torch.save` wrote, on the CPU: tensors and plain values, nothing that is executed.

    Args:
        path: the file.
        checked: whether its checksums must be right, as those of our own files are: PyTorch
            reads flipped bits for what they are now, and others may save without checksums.

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
                if checked and archive.testzip() is not None:
                    raise ValueError("its content does not fit its checksums")
        stream.seek(0)
        return torch.load(stream, map_location="cpu", weights_only=True)
