"""The evaluators of DeepHash, the TensorFlow toolbox of DCH's authors."""

from hashbench.evaluation.convention import Convention

_FILE = "thulab/DeepHash, DeepHash/evaluation/__init__.py"

DEEPHASH = Convention(
    name="deephash",
    source=f"{_FILE}: get_precision_recall_by_Hamming_Radius",
    differs="The ball is re-ranked by the inner product of the real outputs; a ball without a hit "
    "is dropped from the mean. What DCH reports as MAP@H<=2.",
    rank="outputs",
    nohit="drop",
    sgn0="random",
    scope="ball",
    unstable=True,
)

DEEPHASH_ALL = Convention(
    name="deephash-all",
    source=f"{_FILE}: get_precision_recall_by_Hamming_Radius_All",
    differs="Arbitrary order of ties; the sign of 0 is a coin toss.",
    sgn0="random",
    scope="ball",
    unstable=True,
)

DEEPHASH_RERANK = Convention(
    name="deephash-rerank",
    source=f"{_FILE}: get_mAPs_after_sign_with_feature_rerank",
    differs="By distance, within a distance by the real outputs; lists without a hit are dropped. "
    "R: 54,000 for CIFAR-10, 5,000 for NUS-WIDE and COCO.",
    rank="rerank",
    nohit="drop",
    cutoff=5000,
    sgn0="random",
    scope="list",
    unstable=True,
)
