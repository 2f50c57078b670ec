"""An encoder: a fitted hasher with all that stands between a picture and its code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hashbench import arguments
from hashbench.codes import Codes
from hashbench.encoder.fronts import Front, front_of
from hashbench.encoder.pictures import Lenient, Pictures
from hashbench.hasher import Hasher
from hashbench.items import ImageSource
from hashbench.sight import Sight

if TYPE_CHECKING:
    from hashbench.backbones.backbone import Backbone

#: Features held before they are encoded.
CHUNK = 4096

Progress = Callable[[int, int], None]


class Encoder:
    """Pictures in, codes out; `hashbench.load` makes one.

    Args:
        hasher: a fitted hasher.
        sight: the backbone it was trained with, and the images' shape.
        network: that backbone with weights of its own; None for those installed here.

    Example:
        >>> import hashbench, numpy as np, tempfile
        >>> from hashbench.baselines.pcah import PCAH
        >>> from hashbench.sight import Sight
        >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
        >>> hasher = PCAH(bits=8).fit(images.reshape(20, -1) / np.float32(255))
        >>> encoder = hashbench.Encoder(hasher, Sight("pixels", (8, 8, 3)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     codes = hashbench.load(encoder.save(f"{folder}/my-hash")).encode(images)
        >>> encoder.bits, bool((codes.packed == encoder.encode(images).packed).all())
        (8, True)
    """

    def __init__(self, hasher: Hasher, sight: Sight, network: Backbone | None = None) -> None:
        self.hasher = hasher
        self.sight = sight
        self.network = network

    @property
    def bits(self) -> int:
        """Code length."""
        return self.hasher.bits

    @cached_property
    def digest(self) -> str:
        """sha256 of the fitted hasher and of what it was shown: who made a code."""
        from hashbench.saved import dump_hasher

        return hashlib.sha256(dump_hasher(self.hasher, self.sight)).hexdigest()

    @cached_property
    def front(self) -> Front:
        """What stands before the hasher, its network compiled; takes seconds the first time."""
        from hashbench.backbones import provided

        with nullcontext() if self.network is None else provided(self.network):
            return front_of(self.hasher, self.sight)

    def encode(self, images: Any) -> Codes:
        """Codes of pictures, in order; nothing is written anywhere.

        Args:
            images: paths, a folder, PIL images, arrays or a batch of tensors, as
                `Pictures.of` takes them.

        Raises:
            InputError: naming the first picture that cannot be read.
        """
        return self._run(images if isinstance(images, Pictures) else Pictures.of(images))

    def encode_readable(
        self, pictures: Pictures, progress: Progress | None = None
    ) -> tuple[Codes, NDArray[np.int64], dict[int, str]]:
        """Codes of those pictures that can be read.

        Args:
            pictures: what to encode.
            progress: called with how many are done and how many there are.

        Returns:
            The codes, the positions they belong to, and why the others could not be
            read, by position.
        """
        lenient = Lenient(pictures)
        codes = self._run(lenient, progress)
        kept = np.setdiff1d(np.arange(len(pictures)), list(lenient.bad))
        bad = dict(sorted(lenient.bad.items()))
        return codes.subset(kept), kept, bad

    def save(self, path: str | Path) -> Path:
        """Write a folder that `hashbench.load` reads anywhere: hasher, network, preprocessing.

        Raises:
            InputError: if something else is there, or it cannot be written.
        """
        from hashbench.encoder.folder import save

        return save(self, arguments.path("path", path))

    def _run(self, source: ImageSource, progress: Progress | None = None) -> Codes:
        from hashbench.backbones.extraction import Decoder

        front = self.front
        decoder = Decoder(source, front.frame)
        parts: list[Codes] = []
        held: list[NDArray[np.float32]] = []
        done = 0
        for features in front.features(decoder.batches(np.arange(len(source)))):
            held.append(features)
            done += len(features)
            if progress is not None:
                progress(done, len(source))
            if sum(map(len, held)) >= CHUNK or done == len(source):
                parts.append(front.codes(np.concatenate(held)))
                held.clear()
        return Codes.concatenate(parts)
