"""Published evaluators, a file each group: what they follow and do differently."""

from __future__ import annotations

from collections.abc import Mapping

from hashbench.evaluation.convention import Convention
from hashbench.evaluation.conventions.csq import CSQ
from hashbench.evaluation.conventions.deephash import DEEPHASH, DEEPHASH_ALL, DEEPHASH_RERANK
from hashbench.evaluation.conventions.deephash_pytorch import DEEPHASH_PYTORCH
from hashbench.evaluation.conventions.hashnet import HASHNET, HASHNET_CAFFE
from hashbench.evaluation.conventions.house import GRADED, HOUSE
from hashbench.evaluation.conventions.latent import DSH_PYTORCH, PYTORCH_DEEPHASH
from hashbench.evaluation.conventions.orthohash import FIRE, FIRE_OLD, ORTHOHASH
from hashbench.evaluation.conventions.pairwise import DCMH, DJSRH, DPSH, DSDH
from hashbench.evaluation.conventions.sdh_matlab import SDH_MATLAB

BUILT_IN = (
    HOUSE,
    GRADED,
    DEEPHASH,
    DEEPHASH_ALL,
    DEEPHASH_RERANK,
    HASHNET,
    HASHNET_CAFFE,
    DEEPHASH_PYTORCH,
    ORTHOHASH,
    FIRE,
    FIRE_OLD,
    DPSH,
    DSDH,
    DJSRH,
    DCMH,
    CSQ,
    PYTORCH_DEEPHASH,
    DSH_PYTORCH,
    SDH_MATLAB,
)


def conventions() -> Mapping[str, Convention]:
    """Every named convention, by name: ours in order, then those of plugins."""
    from hashbench import registries

    return registries.conventions().parts()
