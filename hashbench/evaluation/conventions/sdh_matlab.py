"""The evaluator of SDH's authors."""

from hashbench.evaluation.convention import Convention

SDH_MATLAB = Convention(
    name="sdh-matlab",
    source="bd622/DiscretHashing, cat_apcal.m",
    differs="Ties as stored: MATLAB's sort is stable. Single-label data only: the original "
    "compares whole labels.",
    order="stable",
    scope="list",
)
