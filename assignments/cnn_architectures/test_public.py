"""What `check("...")` runs: the designs of the notebook, at sizes that are quick to build.

A network that differs is shown beside the expected one, stage by stage. The grade is decided by other tests of the same
kind, with full-size networks, other images and other channels.
"""

import numpy as np
import pytest

from autograder.checks import assert_close, assert_probabilities, task
from autograder.checks.architecture import (
    activations,
    assert_compiled,
    assert_output_shape,
    assert_parameters,
    assert_stages,
    stages_of,
    with_zeros,
)
from autograder.checks.designs import assert_design, assert_some_parameters
from autograder.checks.models import build, build_block, outline
from autograder.checks.stages import (
    add,
    average_pool,
    batch_norm,
    concatenate,
    conv,
    dense,
    flatten,
    global_average_pool,
    max_pool,
    other,
)

COUNT = "Write the sum of the notebook beside `model.summary()`: which layer differs?"


def same(filters, size, activation="relu", strides=1):
    """Expect a convolution with the padding "same"."""
    return conv(filters, size, strides=strides, padding="same", activation=activation)


def numbers(*shape):
    """Make small images of whole numbers on both sides of zero."""
    return (np.arange(np.prod(shape)) % 7 - 3).reshape(shape).astype(np.float32)


def sizes(model):
    """Return the shapes after each pooling and addition, in the order of the flow."""
    joined = ("max_pool", "average_pool", "concatenate", "add")
    return [each.stage.output for each in stages_of(model) if each.stage.kind in joined]


def assert_sizes(model, expected):
    """Check the shapes after each pooling, concatenation and addition."""
    received = sizes(model)
    assert received == expected, (
        f"After its poolings, concatenations and additions: expected {expected}, not {received}."
    )


@task("lenet5")
def test_lenet5(student):
    """has the layers of the figure, with the same non-linearity after each but the last"""
    model = outline(student, "lenet5")
    functions = [function for function in activations(model) if function != "softmax"]
    first = functions[0] if functions else "tanh"
    ending = [flatten(), dense(120, first), dense(84, first), dense(10, "softmax")]
    usual = [same(6, 5, first), average_pool(2), conv(16, 5, activation=first), average_pool(2)]
    pool = other("average_pool", kernel=2, strides=2, padding="valid", activation=first)
    late = [same(6, 5, None), pool, conv(16, 5, activation=None), pool]
    assert_design(model, [[*usual, *ending], [*late, *ending]], name="lenet5")


@task("lenet5")
def test_lenet5_parameters(student):
    """has 156 + 2,416 + 48,120 + 10,164 + 850 = 61,706 parameters"""
    assert_parameters(outline(student, "lenet5"), 61_706, hint=COUNT, name="lenet5")


@task("lenet5")
def test_lenet5_predicts(student):
    """predicts probabilities for four classes"""
    model = build(student, "lenet5", (16, 20, 1), 4)
    assert_probabilities(model.predict(numbers(2, 16, 20, 1), (4,)), (2, 4), name="the output of lenet5")


@task("alexnet")
def test_alexnet(student):
    """at an eighth of its width it has the layers of the figure"""
    pool = max_pool(3, 2)
    features = [conv(12, 11, strides=4), pool, same(32, 5), pool, same(48, 3), same(48, 3), same(32, 3), pool]
    classifier = [flatten(), dense(512, "relu"), dense(512, "relu"), dense(8, "softmax")]
    model = outline(student, "alexnet", classes=8, width=1 / 8)
    assert_stages(model, [*features, *classifier], name="alexnet with classes=8 and width=1/8")


@task("alexnet")
def test_alexnet_parameters(student):
    """of full size it has 3,747,200 + 37,752,832 + 16,781,312 + 4,097,000 = 62,378,344 parameters"""
    assert_parameters(outline(student, "alexnet"), 62_378_344, hint=COUNT, name="alexnet")


@task("vgg_block")
@pytest.mark.parametrize("convolutions, filters", [(2, 4), (3, 2)])
def test_vgg_block(student, convolutions, filters):
    """vgg_block makes {convolutions} convolutions of {filters} channels and one pooling"""
    model = build_block(student, "vgg_block", (8, 8, 3), convolutions, filters)
    assert_stages(model, [*[same(filters, 3)] * convolutions, max_pool(2)], name="vgg_block")


@task("vgg_block")
def test_vgg16_parameters(student):
    """vgg16 of full size has 14,714,688 + 102,764,544 + 16,781,312 + 4,097,000 = 138,357,544 parameters"""
    assert_parameters(outline(student, "vgg16"), 138_357_544, hint=COUNT, name="vgg16")


@task("vgg_block")
def test_vgg16_width(student):
    """vgg16 with width=0.06 has 4, 8, 15, 31, 31 channels after its blocks"""
    model = outline(student, "vgg16", (64, 64, 1), 3, 0.06)
    assert_output_shape(model, (3,), name="vgg16")
    assert_sizes(model, [(32, 32, 4), (16, 16, 8), (8, 8, 15), (4, 4, 31), (2, 2, 31)])


@task("nin_block")
@pytest.mark.parametrize("strides, padding", [(2, "valid"), (1, "same")])
def test_nin_block(student, strides, padding):
    """nin_block makes a 5x5 convolution with stride {strides}, padding {padding}, and two 1x1, ReLU after each"""
    model = build_block(student, "nin_block", (11, 11, 3), 4, 5, strides=strides, padding=padding)
    assert_stages(model, [conv(4, 5, strides=strides, padding=padding), conv(4, 1), conv(4, 1)], name="nin_block")


@task("nin_block")
def test_nin_ending(student):
    """nin pools three times and ends in the mean of each channel and softmax, without a dense layer"""
    model = outline(student, "nin", classes=10, width=1 / 8)
    assert_sizes(model, [(27, 27, 12), (13, 13, 32), (6, 6, 48)])
    assert_design(model, [[global_average_pool("softmax")]], part="classifier", name="nin")


@task("nin_block")
def test_nin_parameters(student):
    """nin of full size has 2,015,398 parameters, and at an eighth of its width the last block keeps its ten channels"""
    assert_parameters(outline(student, "nin"), 2_015_398, hint=COUNT, name="nin")
    assert_output_shape(outline(student, "nin", width=1 / 8), (10,), name="nin with width=1/8")


@task("inception_block")
def test_inception_block(student):
    """inception_block with the channels 1, 2, 3, 4, 5, 6 has its four branches in order"""
    model = build_block(student, "inception_block", (8, 8, 3), 1, 2, 3, 4, 5, 6)
    pooled = [max_pool(3, 1, padding="same"), conv(6, 1)]
    branches = [conv(1, 1)], [conv(2, 1), same(3, 3)], [conv(4, 1), same(5, 5)], pooled
    assert_stages(model, [concatenate(*branches)], name="inception_block")


@task("inception_block")
def test_googlenet_sizes(student):
    """googlenet halves the image four times with its poolings, and concatenates the channels of the table"""
    channels = [256, 480, 480, 512, 512, 512, 528, 832, 832, 832, 1024]
    lengths = [28] * 2 + [14] * 6 + [7] * 3
    blocks = [(size, size, count) for size, count in zip(lengths, channels, strict=True)]
    assert_sizes(outline(student, "googlenet"), [(56, 56, 64), (28, 28, 192), *blocks])


@task("inception_block")
def test_googlenet_parameters(student):
    """googlenet of full size has 6,998,552 parameters"""
    assert_parameters(outline(student, "googlenet"), 6_998_552, hint=COUNT, name="googlenet")


@task("residual_block")
@pytest.mark.parametrize("filters, stride", [(4, 1), (6, 2)])
def test_residual_block(student, filters, stride):
    """residual_block from 4 to {filters} channels at stride {stride} has its path and its shortcut"""
    path = [same(filters, 3, None, stride), batch_norm("relu"), same(filters, 3, None), batch_norm()]
    projection = [same(filters, 1, None, stride), batch_norm()]
    shortcuts = [[]] if stride == 1 else [projection, projection[:1]]
    model = build_block(student, "residual_block", (8, 8, 4), filters, stride=stride)
    assert_design(model, [[add(path, each, activation="relu")] for each in shortcuts], name="residual_block")


@task("residual_block")
def test_zeroed_residual_block(student):
    """with its convolutions at zero residual_block does nothing but ReLU"""
    model = with_zeros(build_block(student, "residual_block", (4, 4, 3), 3), "Conv2D")
    x = numbers(2, 4, 4, 3)
    hint = "The shortcut has to be the input itself when the shapes agree, and ReLU comes after the addition."
    assert_close(model.predict(x, (4, 4, 3)), np.maximum(x, 0), rtol=1e-3, hint=hint, name="the output")


@task("residual_block")
def test_resnet18_sizes(student):
    """resnet18 gets from 224 to 56 before its eight blocks, which end with 56, 28, 14 and 7"""
    lengths, channels = [56, 28, 14, 7], [64, 128, 256, 512]
    blocks = [(size, size, count) for size, count in zip(lengths, channels, strict=True) for _ in range(2)]
    model = outline(student, "resnet18")
    assert_sizes(model, [(56, 56, 64), *blocks])
    assert_some_parameters(model, (11_699_112, 11_695_528, 11_696_424), name="resnet18")


@task("residual_block")
def test_resnet18_width(student):
    """resnet18 with width=1/8 has 8, 16, 32 and 64 channels in its four stages"""
    received = [shape[-1] for shape in sizes(outline(student, "resnet18", width=1 / 8))]
    assert received == [8, 8, 8, 16, 16, 32, 32, 64, 64], (
        f"After the pooling and the eight blocks: {received} channels."
    )


@task("deep_net")
@pytest.mark.parametrize("residual", [False, True])
def test_deep_net(student, residual):
    """with depth=5 and residual={residual} it has five convolutions, in a pair and a pair and one before"""
    layer, last = [same(16, 3, None), batch_norm("relu")], [same(16, 3, None), batch_norm()]
    rows = [[add([*layer, *last], [], activation="relu")], [add([*layer, *layer], [], activation=None)]]
    pairs = rows if residual else [[*layer, *layer]]
    ending = [global_average_pool(), dense(10, "softmax")]
    model = outline(student, "deep_net", 5, residual)
    assert_design(model, [[*layer, *pair, *pair, *ending] for pair in pairs], name=f"deep_net(5, {residual})")


@task("deep_net")
def test_deep_net_compiled(student):
    """is compiled with categorical cross-entropy"""
    assert_compiled(outline(student, "deep_net", 3, True), losses=("categorical_crossentropy",), name="deep_net")


@task("deep_net")
def test_deep_net_parameters(student):
    """of depth 31 has 71,418 parameters, with shortcuts and without"""
    for residual in (False, True):
        name = f"deep_net(31, {residual})"
        assert_parameters(outline(student, "deep_net", 31, residual), 71_418, hint=COUNT, name=name)
