"""The evaluator of CSQ."""

from hashbench.evaluation.convention import Convention

CSQ = Convention(
    name="csq",
    source="yuanli2333/Hadamard-Matrix-for-hashing, test.py: mean_average_precision",
    differs="Queries without any label are left out; an output of 0 is +1. R: 1,000 for ImageNet, "
    "5,000 for COCO and NUS-WIDE.",
    unlabelled="drop",
    cutoff=5000,
    sgn0="positive",
    scope="list",
    unstable=True,
)
