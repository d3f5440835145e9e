"""Random numbers: the generator's published vectors, the distributions made of it, and what training draws from it."""

from statistics import NormalDist

import numpy as np
import pytest
from engine_models import build, chain, compiled, inputs
from reference import Array

from nnlite import _engine
from nnlite._engine import EngineModel, Run

SHUFFLE, INITIAL, LAYER = 1, 2, 16  # purposes, as in csrc/random.h
SEEDS = (0, 1, 2**31, 2**32, 2**63 + 12345, 2**64 - 1)


def philox(seed: int, counters: Array) -> Array:
    """Philox4x32-10 of counters (n, 4), from the paper: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
    2011."""
    low = np.uint64(0xFFFFFFFF)
    c = [column.astype(np.uint64) for column in np.asarray(counters).T]
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (q >> np.uint64(32)) ^ c[1] ^ np.uint64(keys[0]),
            q & low,
            (p >> np.uint64(32)) ^ c[3] ^ np.uint64(keys[1]),
            p & low,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, axis=1)


def words(seed: int, purpose: int, time: int, n: int) -> Array:
    """The first n words that the engine draws for a purpose (initial values, a layer, the shuffle) at a time (stream,
    step, epoch)."""
    index = np.arange((n + 3) // 4, dtype=np.uint64)
    columns = [index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)]
    columns += [np.full_like(index, value) for value in (time & 0xFFFFFFFF, (purpose << 16) ^ (time >> 32))]
    return philox(seed, np.stack(columns, axis=1)).reshape(-1)[:n]


def uniform(seed: int, stream: int, n: int) -> Array:
    return _engine.random("uniform", 0, 1, seed, stream, (n,), "float64")


@pytest.mark.parametrize(("counter", "key", "expected"), [
    ([0, 0, 0, 0], 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, 2**64 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        0x299F31D0A4093822,
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
], ids=["zeros", "ones", "pi"])  # fmt: skip
def test_published_vectors(counter: list[int], key: int, expected: list[int]) -> None:
    """Random123's known answers, by this file's Philox, which the engine's is then held to."""
    assert philox(key, np.array([counter], np.uint64)).tolist() == [expected]


def test_published_vector_of_the_engine() -> None:
    """Seed 0 and the stream that cancels the purpose make the counter 0."""
    found = uniform(0, (INITIAL << 16) << 32, 4) * 2**32 - 0.5
    assert found.tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("seed", SEEDS)
def test_uniform_is_philox(seed: int) -> None:
    for stream in (0, 1, 2**31 + 5, 2**32, 2**47 + 3):
        assert (uniform(seed, stream, 1001) * 2**32 - 0.5 == words(seed, INITIAL, stream, 1001)).all()


def test_uniform(dtype: str) -> None:
    """Bounds, a chi-square over 256 bins (255 degrees of freedom: deviation 22.6), and independence of the shape."""
    x = _engine.random("uniform", -2, 6, 11, 3, (1000, 400), dtype)
    assert x.dtype == dtype
    assert x.min() >= -2
    assert x.max() <= 6  # float32 rounds the last 2^-25 of the range up to 6 itself
    counts = np.histogram(x, 256, (-2, 6))[0]
    assert abs(((counts - x.size / 256) ** 2).sum() / (x.size / 256) - 255) < 5 * 22.6
    assert (_engine.random("uniform", -2, 6, 11, 3, (399,), dtype) == x.ravel()[:399]).all()


def test_normal(dtype: str) -> None:
    """Moments, a chi-square over 100 bins of equal probability (99 degrees of freedom: deviation 14.1), and the
    quantile function itself."""
    x = _engine.random("normal", 3, 2, 12, 4, (400_000,), dtype).astype(np.float64)
    assert abs(x.mean() - 3) < 5 * 2 / np.sqrt(x.size)
    assert abs(x.std() - 2) < 5 * 2 / np.sqrt(2 * x.size)
    z = (x - 3) / 2
    assert abs((z**3).mean()) < 5 * np.sqrt(15 / x.size)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / x.size)
    edges = [NormalDist().inv_cdf(i / 100) for i in range(1, 100)]
    counts = np.bincount(np.searchsorted(edges, z), minlength=100)
    assert abs(((counts - x.size / 100) ** 2).sum() / (x.size / 100) - 99) < 5 * 14.1
    expected = [3 + 2 * NormalDist().inv_cdf(u) for u in uniform(12, 4, 5000)]
    np.testing.assert_allclose(x[:5000], expected, rtol=0, atol=8e-7 if dtype == "float32" else 1e-13)


def test_normal_tails() -> None:
    """The most extreme words that 2^20 draws meet: the quantile function far from the middle."""
    u, x = uniform(1, 9, 2**20), _engine.random("normal", 0, 1, 1, 9, (2**20,), "float64")
    for i in (u.argmin(), u.argmax()):
        assert x[i] == pytest.approx(NormalDist().inv_cdf(u[i]), rel=1e-13)
    assert abs(x).max() > 4.5


def test_truncated_normal(dtype: str) -> None:
    """A normal distribution given that it is within two deviations."""
    x = _engine.random("truncated_normal", -1, 0.5, 13, 5, (200_000,), dtype).astype(np.float64)
    assert np.abs(x + 1).max() <= 1
    assert np.abs(x + 1).max() > 0.999
    assert abs(x.mean() + 1) < 5 * 0.44 / np.sqrt(x.size)
    assert x.std() == pytest.approx(0.5 * 0.87962566103423978, rel=0.01)
    below = NormalDist().cdf(-2)
    expected = [-1 + 0.5 * NormalDist().inv_cdf(below + u * (1 - 2 * below)) for u in uniform(13, 5, 5000)]
    np.testing.assert_allclose(x[:5000], expected, rtol=0, atol=2e-7 if dtype == "float32" else 1e-13)


def test_streams_do_not_overlap() -> None:
    """No block of four words comes twice among seeds and streams, nor anything like it between neighbours."""
    blocks = np.concatenate([uniform(seed, stream, 256).reshape(-1, 4) for seed in SEEDS for stream in range(64)])
    assert len(np.unique(blocks, axis=0)) == len(blocks)
    draws = np.array([uniform(seed, stream, 20_000) for seed in (1, 2) for stream in (1, 2, 2**32 + 1)])
    assert np.abs(np.corrcoef(draws) - np.eye(6)).max() < 5 / np.sqrt(20_000)


@pytest.mark.parametrize(
    ("distribution", "a", "b"), [("uniform", np.nan, 1), ("normal", 0, np.inf), ("truncated_normal", -np.inf, 1)]
)
def test_numbers_must_be_finite(distribution: str, a: float, b: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        _engine.random(distribution, a, b, 0, 0, (3,))


# ---- the order of rows in training ----


def watched(rows: int, batch_size: int, seed: int, shuffle: int) -> tuple[EngineModel, Run]:
    """A model whose loss of a batch tells which rows were in it: outputs are inputs, row r adds 2^r."""
    model = compiled(build(chain("linear"), 1, seed=seed), "mean_absolute_error", total=True)
    run = Run(model, batch_size)
    run.bind(2.0 ** np.arange(rows)[:, None], np.zeros((rows, 1)), None, shuffle)
    return model, run


def epoch_batches(run: Run) -> list[tuple[int, ...]]:
    """The rows of each batch of the next epoch."""
    batches = []
    for _ in range(run.batches):
        run.advance(1, 1)
        batches.append(tuple(r for r in range(64) if int(run.last[0]) >> r & 1))
    return batches


def expected_order(rows: int, seed: int, epoch: int) -> list[int]:
    """Fisher and Yates from the back, each place by the high half of word * rows left."""
    order, drawn = list(range(rows)), words(seed, SHUFFLE, epoch, rows + 3)
    for word, left in zip(drawn.tolist(), range(rows, 1, -1), strict=False):
        j = word * left >> 32
        order[j], order[left - 1] = order[left - 1], order[j]
    return order


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 17, 40])
def test_every_epoch_is_a_permutation(rows: int) -> None:
    model, run = watched(rows, 1, 2**40 + 3, 1)
    orders = []
    for epoch in range(5):
        order = [r for (r,) in epoch_batches(run)]
        assert order == expected_order(rows, model.seed, epoch)
        assert sorted(order) == list(range(rows))
        orders.append(tuple(order))
    assert len(set(orders)) > 1 or rows < 3


def test_permutations_are_equally_likely() -> None:
    """Of three rows: 6 orders, 5 degrees of freedom, deviation 3.2."""
    _, run = watched(3, 1, 5, 1)
    orders = [tuple(epoch_batches(run)) for _ in range(3000)]
    counts = np.array([orders.count(order) for order in set(orders)])
    assert len(counts) == 6
    assert ((counts - 500) ** 2).sum() / 500 < 5 + 5 * 3.2


def test_batches_change_places_as_a_whole() -> None:
    """shuffle=2: rows of a batch stay together, and the short last batch stays last."""
    _, run = watched(22, 5, 8, 2)
    whole = [tuple(range(start, start + 5)) for start in range(0, 20, 5)]
    seen = set()
    for _ in range(30):
        batches = epoch_batches(run)
        assert sorted(batches[:4]) == whole
        assert batches[4] == (20, 21)
        seen.add(tuple(batches))
    assert len(seen) > 10


@pytest.mark.parametrize("shuffle", [0, 1, 2])
@pytest.mark.parametrize("rows", [1, 4, 22])
def test_order_tells_what_training_does(rows: int, shuffle: int) -> None:
    """The same order for batches made elsewhere."""
    model, run = watched(rows, 4, 31, shuffle)
    for epoch in range(3):
        order = _engine.order(rows, 4, shuffle, model.seed, epoch).tolist()
        batches = [tuple(sorted(order[start : start + 4])) for start in range(0, rows, 4)]
        assert epoch_batches(run) == batches
    with pytest.raises(ValueError):
        _engine.order(rows, 0, shuffle, 1, 1)


def test_unshuffled_rows_come_in_order() -> None:
    _, run = watched(7, 3, 8, 0)
    assert epoch_batches(run) == [(0, 1, 2), (3, 4, 5), (6,)]


def test_the_epoch_counter_numbers_the_shuffles() -> None:
    """A new run of the same model goes on where the last one stopped; the counter set back repeats."""
    model, run = watched(20, 4, 8, 1)
    first, second = epoch_batches(run), epoch_batches(run)
    model.state = model.state | {"epochs": 1}
    run = Run(model, 4)
    run.bind(2.0 ** np.arange(20)[:, None], np.zeros((20, 1)), None, 1)
    assert epoch_batches(run) == second != first


# ---- dropout ----


@pytest.mark.parametrize("units", [1, 3, 17, 40])
@pytest.mark.parametrize("rate", [0.0, 0.125, 0.5, 0.9])
def test_dropout(rate: float, units: int, dtype: str, target: str) -> None:
    """Elements are lost with probability rate, kept ones scaled so that the mean stays; nothing happens outside
    training."""
    model = compiled(build(chain(("dropout", 0, (rate,))), units, dtype, target, seed=99))
    run, ones, kept = Run(model, 37), np.ones((37, units), dtype), np.asarray(1 / (1 - rate), dtype)
    assert (run.forward(ones, False) == 1).all()
    lost = 0
    for step in range(20):
        model.state = model.state | {"iterations": step}
        y = run.forward(ones, True)
        assert ((y == 0) | (y == kept)).all()
        assert (run.forward(ones, True) == y).all(), "one step, one mask"
        lost += int((y == 0).sum())
    n = 20 * 37 * units
    assert abs(lost - n * rate) <= 5 * np.sqrt(n * rate * (1 - rate))


def test_masks_differ_by_step_layer_and_seed() -> None:
    x = np.ones((8, 40))
    masks = set()
    for seed in (1, 2):
        for before in (0, 1, 2):
            model = compiled(build(chain(*["linear"] * before, ("dropout", 0, (0.5,))), 40, seed=seed))
            for step in (0, 1, 2**32):
                model.state = model.state | {"iterations": step}
                masks.add(Run(model, 8).forward(x, True).tobytes())
    assert len(masks) == 18


def test_masks_are_not_the_words_of_another_purpose() -> None:
    """Dropout in layer 0 at step 0, the shuffle of epoch 0 and stream 0 of initial values share a seed and no word."""
    drawn = [set(words(7, purpose, 0, 4096).tolist()) for purpose in (SHUFFLE, INITIAL, LAYER, LAYER + 1)]
    shared = sum(len(a & b) for i, a in enumerate(drawn) for b in drawn[:i])
    assert shared < 4  # by chance 0.02


@pytest.mark.parametrize("units", [16, 48])
def test_mask_is_philox(units: int) -> None:
    """Where nothing is padded, element i of layer l at step t is lost if word i of (layer l, step t) says so."""
    model = compiled(build(chain("linear", ("dropout", 0, (0.25,))), units, seed=2**50 + 1))
    model.state = model.state | {"iterations": 3}
    lost = words(2**50 + 1, LAYER + 1, 3, 16 * units) < 2**30
    y = Run(model, 16).forward(np.ones((16, units)), True)
    layouts = [lost.reshape(16, units), lost.reshape(units, 16).T]  # units in lanes, or rows in lanes
    assert any(((y == 0) == layout).all() for layout in layouts)


def test_training_with_dropout_learns() -> None:
    """The gradient uses the mask of its own forward pass: training through a dropout layer lowers the loss."""
    model = compiled(build(chain("dense 40", "tanh", ("dropout", 0, (0.25,)), "dense 1"), 4))
    model.learning_rate = 0.05
    x = inputs(64, 4)
    t = x[:, :1] * x[:, 1:2]
    run = Run(model, 16)
    before = run.evaluate(x, t)[0]
    run.bind(x, t)
    run.advance(2**40, 400, 60.0)
    assert run.evaluate(x, t)[0] < before / 2
