"""Any three image lists as a data set: `--datasets lists:DIR`, or imported under a name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, Status
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.listfile import class_names, read_list
from hashbench.data.places import base_of, without
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.parsing import in_number, printable
from hashbench.spelling import MOST_BYTES, Spelling, composed, typed

PREFIX = "lists:"

#: part -> the names its list may have
NAMES = {"query": ("query", "test"), "train": ("train",), "database": ("database",)}

#: Marks a folder under the data root as imported lists, and says where its images are.
MARKER = "hashbench-lists.json"


class ImageLists(Dataset):
    """Query, training and database images as three files list them.

    The folder holds `query.txt` (or `test.txt`), `train.txt` and `database.txt`,
    each of them possibly gzipped, and perhaps `classes.txt` with one class name a
    line. Images are looked for under the image root, the folder itself, its
    `images/` and the data root; leading folders of another machine are dropped.

    Args:
        root: the data root.
        folder: where the lists are.
        images: the image root, if it is another folder.
        **options: as for `Dataset`.
    """

    name: ClassVar[str] = "lists"
    summary = "your own query, training and database lists: lists:DIR"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "lists": Protocol("lists", 0, None, False, "as the lists say")
    }
    default_protocol = "lists"
    published = False

    def __init__(
        self, root: Path, folder: Path, images: Path | None = None, /, **options: Any
    ) -> None:
        super().__init__(root, **options)
        self._folder = folder
        self._roots = [path for path in (images, folder, folder / "images", root) if path]
        self._spelling = Spelling()

    @property
    def folder(self) -> Path:
        """Where the lists are."""
        return self._folder

    def status(self) -> Status:
        """Whether all three lists are there."""
        try:
            for part in NAMES:
                self._find(part)
        except InputError as error:
            return Status(False, str(self.folder), str(error))
        return Status(True, str(self.folder))

    def load(self, protocol: Protocol) -> LabelledImages:
        """The images of all three lists, in the order query, training, database.

        Raises:
            InputError: for lists that are missing, malformed, or label one image
                in two ways.
        """
        lists = {part: read_list(self._find(part)) for part in NAMES}
        rows: dict[str, int] = {}
        labels: list[NDArray[np.uint8]] = []
        files: list[Path] = []
        parts = []
        for content in lists.values():
            root, depth = base_of(content.paths, self._roots, self._spelling)
            first = lists["query"]
            if content.labels.shape[1] != first.labels.shape[1]:
                raise InputError(
                    f"{content.file} has {in_number(content.labels.shape[1], 'class', 'classes')} "
                    f"and {first.file} has "
                    f"{first.labels.shape[1]}: take lists of one data set"
                )
            mine = np.empty(len(content.paths), np.int64)
            for index, path in enumerate(content.paths):
                name = without(path, depth, f"{content.file}, line {content.lines[index]}")
                row = rows.setdefault(name, len(rows))
                if row == len(labels):
                    labels.append(content.labels[index])
                    files.append(Path(self._spelling.path(root, name)))
                elif not np.array_equal(labels[row], content.labels[index]):
                    raise InputError(
                        f"{content.file}, line {content.lines[index]} labels {shown(name)} "
                        "otherwise than an earlier list does: take lists of one data set"
                    )
                mine[index] = row
            twice = np.flatnonzero(np.bincount(mine) > 1)
            if len(twice):
                raise InputError(
                    f"{content.file} lists two images that are both {shown(files[twice[0]].name)} "
                    f"without the folders left out of its paths: keep the folders in {root}"
                )
            parts.append(mine)
        query, train, database = parts
        source = FileSource(files, list(rows))
        classes = class_names(self.folder, labels[0].size)
        return LabelledImages(
            source,
            np.stack(labels),
            classes,
            parts=(query, train, database),
            looked=tuple(dict.fromkeys(self._roots)),
        )

    def labelled(self, protocol: Protocol) -> LabelledImages:
        """The same: the lists say the labels, whether their images are there or not."""
        return self.load(protocol)

    def _find(self, part: str) -> Path:
        names = [f"{name}{suffix}" for name in NAMES[part] for suffix in (".txt", ".txt.gz")]
        found = [self.folder / name for name in names if (self.folder / name).is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(
                f"{self.folder} has both {found[0].name} and {found[1].name}: keep one"
            )
        if not self.folder.is_dir():
            raise InputError(
                f"there is no folder {shown(str(self.folder), 200)}: name the one that holds the "
                "three lists"
            )
        raise InputError(f"{self.folder} has no {part} list: put one there as {' or '.join(names)}")


def has_lists(folder: Path) -> bool:
    """Whether any of the three lists is in a folder."""
    return any(
        (folder / f"{name}.txt{end}").is_file()
        for names in NAMES.values()
        for name in names
        for end in ("", ".gz")
    )


def import_lists(lists: Path, name: str, root: Path, images: Path | None = None) -> Path:
    """Copy three lists into the data root, where `name` finds them.

    Args:
        lists: the folder they are in.
        name: what `--datasets` will call them.
        root: the data root.
        images: where their images are, if not beside the lists.

    Returns:
        The folder they were copied to.

    Raises:
        InputError: if the lists are not usable or the name is taken.
    """
    dataset = ImageLists(root, lists, images)
    dataset.load(dataset.protocol())
    folder = typed(root / composed(name))
    if not name.isidentifier():
        raise InputError(f"'{name}' is no name for a data set: use letters, digits and _")
    if folder.exists():
        raise InputError(f"{folder} is there already: remove it or choose another name with --as")
    try:
        folder.mkdir(parents=True)
        wanted = [dataset._find(part) for part in NAMES]
        for path in [*wanted, lists / "classes.txt"]:
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        marker = {"images": str((images or lists).resolve())}
        (folder / MARKER).write_text(json.dumps(marker) + "\n")
    except OSError as error:
        raise InputError(f"the lists cannot be copied to {folder}: {error}") from error
    return folder


def imported(name: str, root: Path, **options: Any) -> ImageLists | None:
    """The imported lists called `name`, or None.

    Raises:
        InputError: if their marker file is damaged.
    """
    if not name.isidentifier() or len(name) > MOST_BYTES:
        return None
    marker = typed(root / name) / MARKER
    if not marker.is_file():
        return None
    try:
        images = json.loads(marker.read_text("utf-8"))["images"]
        if not printable(images):
            raise ValueError("no path")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{marker} is damaged: import the lists again") from error
    return ImageLists(root, marker.parent, typed(images), **options)


def imported_names(root: Path) -> list[str]:
    """Names of the lists imported into a data root."""
    return sorted(composed(path.parent.name) for path in root.glob(f"*/{MARKER}"))
