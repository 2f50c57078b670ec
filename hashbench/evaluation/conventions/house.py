"""The house's own convention, and its graded half."""

from hashbench.evaluation.convention import Convention

HOUSE = Convention(
    name="house",
    source="hashbench",
    differs="Ties in expectation; empty balls and balls without a hit score 0; nothing is dropped.",
)

GRADED = Convention(
    name="graded",
    source="Järvelin and Kekäläinen, TOIS 2002 (NDCG); Zhao et al., CVPR 2015 (ACG, weighted mAP)",
    differs="Relevance is the number of labels shared: NDCG@N, ACG@N and WAP, ties in expectation.",
    scope="graded",
)
