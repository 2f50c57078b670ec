"""MS-COCO 2014 with its 80 classes, from the official instance annotations."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, Status
from hashbench.data.folders import cache_root
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.names import path_parts
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.files import open_regular, write_atomically
from hashbench.npy import read_arrays
from hashbench.parsing import in_number, printable

PARTS = ("train2014", "val2014")

#: Bytes of the largest file of annotations that is read; the official ones have a third of it.
LARGEST = 2**30

Labels = tuple[list[str], NDArray[np.uint8], tuple[str, ...]]


class COCO(Dataset):
    """The training and validation images of 2014 that have an instance label.

    Images are in the order of their ids, `<part>/<file name>`; classes are in
    the order of the official category ids.
    """

    name = "coco"
    title = "MS-COCO"
    summary = "MS-COCO 2014, 122,218 labelled images, 80 classes"
    citation = "Lin et al., ECCV 2014"
    bibtex = r"""@inproceedings{lin2014coco,
  author    = {Tsung-Yi Lin and Michael Maire and Serge Belongie and James Hays and
               Pietro Perona and Deva Ramanan and Piotr Doll{\'a}r and C. Lawrence Zitnick},
  title     = {{Microsoft COCO}: Common Objects in Context},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2014},
}"""
    licence = "annotations CC BY 4.0; images under Flickr's terms"
    url = "https://cocodataset.org/#download"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "coco": Protocol(
            name="coco",
            queries=5000,
            train=10_000,
            train_in_database=True,
            summary="5k queries, 117,218 database that holds the 10k training images (HashNet)",
            database=117_218,
            pins={0: "0b24f1d66fb31b7c425248066a81cfefbbe43ff9f9b89cb3ffebe00b5540cd8e"},
        )
    }
    default_protocol = "coco"
    #: Images of each part, labelled or not, as published.
    sizes: ClassVar[dict[str, int]] = {"train2014": 82_783, "val2014": 40_504}

    def status(self) -> Status:
        """Whether both annotation files and image folders are there."""
        needed = [self._annotations(part) for part in PARTS]
        needed += [self.folder / part for part in PARTS]
        missing = [str(path.relative_to(self.folder)) for path in needed if not path.exists()]
        if not missing:
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"put {', '.join(missing)} into {self.folder}: train2014.zip, val2014.zip and "
            f"annotations_trainval2014.zip from {self.url}",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """All labelled images.

        Raises:
            InputError: if the annotations are missing, damaged or not the official ones.
        """
        names, labels, classes = self._labels()
        source = FileSource([self.folder / name for name in names], names)
        return LabelledImages(source, labels, classes)

    def _annotations(self, part: str) -> Path:
        return self.folder / "annotations" / f"instances_{part}.json"

    def _labels(self) -> Labels:
        """Names and labels, kept in the cache: the annotations take half a minute to read."""
        key = hashlib.sha256()
        for part in PARTS:
            path = self._annotations(part)
            if not path.is_file():
                raise InputError(f"{path} is not there: {self.status().hint}")
            status = path.stat()
            key.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        kept = cache_root() / "labels" / f"coco-{key.hexdigest()[:20]}.npz"
        with contextlib.suppress(OSError, ValueError, KeyError):
            return _kept(kept)
        names, labels, classes = self._parse()
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            arrays: dict[str, Any] = {
                "names": np.array(names),
                "labels": labels,
                "classes": np.array(classes),
            }
            write_atomically(kept, lambda stream: np.savez_compressed(stream, **arrays))
        except OSError:
            pass  # without a cache it is read again next time
        return names, labels, classes

    def _parse(self) -> Labels:
        classes: dict[int, str] = {}
        found: dict[str, set[int]] = {}
        for part in PARTS:
            path = self._annotations(part)
            try:
                with open_regular(path) as stream:
                    if path.stat().st_size > LARGEST:
                        raise ValueError(f"it has more than {LARGEST:,} bytes")
                    content = json.load(stream)
                files = _named(content["images"], "file_name")
                kinds = _named(content["categories"], "name")
                pairs = {
                    (_whole(item["image_id"]), _whole(item["category_id"]))
                    for item in content["annotations"]
                }
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(
                    f"{path} is not COCO's instance annotations ({type(error).__name__}: "
                    f"{shown(error)}): unpack annotations_trainval2014.zip again"
                ) from error
            if any(path_parts(name, str(path)) != [name] for name in files.values()):
                raise InputError(f"{path} names an image that is in no folder of the part's own")
            if len(files) != self.sizes[part] or (classes and kinds != classes):
                raise InputError(
                    f"{path} lists {in_number(len(files), 'image', 'images')} in "
                    f"{in_number(len(kinds), 'class', 'classes')} and not "
                    f"{self.sizes[part]:,}: take the official file of 2014"
                )
            classes = kinds
            for image, kind in pairs:
                if image not in files or kind not in kinds:
                    raise InputError(
                        f"{path} labels image {shown(image)} with class {shown(kind)} and lists no "
                        "such image or class: unpack annotations_trainval2014.zip again"
                    )
                found.setdefault(f"{part}/{files[image]}", set()).add(kind)
        names = sorted(found)
        columns = {kind: column for column, kind in enumerate(sorted(classes))}
        labels = np.zeros((len(names), len(columns)), np.uint8)
        for row, name in enumerate(names):
            labels[row, [columns[kind] for kind in found[name]]] = 1
        return names, labels, tuple(classes[kind] for kind in sorted(classes))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{shown(value)} is no whole number")
    return value


def _named(entries: Any, key: str) -> dict[int, str]:
    """The value of `key` by id; ids and values are unique."""
    found: dict[int, str] = {_whole(entry["id"]): entry[key] for entry in entries}
    for name in found.values():
        if not isinstance(name, str) or not name or not printable(name):
            raise TypeError(f"{shown(name)} is no {key}")
    if not len(entries) == len(found) == len(set(found.values())):
        raise ValueError(f"two have the same id or {key}")
    return found


def _kept(path: Path) -> Labels:
    """Labels from the cache.

    Raises:
        OSError, ValueError, KeyError: if they are not there, or were not written by this class.
    """
    arrays = read_arrays(path, ("names", "labels", "classes"))
    names, labels, classes = arrays["names"], arrays["labels"], arrays["classes"]
    if names.dtype.kind != "U" or classes.dtype.kind != "U" or labels.dtype != np.uint8:
        raise ValueError("other kinds of values")
    if names.ndim != 1 or classes.ndim != 1 or labels.shape != (names.size, classes.size):
        raise ValueError("sizes that do not fit together")
    listed, kinds = names.tolist(), tuple(classes.tolist())
    for name in listed:
        part, _, file = name.partition("/")
        if part not in PARTS or path_parts(file, "it") != [file]:
            raise ValueError("a name that is none of COCO's")
    if not all(map(printable, kinds)):
        raise ValueError("a class without a name")
    return listed, labels, kinds
