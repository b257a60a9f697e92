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
# # A CNN in Keras
#
# You know what a convolution computes. Now you let a library do the arithmetic, and your own work moves one floor up:
# which layers, how many parameters, which loss, which data, and how to see whether it learns. At the end you design
# a network of your own that tells circles from squares better than one that is more than twenty times as large.
#
# **picture → features → decision**, in seven tasks:
#
# | | your functions | what it is about |
# | --- | --- | --- |
# | count | `conv_parameters`, `dense_parameters` | what a layer has to learn |
# | prepare | `prepare_images` | from bytes to floats |
# | build | `build_cnn` | layers in a row |
# | compile | `compile_cnn` | what to minimize, and how |
# | train | `train_cnn` | epochs, batches, loss curves |
# | decide | `predict_labels` | from a probability to a label |
# | design | `build_gap_cnn` | global average pooling, and your own ideas |
#
# ### How to work
# 1. Read the section, follow its small example with pencil and paper, then replace `raise NotImplementedError` in the
#    cell below it. The docstring says what goes in and comes out.
# 2. Run the cell, then the `check(...)` cell after it. It tries your function on your own computer and says what is
#    wrong: what it expected, what it received, and where to look.
# 3. Many figures are drawn with *your* functions. Until a function exists its figure is a line of text. The names in a
#    `%%figure` cell stay among the figures, so they never clash with yours. Figures are not graded.
#
# A check that passes is a good sign and not yet the grade: the final tests use other numbers, other picture sizes, and
# pictures that nobody has seen. Every task is graded on its own, so a task that you cannot solve does not cost you the
# later ones. Add cells and helper functions wherever you like.
#
# ### Conventions
# - Pictures are **channels-last**, $(N, H, W, C)$, and stored as bytes: `uint8`, 0 to 255.
# - Labels are whole numbers $(N,)$: 0 is a circle, 1 is a square.
# - Sequential, functional or subclassed models are all fine, and so are `activation="relu"` and a `ReLU` layer: what
#   counts is what the network computes. In a `call` of your own, use layers and `keras.ops`, so that it can be looked
#   into.
#
# **Time:** about four hours. Nothing is downloaded, and no graphics card is needed: no training in this notebook takes
# longer than a minute.

# %% setup=true
import keras
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_shapes

# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})


def try_yours(function, *arguments, **options):
    """Call one of your functions for a figure; as long as it is not ready, return None and say so quietly."""
    if any(argument is None for argument in arguments):
        return None
    try:
        return globals()[function](*arguments, **options)
    except NotImplementedError:
        print(f"This comes to life when you have written {function}.")
    except Exception as error:  # whatever a half-written function raises, the notebook goes on
        print(f"{function} is not ready for this figure yet ({type(error).__name__}: {error}).")
    return None


def outputs_of(model, places, pictures):
    """Return what the layers at these places of a Sequential or functional model give for pictures."""
    try:
        tensors = [model.layers[place].output for place in places]
        return keras.Model(model.inputs, tensors).predict(pictures, verbose=0)
    except Exception as error:  # a subclassed model, or one with other layers
        print(f"These layers cannot be looked into ({type(error).__name__}).")
        return None


def draw(axes, picture, title="", **style):
    """Draw one picture, or one map of numbers in shades of gray."""
    axes.imshow(picture, **{"cmap": "gray", "interpolation": "nearest", **style})
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_row(pictures, titles, height=1.5, columns=10, **style):
    """Draw pictures side by side, ``columns`` in a row; the first ones have titles."""
    rows = -(-len(pictures) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(0.77 * height * columns, height * rows), squeeze=False)
    for panel in panels.flat[len(pictures) :]:
        panel.axis("off")
    for place, (panel, picture) in enumerate(zip(panels.flat, pictures, strict=False)):
        draw(panel, picture, titles[place] if place < len(titles) else "", **style)
    figure.tight_layout(pad=0.4)
    plt.show()


def draw_curves(histories, title):
    """Draw loss and accuracy of one training or several, epoch by epoch."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6))
    for panel, name in zip(panels, ("loss", "accuracy"), strict=True):
        for label, history in histories.items():
            values = next((values for key, values in history.items() if name in key or key == name[:3]), [])
            panel.plot(range(1, len(values) + 1), values, marker="o", ms=4, label=label)
        panel.axhline(np.log(2) if name == "loss" else 0.5, color="gray", ls=":", label="guessing")
        panel.set(xlabel="epoch", ylabel=name, title=title)
    panels[0].set_ylim(bottom=0)
    panels[1].set_ylim(0.4, 1.02)
    panels[1].legend(loc="lower right")
    figure.tight_layout()
    plt.show()


# %% [markdown]
# ---
# # Part 1 - What a network has to learn
#
# The pictures of this notebook are drawn by a program, as many as you like: a bright circle or a bright square on a
# dark ground. It sounds easy. But place, size, tilt and colors change from picture to picture, there is noise, and bars
# cross the scene. No single pixel tells the two apart; only the *outline* does. Circles and squares even have
# the same area, so brightness does not help either.

# %%
pictures, labels = load_shapes("train", seed=0, count=400)
others, other_labels = load_shapes("validation", seed=0, count=200)
names = np.array(["circle", "square"])
print(f"pictures {pictures.shape} of {pictures.dtype}, labels {labels.shape}: {labels[:12]} ...")

# %% figure=true
draw_row(pictures[:20], names[labels[:20]])

# %% [markdown]
# ## 1. Counting parameters
#
# A parameter is a number that training has to find. Count them before you train: the count says how much memory a layer
# takes, how easily it learns the training pictures by heart, and, as a side effect, whether you understand it.
#
# **A convolution** slides $c_{out}$ filters over its input. A filter is as deep as that input, so it has
# $f \cdot f \cdot c_{in}$ weights, and one bias on top:
#
# $$\text{conv} = (f \cdot f \cdot c_{in} + 1)\, c_{out}$$
#
# The size of the picture does not occur in it: the same filter works at every place.
#
# **A dense layer** connects each of its $n_{out}$ units with each of $n_{in}$ inputs, and each unit has a bias:
#
# $$\text{dense} = (n_{in} + 1)\, n_{out}$$
#
# Here the size of the picture does matter, because every pixel is an input of its own.
#
# **Example.** A filter of $3 \times 3$ on a color picture has $3 \cdot 3 \cdot 3 = 27$ weights and a bias, 28 numbers;
# 32 such filters have $28 \cdot 32 = 896$. A dense layer of 32 units on all
# $64 \cdot 64 \cdot 3 = 12{,}288$ numbers of the same picture would have $12{,}289 \cdot 32 = 393{,}248$.
#
# | layer | weights | biases | together |
# | --- | --- | --- | --- |
# | 32 filters $3 \times 3$ on 3 channels | $9 \cdot 3 \cdot 32 = 864$ | 32 | 896 |
# | 64 filters $3 \times 3$ on 32 channels | $9 \cdot 32 \cdot 64 = 18{,}432$ | 64 | 18,496 |
# | 10 units on 128 inputs | $128 \cdot 10 = 1{,}280$ | 10 | 1,290 |
#
# Pooling, flattening and ReLU have none.


# %% task="conv_parameters"
def conv_parameters(f, c_in, c_out):
    """Count what a convolution has to learn, biases included.

    Args:
        f: Side of the square filters, in pixels.
        c_in: Channels of the input.
        c_out: Filters, which are the channels of the output.

    Returns:
        The number of parameters, an int.
    """
    raise NotImplementedError


def dense_parameters(n_in, n_out):
    """Count what a dense layer has to learn, biases included.

    Args:
        n_in: Inputs.
        n_out: Units.

    Returns:
        The number of parameters, an int.
    """
    raise NotImplementedError


# %% figure=true
sides = np.array([8, 16, 32, 64, 128])
if try_yours("conv_parameters", 3, 3, 32) and try_yours("dense_parameters", 3, 32):
    convolutions = [conv_parameters(3, 3, 32) for _ in sides]
    denses = [dense_parameters(int(side * side * 3), 32) for side in sides]
    figure, axes = plt.subplots(figsize=(6, 2.8))
    axes.loglog(sides, denses, "o-", color="crimson", label="dense, 32 units")
    axes.loglog(sides, convolutions, "o-", color="royalblue", label="convolution, 32 filters 3x3")
    axes.set(xlabel="side of a color picture, in pixels", ylabel="parameters", xticks=sides, xticklabels=sides)
    axes.minorticks_off()
    axes.legend()
    plt.show()

# %% [markdown]
# ## 2. Preparing pictures
#
# Networks like small numbers. Their weights start small, and a step of training is proportional to the input: with
# pixels up to 255 the first steps are hundreds of times too long. So bytes become floats from 0 to 1, as before:
#
# $$T = \frac{X}{255}$$
#
# **Example.** The bytes $0, 51, 102, 255$ become $0, 0.2, 0.4, 1$.
#
# Two things go wrong easily. `uint8` divided by a Python number is `float64`, twice the memory for nothing: Keras
# computes in `float32`. And the divisor is 255, not the largest value of the batch: the same gray has to become the
# same number today and tomorrow.


# %% task="prepare_images"
def prepare_images(images):
    """Scale stored images for a network.

    Args:
        images: uint8 array ``(N, H, W, C)`` with values 0..255. It is not changed.

    Returns:
        float32 array of the same shape with values in [0, 1].
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 2 - Building and compiling
#
# ## 3. Layers in a row
#
# The classic design has two halves. Convolution and pooling, twice, make *features*: with every step the maps get
# smaller and more numerous. Then `Flatten` lays all of them out in one row, and dense layers *decide*.
#
# | layer | output | parameters |
# | --- | --- | --- |
# | picture | $64 \times 64 \times 3$ | |
# | Convolution, 32 filters $3 \times 3$, ReLU | $62 \times 62 \times 32$ | 896 |
# | Max pooling 2 | $31 \times 31 \times 32$ | 0 |
# | Convolution, 64 filters $3 \times 3$, ReLU | $29 \times 29 \times 64$ | 18,496 |
# | Max pooling 2 | $14 \times 14 \times 64$ | 0 |
# | Flatten | $12{,}544$ | 0 |
# | Dense 128, ReLU | $128$ | 1,605,760 |
# | Dense 1, sigmoid | $1$ | 129 |
# | **together** | | **1,625,281** |
#
# The sizes follow from two rules: a $3 \times 3$ window without padding fits $n - 2$ times into $n$ pixels, and pooling
# by 2 halves, rounding down. So $64 \to 62 \to 31 \to 29 \to 14$. And $14 \cdot 14 \cdot 64 = 12{,}544$.
#
# Look at the last column: 99 of 100 parameters are in *one* dense layer. Keep that in mind for the last task.
#
# **One unit for two classes.** The network ends in a single number, squeezed between 0 and 1 by the sigmoid:
#
# $$p = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# It is the probability of class 1, the square; that of the circle is $1 - p$. A softmax belongs to two units or more.
# Over a single unit it is $e^z / e^z = 1$, whatever the picture shows.
#
# **In Keras** the shortest way is a list of layers:
#
# ```python
# model = keras.Sequential([
#     keras.Input(shape=(28, 28, 1)),
#     keras.layers.Conv2D(8, 5, activation="relu"),
#     ...
# ])
# ```
#
# `Conv2D` has `padding="valid"` unless you say otherwise, which is what we want here. It has **no** activation unless
# you name one. `model.summary()` prints the table above.


# %% task="build_cnn"
def build_cnn(input_shape=(64, 64, 3)):
    """Build the network of the table.

    Convolution of 32 filters 3x3 with ReLU, max pooling by 2, convolution of 64 filters 3x3 with ReLU, max pooling
    by 2, flatten, dense 128 with ReLU, dense 1 with sigmoid. No padding anywhere.

    Args:
        input_shape: ``(H, W, C)`` of one image.

    Returns:
        A Keras model, built for that shape and not compiled.
    """
    raise NotImplementedError


# %% figure=true
model = try_yours("build_cnn")
if model is not None:
    rows = [(layer.name, layer.output.shape[1:], layer.count_params()) for layer in getattr(model, "layers", [])]
    for name, shape, count in rows:
        print(f"{name:20} {shape!s:20} {count:>12,}")
    print(f"{'together':41} {model.count_params():>12,}")

# %% [markdown]
# Even before any training the network does something: 32 random filters see different things in a picture.

# %% figure=true
if model is not None:
    maps = outputs_of(model, [0, 2], pictures[:1] / np.float32(255))
    if maps is not None:
        draw_row([pictures[0], *np.moveaxis(maps[0][0], -1, 0)[:9]], ["the picture", "9 of 32 maps"])
        draw_row(np.moveaxis(maps[1][0], -1, 0)[:10], ["10 of 64 maps"])

# %% [markdown]
# ## 4. What to minimize, and how
#
# `compile` gives a model three things.
#
# **A loss** says how wrong a prediction is. For one probability $p$ and a label $y$ of 0 or 1 it is the binary
# cross-entropy, the surprise at the right answer:
#
# $$L = -\frac{1}{N} \sum_{n} \bigl( y_n \log p_n + (1 - y_n) \log(1 - p_n) \bigr)$$
#
# **Example.** A square ($y = 1$) with $p = 0.9$ costs $-\log 0.9 = 0.105$; a circle ($y = 0$) with the same $p$ costs
# $-\log 0.1 = 2.303$. The mean of both is 1.204. A network that knows nothing says $p = 0.5$ and pays
# $\log 2 = 0.693$ for every picture. Remember that number: it is where a loss curve starts.
#
# Why not the squared error $(y - p)^2$? It never exceeds 1. A network that is sure and wrong would hardly be told so.
# (And if you find `from_logits` in the documentation: it is for networks that end *without* a sigmoid. Ours has one.)

# %% figure=true
p = np.linspace(0.005, 0.995, 200)
figure, axes = plt.subplots(figsize=(6, 2.8))
axes.plot(p, -np.log(p), lw=3, color="royalblue", label="cross-entropy")
axes.plot(p, (1 - p) ** 2, lw=3, color="darkorange", label="squared error")
axes.plot([0.5, 0.9, 0.1], -np.log([0.5, 0.9, 0.1]), "o", color="black")
for point in (0.5, 0.9, 0.1):
    axes.annotate(f"{-np.log(point):.3f}", (point, -np.log(point)), (6, 6), textcoords="offset points")
axes.set(xlabel="probability that the network gives to the right answer", ylabel="loss", ylim=(0, 4.5))
axes.legend()
plt.show()

# %% [markdown]
# **An optimizer** says how weights follow the gradient $g$. Plain descent makes the same step for all,
# $-\eta\, g$. *Adam* keeps running means $m$ of the gradient and $v$ of its square, and steps by
#
# $$-\eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}$$
#
# so every weight moves at its own pace: about $\eta$ per step, as long as the gradient keeps its sign. Keras's default,
# $\eta = 0.001$, is a good start.
#
# **Metrics** are for you. The loss has to be smooth so that it can be followed downhill; you would rather read the
# share of right answers, the *accuracy*. Metrics do not change the training.
#
# Note that `model.compile(...)` changes the model and returns nothing.


# %% task="compile_cnn"
def compile_cnn(model):
    """Compile a model that ends in one sigmoid: Adam, binary cross-entropy, accuracy.

    Args:
        model: An uncompiled Keras model with outputs ``(N, 1)``.

    Returns:
        The same model, compiled.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 3 - Training and deciding
#
# ## 5. Epochs and batches
#
# One *step* looks at a batch of pictures and moves the weights once. One *epoch* is as many steps as it takes to see
# every picture once, in a new random order:
#
# $$\text{steps} = \text{epochs} \cdot \left\lceil \frac{N}{\text{batch size}} \right\rceil$$
#
# **Example.** 400 pictures in batches of 32: $400 / 32 = 12.5$, so 13 steps per epoch (the last batch has 16 pictures),
# and 130 steps in ten epochs.
#
# `model.fit(x, y, epochs=..., batch_size=...)` does all of it: it shuffles pictures together with their labels, makes
# the steps, and returns a `History` whose `history` is a dict of lists, one number per epoch.
#
# Your function takes **raw bytes** and prepares them itself, so that nobody can forget it. It trains on **all** the
# images that it is given, and leaves the model compiled as it came.


# %% task="train_cnn"
def train_cnn(model, images, labels, epochs=10, batch_size=32):
    """Train a compiled model on raw images.

    Args:
        model: A compiled Keras model with outputs ``(N, 1)``. It is trained in place.
        images: uint8 array ``(N, H, W, C)``. It is not changed, and all of it is trained on.
        labels: Integers ``(N,)``, 0 or 1.
        epochs: Passes over all images.
        batch_size: Images of one step.

    Returns:
        The ``History`` that ``fit`` returns.
    """
    raise NotImplementedError


# %% [markdown]
# Now everything comes together. The dotted line is the loss of guessing, $\log 2$: if your curve does not leave it,
# look for the mistake before you train for longer.

# %% figure=true
keras.utils.set_random_seed(0)
cnn = try_yours("compile_cnn", try_yours("build_cnn"))
history = try_yours("train_cnn", cnn, pictures, labels, epochs=6)
if history is not None:
    draw_curves({"training": history.history}, "your network")

# %% [markdown]
# ## 6. From a probability to a label
#
# The network gives probabilities; somebody wants an answer. With both mistakes equally bad the best threshold is
# one half:
#
# $$\hat y = \begin{cases} 1 & p > 0.5 \\ 0 & \text{otherwise} \end{cases}$$
#
# **Example.** The outputs $(0.30), (0.62), (0.97)$, an array of shape $(3, 1)$, become the labels $0, 1, 1$ of shape
# $(3,)$.
#
# `argmax` is for two columns or more. Of a single column it is always 0.


# %% task="predict_labels"
def predict_labels(model, images):
    """Decide about raw images.

    Args:
        model: A Keras model for prepared images whose outputs ``(N, 1)`` are probabilities of the label 1.
        images: uint8 array ``(N, H, W, C)``. It is not changed.

    Returns:
        Integer array ``(N,)``: 1 where the probability is above 0.5, otherwise 0.
    """
    raise NotImplementedError


# %% [markdown]
# How good is it? Not on the pictures that it has trained on, where a network with 1.6 million parameters may simply
# remember the answers, but on 200 others. The mistakes are worth looking at.

# %% figure=true
if history is not None:
    given = try_yours("predict_labels", cnn, others)
    if given is not None and np.shape(given) == other_labels.shape:
        wrong = np.flatnonzero(given != other_labels)
        known = np.mean(try_yours("predict_labels", cnn, pictures) == labels)
        print(f"accuracy: {known:.1%} on the training pictures, {1 - len(wrong) / len(others):.1%} on others")
        if len(wrong):
            draw_row(others[wrong[:10]], [f"{names[label]}?" for label in np.asarray(given)[wrong[:10]]])

# %% [markdown]
# And what has it learned? The 32 filters of the first layer, as little color pictures of $3 \times 3$ pixels, and
# what ten of them see. Some are edge detectors, some look for a color.

# %% figure=true
if history is not None and getattr(cnn.layers[0], "kernel", None) is not None:
    filters = np.moveaxis(np.asarray(cnn.layers[0].kernel), -1, 0)  # (32, 3, 3, 3)
    lowest, highest = filters.min(), filters.max()
    draw_row(list((filters - lowest) / (highest - lowest)), [], height=0.6, columns=16)
    maps = outputs_of(cnn, [0], others[:1] / np.float32(255))
    if maps is not None:
        draw_row([others[0], *np.moveaxis(np.asarray(maps).reshape(62, 62, 32), -1, 0)[:9]], ["the picture"])

# %% [markdown]
# ---
# # Part 4 - A design of your own
#
# ## 7. Global average pooling
#
# Nearly all parameters of the classic design are in the dense layer after `Flatten`, and what they learn is *where* in
# the picture something is. But a square is a square wherever it stands. **Global average pooling** throws the place
# away: each feature map becomes one number, its mean.
#
# $$g_c = \frac{1}{H W} \sum_{i,j} X_{ijc}$$
#
# **Example.** The map $\begin{bmatrix} 0 & 4 \\ 0 & 0 \end{bmatrix}$ becomes 1, and so does
# $\begin{bmatrix} 0 & 0 \\ 4 & 0 \end{bmatrix}$. A map that answers to corners then says *how many* corners there are,
# and that is nearly all one has to know about circles and squares.
#
# Count what it saves. After the second pooling there are 64 maps of $14 \times 14$:
#
# | bridge | inputs of the next layer | parameters of a dense layer with one unit | with 128 units |
# | --- | --- | --- | --- |
# | Flatten | $14 \cdot 14 \cdot 64 = 12{,}544$ | 12,545 | 1,605,760 |
# | Global average | $64$ | 65 | 8,320 |
#
# The figure below shows four maps that answer to edges, computed by plain NumPy, and their averages. A square has
# much of its outline in two directions, a circle a little in all.

# %% figure=true
gray = pictures.mean(axis=-1)
squares, circles = gray[labels == 1][:80], gray[labels == 0][:80]


def edges(images):
    """Return where edges run in four directions ``(N, 62, 62, 4)``: level, upright, falling and rising."""
    down, right = images[:, 2:] - images[:, :-2], images[:, :, 2:] - images[:, :, :-2]
    down = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    right = right[:, :-2] + 2 * right[:, 1:-1] + right[:, 2:]
    angle = np.round(np.arctan2(down, right) / (np.pi / 4)) % 4  # of the slope, in eighths of a turn
    return (np.hypot(down, right) > 250)[..., np.newaxis] & (angle[..., np.newaxis] == [2, 0, 3, 1])


square_maps, circle_maps = edges(squares), edges(circles)
shown = [squares[0], *np.moveaxis(square_maps[0], -1, 0), circles[0], *np.moveaxis(circle_maps[0], -1, 0)]
draw_row(shown, ["square", "level", "upright", "falling", "rising", "circle", "level", "upright", "falling", "rising"])
figure, axes = plt.subplots(figsize=(5, 2.8))
for maps, name, color in ((square_maps, "squares", "crimson"), (circle_maps, "circles", "royalblue")):
    means = maps.mean(axis=(1, 2))  # global average pooling
    axes.scatter(means[:, :2].sum(axis=1), means[:, 2:].sum(axis=1), s=12, color=color, label=name)
axes.set(xlabel="average of level and upright edges", ylabel="average of slanted edges")
axes.legend()
plt.show()

# %% [markdown]
# Two averages, no place, and the classes already part. A network can find better maps than these by itself.
#
# **Your task.** Design a network that ends in global average pooling and one sigmoid, with **at most 60,000
# parameters**. Everything between picture and average is up to you: how many convolutions, how many filters, what
# pooling or stride, batch normalization or not, a small dense layer after the average or none. Compile it yourself,
# with an optimizer and a learning rate of your choice.
#
# It is judged by what it learns: we train a fresh one from your function on 800 pictures, prepared as by your
# `prepare_images`, for 10 epochs in batches of 16, and try it on 300 pictures that nobody has seen.
# Good designs get nearly all of them right.
#
# **Advice**
# - To tell a corner from a curve a map has to see some ten pixels at once. Each $3 \times 3$ convolution adds 2 pixels
#   to what it sees, and each pooling by 2 doubles the worth of all later ones. Three or four convolutions are a good
#   number.
# - Few filters first, more later. Count with your own functions: 16, 32 and 64 filters are
#   $448 + 4{,}640 + 18{,}496 = 23{,}584$ parameters.
# - It may stay at $\log 2$ for two or three epochs before it finds out what matters. Wait for that, then judge.
# - With batch normalization and so few steps, its running statistics lag behind: `momentum=0.9` or less helps.


# %% task="build_gap_cnn"
def build_gap_cnn(input_shape=(64, 64, 3)):
    """Design a small network with global average pooling, and compile it.

    It gets prepared images, float32 in [0, 1], and integer labels 0 or 1, and is trained with ``fit``.

    Args:
        input_shape: ``(H, W, C)`` of one image.

    Returns:
        A compiled Keras model with at most 60,000 parameters, whose feature maps meet in global average pooling and
        whose outputs ``(N, 1)`` are probabilities, by a sigmoid.
    """
    raise NotImplementedError


# %% [markdown]
# A first try with half the pictures and half the epochs costs a few seconds. Here your design runs beside the large
# network from above. For the real thing raise the number of epochs.

# %% figure=true
epochs = 5
keras.utils.set_random_seed(1)
small = try_yours("build_gap_cnn")
if small is not None:
    x, others_x = pictures / np.float32(255), others / np.float32(255)
    tried = small.fit(x, labels, batch_size=16, epochs=epochs, verbose=0).history
    curves = {f"yours, {small.count_params():,} parameters": tried}
    if history is not None:
        curves["the large one"] = history.history
    draw_curves(curves, "on the training pictures")
    right = (small.predict(others_x, verbose=0).reshape(len(others), -1)[:, 0] > 0.5) == other_labels
    print(f"accuracy on other pictures after {epochs} epochs with {len(x)} pictures: {right.mean():.1%}")

# %% [markdown]
# ### Where to go from here
# - Shift all pictures by ten pixels and compare what that does to both networks.
# - `load_shapes(kinds=("circle", "square", "star", "ring"))` draws more kinds. What has to change at the end of
#   the network, and in the loss?
# - Take away half of the filters, again and again. When does it stop to work?
