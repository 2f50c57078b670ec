"""Evaluators of single-label scripts that divide 0 by 0."""

from hashbench.evaluation.convention import Convention

PYTORCH_DEEPHASH = Convention(
    name="pytorch-deephash",
    source="flyingpot/pytorch_deephash, evaluate.py: evaluate",
    differs="An empty ball reads the precision of the whole database; a query with nothing to find "
    "makes the mAP NaN. Single-label data only.",
    empty="database",
    norelevant="nan",
    unstable=True,
)

DSH_PYTORCH = Convention(
    name="dsh-pytorch",
    source="weixu000/DSH-pytorch, utils.py: compute_mAP",
    differs="The distance counts signs that differ, so that 0 is a third sign; a query with "
    "nothing to find makes the mAP NaN. Single-label data only.",
    norelevant="nan",
    sgn0="symbol",
    scope="list",
    unstable=True,
)
