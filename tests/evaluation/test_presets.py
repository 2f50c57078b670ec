"""Each preset against a slow transcription of the evaluator it is named after.

The transcriptions work on real-valued outputs and float matrices, as those
evaluators do, and share no code with hashbench. Where an original sorts ties
arbitrarily, it is transcribed with a stable sort and with numpy's default one.
"""

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.evaluation import Convention, conventions, score

SEEDS = range(4)
SORTS = {"stable": "stable", "numpy": None}

sorts = pytest.mark.parametrize("sort", SORTS)
seeds = pytest.mark.parametrize("seed", SEEDS)


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


def deephash_radius_2(query, items, query_labels, item_labels, kind):
    bits = query.shape[1]
    distance = (bits - np.sign(query) @ np.sign(items).T) / 2
    precisions, recalls, averages = [], [], []
    for i in range(len(query)):
        by_distance = np.argsort(distance[i], kind=kind)
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
        products = np.dot(query[i], items[ball].T)
        assert products.dtype == np.float32
        reranked = match[ball][np.argsort(-products, kind=kind)]
        if reranked.any():
            averages.append(precision_sum(reranked) / reranked.sum())
    return np.mean(precisions), np.mean(recalls), np.mean(averages)


def deephash_all_radii(query, items, query_labels, item_labels, kind):
    bits = query.shape[1]
    distance = (bits - np.sign(query).astype(float) @ np.sign(items).T) / 2
    averages = np.zeros((len(query), bits + 1))
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)[np.argsort(distance[i], kind=kind)]
        inside = np.bincount(distance[i].astype(int))
        for radius in range(bits + 1):
            if radius >= len(inside):
                averages[i, radius] = averages[i, radius - 1]
                continue
            listed = match[: inside[: radius + 1].sum()]
            if listed.any():
                averages[i, radius] = precision_sum(listed) / listed.sum()
    return averages.mean(axis=0)


def ranked_list(query, items, query_labels, item_labels, kind, length, no_hit):
    """mAP of the first `length` by sign inner product; `no_hit(match)` for lists without a hit."""
    products = np.sign(query).astype(float) @ np.sign(items).T
    averages = []
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        listed = match[np.argsort(-products[i], kind=kind)][:length]
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


@sorts
@seeds
def test_deephash(seed, sort):
    outputs = world(seed, zeros=False)
    precision, recall, average = deephash_radius_2(*outputs, SORTS[sort])
    result = scored(f"deephash(order={sort})", outputs)
    assert result["kept@h2"] < 1
    assert result["map@h2"] == pytest.approx(average, abs=1e-12)
    assert result["p@h2"] == pytest.approx(precision, abs=1e-12)
    assert result["r@h2"] == pytest.approx(recall, abs=1e-12)
    # Real outputs do not tie: no order is left to chance.
    assert scored("deephash", outputs)["map@h2"] == pytest.approx(average, abs=1e-12)


@sorts
@seeds
def test_deephash_all(seed, sort):
    outputs = world(seed, zeros=False)
    averages = deephash_all_radii(*outputs, SORTS[sort])
    result = scored(f"deephash-all(order={sort})", outputs)
    assert result.curves["map@h"] == pytest.approx(averages[:3], abs=1e-12)  # as far as counted
    whole = scored(f"deephash-all(order={sort},radius={len(averages) - 1})", outputs)
    assert whole.curves["map@h"] == pytest.approx(averages, abs=1e-12)
    assert result["map@h2"] == pytest.approx(averages[2], abs=1e-12)


def test_deephash_draws_the_sign_of_zeros_once_and_for_all():
    outputs = world(0, zeros=True)
    first, again = scored("deephash", outputs), scored("deephash", outputs)
    assert first.to_dict() == again.to_dict()
    others = [scored(f"deephash(sgn0={choice})", outputs) for choice in ("negative", "positive")]
    assert all(first["ball@h2"] != other["ball@h2"] for other in others)


@sorts
@seeds
@pytest.mark.parametrize("length", [12, 40, 80])
def test_hashnet(seed, length, sort):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, SORTS[sort], length, lambda match: None)
    found = scored(f"hashnet(cutoff={length},order={sort})", outputs)
    assert found[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@sorts
@seeds
@pytest.mark.parametrize("length", [2, 12])
def test_hashnet_caffe(seed, length, sort):
    outputs = world(seed, zeros=True)
    no_hit = lambda match: 0.0 if match.any() else None  # noqa: E731
    wanted = ranked_list(*outputs, SORTS[sort], length, no_hit)
    result = scored(f"hashnet-caffe(cutoff={length},order={sort})", outputs)
    assert result[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@sorts
@seeds
def test_deephash_pytorch_drops_the_last_of_the_list(seed, sort):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, SORTS[sort], -1, lambda match: 0.0)
    result = scored(f"deephash-pytorch(order={sort})", outputs)
    assert result["map"] == pytest.approx(wanted, abs=1e-12)
    other = scored(f"orthohash(order={sort})", outputs)["map"]
    assert result["map"] != pytest.approx(other, abs=1e-9)


@sorts
@seeds
@pytest.mark.parametrize("length", [10, 80])
@pytest.mark.parametrize("name", ["orthohash", "fire", "dsdh", "djsrh"])
def test_lists_whose_mean_is_over_all_queries(seed, length, sort, name):
    outputs = world(seed, zeros=True)
    wanted = ranked_list(*outputs, SORTS[sort], length, lambda match: 0.0)
    result = scored(f"{name}(cutoff={length},order={sort})", outputs)
    assert result[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@seeds
def test_sdh_matlab(seed):
    outputs = world(seed, zeros=True)
    assert scored("sdh-matlab", outputs)["map"] == pytest.approx(cat_apcal(*outputs), abs=1e-12)


def test_sdh_matlab_divides_by_the_hits_of_a_list_that_is_cut():
    query, items = [[1, 1, 1, 1]], [[1, 1, 1, 1], [1, 1, 1, -1], [1, 1, -1, -1], [1, -1, -1, -1]]
    labels = np.ones((1, 1), np.uint8), np.array([[1], [0], [0], [1]], np.uint8)
    outputs = np.array(query, np.float32), np.array(items, np.float32), *labels
    assert scored("sdh-matlab(cutoff=2)", outputs)["map@2"] == 1


UNSTABLE = [name for name, item in conventions().items() if item.unstable]


@pytest.mark.parametrize("name", UNSTABLE)
@pytest.mark.parametrize("seed", range(2))
def test_presets_of_unstable_sorts_report_the_mean_over_orders_within_bounds(seed, name):
    query, items, query_labels, item_labels = world(seed, zeros=False)
    query, items = query.round(0) + 0.5, items.round(0) + 0.5  # outputs that tie
    found = []
    for trial in range(30):
        order = np.random.default_rng(trial).permutation(len(items))
        shuffled = query, items[order], query_labels, item_labels[order]
        found.append(scored(f"{name}(order=stable,norelevant=zero,nohit=zero)", shuffled))
    result = scored(
        f"{name}(norelevant=zero,nohit=zero)", (query, items, query_labels, item_labels)
    )
    ties = set(result.bounds)
    assert any(metric.startswith("map") for metric in ties)
    for metric in ties:
        worst, best = result.bounds[metric]
        sample = np.array([item[metric] for item in found])
        assert worst - 1e-12 <= sample.min() <= sample.max() <= best + 1e-12
        error = sample.std() / np.sqrt(len(sample))
        assert abs(result[metric] - sample.mean()) <= 5 * error + 1e-12
    assert scored(f"{name}(order=stable)", (query, items, query_labels, item_labels)).bounds == {}


def test_half_integer_distances_count_in_the_ball_they_lie_in():
    query = np.array([[1, 1, 1, 0]], np.float32)
    items = np.array([[1, 1, -1, -1], [1, 0, -1, -1], [1, 1, 1, 1]], np.float32)
    labels = np.ones((1, 1), np.uint8), np.ones((3, 1), np.uint8)
    # Distances 1.5, 2.0 and 0.5.
    for radius, inside in ((0, 0), (1, 1), (2, 3)):
        result = scored(f"house(sgn0=zero,radius={radius})", (query, items, *labels))
        assert result[f"ball@h{radius}"] == inside
