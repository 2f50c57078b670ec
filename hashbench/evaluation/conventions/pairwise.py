"""Evaluators in the manner of DPSH: mean over all queries, no hit scores 0."""

from hashbench.evaluation.convention import Convention

DPSH = Convention(
    name="dpsh",
    source="jiangqy/DPSH-pytorch, utils/CalcHammingRanking.py: CalcMap",
    differs="As orthohash: the whole database, arbitrary order of ties.",
    sgn0="zero",
    scope="list",
    unstable=True,
)

DSDH = Convention(
    name="dsdh",
    source="TreezzZ/DSDH_PyTorch, utils/calc_map.py: calc_map",
    differs="The first R items, by default 5,000. Its later scripts have topk = -1, which drops "
    "the last item: dsdh(cutoff=-1).",
    cutoff=5000,
    sgn0="zero",
    scope="list",
    unstable=True,
)

DJSRH = Convention(
    name="djsrh",
    source="zs-zhong/DJSRH, metric.py: calculate_top_map",
    differs="The first 50 items.",
    cutoff=50,
    sgn0="zero",
    scope="list",
    unstable=True,
)

DCMH = Convention(
    name="dcmh",
    source="WendellGul/DCMH, utils.py: calc_map_k",
    differs="Averages over the first min(k, relevant) relevant items, wherever they rank. Most "
    "scripts leave k out, which is dcmh(cutoff=none).",
    cutoff=50,
    counting="hits",
    sgn0="zero",
    scope="list",
    unstable=True,
)
