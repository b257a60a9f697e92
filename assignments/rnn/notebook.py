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
# # Recurrent networks from scratch
#
# A sentence, a melody, a heartbeat, the number of spots on the sun: in a *sequence* the order is the message. In this
# notebook you build a network that reads sequences, out of nothing but NumPy arrays. You give it a memory, teach it
# by sending errors back through time, measure why it forgets, and at the end your own code forecasts the sun.
#
# **sequence → memory → learning through time → forecast**
#
# | stage | your functions | shape of what comes out |
# | --- | --- | --- |
# | memory | `rnn_step`, `rnn_forward` | $(N, H)$, $(N, T, H)$ |
# | learning through time | `rnn_backward`, `clip_gradients`, `gradient_flow` | gradients; $(T,)$ |
# | forecast | `make_windows`, `train_rnn`, `predict_rnn` | $(n, T, 1)$ and $(n, 1)$ |
#
# ### How to work
# 1. Read the section, follow its small example with pencil and paper, then replace `raise NotImplementedError` in the
#    cell below it. The docstring says which shapes go in and come out.
# 2. Run the cell, then the `check(...)` cell after it. It tries your function on your own computer and says what is
#    wrong: what it expected, what it received, and where to look.
# 3. Many figures are drawn by *your* functions. Until a function exists its figure is a line of text. The names in a
#    `%%figure` cell stay among the figures, so they never clash with yours. Figures are not graded.
#
# A check that passes is a good sign and not yet the grade. The final tests are other ones: they use fresh random
# numbers, batches of one and of many, sequences of length one, states that do not begin at zero. Every task is graded
# on its own, so a task that you cannot solve does not cost you the later ones. Add cells and helper functions
# wherever you like.
#
# ### Conventions
# - Sequences are $(N, T, D)$: sequence, step in time, input. States are $(N, H)$ for one step and $(N, T, H)$ for all.
# - States are **rows**: a state moves on by $h\, W_h$, so $W_h[i, j]$ leads *from* unit $i$ *to* unit $j$.
# - A function never changes its arguments; it returns new arrays.
# - `float64` in, `float64` out. `float32` in, `float32` or `float64` out.
# - Only NumPy. No other library may be called inside a task: the arithmetic has to be yours.
#
# A loop over time is no bad style here, it is the nature of the thing. Over the sequences of a batch you need none.
#
# **Time:** about four hours, half of them for the way back through time and the training. Nothing is downloaded.

# %% setup=true
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_sunspots

# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})


def try_yours(function, *arguments, shape=None, **options):
    """Call one of your functions for a figure; as long as it is not ready, return None and say so quietly."""
    if any(argument is None for argument in arguments):
        return None
    try:
        result = globals()[function](*arguments, **options)
        result = result if shape is None else np.asarray(result, dtype=float)
    except NotImplementedError:
        print(f"This comes to life when you have written {function}.")
    except Exception as error:  # whatever a half-written function raises, the notebook goes on
        print(f"{function} is not ready for this figure yet ({type(error).__name__}: {error}).")
    else:
        if shape is None or result.shape == shape:
            return result
        print(f"{function} is not ready for this figure yet: expected the shape {shape}, received {result.shape}.")
    return None


def arrow(axes, start, end, color="dimgray", **style):
    """Draw an arrow between two points."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 1.6, "color": color, **style})


def box(axes, column, row, text, color, shape="circle"):
    """Write a text into a box."""
    axes.text(column, row, text, ha="center", va="center", bbox={"boxstyle": shape, "fc": color, "ec": "gray"})


def unrolled(axes, back=False):
    """Draw four steps of a recurrent network; ``back`` adds the way of the gradients."""
    box(axes, 0, 1, "$h_0$", "white")
    for t in range(1, 5):
        box(axes, 2 * t, 0, f"$x_{t}$", "gainsboro")
        box(axes, 2 * t, 1, f"$h_{t}$", "lightskyblue")
        arrow(axes, (2 * t, 0.22), (2 * t, 0.76))
        arrow(axes, (2 * t - 1.72, 1), (2 * t - 0.28, 1))
        axes.text(2 * t - 1, 1.1, "$W_h$", ha="center", color="dimgray")
        axes.text(2 * t + 0.1, 0.45, "$W_x, b$", color="dimgray", fontsize=8)
        if back:
            arrow(axes, (2 * t - 0.14, 1.85), (2 * t - 0.05, 1.3), color="crimson")
            axes.text(2 * t - 0.1, 1.95, f"$G_{t}$", ha="center", color="crimson")
            arrow(axes, (2 * t - 0.28, 0.85), (2 * t - 1.72, 0.85), color="crimson", ls="--")
    axes.set(xlim=(-0.5, 8.8), ylim=(-0.4, 2.3 if back else 1.4))
    axes.axis("off")


# %% [markdown]
# ---
# # Part 1 - A network with a memory
#
# Since the invention of the telescope people have counted the dark spots on the sun. There are many for some years,
# then few, then many again: a cycle of about eleven years, in which no two cycles are alike. These are the yearly
# means from 1700 to 1946. The years after that are kept for the final test.
#
# Could you say what comes next? Not from the last number alone. A value of 60 on the way up is followed by more, on
# the way down by less. To know which way it goes one has to *remember*.

# %%
years, sunspots = load_sunspots()
print(f"{len(years)} years, {years[0]} to {years[-1]}, from {sunspots.min():g} to {sunspots.max():g}")

# %% figure=true
figure, axes = plt.subplots(figsize=(11, 2.4))
axes.plot(years, sunspots, lw=1.2, color="darkorange")
axes.fill_between(years, sunspots, color="moccasin")
axes.set(xlabel="year", ylabel="sunspot number", xlim=(1700, 1947), ylim=(0, None))
plt.show()

# %% [markdown]
# ## 1. One step
#
# A recurrent network keeps a *state* $h$: a row of $H$ numbers, everything that it remembers. At each step it takes
# one input $x_t$ and makes a new state from two things: what it hears now, and what it still knows.
#
# $$h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$$
#
# $W_x$ is $(D, H)$, $W_h$ is $(H, H)$ and $b$ is $(H,)$. Think of $W_h[i, j]$ as a wire from unit $i$ to unit $j$.
# The hyperbolic tangent keeps every number between $-1$ and $1$, so that the state cannot grow beyond all bounds,
# however long the sequence is.
#
# **Example.** One input and two units: $x_t = [2]$, $h_{t-1} = [0.5, -1]$, and
#
# $$W_x = \begin{bmatrix} 0.4 & -0.5 \end{bmatrix} \qquad
# W_h = \begin{bmatrix} 0 & 1 \\ 0.3 & 0 \end{bmatrix} \qquad b = [0, 0.1]$$
#
# From the input come $[0.8, -1]$. From the state come $[0.5 \cdot 0 + (-1) \cdot 0.3,\; 0.5 \cdot 1 + (-1) \cdot 0] =
# [-0.3, 0.5]$. With the bias the sums are $[0.5, -0.4]$, and the new state is $[\tanh 0.5, \tanh(-0.4)] \approx
# [0.462, -0.380]$.
#
# The derivative of the tangent is $\tanh'(a) = 1 - \tanh^2(a)$. So if you know the state, you know the slope without
# any new calculation: $1 - h^2$. It is 1 where $h = 0$ and almost nothing where $h$ is near $\pm 1$. Keep that in
# mind, it decides about Part 2.

# %% figure=true
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.2))
a = np.linspace(-4, 4, 200)
left.plot(a, np.tanh(a), lw=3, color="royalblue")
left.plot([0.5, -0.4], np.tanh([0.5, -0.4]), "o", color="crimson")
left.set(title="tanh: the two units of the example", xlabel="sum", yticks=[-1, 0, 1])
right.plot(a, 1 - np.tanh(a) ** 2, lw=3, color="seagreen")
right.set(title="its slope, $1 - h^2$: never more than 1", xlabel="sum", yticks=[0, 0.5, 1])
plt.show()


# %% task="rnn_step"
def rnn_step(x_t, h_prev, Wx, Wh, b):
    """Move the states of a batch on by one step: ``tanh(x_t Wx + h_prev Wh + b)``.

    Args:
        x_t: Inputs of this step ``(N, D)``.
        h_prev: States before it ``(N, H)``.
        Wx: Weights from inputs to units ``(D, H)``.
        Wh: Weights from units to units ``(H, H)``; ``Wh[i, j]`` leads from unit i to unit j.
        b: Biases ``(H,)``.

    Returns:
        The states after the step, ``(N, H)``, a new array.
    """
    raise NotImplementedError


# %% [markdown]
# ## 2. A whole sequence
#
# To read a sequence, do the same step again and again, always with the same weights, and hand the state on. Drawn out
# along the time axis, *unrolled*, the network looks as deep as the sequence is long:
#
# $$h_t = \operatorname{step}(x_t, h_{t-1}) \qquad t = 1, \dots, T$$
#
# **Example.** One input, one unit, $W_x = 1$, $W_h = 0.5$, $b = 0$, $h_0 = 0$. The network hears a click and then
# silence, $x = 1, 0, 0$:
#
# $$h_1 = \tanh(1) \approx 0.762 \qquad h_2 = \tanh(0.5 \cdot 0.762) \approx 0.363 \qquad
# h_3 = \tanh(0.5 \cdot 0.363) \approx 0.180$$
#
# Nothing arrives after the first step, and yet the state is not zero. That is memory: an echo.
#
# **Two traps.** $h_0$ is an argument and need not be zero: whoever reads a long text in pieces begins each piece with
# the last state of the piece before. And keep a *new* array for every step. A list that holds one and the same array
# $T$ times, overwritten again and again, shows the last state $T$ times.

# %% figure=true
figure, axes = plt.subplots(figsize=(9, 1.9))
unrolled(axes)
plt.show()


# %% task="rnn_forward"
def rnn_forward(x, h0, Wx, Wh, b):
    """Read sequences from the first step to the last.

    Args:
        x: Sequences ``(N, T, D)``; any ``T`` of at least 1.
        h0: States before the first step ``(N, H)``.
        Wx: Weights from inputs to units ``(D, H)``.
        Wh: Weights from units to units ``(H, H)``.
        b: Biases ``(H,)``.

    Returns:
        ``(N, T, H)``: the state after each step, so that ``[:, -1]`` is the last one. ``h0`` is not among them.
    """
    raise NotImplementedError


# %% [markdown]
# ### How long does an echo last?
#
# Your network with one unit hears a click at the first step and then nothing. The recurrent weight decides what
# becomes of it. Below 1 it fades. Negative, it swings. Above 1 it does not fade at all: the state settles where the
# tangent holds it, and the network will never forget the click. (Had the click been negative, it would have settled
# below zero: one unit that can store one bit.)

# %% figure=true
click = np.zeros((1, 20, 1))
click[0, 0, 0] = 1
echoes = {}
for weight in (0.5, 0.95, -0.9, 1.6):
    wires = np.ones((1, 1)), np.full((1, 1), weight), np.zeros(1)
    states = try_yours("rnn_forward", click, np.zeros((1, 1)), *wires, shape=(1, 20, 1))
    if states is None:
        break
    echoes[weight] = states[0, :, 0]
if len(echoes) == 4:
    figure, panels = plt.subplots(1, 4, figsize=(12, 2.1), sharey=True)
    for panel, (weight, echo) in zip(panels, echoes.items(), strict=True):
        panel.axhline(0, color="lightgray", lw=1)
        panel.plot(np.arange(1, 21), echo, "o-", ms=3, color="royalblue")
        panel.set(title=f"recurrent weight {weight}", xlabel="step", xticks=[1, 10, 20], ylim=(-1, 1))
    plt.show()

# %% [markdown]
# ---
# # Part 2 - Learning through time
#
# The state after the last step depends on the weights in $T$ places, because every step used them. To learn, the
# network needs the gradient of a loss through all of these places. Unrolled it is an ordinary deep network, so
# ordinary back-propagation does it, from the last step to the first. It has a name of its own, *back-propagation
# through time*.
#
# ## 3. The way back
#
# Let $G_t$ be the gradient that arrives at the state $h_t$ directly, from whatever reads it: `grad_h[:, t]`. It need
# not be zero at any step. But $h_t$ also acts on $h_{t+1}$, and through it on everything later. So the whole gradient
# of $h_t$ has two parts, and going back one step means: **add** the two, multiply by the slope of the tangent, and
# send the result to the three places that the sum was made of.
#
# $$\delta_t = \left(G_t + \delta_{t+1} W_h^{\top}\right) \odot (1 - h_t^2) \qquad \delta_{T+1} = 0$$
#
# $$\frac{\partial L}{\partial x_t} = \delta_t W_x^{\top} \qquad
# \frac{\partial L}{\partial h_0} = \delta_1 W_h^{\top}$$
#
# $$\frac{\partial L}{\partial W_x} = \sum_{n, t} x_t^{\top} \delta_t \qquad
# \frac{\partial L}{\partial W_h} = \sum_{n, t} h_{t-1}^{\top} \delta_t \qquad
# \frac{\partial L}{\partial b} = \sum_{n, t} \delta_t$$
#
# $\delta_t$ is the gradient *before* the tangent, $\odot$ multiplies element by element. The weights are the same at
# all steps and for all sequences, so their gradients are sums over both. No means: where a mean belongs it is already
# in `grad_h`.
#
# **Example.** The click again: $x = 1, 0, 0$, $h = 0.762, 0.363, 0.180$, $W_h = 0.5$, and a loss that reads the last
# state only, $G = 0, 0, 1$. The slopes $1 - h^2$ are $0.420, 0.868, 0.968$.
#
# | $t$ | $G_t + \delta_{t+1} W_h$ | $\delta_t$ | to $W_x$: $x_t \delta_t$ | to $W_h$: $h_{t-1} \delta_t$ |
# | --- | --- | --- | --- | --- |
# | 3 | $1$ | $0.968$ | $0$ | $0.363 \cdot 0.968 = 0.352$ |
# | 2 | $0.968 \cdot 0.5 = 0.484$ | $0.420$ | $0$ | $0.762 \cdot 0.420 = 0.320$ |
# | 1 | $0.420 \cdot 0.5 = 0.210$ | $0.088$ | $0.088$ | $0$ |
#
# So $\partial L / \partial W_x = 0.088$, $\partial L / \partial W_h = 0.672$, $\partial L / \partial b = 0.968 +
# 0.420 + 0.088 = 1.476$, and $\partial L / \partial h_0 = 0.088 \cdot 0.5 = 0.044$. Look at the column $\delta_t$:
# the gradient has lost nine tenths on two steps. You will measure that in a moment.

# %% figure=true
figure, axes = plt.subplots(figsize=(9, 2.6))
unrolled(axes, back=True)
plt.show()


# %% task="rnn_backward"
def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    """Send gradients back through ``h = rnn_forward(x, h0, Wx, Wh, b)``, through all steps.

    Args:
        grad_h: Gradient of the loss with respect to the state after each step, ``(N, T, H)``; any numbers. It is what
            reaches a state directly, not through later steps: that part is yours to add.
        x: The sequences of the forward pass ``(N, T, D)``.
        h0: The states before the first step ``(N, H)``.
        h: What the forward pass returned ``(N, T, H)``.
        Wx: Weights from inputs to units ``(D, H)``.
        Wh: Weights from units to units ``(H, H)``.

    Returns:
        ``(grad_x, grad_h0, grad_Wx, grad_Wh, grad_b)``: the gradients of the loss in the shapes of ``x``, ``h0``,
        ``Wx``, ``Wh`` and ``b``. Sums over the steps and the batch, no means.
    """
    raise NotImplementedError


# %% [markdown]
# ### Trust, and measure
#
# A gradient can be measured without any calculus: move one number up and down by a tiny $\epsilon$ and look at the
# loss. That costs two forward passes per number, so nobody trains with it, but it is the best test there is.
#
# $$\frac{\partial L}{\partial w} \approx \frac{L(w + \epsilon) - L(w - \epsilon)}{2 \epsilon}$$
#
# The cell compares it with your formulas, for two sequences of five steps that begin with a state. An error below
# about $10^{-8}$ is rounding; above $10^{-3}$ it is a mistake.


# %% figure=true
def measured_gradient(loss, values, epsilon=1e-5):
    """Return the gradient of ``loss()`` with respect to the array ``values``, by central differences."""
    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        original = values[index]
        values[index] = original + epsilon
        above = loss()
        values[index] = original - epsilon
        gradient[index] = (above - loss()) / (2 * epsilon)
        values[index] = original
    return gradient


random = np.random.default_rng(0)
small = {
    "x": random.normal(size=(2, 5, 2)),
    "h0": random.normal(0, 0.5, (2, 3)),
    "Wx": random.normal(size=(2, 3)),
    "Wh": random.normal(size=(3, 3)),
    "b": random.normal(size=3),
}
upstream = random.normal(size=(2, 5, 3))
states = try_yours("rnn_forward", *small.values(), shape=(2, 5, 3))
gradients = try_yours("rnn_backward", upstream, small["x"], small["h0"], states, small["Wx"], small["Wh"])
if isinstance(gradients, tuple):
    for (name, values), yours in zip(small.items(), gradients, strict=False):
        measured = measured_gradient(lambda: np.sum(upstream * rnn_forward(*small.values())), values)
        same_shape = np.shape(yours) == values.shape
        error = f"largest error {np.abs(measured - yours).max():.1e}" if same_shape else f"has shape {np.shape(yours)}"
        print(f"gradient of {name:3} {error}")

# %% [markdown]
# ## 4. When gradients explode
#
# On the way back the gradient meets $W_h^{\top}$ once per step. If $W_h$ stretches, the gradient grows like a power:
# stretched by 1.5 at each step, after 40 steps it is eleven million times as long. One such batch is enough to throw
# all weights somewhere far away, and everything that was learned is lost.
#
# The remedy is simple. A gradient that is too long still points in the right direction, so keep the direction and cut
# the length. All gradients together are *one* long vector $g$ with the norm
#
# $$\lVert g \rVert = \sqrt{\sum_{\text{arrays}} \; \sum_{\text{entries}} g_i^2} \qquad\qquad
# g \leftarrow g \cdot \frac{c}{\lVert g \rVert} \quad \text{if } \lVert g \rVert > c$$
#
# where $c$ is `max_norm`. A gradient that is short enough stays as it is.
#
# **Example.** Two arrays, $[2, 3]$ and $[6]$: the norm is $\sqrt{4 + 9 + 36} = 7$. With $c = 3.5$ everything is
# halved, $[1, 1.5]$ and $[3]$. With $c = 10$ nothing changes.
#
# **One factor for all.** If each array were clipped by its own norm, or each number by itself, large gradients would
# shrink and small ones would not, and the step would go elsewhere. The figure shows it for two numbers.

# %% figure=true
figure, panels = plt.subplots(1, 2, figsize=(9, 2.4), sharey=True)
panels[0].set_title("one factor: same direction")
panels[1].set_title("one by one: another direction")
for panel, clipped in zip(panels, ((2.0, 0.5), (1.0, 1.0)), strict=True):
    arrow(panel, (0, 0), (4, 1), color="darkgray")
    arrow(panel, (0, 0), clipped, color="crimson")
    panel.text(4.1, 1, "gradient", va="center", color="gray")
    panel.set(xlim=(-0.2, 5.4), ylim=(-0.2, 1.5), aspect="equal", xticks=range(6), yticks=[0, 1])
plt.show()


# %% task="clip_gradients"
def clip_gradients(gradients, max_norm):
    """Shorten a gradient that is too long, without turning it.

    Args:
        gradients: dict from names to arrays, which together are one gradient.
        max_norm: The largest norm that is left as it is, a positive float.

    Returns:
        A new dict with the same names: all arrays multiplied by one factor, so that the norm of all their entries
        together is ``max_norm``, when it was larger; the same values when it was not. The arguments stay as they are.
    """
    raise NotImplementedError


# %% [markdown]
# ## 5. When gradients vanish
#
# Clipping helps against gradients that grow. Against those that shrink nothing so simple helps, and they are the more
# common ones, because the slope of the tangent is never more than 1.
#
# How much of a gradient at the last state arrives at an earlier one? One step back is a matrix, the *Jacobian*: how
# each unit of $h_{k+1}$ moves when a unit of $h_k$ does. With states as rows,
#
# $$J_k[i, j] = \frac{\partial h_{k+1}[j]}{\partial h_k[i]} = W_h[i, j]\, \left(1 - h_{k+1}[j]^2\right)$$
#
# Many steps are a product of Jacobians, in the order of time, and its size is the Frobenius norm, the root of the sum
# of the squares of all entries:
#
# $$\frac{\partial h_T}{\partial h_t} = J_t\, J_{t+1} \cdots J_{T-1} \qquad\qquad
# \text{flow}_t = \left\lVert \frac{\partial h_T}{\partial h_t} \right\rVert_F$$
#
# For $t = T$ there is no step between, the product is the identity, and its norm is $\sqrt{H}$.
#
# **Example.** The click once more, $h = 0.762, 0.363, 0.180$ with $W_h = 0.5$. From $h_2$ to $h_3$ it is
# $0.5 \cdot 0.968 = 0.484$. From $h_1$ it is $0.5 \cdot 0.868 = 0.434$ times that, $0.210$. So the flow is
# $[0.210, 0.484, 1]$. Compare the slopes: the one that counts is that of the state where a step *ends*.
#
# **Example.** Two units at rest, $h = 0$ everywhere, so all slopes are 1. Let $W_h$ be a rotation by any angle, times
# $s$. Rotating changes no length, so the flow is $\sqrt{2}\, s^{T - t}$: exactly a power. For $s = 0.9$ and 50 steps
# that is $0.007$, for $s = 1.1$ it is $166$. Only $s = 1$ keeps it, and the tangent spoils even that as soon as $h
# \ne 0$.
#
# **How to write it.** Start at the end with the identity and walk back. Each step multiplies one more Jacobian from
# the left.


# %% task="gradient_flow"
def gradient_flow(h, Wh):
    """Measure how much of a gradient at the last state arrives at each earlier one.

    Args:
        h: The states of one sequence after each step, ``(T, H)``; any ``T`` of at least 1.
        Wh: Weights from units to units ``(H, H)``.

    Returns:
        ``(T,)``: the Frobenius norms of ``d h_T / d h_t`` for ``t = 1, ..., T``. The last one is that of the identity,
        ``sqrt(H)``.
    """
    raise NotImplementedError


# %% [markdown]
# ### The vanishing gradient, measured
#
# Your function on networks of 16 units. The recurrent weights are a random rotation times $s$; this factor is the
# *spectral radius* of $W_h$. On the left all states are zero and each curve is a straight line on the logarithmic
# axis: a power of $s$. On the right the same networks read noise with your `rnn_forward`. Now the tangent bends, all
# curves fall more steeply, and even $s = 1.2$ does not explode any more. With $s = 0.9$ the first steps arrive with
# about a millionth of the weight of the last ones, with $s = 0.5$ they do not arrive at all: from what happened that
# long ago nothing can be learned. This is why LSTM and GRU were invented.

# %% figure=true
rotation, _ = np.linalg.qr(random.normal(size=(16, 16)))
noise, into, silent = random.normal(size=(1, 50, 1)), random.normal(0, 0.5, (1, 16)), np.zeros(16)
colors = {0.5: "crimson", 0.9: "darkorange", 1.0: "seagreen", 1.2: "royalblue"}
curves = []
for factor in colors:
    around = factor * rotation
    at_rest = try_yours("gradient_flow", np.zeros((50, 16)), around, shape=(50,))
    if at_rest is None:
        break
    states = try_yours("rnn_forward", noise, np.zeros((1, 16)), into, around, silent, shape=(1, 50, 16))
    reading = None if states is None else try_yours("gradient_flow", states[0], around, shape=(50,))
    if reading is None:
        break
    curves.append((factor, at_rest, reading))
if len(curves) == 4:
    figure, panels = plt.subplots(1, 2, figsize=(10, 2.8), sharey=True)
    for factor, *flows in curves:
        for panel, flow in zip(panels, flows, strict=True):
            panel.semilogy(np.arange(-49, 1), flow, color=colors[factor], lw=2, label=f"s = {factor}")
            panel.set(xlabel="steps before the last one", ylim=(1e-12, 1e5))
    panels[0].set(title="at rest: a power of s", ylabel="flow")
    panels[1].set_title("while reading noise")
    panels[0].legend(frameon=False, fontsize=8, loc="lower right")
    plt.show()

# %% [markdown]
# ---
# # Part 3 - Forecasting the sun
#
# ## 6. A series becomes windows
#
# To learn a forecast one needs questions with known answers, and a series is full of them. Each stretch of `length`
# values is a question, and the value right after it is the answer:
#
# $$X_i = (s_i, s_{i+1}, \dots, s_{i + length - 1}) \qquad y_i = s_{i + length} \qquad i = 0, \dots, L - length - 1$$
#
# **Example.** The series $3, 1, 4, 1, 5$ in windows of 2: $(3, 1) \to 4$, then $(1, 4) \to 1$, then $(4, 1) \to 5$.
# Five values, three windows: the last two values have nothing after them.
#
# **Keep them in the order of time.** Neighboring windows share almost all their values, and the answer of one is part
# of the next. If they were shuffled and then divided into training and test, the answers to the test would stand in
# the training windows, and the result would look wonderful and mean nothing. What comes later has to be kept apart as
# a whole. (*After* the division, within the training part, you may shuffle as you like.)

# %% figure=true
figure, axes = plt.subplots(figsize=(9, 2.2))
for column, value in enumerate((3, 1, 4, 1, 5)):
    box(axes, column, 0, f"{value}", "gainsboro", "square,pad=0.6")
for window, color in enumerate(("royalblue", "seagreen", "darkorange")):
    depth = -0.75 - 0.5 * window
    axes.plot([window - 0.3, window + 1.3], [depth, depth], lw=8, color=color, solid_capstyle="butt")
    axes.plot([window + 2], [depth], "*", ms=13, color=color)
    axes.text(-1.2, depth, f"window {window}", va="center", ha="center", color=color)
axes.text(4.9, -0.75, "bar: the question\nstar: the answer", color="dimgray", va="top")
axes.set(xlim=(-2, 7), ylim=(-2.1, 0.6))
axes.axis("off")
plt.show()


# %% task="make_windows"
def make_windows(series, length):
    """Cut a series into windows and the values that follow them, in the order of time.

    Args:
        series: float array ``(L,)``, oldest value first.
        length: Values in a window, an int from 1 to ``L - 1``.

    Returns:
        ``(X, y)``: windows ``(L - length, length, 1)`` and the value after each, ``(L - length, 1)``. Window ``i``
        begins at ``series[i]``.
    """
    raise NotImplementedError


# %% [markdown]
# ## 7. The whole network
#
# Put the parts together. The network reads a window from a state of zeros, and a dense layer reads the forecast from
# the last state:
#
# $$h_T = \text{the last state of } \operatorname{forward}(X) \qquad \hat y = h_T W_y + b_y \qquad
# L = \frac{1}{N} \sum_n (\hat y_n - y_n)^2$$
#
# | part | shape, for 16 units | parameters |
# | --- | --- | --- |
# | $W_x$, $W_h$, $b$ | $(1, 16)$, $(16, 16)$, $(16,)$ | $16 + 256 + 16 = 288$ |
# | $W_y$, $b_y$ | $(16, 1)$, $(1,)$ | $16 + 1 = 17$ |
#
# **Where to start.** Draw the weights from a normal distribution with the deviation $1 / \sqrt{n_{in}}$, where
# $n_{in}$ is the number of values that come into one unit: 1 for $W_x$, $H$ for $W_h$ and $W_y$. Then $W_h$ has a
# spectral radius of about 1, and you have just seen what that is good for. Biases begin at 0.
#
# **The way back.** The squared error begins it, and the dense layer passes it to the *last* state. No other state is
# read, so `grad_h` is zero at all other steps:
#
# $$\frac{\partial L}{\partial \hat y} = \frac{2}{N} (\hat y - y) \qquad
# \frac{\partial L}{\partial W_y} = h_T^{\top} \frac{\partial L}{\partial \hat y} \qquad
# \frac{\partial L}{\partial b_y} = \sum_n \frac{\partial L}{\partial \hat y_n} \qquad
# G_T = \frac{\partial L}{\partial \hat y} W_y^{\top}$$
#
# `rnn_backward` does the rest. The mean over the batch is in the first formula, with its $N$, and nowhere else.
#
# **Example.** A batch of two: forecasts $0.5$ and $1$, true values $1$ and $0$. The loss is
# $(0.25 + 1) / 2 = 0.625$ and its gradient $\frac{2}{2} [-0.5, 1] = [-0.5, 1]$.
#
# **One epoch** goes through all windows once, in a fresh random order, in *mini-batches* of about 16. Per batch:
# forward, loss, backward, `clip_gradients` to a norm of 1, and a step $w \leftarrow w - \eta\, g$ for every
# parameter. With one batch of all windows there would be 50 steps in 50 epochs, which is too few to arrive anywhere.
# The last batch may be smaller; no window is left out. The loss of an epoch is the mean over its windows.
#
# **What helps.** Take *one* generator, `np.random.default_rng(seed)`, for the initial weights and for every shuffle:
# then a run can be repeated to the last digit, and mistakes too. If the loss does not fall, measure your gradients as
# in task 3. If it jumps, let the learning rate shrink from its full value in the first epoch towards a small one in
# the last.
#
# **What is a good forecast?** One that beats the cheapest: *tomorrow will be as today*. This is called *persistence*,
# and for many series it is embarrassingly hard to beat. So the error is always given relative to it: 1 is worth
# nothing.


# %% task="train_rnn"
def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """Train a recurrent network to forecast the value after a window, by mini-batch gradient descent.

    A design that works: states begin at zero, a dense layer reads the last one; mean squared error; batches of about
    16, shuffled anew in every epoch; gradients clipped to the global norm 1. Any other recurrent network made of your
    own functions is as good if it learns.

    Args:
        X: Windows ``(n, length, 1)`` of a standardized series (mean about 0, deviation about 1); any ``n`` and
            ``length`` of at least 1.
        y: The values after them ``(n, 1)``.
        hidden: Units of the network.
        epochs: How often to go through all windows.
        learning_rate: Length of the steps; you may let it shrink from here over the epochs.
        seed: Decides the initial weights and the shuffling: the same seed gives the same result.

    Returns:
        ``(parameters, losses)``: a dict of arrays, whatever ``predict_rnn`` needs, and a list of ``epochs`` floats, the
        mean squared error over the windows during each epoch. With the sunspots and the default arguments, the forecast
        of later years should err at most 0.85 times as much as repeating the last number.
    """
    raise NotImplementedError


def predict_rnn(parameters, X):
    """Apply a trained network.

    Args:
        parameters: What ``train_rnn`` returned first.
        X: Windows ``(n, length, 1)``; any ``n``.

    Returns:
        Forecasts ``(n, 1)``. The forecast for a window depends on that window alone, not on the others.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 4 - Look at what it learned
#
# The years to 1899 are for training, the 47 years after that for looking. The series is standardized by the training
# part, because nobody in 1899 knew the mean of the years to come. (The grader does the same with all 247 years and
# forecasts those from 1947 on.)

# %% figure=true
center, spread = sunspots[:200].mean(), sunspots[:200].std()
series = (sunspots - center) / spread
windows = try_yours("make_windows", series, 10)
windows = windows if isinstance(windows, tuple) and np.shape(windows[0]) == (237, 10, 1) else (None, None)
trained = None if windows[0] is None else try_yours("train_rnn", windows[0][:190], windows[1][:190])
parameters, losses = trained if isinstance(trained, tuple) and len(trained) == 2 else (None, None)
if losses is not None:
    figure, axes = plt.subplots(figsize=(6, 2.2))
    axes.axhline(1, ls=":", color="gray")
    axes.text(len(losses), 1.03, "forecasts the mean, always", ha="right", color="gray")
    axes.plot(np.arange(1, len(losses) + 1), losses, color="royalblue", lw=2)
    axes.set(xlabel="epoch", ylabel="mean squared error", ylim=(0, 1.2))
    plt.show()

# %% [markdown]
# Every dot is a forecast one year ahead, made from the ten years before it. Persistence is the series itself, moved
# to the right by one year, and always late. Where does your network know better, and where does it fail?

# %% figure=true
later = None if windows[0] is None else windows[0][190:]
forecast = try_yours("predict_rnn", parameters, later, shape=(47, 1))
if forecast is not None:
    forecast = forecast[:, 0] * spread + center
    truth, last = sunspots[200:], sunspots[199:-1]
    errors = [np.sqrt(np.mean((values - truth) ** 2)) for values in (forecast, last)]
    print(f"error of your network {errors[0]:.1f}, of persistence {errors[1]:.1f}: ratio {errors[0] / errors[1]:.2f}")
    figure, axes = plt.subplots(figsize=(11, 2.8))
    axes.plot(years[200:], truth, color="darkorange", lw=2, label="sunspots")
    axes.step(years[200:], last, where="mid", color="lightgray", label="persistence")
    axes.plot(years[200:], forecast, "o", ms=5, color="royalblue", label="your network")
    axes.set(xlabel="year", ylabel="sunspot number", xlim=(1899, 1947), ylim=(0, 145))
    axes.legend(frameon=False, ncols=3, loc="upper left", fontsize=9)
    plt.show()

# %% [markdown]
# ### Let it dream
#
# Feed the network its own forecast, again and again: from 1899 on it hears nothing of the real sun any more. How long
# does it stay in step, and does it keep the period of eleven years?

# %% figure=true
window = None if forecast is None else series[None, 190:200, None]
dream = []
while window is not None and len(dream) < 47:
    value = try_yours("predict_rnn", parameters, window, shape=(1, 1))
    if value is None:
        break
    dream.append(value[0, 0] * spread + center)
    window = np.concatenate([window[:, 1:], value[:, None]], axis=1)
if len(dream) == 47:
    figure, axes = plt.subplots(figsize=(11, 2.4))
    axes.plot(years[180:], sunspots[180:], color="darkorange", lw=2)
    axes.plot(years[200:], dream, "--", color="royalblue", lw=2)
    axes.axvline(1899.5, color="gray", ls=":")
    axes.text(1900, 117, "from here on it dreams", color="royalblue")
    axes.set(xlabel="year", ylabel="sunspot number", xlim=(1880, 1947), ylim=(-20, 130))
    plt.show()

# %% [markdown]
# ### How far back does it look?
#
# Your `gradient_flow`, on your trained network: how much of a gradient at the last year of a window reaches the years
# before it, for each of the 47 windows. It needs the weights under the names `"Wx"`, `"Wh"` and `"b"`; if you gave
# them others, change the names here.

# %% figure=true
names = ("Wx", "Wh", "b")
known = isinstance(parameters, dict) and all(name in parameters for name in names)
if known and forecast is not None:
    weights = [np.asarray(parameters[name]) for name in names]
    read = try_yours("rnn_forward", later, np.zeros((47, len(weights[1]))), *weights, shape=(47, 10, len(weights[1])))
    flows = [] if read is None else [try_yours("gradient_flow", states, weights[1], shape=(10,)) for states in read]
    if flows and all(flow is not None for flow in flows):
        figure, axes = plt.subplots(figsize=(6, 2.4))
        axes.semilogy(np.arange(-9, 1), np.transpose(flows), color="lightskyblue", lw=1)
        axes.semilogy(np.arange(-9, 1), np.median(flows, axis=0), color="royalblue", lw=3)
        axes.set(xlabel="years before the last one of the window", ylabel="flow")
        plt.show()

# %% [markdown]
# ## Before you submit
#
# 1. Choose *Restart kernel and run all cells*. The grader does the same, from an empty kernel, but
#    leaves the figures out.
# 2. Look once more at all checks.
# 3. Save, and hand in this file under its name.
#
# **If you want to go on:** ask for a forecast after every value of the window instead of after the last alone.
# Forecast five years ahead in one step. Make the window longer: when does it stop helping, and what does the gradient
# flow say? Start with a $W_h$ that is 1.5 times a rotation and watch the loss with and without clipping.
