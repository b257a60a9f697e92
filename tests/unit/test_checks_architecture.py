"""Networks in canonical form, from descriptions that are written here: no Keras is needed for that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.architecture import (
    activations,
    assert_at_most_parameters,
    assert_compiled,
    assert_output_shape,
    assert_parameters,
    assert_stages,
    assert_trainable,
    stages_of,
)
from autograder.checks.canonical import canonical
from autograder.checks.description import read_description
from autograder.checks.models import model_of, moved
from autograder.checks.stages import (
    ANY,
    add,
    average_pool,
    batch_norm,
    bidirectional,
    concatenate,
    conv,
    dense,
    difference,
    flatten,
    global_average_pool,
    matches,
    max_pool,
    other,
    recurrent,
)
from autograder.errors import CheckFailure
from autograder.subject.proxy import ModuleSubject
from tests.networks import Data, Network
from tests.strategies import anything


def small(activation_as: str = "argument") -> Network:
    """A small classifier, its activations written in one of three ways."""
    net = Network(8, 8, 1)
    place = net.conv(net.input, 4, activation="relu" if activation_as == "argument" else "linear")
    if activation_as == "layer":
        place = net.same("ReLU", place, max_value=None, negative_slope=0.0, threshold=0.0)
    if activation_as == "function":
        place = net.same("Relu", place)
    place = net.same("Dropout", net.flat(place), rate=0.5)
    if activation_as == "argument":
        net.dense(place, 3, "softmax")
    else:
        net.same("Softmax" if activation_as == "layer" else "Activation", net.dense(place, 3), activation="softmax")
    return net


SMALL = [conv(4, 3), flatten(), dense(3, "softmax")]


@pytest.mark.parametrize("activation_as", ["argument", "layer", "function"])
def test_the_spelling_of_an_activation_does_not_matter(activation_as: str) -> None:
    """An argument, a layer and a function are one form; dropout leaves no trace."""
    net = small(activation_as)
    stages = assert_stages(net.read(), SMALL)
    assert [stage.output for stage in stages] == [(6, 6, 4), (144,), (3,)]
    assert activations(net.read()) == ("relu", "softmax")


def test_a_difference_is_shown_in_two_columns() -> None:
    """Lines that agree stand beside each other, and a stage that is missing does not shift those that follow."""
    with pytest.raises(CheckFailure) as caught:
        assert_stages(small().read(), [conv(4, 5), max_pool(2), flatten(), dense(3, "softmax")], hint="Look again.")
    assert str(caught.value).splitlines() == [
        "The stages of your model are not the expected ones.",
        "  expected            your model",
        "> conv 4, 5x5, relu   conv 4, 3x3, relu -> (6, 6, 4)",
        "> max_pool 2x2",
        "  flatten             flatten -> (144,)",
        "  dense 3, softmax    dense 3, softmax -> (3,)",
        "Look again.",
    ]


def test_stages_of_one_kind_stand_beside_each_other() -> None:
    """Where none or one agrees, each convolution is set beside a convolution, and what is missing stands alone."""
    net = Network(12, 12, 1)
    net.conv(net.norm(net.conv(net.input, 4)), 8)
    expected = [conv(5, 3), batch_norm(), conv(9, 3), batch_norm()]
    lines = difference(expected, stages_of(net.read())).splitlines()
    width = lines[0].index("your model")
    kinds = [(line[0], line[2:width].partition(" ")[0], line[width:].partition(" ")[0]) for line in lines[1:]]
    names = [("conv", "conv"), ("batch_norm", "batch_norm"), ("conv", "conv"), ("batch_norm", "")]
    assert kinds == [(sign, *pair) for sign, pair in zip("> >>", names, strict=True)]


def test_a_long_difference_is_cut_to_what_differs() -> None:
    """Of a long network the lines around a difference are shown."""
    net = Network(40, 40, 1)
    place = net.input
    for filters in range(1, 15):
        place = net.conv(place, filters)
    expected = [conv(filters, 3, activation=None) for filters in range(1, 15)]
    expected[6] = conv(99, 3, activation=None)
    lines = difference(expected, stages_of(net.read())).splitlines()
    assert [line[:13].strip() for line in lines] == [
        "expected",
        "...",
        "conv 5, 3x3",
        "conv 6, 3x3",
        "> conv 99, 3x",
        "conv 8, 3x3",
        "conv 9, 3x3",
        "...",
    ]


@pytest.mark.parametrize(
    ("padding", "size", "strides", "fits", "misfits"),
    [("same", 3, 1, "same", "valid"), ("valid", 3, 1, "valid", "same"), ("same", 3, 2, "same", "valid")],
)
def test_padding_is_compared_by_what_it_adds(padding: str, size: int, strides: int, fits: str, misfits: str) -> None:
    """The words of the layer count where they make a difference."""
    net = Network(9, 12, 2)
    net.conv(net.input, 4, size, strides, padding=padding)
    assert matches([conv(4, size, strides=strides, padding=fits, activation=None)], stages_of(net.read()))
    assert not matches([conv(4, size, strides=strides, padding=misfits, activation=None)], stages_of(net.read()))


def test_padding_of_nothing_has_both_names() -> None:
    """A 1x1 convolution and a pooling that divides evenly are padded "valid" and "same"."""
    net = Network(8, 8, 2)
    place = net.conv(net.input, 4, 1, padding="same")
    net.op("MaxPooling2D", [place], (4, 4, 4), pool_size=[2, 2], strides=[2, 2], padding="same")
    for word in ("valid", "same"):
        assert_stages(net.read(), [conv(4, 1, padding=word, activation=None), max_pool(2, padding=word)])


def test_a_layer_of_zeros_is_padding() -> None:
    """Zeros around the input and a valid convolution are the same as a padded convolution; too many are not."""
    for zeros, fits in ((1, True), (2, False)):
        net = Network(8, 8, 2)
        length = 8 + 2 * zeros
        pads = [[zeros, zeros], [zeros, zeros]]
        net.conv(net.op("ZeroPadding2D", [net.input], (length, length, 2), padding=pads), 4)
        assert matches([conv(4, 3, padding="same", activation=None)], stages_of(net.read())) is fits


def test_relu_and_max_pooling_may_change_places() -> None:
    """ReLU after max pooling, and twice, is ReLU before it; a softmax would not be."""
    net = Network(8, 8, 1)
    pooled = net.op(
        "MaxPooling2D", [net.conv(net.input, 4)], (3, 3, 4), pool_size=[2, 2], strides=[2, 2], padding="valid"
    )
    net.same("Relu", net.same("Relu", pooled))
    assert_stages(net.read(), [conv(4, 3), max_pool(2)])
    net = Network(8, 8, 1)
    net.same("Softmax", net.op("MaxPooling2D", [net.input], (4, 4, 1), pool_size=[2, 2], padding="valid"))
    assert_stages(net.read(), [other("max_pool", activation="softmax")])


def test_an_activation_stays_where_another_path_reads_what_is_before_it() -> None:
    """A convolution whose linear output is used elsewhere is not the one with a ReLU."""
    net = Network(8, 8, 4)
    linear = net.conv(net.input, 4, padding="same")
    net.same("Add", linear, net.same("Relu", linear))
    straight = conv(4, 3, padding="same", activation=None)
    assert_stages(net.read(), [straight, add([other("activation", activation="relu")], [], activation=None)])


@pytest.mark.parametrize("way", ["layer", "mean", "mean of means", "pool", "keepdims"])
def test_global_average_pooling_has_many_spellings(way: str) -> None:
    """A layer, a mean, two means, one large pooling and a flattening."""
    net = Network(6, 5, 3)
    if way == "layer":
        net.op("GlobalAveragePooling2D", [net.input], (3,))
    if way == "mean":
        net.op("Mean", [net.input], (3,), axis=[1, -2], keepdims=False)
    if way == "mean of means":
        net.op("Mean", [net.op("Mean", [net.input], (6, 3), axis=-2)], (3,), axis=1)
    if way == "pool":
        net.flat(net.op("AveragePooling2D", [net.input], (1, 1, 3), pool_size=[6, 5], padding="valid"))
    if way == "keepdims":
        net.flat(net.op("GlobalAveragePooling2D", [net.input], (1, 1, 3), keepdims=True))
    assert_stages(net.read(), [global_average_pool()])


def test_a_mean_over_channels_is_none() -> None:
    """Only the mean over all of the image is global average pooling."""
    net = Network(6, 5, 3)
    net.op("Mean", [net.input], (6, 5), axis=-1)
    assert not matches([global_average_pool()], stages_of(net.read()))


@pytest.mark.parametrize("first, axis", [("Mean", -1), ("Max", 1)])
def test_a_mean_of_something_else_is_none(first: str, axis: int) -> None:
    """Neither after a mean over the channels, nor after a maximum over the rows, is a mean the rest of one."""
    net = Network(6, 5, 3)
    left = (6, 5) if axis == -1 else (5, 3)
    net.op("Mean", [net.op(first, [net.input], left, axis=axis)], (left[1],), axis=1)
    assert not matches([global_average_pool()], stages_of(net.read()))


def residual(swapped: bool = False, projected: bool = False) -> Network:
    """A residual block, its sum written in either order."""
    net = Network(8, 8, 4)
    body = net.same("ReLU", net.norm(net.conv(net.input, 4, padding="same", use_bias=False)))
    body = net.norm(net.conv(body, 4, padding="same"))
    short = net.conv(net.input, 4, 1) if projected else net.input
    net.same("Activation", net.same("Add", *((short, body) if swapped else (body, short))), activation="relu")
    return net


BODY = [
    conv(4, 3, padding="same", activation=None),
    batch_norm("relu"),
    conv(4, 3, padding="same", activation=None),
    batch_norm(),
]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_shortcut_is_found_in_any_order(swapped: bool) -> None:
    """The terms of a sum have no order."""
    assert_stages(residual(swapped).read(), [add(BODY, [], activation="relu")])
    assert_stages(
        residual(swapped, projected=True).read(), [add([conv(4, 1, activation=None)], BODY, activation="relu")]
    )


def test_a_missing_shortcut_is_shown() -> None:
    """The path that should go straight on is named."""
    with pytest.raises(CheckFailure, match=r"> path straight on +path:\n> +\| conv 4, 1x1 -> \(8, 8, 4\)"):
        assert_stages(residual(projected=True).read(), [add(BODY, [], activation="relu")])


def test_branches_are_concatenated_in_order() -> None:
    """One ReLU after the concatenation is a ReLU in each branch; another order is another network."""
    net = Network(8, 8, 4)
    left, right = net.conv(net.input, 2, 1), net.conv(net.input, 3, 1)
    net.same("ReLU", net.op("Concatenate", [left, right], (8, 8, 5), axis=-1))
    assert_stages(net.read(), [concatenate([conv(2, 1)], [conv(3, 1)])])
    assert not matches([concatenate([conv(3, 1)], [conv(2, 1)])], stages_of(net.read()))


def test_a_concatenation_along_another_axis_is_another() -> None:
    """What is joined below each other has other stages."""
    net = Network(8, 8, 4)
    net.op("Concatenate", [net.input, net.input], (16, 8, 4), axis=1)
    with pytest.raises(CheckFailure):
        assert_stages(net.read(), [concatenate([], [])])


def test_recurrent_layers_and_cells_are_one() -> None:
    """RNN(LSTMCell) is LSTM, and Bidirectional shows the cell in it."""
    net = Network(5, 3)
    place = net.op("LSTM", [net.input], (5, 4), units=4, return_sequences=True, go_backwards=False, activation="tanh")
    cell = {"class_name": "LSTMCell", "config": {"units": 4, "activation": "tanh"}}
    place = net.op("RNN", [place], (5, 4), cell=cell, return_sequences=True, go_backwards=False)
    inner = {"class_name": "GRU", "config": {"units": 2, "return_sequences": False, "go_backwards": False}}
    net.op("Bidirectional", [place], (4,), layer=inner, backward_layer=inner, merge_mode="concat")
    steps = recurrent("lstm", 4, sequences=True, function="tanh")
    assert_stages(net.read(), [steps, steps, bidirectional("gru", 2)])
    assert not matches([steps, steps, bidirectional("lstm", 2)], stages_of(net.read()))
    assert not matches([recurrent("lstm", 4), steps, bidirectional("gru", ANY)], stages_of(net.read()))


def test_biases_before_batch_normalization_are_not_counted() -> None:
    """With or without them a network has the same number of parameters; any other number is wrong."""
    without = 9 * 16 + 16 + 9 * 16 + 16
    assert residual().read().parameters == without + 4
    assert_parameters(residual().read(), without)
    with pytest.raises(
        CheckFailure, match=r"Expected: 321\nReceived: 320, biases before batch normalization not counted"
    ):
        assert_parameters(residual().read(), 321)
    assert_at_most_parameters(residual().read(), 324)
    with pytest.raises(CheckFailure, match="at most 323"):
        assert_at_most_parameters(residual().read(), 323)


def test_the_output_shape_has_no_batch() -> None:
    """The message shows both shapes."""
    assert_output_shape(small().read(), (3,))
    with pytest.raises(CheckFailure, match=r"Expected: \(4,\)\nReceived: \(3,\)"):
        assert_output_shape(small().read(), (4,))


def test_compilation_is_compared_by_names() -> None:
    """Optimizer, loss and metrics, each with its message."""
    net = small()
    with pytest.raises(CheckFailure, match="is not compiled"):
        assert_compiled(net.read(), optimizer="Adam")
    loss = "binary_crossentropy"
    net.compiled = {"optimizer": "Adam", "learning_rate": 1e-3, "loss": loss, "from_logits": False, "metrics": ["acc"]}
    assert_compiled(net.read(), optimizer="Adam", losses=[loss], metrics=["accuracy"])
    for wrong in ({"optimizer": "SGD"}, {"losses": ["mean_squared_error"]}, {"metrics": ["auc"]}):
        with pytest.raises(CheckFailure, match=r"not compiled with the (optimizer|loss|metrics)"):
            assert_compiled(net.read(), **wrong)


def test_trainable_weights_are_told_by_layer() -> None:
    """Names of layers are a student's own, so the class and the place stand in the message."""
    assert_trainable(small().read(), range(4))
    with pytest.raises(
        CheckFailure, match=r"2 weights are trainable that should be frozen[^C]+Conv2D \(layer 1 of 2\)"
    ):
        assert_trainable(small().read(), [2, 3])
    net = small()
    net.weights[3]["trainable"] = False
    with pytest.raises(CheckFailure, match="1 weight is frozen that should be trainable"):
        assert_trainable(net.read(), range(4))


def test_moved_is_bit_for_bit() -> None:
    """Zero and minus zero differ, and NaN is equal to itself."""
    old, new = (
        [np.array(values, np.float32) for values in each]
        for each in (([0.0], [np.nan], [1.0]), ([-0.0], [np.nan], [[1.0]]))
    )
    assert moved(old, new) == [True, False, True]


def test_what_is_no_handle_is_no_model() -> None:
    """A student's tuple, unpacked by the proxy, has no model in it."""
    with pytest.raises(CheckFailure, match="build_cnn returned no Keras model"):
        model_of(ModuleSubject({}), ("a", "b"), "build_cnn")


def test_what_cannot_be_looked_into_is_named() -> None:
    """A student's own call that cannot be traced leads to the advice that makes it traceable."""
    net = Network(8, 8, 1)
    net.op("MyNet", [net.input], (3,))
    net.operations[-1]["opaque"] = "a KerasTensor cannot be used"
    with pytest.raises(CheckFailure, match=r"MyNet cannot be looked into: .* keras\.ops"):
        assert_stages(net.read(), SMALL)


@given(anything())
def test_anything_else_is_no_description(received: Any) -> None:
    """Whatever a subject sends, nothing but a failed check comes of it."""
    with pytest.raises(CheckFailure, match="makes no sense"):
        read_description(received)


@st.composite
def spoiled(draw: st.DrawFn) -> Data:
    """A description with one value, anywhere, replaced by another."""
    data = residual(projected=True).data()
    place: Any = data
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.integers(0, 9)) == 0:
            place[key] = draw(st.one_of(st.integers(-5, 2**70), anything()))
            return data
        place = place[key]


@given(spoiled())
def test_a_spoiled_description_breaks_nothing(data: Data) -> None:
    """It fails as a check, or is read as some network; no other exception comes of it."""
    try:
        description = read_description(data)
        received = stages_of(description)
    except CheckFailure:
        return
    assert difference([add(BODY, [])], received)
    assert matches([add(BODY, [])], received) in (True, False)
    canonical(description)


def test_entangled_paths_are_refused() -> None:
    """Paths that would be read an exponential number of times end in a failed check, soon."""
    net = Network(4)
    left, right = net.input, net.same("Relu", net.input)
    for _ in range(60):
        left, right = net.same("Add", left, right), net.same("Multiply", right, left)
    net.same("Add", left, right)
    with pytest.raises(CheckFailure, match="too entangled"):
        stages_of(net.read())
    net = Network(4)
    place = net.input
    for _ in range(1500):
        place = net.op("Concatenate", [place, place], (4,), axis=-1)
    net.same("Relu", place)
    with pytest.raises(CheckFailure, match=r"too many|too entangled"):
        stages_of(net.read())


def test_average_pooling_is_not_max_pooling() -> None:
    """The kinds of pooling are told apart, and so are strides."""
    net = Network(9, 9, 1)
    net.op("AveragePooling2D", [net.input], (4, 4, 1), pool_size=[3, 3], strides=[2, 2], padding="valid")
    assert_stages(net.read(), [average_pool(3, 2, output=(4, 4, 1))])
    assert not matches([max_pool(3, 2)], stages_of(net.read()))
    assert not matches([average_pool(3)], stages_of(net.read()))
