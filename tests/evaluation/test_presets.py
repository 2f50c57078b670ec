"""Each preset against a slow transcription of the evaluator it is named after.

The transcriptions work on real-valued outputs and float matrices, as those
evaluators do, and share no code with hashbench. Arbitrary sorts are read as
stable ones.
"""

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.evaluation import Convention, score

SEEDS = range(6)


def world(seed, zeros):
    """Tie-heavy outputs with labels such that every special case occurs."""
    rng = np.random.default_rng(seed)
    bits = int(rng.choice([5, 8, 11]))
    centres = rng.normal(size=(4, bits))
    query_class, item_class = rng.integers(0, 4, 40), rng.integers(0, 4, 80)
    query = centres[query_class] + rng.normal(size=(40, bits))
    items = centres[item_class] + rng.normal(size=(80, bits))
    if zeros:
        query[rng.random(query.shape) < 0.1] = 0
        items[rng.random(items.shape) < 0.1] = 0
    # Class 3 is in no database item: its queries have nothing to find.
    query_labels = np.eye(4, dtype=np.uint8)[query_class]
    item_labels = np.eye(4, dtype=np.uint8)[item_class % 3]
    query_labels[rng.random(query_labels.shape) < 0.1] = 1
    item_labels[rng.random(len(item_labels)) < 0.2, 0] = 1
    query_labels[0], item_labels[:, 3] = [0, 0, 0, 1], 0
    return query.astype(np.float32), items.astype(np.float32), query_labels, item_labels


def matches(query_label, item_labels):
    return np.array([bool((query_label & row).any()) for row in item_labels])


def precision_sum(match):
    found, summed = 0, 0.0
    for place, hit in enumerate(match, start=1):
        if hit:
            found += 1
            summed += found / place
    return summed


def deephash_radius_2(query, items, query_labels, item_labels):
    bits = query.shape[1]
    distance = (bits - np.sign(query) @ np.sign(items).T) / 2
    precisions, recalls, averages = [], [], []
    for i in range(len(query)):
        by_distance = np.argsort(distance[i], kind="stable")
        ball = by_distance[: int((distance[i] <= 2).sum())]
        if len(ball) == 0:
            precisions.append(0)
            recalls.append(0)
            averages.append(0)
            continue
        match = matches(query_labels[i], item_labels)
        precisions.append(match[ball].sum() / len(ball))
        # The original divides 0 by 0 when nothing is relevant; read as 0 here.
        recalls.append(match[ball].sum() / match.sum() if match.any() else 0)
        products = items[ball].astype(np.float64) @ query[i].astype(np.float64)
        reranked = match[ball][np.argsort(-products, kind="stable")]
        if reranked.any():
            averages.append(precision_sum(reranked) / reranked.sum())
    return np.mean(precisions), np.mean(recalls), np.mean(averages)


def deephash_all_radii(query, items, query_labels, item_labels):
    bits = query.shape[1]
    distance = ((bits - np.sign(query) @ np.sign(items).T) / 2).astype(int)
    averages = np.zeros((len(query), bits + 1))
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)[np.argsort(distance[i], kind="stable")]
        inside = np.bincount(distance[i])
        for radius in range(bits + 1):
            if radius >= len(inside):
                averages[i, radius] = averages[i, radius - 1]
                continue
            listed = match[: inside[: radius + 1].sum()]
            if listed.any():
                averages[i, radius] = precision_sum(listed) / listed.sum()
    return averages.mean(axis=0)


def ranked_list(query, items, query_labels, item_labels, length, no_hit):
    """mAP of the first `length` by sign inner product; `no_hit(match)` for lists without a hit."""
    products = np.sign(query) @ np.sign(items).T
    averages = []
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        listed = match[np.argsort(-products[i], kind="stable")][:length]
        if listed.any():
            averages.append(precision_sum(listed) / listed.sum())
        elif (value := no_hit(match)) is not None:
            averages.append(value)
    return np.mean(averages)


def cat_apcal(query, items, query_labels, item_labels):
    averages = []
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        distance = ((query[i] > 0) != (items > 0)).sum(axis=1)
        order = np.argsort(distance, kind="stable")
        summed, found = 0.0, 0
        for j in range(len(items)):
            if match[order[j]]:
                found += 1
                summed += found / (j + 1)
        averages.append(summed / found if summed else 0.0)
    return np.mean(averages)


def scored(name, outputs):
    query, items, query_labels, item_labels = outputs
    codes = Codes.from_real(query), Codes.from_real(items)
    return score(*codes, query_labels, item_labels, [Convention.parse(name)])[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_deephash(seed):
    outputs = world(seed, zeros=False)
    precision, recall, average = deephash_radius_2(*outputs)
    result = scored("deephash", outputs)
    assert result["kept@h2"] < 1
    assert result["map@h2"] == pytest.approx(average, abs=1e-12)
    assert result["p@h2"] == pytest.approx(precision, abs=1e-12)
    assert result["r@h2"] == pytest.approx(recall, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_deephash_all(seed):
    outputs = world(seed, zeros=False)
    averages = deephash_all_radii(*outputs)
    result = scored("deephash-all", outputs)
    assert result.curves["map@h"] == pytest.approx(averages, abs=1e-12)
    assert result["map@h2"] == pytest.approx(averages[2], abs=1e-12)


def test_deephash_draws_the_sign_of_zeros_once_and_for_all():
    outputs = world(0, zeros=True)
    first, again = scored("deephash", outputs), scored("deephash", outputs)
    assert first.to_dict() == again.to_dict()
    others = [scored(f"deephash(sgn0={choice})", outputs) for choice in ("negative", "positive")]
    assert all(first["ball@h2"] != other["ball@h2"] for other in others)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("length", [12, 40, 5000])
def test_hashnet(seed, length):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, length, lambda match: None)
    assert scored(f"hashnet(cutoff={length})", outputs)[f"map@{length}"] == pytest.approx(wanted)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("length", [2, 12])
def test_hashnet_caffe(seed, length):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, length, lambda match: 0.0 if match.any() else None)
    result = scored(f"hashnet-caffe(cutoff={length})", outputs)
    assert result[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_deephash_pytorch_drops_the_last_of_the_list(seed):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, -1, lambda match: 0.0)
    result = scored("deephash-pytorch", outputs)
    assert result["map"] == pytest.approx(wanted, abs=1e-12)
    assert result["map"] != pytest.approx(scored("orthohash", outputs)["map"], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("length", [10, 80])
def test_orthohash(seed, length):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, length, lambda match: 0.0)
    result = scored(f"orthohash(cutoff={length})", outputs)
    assert result[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_sdh_matlab(seed):
    outputs = world(seed, zeros=True)
    assert scored("sdh-matlab", outputs)["map"] == pytest.approx(cat_apcal(*outputs), abs=1e-12)


def test_half_integer_distances_count_in_the_ball_they_lie_in():
    query = np.array([[1, 1, 1, 0]], np.float32)
    items = np.array([[1, 1, -1, -1], [1, 0, -1, -1], [1, 1, 1, 1]], np.float32)
    labels = np.ones((1, 1), np.uint8), np.ones((3, 1), np.uint8)
    # Distances 1.5, 2.0 and 0.5.
    for radius, inside in ((0, 0), (1, 1), (2, 3)):
        result = scored(f"house(sgn0=zero,radius={radius})", (query, items, *labels))
        assert result[f"ball@h{radius}"] == inside
