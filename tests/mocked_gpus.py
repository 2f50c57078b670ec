"""GPUs that are not there, for tests of what is done with them."""

from __future__ import annotations

import pytest
import torch
import torch._dynamo  # when it is first imported it looks at the functions that are mocked here


def pretend(monkeypatch: pytest.MonkeyPatch, cuda: int = 0, *, mps: bool = False) -> None:
    """Let PyTorch count so many CUDA devices, and say that there is MPS or not."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
