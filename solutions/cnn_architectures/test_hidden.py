"""The hidden tests of the deep CNN architectures: what a network is, stage by stage, and what it does.

Designs of full size are read without memory for their weights; narrow ones predict. Every network is looked at as a
whole and in parts, so that one wrong pooling costs the pooling and the whole, but neither convolutions nor classifier.
Where the papers and the textbooks differ, each of their ways passes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from autograder.checks import assert_close, assert_probabilities, task
from autograder.checks.architecture import (
    activations,
    assert_compiled,
    assert_output_shape,
    assert_parameters,
    assert_receptive_field,
    assert_stages,
    stages_of,
    with_zeros,
)
from autograder.checks.designs import PARTS, assert_design, assert_learns, assert_some_parameters, brightened
from autograder.checks.models import build, build_block, outline
from autograder.checks.stages import (
    ANY,
    Expected,
    add,
    batch_norm,
    concatenate,
    conv,
    dense,
    flatten,
    global_average_pool,
    max_pool,
    other,
)
from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import lesson

# canary: architectures-hidden-71d0c3a9

NARROW = 0.02
"""A width at which the smallest channel counts would be 0 without ``max(1, ...)``, and no product ends in a half."""


def scaled(width):
    """Return the rule for channel counts at this width."""
    return lambda count: max(1, round(width * count))


def same(filters, size, activation="relu", strides=1):
    """Expect a convolution with the padding "same"."""
    return conv(filters, size, strides=strides, padding="same", activation=activation)


def normalized(filters, size, activation=None, strides=1):
    """Expect a convolution, batch normalization, and an activation."""
    return [same(filters, size, None, strides), batch_norm(activation)]


def lenet_stages(function, classes=10, *, late=False):
    """Return LeNet's stages; ``late`` for the non-linearity after the pooling."""
    early = None if late else function
    pool = other("average_pool", kernel=2, strides=2, padding="valid", activation=function if late else None)
    features = [same(6, 5, early), pool, conv(16, 5, activation=early), pool, flatten()]
    return [*features, dense(120, function), dense(84, function), dense(classes, "softmax")]


def alexnet_stages(width=1.0, classes=1000):
    """Return AlexNet's stages."""
    c, pool = scaled(width), max_pool(3, 2)
    first = [conv(c(96), 11, strides=4), pool, same(c(256), 5), pool]
    second = [same(c(384), 3), same(c(384), 3), same(c(256), 3), pool]
    hidden = dense(c(4096), "relu")
    return [*first, *second, flatten(), hidden, hidden, dense(classes, "softmax")]


def vgg_stages(width=1.0, classes=1000):
    """Return the stages of VGG-16."""
    c, groups = scaled(width), [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
    features = [stage for count, filters in groups for stage in [same(c(filters), 3)] * count + [max_pool(2)]]
    return [*features, flatten(), dense(c(4096), "relu"), dense(c(4096), "relu"), dense(classes, "softmax")]


def nin_block_stages(filters, size, strides=1, padding="valid"):
    """Return the stages of a NiN block."""
    return [conv(filters, size, strides=strides, padding=padding), conv(filters, 1), conv(filters, 1)]


def nin_stages(width=1.0, classes=10):
    """Return the stages of a network in network."""
    c, pool = scaled(width), max_pool(3, 2)
    first = [*nin_block_stages(c(96), 11, 4), pool, *nin_block_stages(c(256), 5, padding="same"), pool]
    second = [*nin_block_stages(c(384), 3, padding="same"), pool, *nin_block_stages(classes, 3, padding="same")]
    return [*first, *second, global_average_pool("softmax")]


def inception_stage(f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """Return the one stage that an Inception block is."""
    pooled = [max_pool(3, 1, padding="same"), conv(pool_proj, 1)]
    return concatenate([conv(f1, 1)], [conv(f3_reduce, 1), same(f3, 3)], [conv(f5_reduce, 1), same(f5, 5)], pooled)


def googlenet_stages(width=1.0, classes=1000):
    """Return the stages of Table 1 of Szegedy et al. 2014."""
    c, pool = scaled(width), max_pool(3, 2, padding="same")
    third = [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)]
    fourth = [(192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64)]
    fourth += [(112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)]
    fifth = [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)]
    groups = [[inception_stage(*map(c, counts)) for counts in group] for group in (third, fourth, fifth)]
    stem = [same(c(64), 7, strides=2), pool, conv(c(64), 1), same(c(192), 3), pool]
    blocks = [*groups[0], pool, *groups[1], pool, *groups[2]]
    return [*stem, *blocks, global_average_pool(), dense(classes, "softmax")]


def residual_stage(filters, stride=1, *, projected=False, norm=True):
    """Return the one stage that a residual block is."""
    path = [*normalized(filters, 3, "relu", stride), *normalized(filters, 3)]
    projection = normalized(filters, 1, None, stride)[: 2 if norm else 1]
    return add(path, projection if projected else [], activation="relu")


def resnet_stages(width=1.0, classes=1000, *, norm=True):
    """Return the stages of ResNet-18."""
    c = scaled(width)
    stem = [*normalized(c(64), 7, "relu", 2), max_pool(3, 2, padding="same")]
    blocks = [residual_stage(c(64)), residual_stage(c(64))]
    for filters in (128, 256, 512):
        blocks += [residual_stage(c(filters), 2, projected=True, norm=norm), residual_stage(c(filters))]
    return [*stem, *blocks, global_average_pool(), dense(classes, "softmax")]


def deep_stages(depth, residual, classes=10, *, early=False):
    """Return the stages of a deep net; ``early`` for a ReLU before the addition instead of after it."""
    layer, last = normalized(16, 3, "relu"), normalized(16, 3)
    pair = add([*layer, *(layer if early else last)], [], activation=None if early else "relu")
    return [
        *layer,
        *([pair] if residual else [*layer, *layer]) * (depth // 2),
        global_average_pool(),
        dense(classes, "softmax"),
    ]


@dataclass(frozen=True)
class Network:
    """One of the famous networks: its task, what is allowed at a width and for so many classes, and its sizes."""

    task: str
    allowed: Callable[[float, int], list[list[Expected]]]
    classes: int
    parameters: tuple[int, ...]
    other_shape: tuple[int, int, int]


# 11,689,512 and 9,600 statistics of batch normalization; without it in the projections; with biases there instead
RESNET = (11_699_112, 11_695_528, 11_696_424)
NETWORKS = {
    "alexnet": Network("alexnet", lambda *size: [alexnet_stages(*size)], 1000, (62_378_344,), (131, 163, 1)),
    "vgg16": Network("vgg_block", lambda *size: [vgg_stages(*size)], 1000, (138_357_544,), (64, 96, 1)),
    "nin": Network("nin_block", lambda *size: [nin_stages(*size)], 10, (2_015_398,), (131, 163, 1)),
    "googlenet": Network("inception_block", lambda *size: [googlenet_stages(*size)], 1000, (6_998_552,), (64, 96, 1)),
    "resnet18": Network(
        "residual_block",
        lambda *size: [resnet_stages(*size, norm=each) for each in (True, False)],
        *(1000, RESNET, (64, 96, 1)),
    ),
}
"""With the published parameter counts."""

DIGITS = load_digits(), hidden_digits()


def each_network(weight=1):
    """Parametrize a test over the networks, each case a check of the network's own task."""
    marks = {name: task(network.task, weight=weight) for name, network in NETWORKS.items()}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=marks[name]) for name in NETWORKS])


def images(rng, *shape):
    """Draw images on both sides of zero."""
    return rng.normal(size=shape).astype(np.float32)


@each_network(weight=3)
def test_full_design(student, name):
    """{name} of full size has the stages of its design"""
    network = NETWORKS[name]
    assert_design(outline(student, name), network.allowed(1.0, network.classes), name=name)


@each_network()
@pytest.mark.parametrize("part", PARTS)
def test_part(student, name, part):
    """{name} of full size has the right {part}"""
    network = NETWORKS[name]
    assert_design(outline(student, name), network.allowed(1.0, network.classes), part=part, name=name)


@each_network()
def test_parameters(student, name):
    """{name} of full size has as many parameters as its design, and one output for each class"""
    network, model = NETWORKS[name], outline(student, name)
    assert_output_shape(model, (network.classes,), name=name)
    assert_some_parameters(model, network.parameters, name=name)


@each_network(weight=2)
def test_width(student, name):
    """{name} scales channels and hidden units by width, not the classes, and takes images of other sizes"""
    network = NETWORKS[name]
    model = outline(student, name, input_shape=network.other_shape, classes=7, width=NARROW)
    assert_design(model, network.allowed(NARROW, 7), name=f"{name} with width={NARROW} and classes=7")


@each_network()
def test_probabilities(student, rng, name):
    """{name} predicts probabilities"""
    shape = NETWORKS[name].other_shape
    model = build(student, name, input_shape=shape, classes=5, width=NARROW)
    assert_probabilities(model.predict(images(rng, 3, *shape), (5,)), (3, 5), name=f"the output of {name}")


@task("alexnet")
def test_alexnet_maps(student):
    """the feature maps of alexnet shrink from 55 to 27, 13 and 6"""
    maps = [each.stage.output[0] for each in stages_of(outline(student, "alexnet")) if each.stage.kernel]
    assert maps == [55, 27, 27, 13, 13, 13, 13, 6], f"The heights of the feature maps of alexnet are {maps}."


def lenet(student, **arguments):
    """Describe a LeNet; return what is allowed for its own non-linearity with it."""
    model = outline(student, "lenet5", **arguments)
    functions = [function for function in activations(model) if function != "softmax"]
    function, classes = functions[0] if functions else "tanh", arguments.get("classes", 10)
    return model, [lenet_stages(function, classes, late=late) for late in (False, True)]


@task("lenet5", weight=3)
def test_lenet5(student):
    """has the stages of its design, with one non-linearity throughout"""
    assert_design(*lenet(student), name="lenet5")


@task("lenet5")
@pytest.mark.parametrize("part", PARTS)
def test_lenet5_part(student, part):
    """has the right {part}, whatever the non-linearities"""
    model, _ = lenet(student)
    allowed = [lenet_stages(ANY), lenet_stages(ANY, late=True)]
    assert_design(model, allowed, part=part, name="lenet5")


@task("lenet5")
def test_lenet5_parameters(student):
    """has 61,706 parameters and ten outputs"""
    model = outline(student, "lenet5")
    assert_output_shape(model, (10,), name="lenet5")
    assert_parameters(model, 61_706, name="lenet5")


@task("lenet5", weight=2)
def test_lenet5_of_other_images(student):
    """takes images of other sizes, and other classes"""
    model, allowed = lenet(student, input_shape=(32, 40, 3), classes=4)
    assert_design(model, allowed, name="lenet5 with input_shape=(32, 40, 3) and classes=4")


@task("lenet5")
def test_lenet5_predicts(student, rng):
    """predicts probabilities"""
    model = build(student, "lenet5")
    assert_probabilities(model.predict(images(rng, 6, 28, 28, 1), (10,)), (6, 10), name="the output of lenet5")


@task("vgg_block")
@pytest.mark.parametrize("convolutions, filters", [(1, 6), (2, 5), (4, 8)])
def test_vgg_block(student, convolutions, filters):
    """vgg_block makes {convolutions} convolution(s) of {filters} filters and one pooling"""
    model = build_block(student, "vgg_block", (16, 12, 3), convolutions, filters)
    assert_stages(model, [*[same(filters, 3)] * convolutions, max_pool(2)], name="vgg_block")


@task("vgg_block")
def test_vgg_block_field(student, rng):
    """a pixel reaches those outputs of vgg_block whose receptive field it is in"""
    model = brightened(rng, build_block(student, "vgg_block", (20, 18, 2), 2, 4))
    assert_receptive_field(model, np.zeros((1, 20, 18, 2), np.float32), 6, stride=2, offset=2)


@task("nin_block")
@pytest.mark.parametrize("size, strides, padding", [(3, 1, "same"), (5, 2, "valid"), (11, 4, "valid")])
def test_nin_block(student, size, strides, padding):
    """nin_block of a {size}x{size} convolution, stride {strides}, padding {padding}, and two 1x1 convolutions"""
    model = build_block(student, "nin_block", (33, 29, 3), 6, size, strides=strides, padding=padding)
    assert_stages(model, nin_block_stages(6, size, strides, padding), name="nin_block")


@task("nin_block")
def test_nin_block_field(student, rng):
    """the two 1x1 convolutions of nin_block see no neighbors: its receptive field is that of the first"""
    model = brightened(rng, build_block(student, "nin_block", (15, 17, 2), 4, 5, padding="same"))
    assert_receptive_field(model, np.zeros((1, 15, 17, 2), np.float32), 5)


@task("inception_block", weight=3)
@pytest.mark.parametrize("channels", [(4, 3, 5, 2, 6, 7), (8, 2, 4, 3, 2, 1)])
def test_inception_block(student, channels):
    """inception_block with channels {channels} has its four branches in order"""
    model = build_block(student, "inception_block", (14, 12, 5), *channels)
    assert_stages(model, [inception_stage(*channels)], name="inception_block")


@task("inception_block", weight=2)
def test_inception_fields(student, rng):
    """the branches of inception_block see 1x1, 3x3, 5x5 and 3x3 pixels, in that order along the channels"""
    model = brightened(rng, build_block(student, "inception_block", (12, 14, 3), 4, 3, 5, 2, 6, 7))
    before = rng.uniform(0, 1, (2, 12, 14, 3)).astype(np.float32)
    after = before.copy()
    after[:, 6, 7] += 3
    changed = (model.predict(before, (12, 14, 22)) != model.predict(after, (12, 14, 22))).any(axis=0)
    seen = np.sqrt(changed.sum(axis=(0, 1)))
    name = "the width of what the pixel changes, channel by channel"
    assert_close(seen, np.repeat([1.0, 3.0, 5.0, 3.0], [4, 5, 6, 7]), name=name)


@task("residual_block", weight=2)
@pytest.mark.parametrize("channels, filters, stride", [(6, 6, 1), (6, 6, 2), (4, 6, 1), (4, 8, 2)])
def test_residual_block(student, channels, filters, stride):
    """residual_block from {channels} to {filters} channels at stride {stride} has its path and its shortcut"""
    model = build_block(student, "residual_block", (12, 10, channels), filters, stride=stride)
    projected = stride > 1 or channels != filters
    kinds = [True, False] if projected else [True]
    allowed = [[residual_stage(filters, stride, projected=projected, norm=each)] for each in kinds]
    assert_design(model, allowed, name="residual_block")


@task("residual_block", weight=2)
def test_zeroed_residual_block(student, rng):
    """with its convolutions zeroed, residual_block is ReLU of its input"""
    model = with_zeros(build_block(student, "residual_block", (9, 7, 5), 5), "Conv2D")
    x = images(rng, 3, 9, 7, 5)
    assert_close(model.predict(x, (9, 7, 5)), np.maximum(x, 0), rtol=1e-3, name="the output of residual_block")


@task("residual_block")
def test_residual_block_output(student, rng):
    """residual_block halves height and width at stride 2, and its output is nowhere negative"""
    model = build_block(student, "residual_block", (10, 14, 3), 4, stride=2)
    received = model.predict(images(rng, 5, 10, 14, 3), (5, 7, 4))
    assert (received >= 0).all(), "The output of residual_block has negative values: ReLU comes after the addition."
    assert (received > 0).any(), "The output of residual_block is zero everywhere."


def deep_allowed(depth, residual, classes=10):
    """Return the deep nets with the ReLU after and before the addition."""
    return [deep_stages(depth, residual, classes, early=early) for early in (False, True)]


@task("deep_net", weight=2)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("depth", [3, 9, 31])
def test_deep_net(student, depth, residual):
    """with depth={depth} and residual={residual} it has the right stages"""
    model = outline(student, "deep_net", depth, residual)
    assert_design(model, deep_allowed(depth, residual), name=f"deep_net({depth}, {residual})")


@task("deep_net", weight=2)
def test_nothing_else_differs(student):
    """shortcuts add no parameters, and the first convolution takes images of any size"""
    shape, depth = (10, 6, 3), 5
    count = 9 * 16 * (3 + 16 * (depth - 1)) + 4 * 16 * depth + 16 * 4 + 4
    for residual in (True, False):
        model = outline(student, "deep_net", depth, residual, input_shape=shape, classes=4)
        assert_parameters(model, count, name=f"deep_net({depth}, {residual}, {shape}, 4)")
        assert_design(model, deep_allowed(depth, residual, 4), name=f"deep_net({depth}, {residual}, {shape}, 4)")


@task("deep_net")
@pytest.mark.parametrize("residual", [False, True])
def test_compiled(student, residual):
    """with residual={residual} it is compiled with categorical cross-entropy"""
    assert_compiled(outline(student, "deep_net", 5, residual), losses=("categorical_crossentropy",), name="deep_net")


@task("deep_net", weight=3)
def test_residual_net_learns(student, rng, threshold):
    """trained for five epochs on 600 digits, the residual net of depth 31 gets where the plain one does not"""
    x, y, probe, truth = lesson(DIGITS, 600, rng)
    data = (x, y), (probe, np.eye(10)[truth])
    most = threshold("residual_loss")
    assert_learns(lambda: build(student, "deep_net", 31, True), *data, most, epochs=5, batch_size=32)
