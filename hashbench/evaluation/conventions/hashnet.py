"""The evaluators of HashNet and DHN."""

from hashbench.evaluation.convention import Convention

HASHNET = Convention(
    name="hashnet",
    source="thuml/HashNet, pytorch/src/test.py; thuml/hash-caffe, DHN's predict script",
    differs="The first R items; queries without a hit are dropped. "
    "R: 5,000 for NUS-WIDE and COCO, 1,000 for ImageNet.",
    nohit="drop",
    norelevant="drop",
    cutoff=5000,
    sgn0="zero",
    scope="list",
    unstable=True,
)

HASHNET_CAFFE = Convention(
    name="hashnet-caffe",
    source="thuml/HashNet, caffe/models/predict/predict_parallel.py",
    differs="As hashnet, but a query with something to find and no hit scores 0.",
    norelevant="drop",
    cutoff=5000,
    sgn0="zero",
    scope="list",
    unstable=True,
)
