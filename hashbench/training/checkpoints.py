"""Checkpoints: training that was stopped goes on from its last epoch, to the same result."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hashbench.errors import InputError, unless_scarce
from hashbench.files import write_atomically
from hashbench.tensors import load_plain

NAME = "training.pt"


@dataclass(frozen=True)
class Checkpoint:
    """The state of one training after its last whole epoch.

    Attributes:
        folder: where it is kept, or None to keep none.
        identity: what the training depends on; the state of another is not taken up.
        device: kind of device it runs on. Random states of another kind mean nothing here, and
            a training that began there would be of both: it starts from the beginning.
    """

    folder: Path | None
    identity: str
    device: str = "cpu"

    def load(self) -> dict[str, Any] | None:
        """The state that was saved; None if there is none, or it is damaged or of another training.

        Nothing in the file is executed, see `load_plain`.
        """
        if self.folder is None or not (self.folder / NAME).exists():
            return None
        path = self.folder / NAME
        try:
            # Random states stay on the CPU; the network and the optimiser move what is theirs.
            body = load_plain(path, checked=True)
            identity, state = body["identity"], body["state"]
            device = body.get("device", "cpu")
            if not isinstance(identity, str) or not isinstance(state, dict):
                raise TypeError("no state of a training")
        except Exception as error:  # damaged archives raise almost anything
            unless_scarce(error)
            warnings.warn(
                f"the checkpoint {path} is damaged ({type(error).__name__}): "
                "training starts from the beginning",
                stacklevel=2,
            )
            return None
        if identity != self.identity:
            return None
        if device != self.device:
            warnings.warn(
                f"the checkpoint {path} was made on another kind of device than {self.device}: "
                "training starts from the beginning",
                stacklevel=2,
            )
            return None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace what was saved before; a kill leaves the old state or the new one.

        Raises:
            InputError: if it cannot be written.
        """
        if self.folder is None:
            return
        body = {"identity": self.identity, "device": self.device, "state": state}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / NAME, lambda stream: torch.save(body, stream))
        # PyTorch's writer turns a full disk into a RuntimeError of its own.
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"the checkpoint {self.folder / NAME} cannot be written ({error}): make room there"
            ) from error
