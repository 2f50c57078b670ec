"""The evaluator of the most used PyTorch collection."""

from hashbench.evaluation.convention import Convention

DEEPHASH_PYTORCH = Convention(
    name="deephash-pytorch",
    source="swuxyj/DeepHash-pytorch, utils/tools.py: CalcTopMap with topK = -1",
    differs="[0:-1] drops the last item of the ranking. "
    "R: -1 for CIFAR-10, MIRFlickr and VOC, 5,000 for NUS-WIDE and COCO, 1,000 for ImageNet.",
    cutoff=-1,
    sgn0="zero",
    scope="list",
    unstable=True,
)
