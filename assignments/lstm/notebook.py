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
# # LSTM and GRU
#
# A plain recurrent network rewrites its whole memory at every step, and what it read twenty steps ago is gone. In
# this notebook you build the two cells that changed this, out of NumPy alone. Both have *gates*: small networks that
# decide, number by number, what to keep, what to write and what to show. You will measure why gates keep a gradient
# alive. Then you hand the arithmetic over to Keras, and let an LSTM forecast how many spots the sun will have.
#
# **write → keep → read**
#
# | part | your functions |
# | --- | --- |
# | the LSTM | `lstm_step`, `lstm_forward` |
# | the GRU | `gru_step` |
# | why it works | `cell_gradient` |
# | what it costs | `lstm_parameters`, `gru_parameters` |
# | forecasting | `split_series`, `build_lstm`, `train_lstm`, `forecast` |
#
# ### How to work
# 1. Read the section, follow its small example with pencil and paper, then replace `raise NotImplementedError` in the
#    cell below it. The docstring says which shapes go in and come out.
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
# - A batch of sequences is $(N, T, D)$: sequence, step, feature. A state is $(N, H)$, for $H$ units. Rows are items,
#   so a layer is `x @ W`, with $W$ of the shape $(D, \ldots)$.
# - Weights lie as in Keras: the gates of one cell stand **side by side** in one wide matrix.
# - A function never changes its arguments; it returns new arrays.
# - `float64` in, `float64` out. `float32` in, `float32` or `float64` out.
# - Parts 1 to 4, and `split_series`, are NumPy only: inside them no call of TensorFlow or Keras. `build_lstm`,
#   `train_lstm` and `forecast` use Keras.
#
# **Time:** about four hours, half of them for the last two tasks. Nothing is downloaded.

# %% setup=true
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow says less

import keras
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_sunspots

years, sunspots = load_sunspots()

# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})


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


def node(axes, x, y, text, color="white", width=0.62, height=0.5):
    """Draw a rounded box with a text in it."""
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(
        plt.matplotlib.patches.FancyBboxPatch(corner, width, height, "round,pad=0.06", fc=color, ec="dimgray")
    )
    axes.text(x, y, text, ha="center", va="center")


def arrow(axes, *points, color="dimgray"):
    """Draw an arrow along points."""
    axes.plot(*np.transpose(points), color=color, lw=1.5, solid_joinstyle="round", zorder=0)
    axes.annotate("", points[-1], points[-2], arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.5}, zorder=0)


# %% [markdown]
# ---
# # Part 1 - The LSTM
#
# ## 1. One step
#
# A *long short-term memory* has two states. The **cell** $c$ is the memory: a row of numbers that pass from step to
# step on a straight road, changed only by multiplying and adding. The **hidden state** $h$ is what the cell shows to
# the world. Three gates watch over the road. A gate is a number between 0 (closed) and 1 (open) for every unit:
#
# - the **forget** gate $f$ says how much of the old memory is kept,
# - the **input** gate $i$ says how much of a new *candidate* $\tilde c$ is written,
# - the **output** gate $o$ says how much of the memory is shown.

# %% figure=true
figure, axes = plt.subplots(figsize=(9, 3.3))
axes.set(xlim=(-1.4, 9.6), ylim=(-1.0, 3.6), aspect="equal")
axes.axis("off")
memory, gate = "#fde9c8", "#cfe3f7"
arrow(axes, (0, 3), (1.7, 3), color="darkorange")
arrow(axes, (2.3, 3), (4.2, 3), color="darkorange")
arrow(axes, (4.8, 3), (9, 3), color="darkorange")
arrow(axes, (7, 3), (7, 2.55))
arrow(axes, (7, 1.85), (7, 1.75), (7, 1.3))
arrow(axes, (7.3, 1), (9, 1))
for x, name in ((2, "\u00d7"), (4.5, "+")):
    node(axes, x, 3, name, memory, 0.3, 0.3)
node(axes, 4.5, 1.8, "\u00d7", memory, 0.3, 0.3)
node(axes, 7, 2.2, "tanh", memory)
node(axes, 7, 1, "\u00d7", memory, 0.3, 0.3)
for x, name in ((2, "f"), (3.7, "i"), (5.1, "c̃"), (6.1, "o")):
    node(axes, x, 0.6, name, gate if name != "c̃" else "#d9f0d3", 0.4, 0.4)
    arrow(axes, (x, -0.6), (x, 0.3))
arrow(axes, (2, 0.9), (2, 2.7))
arrow(axes, (3.7, 0.9), (3.7, 1.8), (4.2, 1.8))
arrow(axes, (5.1, 0.9), (5.1, 1.8), (4.8, 1.8))
arrow(axes, (4.5, 2.1), (4.5, 2.7))
arrow(axes, (6.1, 0.9), (6.1, 1), (6.7, 1))
axes.plot([0, 6.1], [-0.6, -0.6], color="dimgray", lw=1.5, zorder=0)
for x, y, text in ((-0.5, 3, "$c_{t-1}$"), (9.3, 3, "$c_t$"), (9.3, 1, "$h_t$"), (-0.8, -0.6, "$x_t, h_{t-1}$")):
    axes.text(x, y, text, ha="center", va="center", fontsize=12)
axes.text(5, 3.35, "the road of the memory", color="darkorange", fontsize=9)
plt.show()

# %% [markdown]
# All four, the three gates and the candidate, look at the same things: the input $x_t$ and what was shown last,
# $h_{t-1}$. So their weights stand side by side in one matrix, in the order **input, forget, candidate, output**, and
# one product computes all of them:
#
# $$\big[\, z^i \;\; z^f \;\; z^c \;\; z^o \,\big] = x_t W + h_{t-1} U + b
# \qquad W: (D, 4H), \quad U: (H, 4H), \quad b: (4H,)$$
#
# Each block is $H$ columns wide. The gates are squeezed into $(0, 1)$ by the sigmoid, the candidate into $(-1, 1)$:
#
# $$i = \sigma(z^i) \qquad f = \sigma(z^f) \qquad \tilde c = \tanh(z^c) \qquad o = \sigma(z^o)
# \qquad\text{where}\qquad \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# and then, number by number ($\odot$),
#
# $$c_t = f \odot c_{t-1} + i \odot \tilde c \qquad\qquad h_t = o \odot \tanh(c_t)$$
#
# Note what passes on: $c_t$ itself. The $\tanh$ is applied to what is shown, never to what is kept.
#
# **Example.** One input, one unit, $x_t = 1$, $h_{t-1} = 0$, $c_{t-1} = 2$, no biases, and
# $W = [\log 3,\; 0,\; \tfrac{1}{2} \log 3,\; -\log 3]$. Then
#
# | | $z$ | value |
# | --- | --- | --- |
# | input gate | $\log 3 \approx 1.099$ | $\sigma(\log 3) = 3/4$ |
# | forget gate | $0$ | $\sigma(0) = 1/2$ |
# | candidate | $\tfrac{1}{2} \log 3 \approx 0.549$ | $\tanh(\tfrac{1}{2} \log 3) = 1/2$ |
# | output gate | $-\log 3$ | $\sigma(-\log 3) = 1/4$ |
#
# The new cell is $c_t = \tfrac{1}{2} \cdot 2 + \tfrac{3}{4} \cdot \tfrac{1}{2} = 1.375$, and it shows
# $h_t = \tfrac{1}{4} \tanh(1.375) \approx \tfrac{1}{4} \cdot 0.880 = 0.220$.

# %% figure=true
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.2))
z = np.linspace(-5, 5, 200)
left.plot(z, 1 / (1 + np.exp(-z)), lw=3, color="royalblue")
right.plot(z, np.tanh(z), lw=3, color="seagreen")
log3 = np.log(3)
left.plot([log3, 0, -log3], [0.75, 0.5, 0.25], "o", color="crimson")
right.plot([log3 / 2], [0.5], "o", color="crimson")
for at, value, name in ((log3, 0.75, "input gate 3/4"), (0, 0.5, "forget gate 1/2"), (-log3, 0.25, "output gate 1/4")):
    left.annotate(name, (at, value), xytext=(9, -8), textcoords="offset points")
right.annotate("candidate 1/2", (log3 / 2, 0.5), xytext=(9, -8), textcoords="offset points")
left.set(title="sigmoid: how far a gate is open", xlabel="z", yticks=[0, 0.5, 1])
right.set(title="tanh: what may be written", xlabel="z", yticks=[-1, 0, 1])
plt.show()

# %% [markdown]
# **How to write it.** Compute all $4H$ columns at once and cut them into four, by slices or by `np.split(z, 4,
# axis=1)`. A trap: for $z = -1000$ the term $e^{-z}$ overflows. The value is still right, but there is a warning; the
# identity $\sigma(z) = \tfrac{1}{2} (1 + \tanh \tfrac{z}{2})$ never overflows.


# %% task="lstm_step"
def lstm_step(x_t, h_prev, c_prev, W, U, b):
    """Move an LSTM on by one step.

    Args:
        x_t: Inputs of this step, ``(N, D)``.
        h_prev: Hidden state after the step before, ``(N, H)``.
        c_prev: Cell after the step before, ``(N, H)``.
        W: Weights of the input, ``(D, 4H)``: blocks of ``H`` columns in the order input, forget, candidate, output.
        U: Weights of the hidden state, ``(H, 4H)``, in the same order.
        b: Biases ``(4H,)``, in the same order.

    Returns:
        ``(h, c)``: the new hidden state and the new cell, ``(N, H)`` each.
    """
    raise NotImplementedError


# %% [markdown]
# ## 2. A whole sequence
#
# Now let the cell read. Step $t$ gets the input $x_t$ and *both* states that step $t - 1$ left:
#
# $$(h_t, c_t) = \operatorname{step}(x_t, h_{t-1}, c_{t-1}) \qquad t = 1, \ldots, T$$
#
# The states before the first step are given. What comes back is what was shown at every step, $(N, T, H)$, and the
# last cell, so that reading can be continued later.
#
# **Example.** The gates and the candidate from above at every step ($i = \tfrac{3}{4}$, $f = \tfrac{1}{2}$,
# $\tilde c = \tfrac{1}{2}$, $o = \tfrac{1}{4}$), beginning with $c_0 = 0$. The cell gains $\tfrac{3}{8}$ per step and
# loses half of what it had:
#
# $$c_1 = 0.375 \qquad c_2 = 0.1875 + 0.375 = 0.5625 \qquad c_3 = 0.28125 + 0.375 = 0.65625$$
#
# It approaches $0.75$, where gain and loss are equal. Shown is $h_t = \tfrac{1}{4} \tanh(c_t)$: $0.090, 0.127,
# 0.144$.


# %% task="lstm_forward"
def lstm_forward(x, h0, c0, W, U, b):
    """Let an LSTM read a batch of sequences.

    Args:
        x: Sequences ``(N, T, D)``, ``T`` of at least 1.
        h0: Hidden state before the first step, ``(N, H)``.
        c0: Cell before the first step, ``(N, H)``.
        W: ``(D, 4H)``, as in ``lstm_step``.
        U: ``(H, 4H)``.
        b: ``(4H,)``.

    Returns:
        ``(h, c_last)``: the hidden state after every step, ``(N, T, H)``, and the cell after the last, ``(N, H)``.
    """
    raise NotImplementedError


# %% [markdown]
# ### A cell that is played by hand
#
# To see gates at work, here is an LSTM of one unit whose gates are moved by levers: the input has four features, one
# for each block, and $W$ hands each lever through (a lever at 0 means closed, one at 1 open). Watch what *your*
# `lstm_forward` does with the memory: a value is written, kept while nonsense comes by, shown twice, wiped out, and
# another one is written.

# %% figure=true
steps = 24
value = 0.7 * np.sin(np.arange(steps) * 2.1)  # what comes by
value[2], value[16] = 0.9, -0.8  # what is worth keeping
write, keep, show = np.zeros(steps), np.ones(steps), np.zeros(steps)
write[[2, 16]], keep[13], show[[6, 7, 10, 20, 21]] = 1, 0, 1
levers = np.stack([12 * write - 6, 12 * keep - 6, np.arctanh(value), 12 * show - 6], axis=1)[None]  # (1, T, 4)
start = np.zeros((1, 1))


def cells_of(levers):
    """Return what is shown (T,) and the memory (T,) after every step, by your function, or None."""
    reads = []
    for end in range(1, steps + 1):
        none = np.zeros((1, 4)), np.zeros(4)
        read = try_yours("lstm_forward", levers[:, :end], start, start, np.eye(4), *none, shape=(1, end, 1))
        if not isinstance(read, tuple) or np.size(read[-1]) != 1:
            return None
        reads.append((np.ravel(read[0])[-1], np.ravel(read[-1])[0]))
    return np.transpose(reads)


played = cells_of(levers)
rows = 1 if played is None else 2
figure, panels = plt.subplots(rows, 1, figsize=(10, 2.2 * rows), sharex=True, squeeze=False)
names = ("input gate: write", "forget gate: keep", "output gate: show")
gates = 1 / (1 + np.exp(-levers[0][:, [0, 1, 3]].T))
panels[0, 0].imshow(gates, aspect="auto", cmap="Blues", vmin=0, vmax=1.2)
panels[0, 0].set(yticks=range(3), yticklabels=names, title="the gates over time: dark is open")
panels[0, 0].spines[:].set_visible(False)
if played is not None:
    shown, cell = played
    panels[1, 0].plot(value, "o", ms=4, color="darkgray", label="what comes by")
    panels[1, 0].step(range(steps), cell, where="mid", lw=3, color="darkorange", label="the memory c")
    panels[1, 0].bar(range(steps), shown, 0.5, color="royalblue", label="shown: h")
    panels[1, 0].axhline(0, color="gray", lw=0.5)
    panels[1, 0].legend(ncols=3, loc="upper right", frameon=False)
    panels[1, 0].set(ylim=(-1.1, 1.5), xlabel="step", title="what your cell keeps and shows")
plt.tight_layout()
plt.show()

# %% [markdown]
# ### The same numbers as Keras
#
# Your cell and `keras.layers.LSTM` use the same layout. So with the same weights they have to agree, up to the
# rounding of `float32`. There is no better test than an independent program that says the same.

# %% figure=true
random = np.random.default_rng(0)


def with_keras(layer, yours, x):
    """Give a Keras layer random weights and compare what it returns with your function of the same weights."""
    layer.build(x.shape)
    weights = [random.normal(0, 0.5, weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    expected = keras.ops.convert_to_numpy(layer(x.astype("float32")))
    received = yours(weights)
    if received is not None:
        print(f"{layer.name}: the largest difference to your numbers is {np.abs(expected - received).max():.1e}")


def your_lstm(weights):
    """Read the sequences below with your function."""
    read = try_yours("lstm_forward", sequences, np.zeros((3, 4)), np.zeros((3, 4)), *weights, shape=(3, 6, 4))
    return None if read is None else read[0]


sequences = random.normal(size=(3, 6, 2))
with_keras(keras.layers.LSTM(4, return_sequences=True, name="LSTM"), your_lstm, sequences)

# %% [markdown]
# ---
# # Part 2 - The GRU
#
# ## 3. One step
#
# The *gated recurrent unit* asks whether all of this is needed, and does with two gates and one state:
#
# - the **update** gate $z$ says how much of the old state stays; the rest, $1 - z$, is filled with the candidate;
# - the **reset** gate $r$ says how much of the old state the candidate gets to see.
#
# The blocks stand in the order **update, reset, candidate**. Write $W_z, W_r, W_c$ for the three blocks of
# $W: (D, 3H)$, and alike for $U: (H, 3H)$ and $b: (3H,)$:
#
# $$z = \sigma(x_t W_z + h_{t-1} U_z + b_z) \qquad r = \sigma(x_t W_r + h_{t-1} U_r + b_r)$$
#
# $$\tilde h = \tanh\big(x_t W_c + (r \odot h_{t-1})\, U_c + b_c\big)$$
#
# $$h_t = z \odot h_{t-1} + (1 - z) \odot \tilde h$$
#
# Keeping and writing are now one decision: what is kept need not be written, and the other way round.
#
# **Example.** One input, one unit, $x_t = 1$, $h_{t-1} = 0.4$, no biases, $W = [\log 3, 0, 0]$ and
# $U = [0, 0, 2.5 \log 3]$. The gates are $z = \sigma(\log 3) = \tfrac{3}{4}$ and $r = \sigma(0) = \tfrac{1}{2}$. The
# candidate sees only half of the state: $\tilde h = \tanh(\tfrac{1}{2} \cdot 0.4 \cdot 2.5 \log 3) =
# \tanh(\tfrac{1}{2} \log 3) = \tfrac{1}{2}$. So $h_t = \tfrac{3}{4} \cdot 0.4 + \tfrac{1}{4} \cdot \tfrac{1}{2} =
# 0.425$.
#
# **Two traps.** Reset comes *before* the product: $(r \odot h_{t-1})\, U_c$ and not $r \odot (h_{t-1} U_c)$. With
# several units these differ, because $U_c$ mixes them. (Some fast implementations do it the other way round; in Keras
# that is `reset_after=True`.) And some books write $z$ for the share of what is *new*. Here it is the share of what
# stays.


# %% task="gru_step"
def gru_step(x_t, h_prev, W, U, b):
    """Move a GRU on by one step; the reset gate acts before the product (``reset_after=False`` in Keras).

    Args:
        x_t: Inputs of this step, ``(N, D)``.
        h_prev: State after the step before, ``(N, H)``.
        W: Weights of the input, ``(D, 3H)``: blocks of ``H`` columns in the order update, reset, candidate.
        U: Weights of the state, ``(H, 3H)``, in the same order.
        b: Biases ``(3H,)``, in the same order.

    Returns:
        The new state ``(N, H)``.
    """
    raise NotImplementedError


# %% figure=true
def your_gru(weights):
    """Read the sequences of above step by step."""
    state = np.zeros((3, 4))
    for x_t in np.moveaxis(sequences, 1, 0):
        state = try_yours("gru_step", x_t, state, *weights, shape=(3, 4))
        if state is None:
            return None
    return state


with_keras(keras.layers.GRU(4, reset_after=False, name="GRU"), your_gru, sequences)

# %% [markdown]
# An update gate that stands at $z$ all the time makes a unit that follows its input slowly, with a memory of about
# $1 / (1 - z)$ steps. Below, three of your units get the same noisy input, each with its own bias of the update gate:
# one is nervous, one is calm, one hardly moves.

# %% figure=true
signal = np.repeat([0.0, 0.8, -0.4], 40) + 0.25 * random.normal(size=120)
keeps = np.array([0.3, 0.9, 0.98])
bias = np.concatenate([np.log(keeps / (1 - keeps)), np.zeros(6)])
reads = np.concatenate([np.zeros(6), np.ones(3)])[None]  # only the candidate reads the input
followed, state = [], np.zeros((1, 3))
for number in signal:
    state = try_yours("gru_step", np.array([[number]]), state, reads, np.zeros((3, 9)), bias, shape=(1, 3))
    if state is None:
        break
    followed.append(state[0])
if len(followed) == len(signal):
    figure, axes = plt.subplots(figsize=(10, 2.4))
    axes.plot(np.tanh(signal), ".", color="darkgray", label="the candidate, tanh of the input")
    for keep_share, line, color in zip(
        keeps, np.transpose(followed), ("crimson", "royalblue", "seagreen"), strict=True
    ):
        axes.plot(line, lw=2, color=color, label=f"z = {keep_share:g}")
    axes.set(xlabel="step", ylim=(-0.9, 1.4), title="your GRU with three update gates")
    axes.legend(ncols=4, loc="upper right", frameon=False)
    plt.show()

# %% [markdown]
# ---
# # Part 3 - Why gates keep a gradient alive
#
# ## 4. The direct path
#
# To learn that step 1 mattered for step 50, a gradient has to travel back 49 steps. In a plain recurrent network
# every step multiplies it by a matrix and by slopes of $\tanh$, and after a few dozen steps nothing is left of it. In
# an LSTM there is the road of the memory. Look at
#
# $$c_s = f_s \odot c_{s-1} + i_s \odot \tilde c_s$$
#
# and go back along the road alone, as if the gates were given numbers: $\partial c_s / \partial c_{s-1} = f_s$. No
# matrix, no slope of $\tanh$, only the forget gate, and that is a number which the network *chooses*. Over several
# steps the factors multiply:
#
# $$\frac{\partial c_T}{\partial c_t} = \prod_{s = t + 1}^{T} f_s$$
#
# for every unit on its own. The gate of step $t$ itself is not in it: it acted *before* $c_t$ was made. And for
# $t = T$ the product is empty, which is 1.
#
# **Example.** One unit, the forget gates $0.9, 0.5, 0.8$ of $T = 3$ steps:
#
# $$\frac{\partial c_3}{\partial c_1} = 0.5 \cdot 0.8 = 0.4 \qquad \frac{\partial c_3}{\partial c_2} = 0.8 \qquad
# \frac{\partial c_3}{\partial c_3} = 1$$
#
# **A trap.** It is tempting to divide the product of all gates by that of the first ones. A gate can be 0.


# %% task="cell_gradient"
def cell_gradient(forget):
    """Follow the gradient of the last cell back along the direct path, through the forget gates alone.

    Args:
        forget: Values of the forget gate of one sequence, ``(T, H)``, each from 0 to 1; row 0 is the first step.

    Returns:
        ``(T, H)``: row ``t`` is the derivative of the last cell with respect to the cell after step ``t``, the product
        of all later forget gates. The last row is 1.
    """
    raise NotImplementedError


# %% [markdown]
# With all gates at $f$ the gradient is $f^{T - t}$. That is a memory of about $1 / (1 - f)$ steps: a gate at $0.5$
# forgets at once, one at $0.99$ remembers a hundred steps. Beside your curves lies a plain recurrent unit whose state
# shrinks at every step by the slope of $\tanh$ (here $0.42$, the slope at $\pm 1$).
#
# This is also why the bias of the forget gate is started at 1 and not at 0. The gates of a fresh network then stand
# near $\sigma(1) = 0.73$ instead of $0.5$, and the gradient reaches back far enough to learn to hold on for longer.
# The right picture shows the gates of the cell that was played by hand: the gradient passes along the road, and stops
# where the memory was wiped out.

# %% figure=true
levels = np.array([0.5, 0.73, 0.9, 0.99])
alive = try_yours("cell_gradient", np.broadcast_to(levels, (50, 4)).copy(), shape=(50, 4))
by_hand = try_yours("cell_gradient", gates[1][:, None], shape=(steps, 1)) if alive is not None else None
if by_hand is not None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 2.8), width_ratios=[3, 2])
    back = np.arange(49, -1, -1)
    for level, line in zip(levels, np.transpose(alive), strict=True):
        left.semilogy(back, line, lw=3, label=f"forget gate {level:g}")
    left.semilogy(back, 0.42 ** back.astype(float), "--", color="gray", label="plain RNN")
    left.set(ylim=(1e-12, 5), xlabel="steps back", title="what is left of a gradient")
    left.legend(frameon=False, fontsize=9, loc="lower left")
    right.step(range(steps), gates[1], where="mid", color="darkgray", label="forget gate")
    right.step(range(steps), np.ravel(by_hand), where="mid", lw=3, color="crimson", label="gradient of the last cell")
    right.set(xlabel="step", ylim=(-0.05, 1.45), title="the cell that was played by hand")
    right.legend(frameon=False, fontsize=9, ncols=2, loc="upper center")
    plt.show()

# %% [markdown]
# ---
# # Part 4 - What gates cost
#
# ## 5. Counting parameters
#
# A plain recurrent unit has one block of weights: $D \cdot H$ for the input, $H \cdot H$ for the state, and $H$
# biases. Every gate is one more block of the same size, and so is the candidate.
#
# $$\text{one block} = D H + H^2 + H$$
#
# An LSTM has four of them, a GRU three. (With `reset_after=True` Keras gives a GRU a second set of biases; here there
# is one.)
#
# **Example.** $D = 3$, $H = 5$: a block has $15 + 25 + 5 = 45$ parameters, so an LSTM has $180$ and a GRU $135$. Most
# of them belong to $U$ as soon as $H$ is larger than $D$: with twice as many units a layer has nearly four times as
# many parameters.


# %% task="lstm_parameters"
def lstm_parameters(d, h):
    """Count the parameters of an LSTM layer, biases included.

    Args:
        d: Features of the input.
        h: Units.

    Returns:
        The number of parameters, an int.
    """
    raise NotImplementedError


def gru_parameters(d, h):
    """Count the parameters of a GRU layer, biases included, one per column (``reset_after=False``).

    Args:
        d: Features of the input.
        h: Units.

    Returns:
        The number of parameters, an int.
    """
    raise NotImplementedError


# %% figure=true
units = np.arange(1, 129)
curves = [[try_yours(name, 8, 1)] for name in ("lstm_parameters", "gru_parameters")]
if None not in np.ravel(curves):
    figure, axes = plt.subplots(figsize=(6, 2.4))
    axes.plot(units, [lstm_parameters(8, int(h)) for h in units], lw=3, color="darkorange", label="LSTM")
    axes.plot(units, [gru_parameters(8, int(h)) for h in units], lw=3, color="royalblue", label="GRU")
    axes.plot(units, 8 * units + units**2 + units, "--", color="gray", label="plain RNN")
    axes.set(xlabel="units", ylabel="parameters", title="layers that read 8 features")
    axes.legend(frameon=False)
    plt.show()

# %% [markdown]
# ---
# # Part 5 - Forecasting the sun
#
# Since 1700 astronomers have counted the dark spots on the sun. Their number rises and falls in cycles of about
# eleven years, none like the one before: a slow rhythm with a memory, just right for an LSTM. The file ends in 1946.
# What came after it is what your forecasts will be graded on.

# %% figure=true
figure, axes = plt.subplots(figsize=(11, 2.3))
axes.plot(years, sunspots, lw=1.5, color="darkorange")
axes.set(xlabel="year", ylabel="spots", xlim=(1698, 1948), title=f"{len(years)} years of sunspots")
plt.show()

# %% [markdown]
# ## 6. Split by time
#
# To know how good a forecast is, keep some of the data aside. With images one would shuffle first. With a series that
# would be cheating: the model would train on 1905 and be asked about 1904. **Train on the past, test on the future.**
#
# With the fraction $\varphi$, the first $\lfloor \varphi L \rfloor$ of $L$ values are the training part, in their
# order; all others, in their order, are the test part. In Python that count is `int(fraction * len(series))`, which
# cuts off what is behind the decimal point.
#
# **Example.** $[5, 3, 8, 1, 9, 2, 7]$ with $\varphi = 0.8$: $0.8 \cdot 7 = 5.6$, so five values, $[5, 3, 8, 1, 9]$,
# are for training, and $[2, 7]$ for testing.


# %% task="split_series"
def split_series(series, fraction=0.8):
    """Cut a series into an earlier part to train on and a later one to test with.

    Args:
        series: Values in the order of time, ``(L,)``.
        fraction: Share of the training part, between 0 and 1.

    Returns:
        ``(train, test)``: the first ``int(fraction * len(series))`` values, and the others, both in order.
    """
    raise NotImplementedError


# %% figure=true
parts = try_yours("split_series", sunspots, shape=(197,))
past, future = map(np.asarray, parts) if isinstance(parts, tuple) and len(parts) == 2 else (None, None)
if past is not None:
    figure, axes = plt.subplots(figsize=(11, 2.1))
    axes.plot(years[: len(past)], past, color="darkorange", label="train: the past")
    axes.plot(years[len(past) :], future, color="royalblue", label="test: the future")
    axes.set(xlim=(1698, 1948), ylim=(0, 185), xlabel="year", ylabel="spots")
    axes.legend(ncols=2, frameon=False, loc="upper left")
    plt.show()

# %% [markdown]
# ## 7. The network
#
# From here on Keras does the arithmetic that you have written above. The network reads a *window* of the last ten
# values and answers with one number, the next value:
#
# | layer | result | parameters |
# | --- | --- | --- |
# | window | $(N, 10, 1)$ | |
# | LSTM, 50 units, ReLU | $(N, 50)$ | $4 \cdot (1 \cdot 50 + 50 \cdot 50 + 50) = 10{,}400$ |
# | dense, 1 unit, linear | $(N, 1)$ | $50 + 1 = 51$ |
#
# The LSTM returns only its *last* hidden state, which has seen the whole window. ReLU takes the place of $\tanh$ (for
# the candidate and for what is shown, by the argument `activation`; the gates stay sigmoids), so that what is shown
# is not bounded by 1. The dense layer has no activation, since a forecast may be any number.
#
# **Compile** it with the optimizer Adam and the mean squared error,
#
# $$L = \frac{1}{N} \sum_n (\hat y_n - y_n)^2$$
#
# **Example.** Forecasts $[0.5, 1]$ for the values $[0, 3]$: $L = (0.25 + 4) / 2 = 2.125$.
#
# You may write it as a `keras.Sequential`, by the functional interface, or as a class of your own: what counts is
# what it computes.


# %% task="build_lstm"
def build_lstm(input_shape=(10, 1), units=50):
    """Build a network that reads a window and forecasts one number.

    Args:
        input_shape: Steps of the window, and features per step.
        units: Units of the LSTM.

    Returns:
        A Keras model from ``(N, *input_shape)`` to ``(N, 1)``: an LSTM with ReLU, then a dense layer of one linear
        unit. It is compiled with Adam and the mean squared error, and it is built: its weights exist.
    """
    raise NotImplementedError


# %% [markdown]
# ## 8. Train, and forecast
#
# Two steps stand between a series and the network, and both have to be undone or repeated when you forecast.
#
# **Scale.** Networks learn well from numbers around zero with a spread of about one. Sunspot numbers go up to 154,
# other series to billions. So bring the series to that scale, for instance by
#
# $$\hat s = \frac{s - \mu}{\sigma} \qquad\text{and back:}\qquad s = \mu + \sigma \hat s$$
#
# with mean and deviation *of the training series*. `forecast` needs the same $\mu$ and $\sigma$ later, when it sees
# only a few recent values, whose own mean says nothing. Where can they wait? On the model: a Keras model is a Python
# object, and `model.center = 49.1` simply works. (A global variable would mix up two models.)
#
# **Windows.** Slide a window of $w$ values along the scaled series. What the network sees is the window, what it
# should say is the value **right after** it:
#
# $$X_n = (\hat s_n, \ldots, \hat s_{n + w - 1}) \qquad y_n = \hat s_{n + w} \qquad n = 0, \ldots, L - w - 1$$
#
# **Example.** $s = [2, 4, 6, 8]$ with $w = 2$: $\mu = 5$, $\sigma = \sqrt 5$, $\hat s \approx [-1.34, -0.45, 0.45,
# 1.34]$. The windows are $[-1.34, -0.45] \to 0.45$ and $[-0.45, 0.45] \to 1.34$. To forecast what follows $[\ldots,
# 6, 8]$, the network reads $[0.45, 1.34]$. If it says $2.1$, the forecast is $5 + 2.1 \cdot \sqrt 5 \approx 9.7$.

# %% figure=true
figure, axes = plt.subplots(figsize=(9, 2.4))
axes.plot(range(16), sunspots[:16], "o-", color="darkorange")
for first, color in ((0, "royalblue"), (1, "seagreen"), (2, "crimson")):
    depth = -14 - 16 * first
    axes.plot([first - 0.2, first + 9.2], [depth, depth], lw=6, color=color, solid_capstyle="butt", alpha=0.7)
    axes.annotate(
        "",
        (first + 10, sunspots[first + 10] - 3),
        (first + 9.3, depth),
        arrowprops={"arrowstyle": "->", "color": color},
    )
axes.set(title="three windows of ten years, and the year that each should forecast", ylim=(-55, 70))
axes.set(xticks=range(16), xticklabels=years[:16], yticks=[0, 30, 60], ylabel="spots")
plt.show()

# %% [markdown]
# **What helps.**
# - The window length is a property of the model: `model.input_shape[1]`. The grader brings models of its own,
#   compiled like yours, some with other windows; use only what every Keras model has.
# - Take **batches of 4** windows. Adam makes one small step per batch, and with 237 windows, the default of 32 makes
#   only 160 steps in 20 epochs: too few to learn anything. Batches of 4 make 1,200.
# - `model.fit(..., verbose=0)` keeps quiet. Return what it returns.
# - Work on a copy: `series` and `history` are the caller's.
# - `model.predict` is made for thousands of rows. For one window, `model(window)` is much faster. Both want an input
#   of the shape $(1, w, 1)$, and both return more axes than a float has.
#
# **What is good?** The laziest forecast, *next year will be as this year*, is called **persistence**. On the hidden
# years the error of your forecasts (the root of the mean square) has to be at most 0.85 of that of persistence. A
# good solution gets 0.5 to 0.65; the network gets three attempts with other initial weights, and the best one counts.


# %% task="train_lstm"
def train_lstm(model, series, epochs=20):
    """Train a network to forecast the next value of a series.

    Scales the series, cuts it into windows of the model's length, fits the model in small batches, and leaves on the
    model, as an attribute, whatever ``forecast`` needs to scale and to undo it.

    Args:
        model: A compiled model as ``build_lstm`` returns, from windows ``(N, w, 1)`` to ``(N, 1)``, for any ``w``.
        series: The values to train on, in the order of time and in any units, ``(L,)``; not modified.
        epochs: How often to go through all windows.

    Returns:
        The ``History`` that ``model.fit`` returns.
    """
    raise NotImplementedError


def forecast(model, history):
    """Forecast the value that follows the latest ones.

    Args:
        model: A model that ``train_lstm`` has trained.
        history: The latest values, in the order of time and in the units of the series: at least as many as the model's
            window has; not modified. Values before the window change nothing.

    Returns:
        The next value in the same units, a float.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 6 - Look at what it learned
#
# Training on the years up to 1896 takes about five seconds. Then the network walks through the years that it has not
# seen: for each it gets everything that had happened by then.

# %% figure=true
keras.utils.set_random_seed(1)
model = try_yours("build_lstm")
record = try_yours("train_lstm", model, past)
losses = getattr(record, "history", {}).get("loss", [])
if losses:
    figure, axes = plt.subplots(figsize=(5, 2.2))
    axes.plot(range(1, len(losses) + 1), losses, "o-", color="royalblue")
    axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None), title="mean squared error, in the scale of the network")
    axes.locator_params(axis="x", integer=True)
    plt.show()


# %% figure=true
def walk(first, last):
    """Return your forecasts for the years with these positions, or None."""
    values = []
    for end in range(first, last):
        value = try_yours("forecast", model, sunspots[:end], shape=())
        if value is None:
            return None
        values.append(float(value))
    return np.array(values)


told = walk(197, len(sunspots)) if losses and future.shape == (50,) else None
if told is not None:
    repeated = sunspots[len(past) - 1 : -1]
    error, lazy = (np.sqrt(np.mean((guess - future) ** 2)) for guess in (told, repeated))
    print(f"error {error:.1f} spots, persistence {lazy:.1f} spots: {error / lazy:.2f} of it")
    figure, axes = plt.subplots(figsize=(11, 2.8))
    axes.plot(years[len(past) :], future, "o-", ms=3, color="darkgray", label="what happened")
    axes.plot(years[len(past) :], told, lw=2, color="crimson", label="your forecast, one year ahead")
    axes.plot(years[len(past) :], repeated, ":", color="royalblue", label="persistence: always one year late")
    axes.set(xlabel="year", ylabel="spots", ylim=(min(-5, told.min()), 165))
    axes.legend(ncols=3, frameon=False, loc="upper left")
    plt.show()

# %% [markdown]
# Persistence is late at every rise and every fall. A network that has understood the rhythm turns *before* the curve
# does. If your forecast looks like persistence, shifted by a year, then it has learned nothing but to repeat.
#
# How does it know where in the cycle it is? Below are its hidden units at the end of each window, one row per unit,
# in the order of how well they go along with the spots of that year. The upper ones light up at the peaks, the lower
# ones in the valleys, and those between them on the way. Together they tell the dense layer whether it goes up or
# down next.

# %% figure=true
layers = [layer for layer in getattr(model, "layers", []) if isinstance(layer, keras.layers.LSTM)]
if told is not None and layers:
    scaled = (sunspots - past.mean()) / past.std()
    windows = np.lib.stride_tricks.sliding_window_view(scaled, 10)[130:210, :, None].astype("float32")
    hidden = keras.ops.convert_to_numpy(layers[0](windows)).T  # (H, years)
    hidden = hidden[hidden.std(axis=1) > 0.02]  # some units of a ReLU never light up
    ends, spots = years[139:219], sunspots[139:219]
    hidden = np.array(
        sorted(hidden / hidden.max(axis=1, keepdims=True), key=lambda row: -np.corrcoef(row, spots)[0, 1])
    )
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(11, 4), sharex=True, height_ratios=[1, 2])
    upper.plot(ends, spots, color="darkorange")
    upper.set(ylabel="spots")
    if len(hidden):
        lower.imshow(hidden, aspect="auto", cmap="magma", extent=(ends[0] - 0.5, ends[-1] + 0.5, len(hidden), 0))
    lower.set(xlabel="year", ylabel="hidden unit")
    plt.show()

# %% [markdown]
# ## Before you submit
#
# 1. Choose *Restart kernel and run all cells*. The grader does the same, from an empty kernel, but
#    leaves the figures out.
# 2. Look once more at all checks.
# 3. Save, and hand in this file under its name.
#
# **If you want to go on:** let the network dream, by feeding its forecasts back as history, and see how long the
# rhythm lasts. Write `gru_forward`, and train a GRU of the same number of parameters on the same series.
# Differentiate `lstm_step`, and measure your gradient by central differences. Start the bias of the forget gate at
# $-2$ and see what becomes of the training.
