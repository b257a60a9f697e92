# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Deep recurrent networks
#
# One recurrent layer reads a sequence once, from its beginning to its end. In this notebook you build networks out of
# several: layers on top of each other, a second reader who begins at the end, and a network that knows where a
# sequence is over. At the end stands the hardest thing a recurrent network can be asked for: to keep one symbol in
# mind through forty steps of noise that is louder than the symbol was.
#
# **deeper → both ways → without padding → without forgetting**
#
# | part | your functions |
# | --- | --- |
# | layers on top of each other | `stacked_rnn` |
# | reading both ways | `bidirectional_forward`, `bidirectional_rnn` |
# | sequences of many lengths | `masked_rnn` |
# | keeping for long | `build_recaller` |
#
# ### How to work
# 1. Read the section, follow its small example with pencil and paper, then replace `raise NotImplementedError` in the
#    cell below it. The docstring says what goes in and comes out.
# 2. Run the cell, then the `check(...)` cell after it. It tries your function on your own computer and says what is
#    wrong: what it expected, what it received, and where to look.
# 3. Many figures are drawn by *your* functions. Until a function exists its figure is a line of text. The names in a
#    `%%figure` cell stay among the figures, so they never clash with yours. Figures are not graded.
#
# A check that passes is a good sign and not yet the grade. The final tests are other ones, with fresh random numbers
# and other sizes. Every task is graded on its own, so a task that you cannot solve does not cost you the later ones.
# Add cells and helper functions wherever you like.
#
# ### Conventions
# - A batch of sequences is $(N, T, D)$: sequence, step, channel. The `input_shape` of a network is $(T, D)$. A state is
#   $(N, H)$, for $H$ units.
# - A network answers with probabilities $(N, K)$ for $K$ classes.
# - `bidirectional_forward` is NumPy only: inside it no call of TensorFlow or Keras. It changes none of its arguments;
#   `float64` in gives `float64` out. All other functions return a model of Keras, written in whatever style you like.
#
# **Time:** about three hours. Nothing is downloaded.

# %% setup=true
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow says less

import keras
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_recall

sequences, labels = load_recall()

# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.constrained_layout.use": True})


def try_yours(function, *arguments, shape=None, **options):
    """Call one of your functions for a figure; as long as it is not ready, return None and say so quietly.

    ``shape`` is that of the result, or of the first of several.
    """
    if any(argument is None for argument in arguments):
        return None
    try:
        result = globals()[function](*arguments, **options)
        first = result[0] if isinstance(result, tuple) else result
        received = None if shape is None else np.asarray(first, dtype=float).shape
    except NotImplementedError:
        print(f"This comes to life when you have written {function}.")
    except Exception as error:  # whatever a half-written function raises, the notebook goes on
        print(f"{function} is not ready for this figure yet ({type(error).__name__}: {error}).")
    else:
        if received == shape:
            return result
        print(f"{function} is not ready for this figure yet: expected the shape {shape}, received {received}.")
    return None


def node(axes, x, y, text, color="white", width=0.6, height=0.44):
    """Draw a rounded box with a text in it."""
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(
        plt.matplotlib.patches.FancyBboxPatch(corner, width, height, "round,pad=0.05", fc=color, ec="dimgray")
    )
    axes.text(x, y, text, ha="center", va="center")


def arrow(axes, start, end, color="dimgray", bend=0.0):
    """Draw an arrow from one point to another; one that is bent to the right, or to the left by less than 0."""
    way = {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.4, **way})


def canvas(width, height):
    """Return empty axes on which lengths are the same in both directions."""
    _, axes = plt.subplots(figsize=(1.15 * width, 1.15 * height))
    axes.set(xlim=(-0.9, width - 0.9), ylim=(-0.5, height - 0.5), aspect="equal")
    axes.axis("off")
    return axes


# %% [markdown]
# ---
# # Part 1 - Layers on top of each other
#
# ## 1. A stack
#
# The states $h_1, \ldots, h_T$ of a recurrent layer are a sequence again, $(N, T, H)$. So another layer can read them,
# as if they were an input. The first layer sees the raw steps, the second one what the first made of them:
#
# $$h^{(1)}_t = f_1\big(x_t,\; h^{(1)}_{t-1}\big) \qquad
# h^{(2)}_t = f_2\big(h^{(1)}_t,\; h^{(2)}_{t-1}\big) \qquad
# p = \operatorname{softmax}\big(h^{(2)}_T V + c\big)$$
#
# Time runs to the right, depth upwards. Only one state leaves the stack: the last one of the top layer, which has seen
# everything.

# %% figure=true
axes = canvas(7.2, 4.2)
colors = {1: "#cfe3f7", 2: "#fde9c8"}
for t in range(1, 5):
    node(axes, 1.3 * (t - 1), 0, f"$x_{t}$")
    for layer in (1, 2):
        node(axes, 1.3 * (t - 1), 1.1 * layer, f"$h^{{({layer})}}_{t}$", colors[layer])
        arrow(axes, (1.3 * (t - 1), 1.1 * layer - 0.82), (1.3 * (t - 1), 1.1 * layer - 0.25))
        if t < 4:
            arrow(axes, (1.3 * (t - 1) + 0.35, 1.1 * layer), (1.3 * t - 0.34, 1.1 * layer))
node(axes, 3.9, 3.3, "softmax", "#d9f0d3", 0.9)
arrow(axes, (3.9, 2.48), (3.9, 3.05))
axes.text(4.6, 1.1, "every state goes up", va="center", color="steelblue")
axes.text(4.6, 2.2, "only the last\ngoes on", va="center", color="darkorange")
plt.show()

# %% [markdown]
# In Keras, a recurrent layer returns its last state, $(N, H)$, unless it is told otherwise. A layer that is to be read
# by another one has to return all of them: `return_sequences=True`. Forget it, and the next layer complains about an
# input of two axes where it needs three.
#
# | `cell` | layer | parameters for $D$ inputs, $H$ units |
# | --- | --- | --- |
# | `"simple"` | `keras.layers.SimpleRNN` | $(D + H + 1) H$ |
# | `"gru"` | `keras.layers.GRU` | $3 (D + H + 2) H$, as Keras gives each block two biases |
# | `"lstm"` | `keras.layers.LSTM` | $4 (D + H + 1) H$ |
#
# **Example.** Four channels, two LSTM layers of 32 units, four classes. The first layer has
# $4 \cdot (4 + 32 + 1) \cdot 32 = 4{,}736$ parameters. The second one reads 32 numbers a step, and has
# $4 \cdot (32 + 32 + 1) \cdot 32 = 8{,}320$. The dense layer has $(32 + 1) \cdot 4 = 132$. Together: $13{,}188$.


# %% task="stacked_rnn"
def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    """Build a stack of recurrent layers that answers once, after the last step.

    Args:
        input_shape: ``(T, D)`` of one sequence.
        units: Numbers of units of the layers, one item for each, from the input upwards.
        cell: ``"simple"``, ``"gru"`` or ``"lstm"``: the kind of all layers, as in Keras by default.
        classes: Number of classes ``K``.

    Returns:
        A Keras model ``(N, T, D) -> (N, K)`` that ends in a dense layer with softmax. It is not compiled.
    """
    raise NotImplementedError


# %% figure=true
for cell in ("simple", "gru", "lstm"):
    model = try_yours("stacked_rnn", (10, 4), (32, 32), cell)
    if model is None:
        break
    print(f"{cell:8} {model.count_params():>8,} parameters, output {tuple(model.output_shape)}")

# %% [markdown]
# ---
# # Part 2 - Reading both ways
#
# ## 2. Two readers
#
# "He went to the **bank** and sat down by the river": what the bold word means is said *after* it. A layer that
# reads forward cannot know at that step. So let a second layer, with weights of its own, read the same steps from the
# last to the first. At each step stand two states side by side: one has seen everything before, one everything after.
#
# $$\overrightarrow{h}_t = \tanh\big(x_t W_x + \overrightarrow{h}_{t-1} W_h + b\big) \qquad
# \overleftarrow{h}_t = \tanh\big(x_t W'_x + \overleftarrow{h}_{t+1} W'_h + b'\big) \qquad
# h_t = \big[\, \overrightarrow{h}_t \;\; \overleftarrow{h}_t \,\big]$$
#
# Both begin with a state of zeros: $\overrightarrow{h}_0 = 0$ and $\overleftarrow{h}_{T+1} = 0$.

# %% figure=true
axes = canvas(7.2, 4.2)
for t in range(1, 5):
    x = 1.3 * (t - 1)
    node(axes, x, 0, f"$x_{t}$")
    node(axes, x, 1.1, rf"$\overrightarrow{{h}}_{t}$", colors[1])
    node(axes, x, 2.2, rf"$\overleftarrow{{h}}_{t}$", "#f7d4d4")
    node(axes, x, 3.3, f"$h_{t}$", "#d9f0d3")
    arrow(axes, (x - 0.15, 0.28), (x - 0.15, 0.84))
    arrow(axes, (x + 0.15, 0.28), (x + 0.15, 1.94), "firebrick", bend=0.5)
    arrow(axes, (x - 0.15, 1.38), (x - 0.15, 3.04), "steelblue", bend=-0.5)
    arrow(axes, (x + 0.15, 2.48), (x + 0.15, 3.04))
    if t < 4:
        arrow(axes, (x + 0.35, 1.1), (x + 0.96, 1.1), "steelblue")
        arrow(axes, (x + 0.95, 2.2), (x + 0.35, 2.2), "firebrick")
axes.text(4.6, 1.1, "begins at step 1", va="center", color="steelblue")
axes.text(4.6, 2.2, "begins at step 4", va="center", color="firebrick")
plt.show()

# %% [markdown]
# **Example.** One channel, one unit, $W_x = W'_x = 1$, no biases, and a recurrent weight so large, $W_h = W'_h = 1000$,
# that a layer can only repeat the sign of what it read first. The steps are $0.5, -0.4, 0.3, -0.9$.
#
# | step | $x_t$ | $\overrightarrow{h}_t$ | $\overleftarrow{h}_t$ |
# | --- | --- | --- | --- |
# | 1 | $0.5$ | $\tanh 0.5 = 0.46$ | $-1$ |
# | 2 | $-0.4$ | $\tanh(-0.4 + 460) = 1$ | $-1$ |
# | 3 | $0.3$ | $1$ | $\tanh(0.3 - 716) = -1$ |
# | 4 | $-0.9$ | $1$ | $\tanh(-0.9) = -0.72$ |
#
# The right column is computed from the bottom to the top. Its *last* state is the one in the first row.
#
# **How to write it.** One loop does for both: read $x$, and read $x$ with its steps reversed, `x[:, ::-1]`. What comes
# out of the second reading is in the order of *that* reading. Turn it around once more, so that row $t$ belongs to
# step $t$.


# %% task="bidirectional_forward"
def bidirectional_forward(x, forward, backward):
    """Read sequences by two plain recurrent layers (tanh), one from each end. NumPy only.

    Args:
        x: Sequences, ``(N, T, D)``.
        forward: Weights ``(Wx, Wh, b)`` of the layer that reads from the first step on: ``(D, H)``, ``(H, H)``,
            ``(H,)``.
        backward: Weights of the layer that reads from the last step on, of the same shapes.

    Returns:
        The states at every step, ``(N, T, 2H)``: the first ``H`` columns are those of ``forward``, the others those
        of ``backward``. Row ``t`` of both belongs to step ``t`` of ``x``. Both layers begin with zeros.
    """
    raise NotImplementedError


# %% [markdown]
# A pulse in the middle of silence shows who has seen it: the units that read forward answer *after* it, those that
# read backward *before* it.

# %% figure=true
rng = np.random.default_rng(5)
pulse = np.zeros((1, 21, 1))
pulse[0, 10] = 2
triples = [(rng.normal(size=(1, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0], np.zeros(6)) for _ in range(2)]
states = try_yours("bidirectional_forward", pulse, *triples, shape=(1, 21, 12))
if states is not None:
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 3.4), height_ratios=[1, 3], sharex=True)
    above.stem(np.arange(1, 22), pulse[0, :, 0], basefmt=" ")
    above.set(ylabel="x", yticks=[0, 2])
    below.imshow(states[0].T, aspect="auto", cmap="RdBu", vmin=-1, vmax=1, extent=(0.5, 21.5, 12.5, 0.5))
    below.axhline(6.5, color="black")
    below.set(xlabel="step", xticks=range(1, 22, 2), yticks=[3.5, 9.5], yticklabels=["forward", "backward"])
    plt.show()

# %% [markdown]
# ## 3. Both ways in Keras
#
# When a whole sequence gets *one* answer, each reader hands over its last state: the forward one at step $T$, the
# backward one at step $1$. There each of them has read everything.
#
# $$p = \operatorname{softmax}\Big( \big[\, \overrightarrow{h}_T \;\; \overleftarrow{h}_1 \,\big] V + c \Big)
# \qquad V: (2H, K)$$
#
# `keras.layers.Bidirectional(layer)` makes a copy of a layer with weights of its own, lets it read backwards, and
# concatenates the two last states. Beware of the detour over `return_sequences=True` and the last step: there the
# backward reader has read exactly one step, and hardly anybody notices, because such a network still learns a little.
#
# **Example.** Two plain layers of 5 units, 2 channels, 3 classes: each direction has $(2 + 5 + 1) \cdot 5 = 40$
# parameters, and the dense layer, which gets 10 numbers, $(10 + 1) \cdot 3 = 33$. Together: $113$.


# %% task="bidirectional_rnn"
def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    """Build a network that reads sequences from both ends and answers once.

    Args:
        input_shape: ``(T, D)`` of one sequence.
        units: Number of units of each direction.
        cell: ``"simple"``, ``"gru"`` or ``"lstm"``: the kind of both layers, as in Keras by default. A GRU may have
            either value of ``reset_after``.
        classes: Number of classes ``K``.

    Returns:
        A Keras model ``(N, T, D) -> (N, K)``: the last states of both directions, concatenated, then a dense layer with
        softmax.
    """
    raise NotImplementedError


# %% figure=true
for cell in ("simple", "gru", "lstm"):
    model = try_yours("bidirectional_rnn", (6, 2), 5, cell, 3)
    if model is None:
        break
    print(f"{cell:8} {model.count_params():>5} parameters, output {tuple(model.output_shape)}")

# %% [markdown]
# ---
# # Part 3 - Sequences of many lengths
#
# ## 4. Padding is not data
#
# A batch is one array, and real sequences are not all of one length. So the short ones are filled up with steps of
# zeros, the *padding*. A network that reads it as data goes on for nothing: at every step of zeros its state moves
# on, and what it had in mind wears off.
#
# **Example.** One unit, $h_t = \tanh(x_t + \tfrac{1}{2} h_{t-1})$, and the sequence $1$. The state is
# $\tanh 1 = 0.762$. With three steps of padding behind it, the last state is
# $\tanh \tfrac{0.762}{2} = 0.364$, then $0.180$, then $0.090$: the same sequence, another answer.

# %% figure=true
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6))
rng = np.random.default_rng(1)
batch = rng.normal(size=(8, 20))
lengths = rng.integers(4, 21, 8)
left.imshow(
    np.where(np.arange(20) < lengths[:, None], batch, np.nan), aspect="auto", cmap="RdBu", extent=(0.5, 20.5, 8.5, 0.5)
)
left.set(
    title="eight sequences in one batch; white is padding", xlabel="step", ylabel="sequence", xticks=range(5, 21, 5)
)
state, decay = np.tanh(1.0), []
for _ in range(8):
    decay.append(state)
    state = np.tanh(state / 2)
right.plot(decay, "o-", color="crimson", label="read as data")
right.plot(np.full(8, np.tanh(1)), "o-", color="seagreen", label="masked")
right.set(title="the last state", xlabel="steps of padding", ylim=(0, 1))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# A *mask* says for each step whether it counts, $m_t \in \{0, 1\}$. Where it does not, the state is simply handed on:
#
# $$m_t = \begin{cases} 0 & \text{if all channels of } x_t \text{ are } 0 \\ 1 & \text{otherwise} \end{cases}
# \qquad\qquad
# h_t = m_t\, f(x_t, h_{t-1}) + (1 - m_t)\, h_{t-1}$$
#
# All channels: a step like $(0, 0.5)$ or $(1, -1)$ is data. In Keras, `keras.layers.Masking` computes such a mask, and
# the recurrent layers behind it heed it.


# %% task="masked_rnn"
def masked_rnn(input_shape, units=32, classes=4):
    """Build a recurrent network for sequences that are padded with steps of zeros at their end.

    Args:
        input_shape: ``(T, D)`` of one padded sequence.
        units: Number of units of the recurrent layer, whose kind you choose.
        classes: Number of classes ``K``.

    Returns:
        A Keras model ``(N, T, D) -> (N, K)`` that ends in a dense layer with softmax. Steps of zeros behind a sequence
        change no prediction, whatever the weights are; every step in which any channel is not 0 counts.
    """
    raise NotImplementedError


# %% [markdown]
# The same ten sequences of 5 steps, and ever more padding behind them. The lines are the probability of the first
# class: they have to be flat.

# %% figure=true
if try_yours("masked_rnn", (5, 2)) is not None:
    rng = np.random.default_rng(2)
    short, lines, weights = rng.normal(size=(10, 5, 2)).astype("float32"), [], None
    for padding in range(0, 16, 3):
        model = masked_rnn((5 + padding, 2), 8)
        if weights is None:
            weights = [1.5 * rng.normal(size=weight.shape) for weight in model.get_weights()]
        model.set_weights(weights)
        lines.append(np.asarray(model(np.pad(short, ((0, 0), (0, padding), (0, 0)))))[:, 0])
    figure, axes = plt.subplots(figsize=(6, 2.4))
    axes.plot(range(0, 16, 3), lines, "o-")
    axes.set(xlabel="steps of padding", ylabel="probability", ylim=(0, 1))
    plt.show()

# %% [markdown]
# ---
# # Part 4 - Keeping for long
#
# ## 5. Recall
#
# A sequence begins with a symbol: in the first step one of four channels is 1. Then come 39 steps of noise from
# $N(0, 2^2)$, in all channels. At the end the network is asked which symbol it was. Nothing else has to be learned,
# and it is very hard: the symbol is quieter than the noise, comes only once, and its trace has to survive 39 updates.

# %% figure=true
figure, panels = plt.subplots(1, 3, figsize=(9, 1.9), sharey=True)
for axes, sequence, label in zip(panels, sequences, labels, strict=False):
    axes.imshow(sequence.T, aspect="auto", cmap="RdBu", vmin=-5, vmax=5, extent=(0.5, 40.5, 4.5, 0.5))
    axes.plot(1, label.argmax() + 1, "s", ms=9, mec="crimson", mfc="none", mew=2)
    axes.set(title=f"symbol {label.argmax() + 1}", xlabel="step", yticks=[1, 2, 3, 4])
panels[0].set(ylabel="channel")
plt.show()

# %% [markdown]
# **Why a plain layer fails.** It rewrites its whole state at each step. The noise of a step is as good a reason to
# change as the symbol was, and the gradient that could teach it otherwise fades on its way back through 39 steps.
#
# **Why a gated cell fails at first, too.** A gate decides what is kept, $c_t = f_t\, c_{t-1} + \ldots$ In the
# beginning it is half open, as its bias is 0 and $\sigma(0) = \tfrac{1}{2}$. After 39 steps there is left
#
# $$0.5^{39} \approx 2 \cdot 10^{-12}$$
#
# of the symbol: nothing that training could hold on to. So let the gate *start open*, by its bias $b$:
#
# | $b$ | $\sigma(b)$ | $\sigma(b)^{39}$ |
# | --- | --- | --- |
# | $0$ | $0.500$ | $0.000000000002$ |
# | $1$ | $0.731$ | $0.000005$ |
# | $3$ | $0.953$ | $0.15$ |
# | $5$ | $0.993$ | $0.77$ |
#
# The bias is only where training starts. The network learns the rest by itself: to write when a symbol comes, and
# never again.

# %% figure=true
bias, marked = np.linspace(-1, 7, 200), np.array([0, 1, 3, 5])
figure, axes = plt.subplots(figsize=(6, 2.5))
axes.plot(bias, (1 / (1 + np.exp(-bias))) ** 39, lw=3, color="darkorange")
axes.plot(marked, (1 / (1 + np.exp(-marked))) ** 39, "o", color="crimson")
axes.set(xlabel="bias of the gate that keeps", ylabel="left after 39 steps")
plt.show()

# %% [markdown]
# **In Keras.** The forget gate is the second of the four blocks of an LSTM's bias: input, **forget**, candidate,
# output. In a GRU it is the update gate, the first of three: **update**, reset, candidate, with $h_t = z_t h_{t-1} +
# \ldots$. (A GRU with `reset_after=True` has two rows of biases, which are added.) There are two ways to set it:
#
# - `bias_initializer=` takes a function of `(shape, dtype=None)` that returns an array. An LSTM needs
#   `unit_forget_bias=False` beside it, or Keras makes that bias 1 by itself.
# - Or build the model, and change the array: `kernel, recurrent, bias = layer.get_weights()`, then `set_weights`.
#
# **What is asked for.** Your network, compiled, is trained by the examiner: 4,000 sequences, 10 epochs, batches of 32.
# Then it has to recall at least 95 % of new symbols. The rules:
#
# - at most **5,000 parameters**, dense layer included. An LSTM of $H$ units has $4 (4 + H + 1) H$: 32 units fit;
# - recurrent layers of Keras, which read **forward**, the last one returning its last state only; then a dense layer
#   with softmax. No second look at the first step: no `Bidirectional`, no `go_backwards`, no shortcut;
# - the categorical cross-entropy. The optimizer is yours; Adam with a learning rate of 0.01 is quick here.


# %% task="build_recaller"
def build_recaller(input_shape=(40, 4), classes=4):
    """Build and compile a recurrent network that recalls the first step of a sequence.

    Args:
        input_shape: ``(T, D)`` of one sequence.
        classes: Number of symbols ``K``.

    Returns:
        A Keras model ``(N, T, D) -> (N, K)`` of recurrent layers that read forward and a dense layer with softmax, with
        at most 5,000 parameters for the default arguments, compiled with the categorical cross-entropy.
    """
    raise NotImplementedError


# %% [markdown]
# The check below trains your network once, which takes some ten seconds. The next cell trains another one, to show you
# how it learns: for a while nothing happens, and then everything does.

# %% figure=true
recaller = try_yours("build_recaller")
if recaller is not None:
    others, truth = load_recall("validation", count=400)
    chance, course = 1 / truth.shape[1], []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: course.append(np.mean(np.argmax(recaller(others), 1) == truth.argmax(1)))
    )
    recaller.fit(sequences, labels, epochs=8, batch_size=32, verbose=0, callbacks=[watch])
    figure, axes = plt.subplots(figsize=(6, 2.5))
    axes.plot(range(1, 9), course, "o-", color="royalblue")
    axes.axhline(chance, color="gray", ls=":")
    axes.text(8, chance + 0.03, "guessing", ha="right", color="gray")
    axes.set(xlabel="epoch", ylabel="accuracy on new sequences", ylim=(0, 1.05))
    plt.show()

# %% [markdown]
# ## Before you submit
#
# 1. Choose *Restart kernel and run all cells*. The grader does the same, from an empty kernel, but
#    leaves the figures out.
# 2. Look once more at all checks.
# 3. Save, and hand in this file under its name.
#
# **If you want to go on:** train your recaller on sequences of 20, 80 and 160 steps, and see which bias each of them
# needs. Start the gates of different units with different biases, so that some forget quickly and some slowly. Give the
# stack of Part 1 the recall task, and find out whether depth helps a memory. Measure how the gradient of the loss with
# respect to the first step grows during training.
