"""The evaluators of OrthoHash and of FIRe, the harness that grew out of it."""

from hashbench.evaluation.convention import Convention

ORTHOHASH = Convention(
    name="orthohash",
    source="kamwoh/orthohash, functions/hashing.py: calculate_mAP",
    differs="Arbitrary order of ties (torch.topk). "
    "R: 59,000 or 50,000 for CIFAR-10, 5,000 for NUS-WIDE and COCO, 1,000 for ImageNet.",
    sgn0="zero",
    scope="list",
    unstable=True,
)

FIRE = Convention(
    name="fire",
    source="CISiPLab/cisip-FIRe, functions/metrics.py: calculate_mAP",
    differs="As orthohash. R: 59,000 or 50,000 for CIFAR-10, 5,000 for NUS-WIDE and COCO, 1,000 "
    "for ImageNet100, MIRFlickr, SOP and Food-101, 100 for cars, landmarks and SOP instances.",
    sgn0="zero",
    scope="list",
    unstable=True,
)

FIRE_OLD = Convention(
    name="fire-old",
    source="CISiPLab/cisip-FIRe, functions/metrics.py: calculate_mAP with old_eval=True",
    differs="As fire, but queries without a hit are dropped from the mean.",
    nohit="drop",
    sgn0="zero",
    scope="list",
    unstable=True,
)
