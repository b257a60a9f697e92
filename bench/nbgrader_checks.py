"""The hidden checks of cnn_pipeline as an nbgrader author writes them: plain asserts in the check cell of each task.

``peers.py`` puts each cell between nbgrader's markers of hidden tests, the first one below the source of the solution,
which becomes the module ``_reference``. Every function is called as often, and every network trained as long, on arrays
of the same sizes as in the hidden tests of the course.
"""
# ruff: noqa: ANN001, ANN002, ANN202, F821 - cells of a notebook, in which the functions are the student's

# %% task="to_tensor"
import copy

import numpy as np

from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import Disguise

_rng = np.random.default_rng(20240501)


def _close(received, expected, rtol=1e-4):
    """Compare shape, precision and values, through tuples and dicts."""
    if isinstance(expected, dict):
        assert set(received) == set(expected)
        received, expected = [received[name] for name in expected], list(expected.values())
    if isinstance(expected, (tuple, list)):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            _close(one, other, rtol)
        return
    received, expected = np.asarray(received), np.asarray(expected)
    assert received.shape == expected.shape
    assert np.isfinite(received).all()
    np.testing.assert_allclose(received, expected, rtol=rtol, atol=rtol * (np.abs(expected).max() or 1))


def _agrees(function, *args, rtol=1e-4):
    """Compare one call with the reference's."""
    _close(globals()[function](*args), getattr(_reference, function)(*args), rtol)


def _converted(value, dtype):
    if isinstance(value, dict):
        return {name: _converted(item, dtype) for name, item in value.items()}
    return value.astype(dtype) if isinstance(value, np.ndarray) else value


def _ordinary(function, *args):
    """Check that the arguments stay as they were, and both precisions."""
    before = copy.deepcopy(args)
    _agrees(function, *args)
    for one, other in zip(args, before, strict=True):
        np.testing.assert_equal(one, other)
    for dtype in (np.float32, np.float64):
        _agrees(function, *(_converted(arg, dtype) for arg in args), rtol=1e-3)


def _features(count=2, channels=3):
    size = count * 8 * 7 * channels
    return (_rng.permutation(size) - size // 3).reshape(count, 8, 7, channels) / 50


def _pixels(*shape):
    return _rng.integers(0, 230, shape, dtype=np.uint8)


_images = _pixels(3, 5, 4)
_before = _images.copy()
_agrees("to_tensor", _images)
np.testing.assert_equal(_images, _before)
for _shape in ((1, 6, 3), (4, 5, 7), (3, 5, 7, 1), (2, 4, 6, 3)):
    _agrees("to_tensor", _pixels(*_shape))
_images = _rng.choice(np.array([0, 51, 255], dtype=np.uint8), (3, 4, 5))
assert to_tensor(_images).dtype == np.float32
_agrees("to_tensor", _images)


# %% task="standardize"
def _photographs(count=40):
    return _rng.normal([120.0, -3.0, 40.0], [30.0, 0.5, 5.0], (count, 7, 5, 3))


_ordinary("standardize", _photographs(), _photographs(4))
for _part in range(2):
    _arrays = _photographs(), 1.5 * _photographs(9) + 4
    _close(standardize(*_arrays)[_part], _reference.standardize(*_arrays)[_part], 1e-3)
_train, _test = _photographs(), _photographs(3)
_train[..., 1] = 0.5
_received = standardize(_train, _test)
_close(_received[0], _reference.standardize(_train, _test)[0], 1e-3)
assert np.isfinite(_received[1]).all()


# %% task="output_size"
def _refused(*args):
    try:
        output_size(*args)
    except ValueError:
        return True
    return False


for _stride, _padding in ((1, 0), (1, 2), (2, 0), (3, 1)):
    _start = int(_rng.integers(9, 40))
    for _n in range(_start, _start + 2 * _stride):
        _f = int(_rng.integers(1, 9))
        _expected = _reference.output_size(_n, _f, _stride, _padding)
        assert output_size(_n, _f, stride=_stride, padding=_padding) == _expected
for _valid, _wrong in (
    ((6, 6), (6, 7)), ((4, 8, 1, 2), (4, 9, 1, 2)), ((9, 3, 1), (9, 3, 0)), ((9, 3, 2), (9, 3, -1))
):  # fmt: skip
    assert output_size(*_valid) == _reference.output_size(*_valid)
    assert _refused(*_wrong)


# %% task="conv2d"
def _convolution(count=2, channels=(3, 2), size=3):
    kernels = _rng.normal(size=(size, size, *channels))
    return _rng.normal(size=(count, 9, 7, channels[0])), kernels, np.zeros(channels[1])


_ordinary("conv2d", *_convolution())
_agrees("conv2d", *_convolution(1, (1, 1)))
_agrees("conv2d", *_convolution(3, (3, 4)))
_x, _kernels, _bias = _convolution()
_agrees("conv2d", _x, _kernels, _rng.uniform(1, 2, 2))
for _size, _stride, _padding in ((3, 1, 1), (2, 1, 2), (1, 2, 0), (3, 3, 0), (3, 3, 1), (5, 2, 1)):
    _agrees("conv2d", *_convolution(size=_size), _stride, _padding)

# %% task="relu"
_ordinary("relu", _features())
for _shape in ((4, 6), (2, 3, 5, 2)):
    _agrees("relu", _rng.normal(size=_shape))

# %% task="max_pool2d"
_ordinary("max_pool2d", _features())
for _size, _stride in ((2, None), (3, None), (3, 2), (2, 1), (2, 3)):
    _agrees("max_pool2d", _features(3, 2), _size, _stride)
_agrees("max_pool2d", _features() - 10)

# %% task="average_pool2d"
_ordinary("average_pool2d", _features())
for _size, _stride in ((2, None), (3, None), (3, 2), (2, 1), (2, 3)):
    _agrees("average_pool2d", _features(3, 2), _size, _stride)
_agrees("average_pool2d", _features(), 4)

# %% task="global_average_pool"
_ordinary("global_average_pool", _features())
for _count, _channels in ((1, 1), (4, 3), (3, 4)):
    _agrees("global_average_pool", _features(_count, _channels))

# %% task="dense"
_ordinary("dense", _rng.normal(size=(4, 6)), _rng.normal(size=(6, 3)), np.zeros(3))
for _count, _bias in ((1, np.zeros(4)), (5, np.zeros(4)), (3, _rng.uniform(1, 2, 4)), (4, _rng.uniform(1, 2, 4))):
    _agrees("dense", _rng.normal(size=(_count, 6)), _rng.normal(size=(6, 4)), _bias)

# %% task="softmax"
_ordinary("softmax", _rng.normal(size=(5, 4)))
for _shape in ((1, 3), (6, 4), (2, 3, 5)):
    _agrees("softmax", 2 * _rng.normal(size=_shape))
_logits = _rng.choice([-1000.0, 0.0, 1000.0], (5, 4)) + _rng.normal(size=(5, 4))
_agrees("softmax", np.concatenate([_logits, 1000 + _logits[:1] / 1000, _logits[:1] / 1000 - 1000]))


# %% task="cross_entropy"
def _predictions(count=6, classes=4):
    values = _rng.uniform(0.2, 1, (count, classes))
    return values / values.sum(axis=1, keepdims=True), np.eye(classes)[_rng.permutation(np.arange(count) % classes)]


_ordinary("cross_entropy", *_predictions())
for _count in (1, 7):
    _agrees("cross_entropy", *_predictions(_count))
_, _labels = _predictions(6, 3)
_agrees("cross_entropy", 0.3 * _labels + 0.7 * np.roll(_labels, 1, axis=1), _labels, rtol=1e-3)
assert 5 < cross_entropy(_labels, np.roll(_labels, 1, axis=1)) < np.inf


# %% task="conv2d_backward"
def _backward(size=3, stride=1, padding=0):
    x, kernels, bias = _convolution(size=size)
    grad = _rng.normal(size=_reference.conv2d(x, kernels, bias, stride, padding).shape)
    return grad, x, kernels, stride, padding


def _measured(grad, inputs, position, index, stride, padding):
    """Measure one slope of the loss by central differences."""
    moved = [array.copy() for array in inputs]
    moved[position][index] += 1e-5
    above = np.sum(grad * _reference.conv2d(*moved, stride, padding))
    moved[position][index] -= 2e-5
    return (above - np.sum(grad * _reference.conv2d(*moved, stride, padding))) / 2e-5


_ordinary("conv2d_backward", *_backward())
for _part in range(3):
    _args = _backward()
    _close(conv2d_backward(*_args)[_part], _reference.conv2d_backward(*_args)[_part])
for _part in range(2):
    for _size, _stride, _padding in ((2, 1, 1), (3, 2, 0), (3, 3, 1), (5, 2, 2)):
        _args = _backward(_size, _stride, _padding)
        _close(conv2d_backward(*_args)[_part], _reference.conv2d_backward(*_args)[_part])
_grad, _x, _kernels, _stride, _padding = _backward(2, 3, 1)
_inputs = (_x, _kernels, np.zeros(2))
for _position, _gradient in enumerate(conv2d_backward(_grad, _x, _kernels, _stride, _padding)):
    for _flat in _rng.permutation(_gradient.size)[:64]:
        _index = np.unravel_index(_flat, _gradient.shape)
        _slope = _measured(_grad, _inputs, _position, _index, _stride, _padding)
        assert abs(_gradient[_index] - _slope) < 1e-5 * np.abs(_gradient).max()

# %% task="max_pool2d_backward"
_ordinary("max_pool2d_backward", _rng.normal(size=(2, 4, 3, 3)), _features())
for _size, _stride in ((2, None), (3, None), (3, 2), (2, 1), (2, 3)):
    _x = _features()
    _grad = _rng.normal(size=_reference.max_pool2d(_x, _size, _stride).shape)
    _agrees("max_pool2d_backward", _grad, _x, _size, _stride)


# %% task="sgd_step"
def _parameters():
    shapes = {"kernels": (3, 3, 1, 4), "bias": (4,), "weights": (6, 5)}
    return tuple({name: _rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))


_ordinary("sgd_step", *_parameters(), 0.25)
for _rate in (0.01, 0.5, 2.0):
    _agrees("sgd_step", *_parameters(), _rate)

# %% task="train_cnn"
_public, _hidden = load_digits(), hidden_digits()


def _lesson(count):
    disguise = Disguise.draw(_rng)
    images, labels = disguise.sample(_public, count, _rng)
    return images, np.eye(10)[labels], *disguise.sample(_hidden, 200, _rng)


def _predicted(network, images):
    probabilities = predict_cnn(network, images)
    assert probabilities.shape == (len(images), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)
    return probabilities


def _loss(network, images, labels):
    return -np.log(np.maximum(np.sum(_predicted(network, images) * labels, axis=1), 1e-12)).mean()


_images, _labels, _probe, _truth = _lesson(300)
_network, _ = train_cnn(_images, _labels, seed=0)
assert np.mean(_predicted(_network, _probe).argmax(axis=1) == _truth) > 0.7

_images, _labels, _, _ = _lesson(190)
_networks = [train_cnn(_images, _labels, epochs=_epochs, seed=0)[0] for _epochs in (1, 10)]
_early, _late = (_loss(_network, _images, _labels) for _network in _networks)
assert _late < min(_early, 0.9 * np.log(10))

_images, _labels, _, _ = _lesson(190)
_early = _loss(train_cnn(_images, _labels, epochs=1, seed=0)[0], _images, _labels)
_network, _losses = train_cnn(_images, _labels, epochs=4, seed=0)
_late = _loss(_network, _images, _labels)
assert len(_losses) == 4
assert _losses[-1] < _losses[0]
assert 0.4 * _late - 0.1 < _losses[-1] < 2 * _early + 0.5

_images, _labels, _probe, _ = _lesson(120)
_once, _again = (_predicted(train_cnn(_images, _labels, epochs=2, seed=7)[0], _probe) for _ in range(2))
np.testing.assert_allclose(_again, _once, rtol=1e-6)
assert np.ptp(_once, axis=0).max() > 1e-6

_images, _labels, _probe, _ = _lesson(120)
_settings = ((1, 1e-6), (3, 1e-6), (6, 0.5))
_networks = [train_cnn(_images, _labels, epochs=_epochs, learning_rate=_rate)[0] for _epochs, _rate in _settings]
_still, _later, _moved = (_predicted(_network, _probe) for _network in _networks)
assert np.abs(_later - _still).max() < 0.01
assert np.abs(_moved - _still).max() > 0.02

_images, _labels, _probe, _ = _lesson(120)
_network, _ = train_cnn(_images, _labels, epochs=1)
_all = _predicted(_network, _probe)
for _chosen in (_rng.permutation(len(_probe))[:30], [0]):
    np.testing.assert_allclose(_predicted(_network, _probe[_chosen]), _all[_chosen], rtol=1e-3)

_images, _labels, _probe, _ = _lesson(70)
_before = _images.copy(), _labels.copy(), _probe.copy()
train_cnn(_images, _labels, 1)
_network, _ = train_cnn(_images, _labels, epochs=1)
for _ in range(2):
    _predicted(_network, _probe)
for _one, _other in zip((_images, _labels, _probe), _before, strict=True):
    np.testing.assert_array_equal(_one, _other)
