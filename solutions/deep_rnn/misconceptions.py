"""Known wrong answers about deep recurrent networks: stacks, two directions, padding, and what is kept for long.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import keras
import numpy as np
from keras import layers

from autograder.misconceptions import collect, misconception


@misconception("stacked_rnn")
def sequences_not_passed_on(input_shape, units=(32, 32), cell="lstm", classes=4):
    """Your lower layers give their last state only, as a sequence of one step. Set `return_sequences=True` there."""
    steps = [keras.Input(input_shape), *_stack(units[:1], cell)]
    for count in units[1:]:
        steps += [layers.Reshape((1, -1)), _cell(cell, count)]
    return keras.Sequential([*steps, _answer(classes)])


@misconception("stacked_rnn")
def answer_at_every_step(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You let the last layer return every step too. One answer is asked for: no `return_sequences` in the last one."""
    recurrent = [_cell(cell, count, return_sequences=True) for count in units]
    return keras.Sequential([keras.Input(input_shape), *recurrent, _answer(classes)])


@misconception("stacked_rnn")
def two_layers_of_the_first_size(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You gave every layer the first number of units. There is one layer for each item of `units`, of that size."""
    return keras.Sequential([keras.Input(input_shape), *_stack([units[0]] * len(units), cell), _answer(classes)])


@misconception("stacked_rnn")
def always_an_lstm(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You built LSTM layers whatever is asked for. Look `cell` up: SimpleRNN, GRU or LSTM."""
    return keras.Sequential([keras.Input(input_shape), *_stack(units, "lstm"), _answer(classes)])


@misconception("stacked_rnn")
def stack_without_softmax(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You left the last layer linear. Its outputs become probabilities by `activation="softmax"`."""
    return keras.Sequential([keras.Input(input_shape), *_stack(units, cell), layers.Dense(classes)])


@misconception("stacked_rnn")
def sigmoid_for_each_class(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You gave each class a sigmoid of its own. Only one class is right, so they share 1: `activation="softmax"`."""
    recurrent = _stack(units, cell)
    return keras.Sequential([keras.Input(input_shape), *recurrent, layers.Dense(classes, activation="sigmoid")])


@misconception("stacked_rnn")
def stack_compiled(input_shape, units=(32, 32), cell="lstm", classes=4):
    """You compiled the model. Here that is left to those who train it: return the network as it is."""
    model = keras.Sequential([keras.Input(input_shape), *_stack(units, cell), _answer(classes)])
    model.compile("adam", "categorical_crossentropy")
    return model


@misconception("bidirectional_forward")
def backward_half_not_reversed(x, forward, backward):
    """You left the backward states in the order they were computed in. Turn them around: `[:, ::-1]` once more."""
    return np.concatenate([_states(x, *forward), _states(x[:, ::-1], *backward)], axis=2)


@misconception("bidirectional_forward")
def both_read_forward(x, forward, backward):
    """You let both layers read forward. Give the second one the steps from the last to the first: `x[:, ::-1]`."""
    return np.concatenate([_states(x, *forward), _states(x, *backward)], axis=2)


@misconception("bidirectional_forward")
def states_turned_but_not_steps(x, forward, backward):
    """You turned the backward states around, but not what they read. Reverse the steps before and the states after."""
    return np.concatenate([_states(x, *forward), _states(x, *backward)[:, ::-1]], axis=2)


@misconception("bidirectional_forward")
def halves_added(x, forward, backward):
    """You added the two directions. Both are kept, side by side: `np.concatenate([...], axis=2)`, 2H numbers a step."""
    return _states(x, *forward) + _states(x[:, ::-1], *backward)[:, ::-1]


@misconception("bidirectional_forward")
def halves_exchanged(x, forward, backward):
    """You put the backward half first. The forward states come first, `[:, :, :H]`, the backward ones behind them."""
    return np.concatenate([_states(x[:, ::-1], *backward)[:, ::-1], _states(x, *forward)], axis=2)


@misconception("bidirectional_forward")
def halves_one_after_the_other(x, forward, backward):
    """You joined the halves along the time. They stand beside each other at every step: the last axis, 2."""
    return np.concatenate([_states(x, *forward), _states(x[:, ::-1], *backward)[:, ::-1]], axis=1)


@misconception("bidirectional_forward")
def one_set_of_weights(x, forward, backward):
    """You read both ways with the same weights. The backward layer has its own triple, the third argument."""
    return np.concatenate([_states(x, *forward), _states(x[:, ::-1], *forward)[:, ::-1]], axis=2)


@misconception("bidirectional_forward")
def backward_goes_on_from_forward(x, forward, backward):
    """You began the backward reading with the last forward state. Both directions begin with a state of zeros."""
    ahead = _states(x, *forward)
    back = _states(x[:, ::-1], *backward, first=ahead[:, -1])[:, ::-1]
    return np.concatenate([ahead, back], axis=2)


@misconception("bidirectional_forward")
def biases_left_out(x, forward, backward):
    """You left out the biases. Each step adds the one of its layer: `np.tanh(x_t @ Wx + h @ Wh + b)`."""
    ahead = _states(x, *forward[:2], 0.0)
    return np.concatenate([ahead, _states(x[:, ::-1], *backward[:2], 0.0)[:, ::-1]], axis=2)


@misconception("bidirectional_forward")
def features_reversed(x, forward, backward):
    """You reversed the features of each step. The time is the middle axis: `x[:, ::-1]`, with the features as are."""
    back = _states(x[:, :, ::-1], *backward)[:, ::-1]
    return np.concatenate([_states(x, *forward), back], axis=2)


@misconception("bidirectional_rnn")
def one_direction(input_shape, units=32, cell="gru", classes=4):
    """You read in one direction only. Wrap the layer, `layers.Bidirectional(...)`, so that a second one reads back."""
    return _model(input_shape, [_cell(cell, units)], classes)


@misconception("bidirectional_rnn")
def directions_added(input_shape, units=32, cell="gru", classes=4):
    """You added the two last states. Keep both, side by side: `merge_mode="concat"`, which is the default."""
    return _model(input_shape, [layers.Bidirectional(_cell(cell, units), merge_mode="sum")], classes)


@misconception("bidirectional_rnn")
def last_step_of_both(input_shape, units=32, cell="gru", classes=4):
    """You took the last step of both directions. There the backward layer has read one step: it ends at the first."""
    both = layers.Bidirectional(_cell(cell, units, return_sequences=True))
    return _model(input_shape, [both, layers.Cropping1D((input_shape[0] - 1, 0)), layers.Flatten()], classes)


@misconception("bidirectional_rnn")
def units_shared_by_directions(input_shape, units=32, cell="gru", classes=4):
    """You divided the units between the directions. Each direction has `units` of its own, so 2 * units arrive."""
    return _model(input_shape, [layers.Bidirectional(_cell(cell, max(1, units // 2)))], classes)


@misconception("bidirectional_rnn")
def directions_without_softmax(input_shape, units=32, cell="gru", classes=4):
    """You left the last layer linear. Its outputs become probabilities by `activation="softmax"`."""
    both = layers.Bidirectional(_cell(cell, units))
    return keras.Sequential([keras.Input(input_shape), both, layers.Dense(classes)])


@misconception("bidirectional_rnn")
def always_a_gru(input_shape, units=32, cell="gru", classes=4):
    """You built GRU layers whatever is asked for. Look `cell` up: SimpleRNN, GRU or LSTM."""
    return _model(input_shape, [layers.Bidirectional(_cell("gru", units))], classes)


@misconception("bidirectional_rnn")
def averaged_over_time(input_shape, units=32, cell="gru", classes=4):
    """You averaged the states of all steps. Only the last state of each direction goes on: no `return_sequences`."""
    both = layers.Bidirectional(_cell(cell, units, return_sequences=True))
    return _model(input_shape, [both, layers.GlobalAveragePooling1D()], classes)


@misconception("masked_rnn")
def padding_read_as_data(input_shape, units=32, classes=4):
    """You let the network read the padding. Put `layers.Masking()` in front of the recurrent layer."""
    return _model(input_shape, [layers.GRU(units)], classes)


@misconception("masked_rnn")
def another_value_masked(input_shape, units=32, classes=4):
    """You masked steps of -1. The padding here is zeros: `layers.Masking(mask_value=0.0)`."""
    return _model(input_shape, [layers.Masking(mask_value=-1.0), layers.GRU(units)], classes)


@misconception("masked_rnn")
def masked_behind_the_layer(input_shape, units=32, classes=4):
    """You masked the states, when the padding has been read already. `Masking` comes before the recurrent layer."""
    reading = [layers.GRU(units, return_sequences=True), layers.Masking(), layers.GRU(units)]
    return _model(input_shape, reading, classes)


@misconception("masked_rnn")
def masked_by_the_sum(input_shape, units=32, classes=4):
    """You took a step for padding when its channels sum to 0. Ask whether any channel is not 0."""
    return _masked(input_shape, units, classes, lambda x: keras.ops.abs(keras.ops.sum(x, axis=2)) > 1e-5)


@misconception("masked_rnn")
def masked_by_any_zero(input_shape, units=32, classes=4):
    """You took a step for padding when one of its channels is 0. It is padding only if all of them are."""
    return _masked(input_shape, units, classes, lambda x: keras.ops.all(x != 0, axis=2))


@misconception("masked_rnn")
def masked_by_the_first_channel(input_shape, units=32, classes=4):
    """You looked at the first channel only. A step is padding if all of its channels are 0: `any` over axis 2."""
    return _masked(input_shape, units, classes, lambda x: x[:, :, 0] != 0)


@misconception("masked_rnn")
def negative_steps_masked(input_shape, units=32, classes=4):
    """You took negative steps for padding, too. What counts is whether a channel differs from 0, not its sign."""
    return _masked(input_shape, units, classes, lambda x: keras.ops.any(x > 0, axis=2))


@misconception("masked_rnn")
def masked_without_softmax(input_shape, units=32, classes=4):
    """You left the last layer linear. Its outputs become probabilities by `activation="softmax"`."""
    reading = [keras.Input(input_shape), layers.Masking(), layers.GRU(units)]
    return keras.Sequential([*reading, layers.Dense(classes)])


@misconception("masked_rnn")
def masked_units_fixed(input_shape, units=32, classes=4):
    """You built 32 units whatever is asked for. Use the argument: `layers.GRU(units)`."""
    return _model(input_shape, [layers.Masking(), layers.GRU(32)], classes)


def _cell(cell, units, **options):
    return {"simple": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}[cell](units, **options)


def _stack(units, cell):
    """Return recurrent layers, of which all but the last pass every step on."""
    last = len(units) - 1
    return [_cell(cell, count, return_sequences=place < last) for place, count in enumerate(units)]


def _answer(classes):
    return layers.Dense(classes, activation="softmax")


def _model(input_shape, reading, classes):
    return keras.Sequential([keras.Input(input_shape), *reading, _answer(classes)])


def _masked(input_shape, units, classes, counts):
    """Build a network that skips the steps of which ``counts`` says so."""
    x = keras.Input(input_shape)
    return keras.Model(x, _answer(classes)(layers.GRU(units)(x, mask=counts(x))))


def _states(x, Wx, Wh, b, first=None):
    """Return the states of a plain layer after each step ``(N, T, H)``."""
    h = np.zeros((len(x), len(Wh)), dtype=x.dtype) if first is None else first
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1)


MISCONCEPTIONS = collect(vars())
