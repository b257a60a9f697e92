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
# # Transfer learning
#
# A network for crosses, rings and stars is wanted, and there are **eight labelled pictures of each**. That is
# far too little to learn from. But somebody has already trained a network on thousands of pictures of *other* shapes.
# It has never seen a star; edges, corners and curves it knows well. In this notebook you take that knowledge over:
# you keep the network, exchange its last layer, train that, and then let the upper layers adapt, gently.
#
# **freeze → new head → train the head → unfreeze the top → fine-tune**
#
# | step | your function | what is trained |
# | --- | --- | --- |
# | keep what is known | `freeze` | nothing |
# | ask a new question | `add_head` | nothing yet |
# | learn the answers | `train_head` | the head: 147 numbers |
# | open the top | `unfreeze_top` | nothing yet |
# | adapt | `fine_tune` | the head and the top of the base |
#
# ### How to work
# 1. Read the section, follow its small example with pencil and paper, then replace `raise NotImplementedError` in the
#    cell below it. The docstring says what goes in and comes out.
# 2. Run the cell, then the `check(...)` cell after it. It tries your function on your own computer and says what is
#    wrong: what it expected, what it received, and where to look.
# 3. Many figures are drawn by *your* functions. Until a function exists its figure is a line of text. The names in a
#    `%%figure` cell stay among the figures, so they never clash with yours. Figures are not graded.
#
# A check that passes is a good sign and not yet the grade. The final tests are other ones, with other networks: of
# other sizes, with shortcuts, or with dense layers at their end. Every task is graded on its own, with bases and models
# of ours, so a task that you cannot solve does not cost you the later ones. Add cells and helper functions wherever you
# like.
#
# ### Conventions
# - Pictures are **channels-last**, $(N, H, W, C)$, and stay bytes: `uint8`, 0 to 255. The base scales them itself.
# - Labels are whole numbers $(N,)$: 0 is a cross, 1 a ring, 2 a star.
# - Sequential, functional or subclassed models are all fine: what counts is what the network computes and what of it
#   is trained. In a `call` of your own, use layers and `keras.ops`, so that it can be looked into.
#
# **Time:** about three hours. Nothing is downloaded, and no graphics card is needed: no training in this notebook
# takes longer than a minute. The folder `data` came with this notebook: keep it beside it.

# %% setup=true
import logging
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_shapes


def load_base():
    """Build the base, and give it the weights that it has from 4,000 pictures (made by data/make_base.py)."""
    base = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Rescaling(1 / 255)], name="base")
    for filters in (8, 16, 32, 48):
        if filters > 8:
            base.add(keras.layers.MaxPooling2D())
        base.add(keras.layers.Conv2D(filters, 3, padding="same", use_bias=False))
        base.add(keras.layers.BatchNormalization(momentum=0.9))
        base.add(keras.layers.ReLU())
    with np.load(base_file(), allow_pickle=False) as stored:
        base.set_weights([stored[name] for name in sorted(stored.files) if name.startswith("weight_")])
    return base


def base_file():
    """Find the weights: in the folder data, or, where files are uploaded one by one, beside the notebook."""
    for path in (Path("data/base.npz"), Path("base.npz")):
        if path.is_file():
            return path
    raise FileNotFoundError("data/base.npz came with this notebook: put the folder data beside the notebook.")


# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
logging.getLogger("tensorflow").setLevel("ERROR")  # many small trainings, of which it would warn
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
COLORS = ("royalblue", "darkorange", "seagreen")


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


def draw_row(pictures, titles, height=1.4, columns=10, **style):
    """Draw pictures side by side, ``columns`` in a row; the first ones have titles."""
    rows = -(-len(pictures) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(0.8 * height * columns, height * rows), squeeze=False)
    for place, panel in enumerate(panels.flat):
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
        if place < len(pictures):
            panel.imshow(pictures[place], **{"cmap": "gray", "interpolation": "nearest", **style})
            panel.set_title(titles[place] if place < len(titles) else "")
    figure.tight_layout(pad=0.3)
    plt.show()


def draw_curves(histories, guess):
    """Draw loss and accuracy of one training or several, epoch by epoch."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6))
    for panel, name, level in zip(panels, ("loss", "accuracy"), (np.log(guess), 1 / guess), strict=True):
        for label, history in histories.items():
            values = next((values for key, values in history.items() if name in key or key == name[:3]), [])
            panel.plot(range(1, len(values) + 1), values, marker="o", ms=4, label=label)
        panel.axhline(level, color="gray", ls=":", label="guessing")
        panel.set(xlabel="epoch", ylabel=name)
    panels[0].set_ylim(bottom=0)
    panels[1].set_ylim(0.2, 1.02)
    panels[1].legend(loc="lower right")
    figure.tight_layout()
    plt.show()


def accuracy(model, pictures, labels):
    """Return the share of pictures that a model of several classes gets right."""
    return float(np.mean(model.predict(pictures, verbose=0).argmax(axis=1) == labels))


# %% [markdown]
# ---
# # Part 1 - What a network knows already
#
# The pictures are drawn by a program. The **base** was trained on 4,000 of them, of five kinds: circles, squares,
# triangles, bars and crescents. You have 24 pictures of three new kinds, and 300 others to see how well you did. Those
# are only looked at, never trained on.

# %%
KNOWN_KINDS = ("circle", "square", "triangle", "bar", "crescent")
NEW_KINDS = ("cross", "ring", "star")
pictures, labels = load_shapes("train", seed=3, count=24, kinds=NEW_KINDS)
others, other_labels = load_shapes("validation", seed=3, count=300, kinds=NEW_KINDS)
print(f"pictures {pictures.shape} of {pictures.dtype}, labels {labels.shape}: {labels[:12]} ...")

# %% figure=true
known, known_labels = load_shapes("train", seed=4, count=10, kinds=KNOWN_KINDS)
print("Some of what the base has seen, and all that you have:")
draw_row(known, [KNOWN_KINDS[label] for label in known_labels], columns=12)
order = np.argsort(labels, kind="stable")
draw_row(pictures[order], [NEW_KINDS[label] for label in labels[order]], columns=12)

# %% [markdown]
# The base is four times the same block: convolution, batch normalization, ReLU; with max pooling between the blocks.
# Bytes go in, $48$ maps of $8 \times 8$ come out. The dense layer that once named the five kinds was taken off.
#
# | layers | output | weights of the convolution | batch normalization: $\gamma, \beta$; statistics |
# | --- | --- | --- | --- |
# | scaling by $1/255$ | $64 \times 64 \times 3$ | | |
# | block of 8 filters | $64 \times 64 \times 8$ | $3 \cdot 3 \cdot 3 \cdot 8 = 216$ | 16; 16 |
# | pooling, block of 16 | $32 \times 32 \times 16$ | $3 \cdot 3 \cdot 8 \cdot 16 = 1{,}152$ | 32; 32 |
# | pooling, block of 32 | $16 \times 16 \times 32$ | $3 \cdot 3 \cdot 16 \cdot 32 = 4{,}608$ | 64; 64 |
# | pooling, block of 48 | $8 \times 8 \times 48$ | $3 \cdot 3 \cdot 32 \cdot 48 = 13{,}824$ | 96; 96 |
# | **together** | | **19,800** | **208; 208** |
#
# What does it see in a star, which it has never met? Each row below is one depth: outlines first, then ever coarser
# maps that answer to *parts* of a shape. Nothing in the first rows is about circles or squares. That is why they can be
# used again.

# %% figure=true
base = load_base()
star = pictures[labels == 2][:1]
blocks = [layer.output for layer in base.layers if isinstance(layer, keras.layers.ReLU)]
for depth, maps in enumerate(keras.Model(base.inputs, blocks).predict(star, verbose=0), 1):
    strongest = np.argsort(maps[0].std(axis=(0, 1)))[::-1][:8]
    draw_row([star[0], *np.moveaxis(maps[0], -1, 0)[strongest]], [f"block {depth}"], height=1.1, columns=9)

# %% [markdown]
# And what would the old head say about the new kinds? It has only five words, so a cross has to be one of those. But
# look: it does not say them at random. Each new kind gets a pattern of its own, so the maps must tell them apart.

# %% figure=true
with np.load(base_file(), allow_pickle=False) as stored:
    kernel, bias = stored["head_kernel"], stored["head_bias"]
averages = base.predict(others, verbose=0).mean(axis=(1, 2))  # (N, 48)
words = (averages @ kernel + bias).argmax(axis=1)
figure, axes = plt.subplots(figsize=(7, 2.4))
left = np.zeros(3)
for word, name in enumerate(KNOWN_KINDS):
    shares = np.array([np.mean(words[other_labels == kind] == word) for kind in range(3)])
    axes.barh(NEW_KINDS, shares, left=left, label=name, color=plt.cm.Set2(word))
    left += shares
axes.set(xlabel="share of the pictures", xlim=(0, 1), title="what the old head calls them")
axes.invert_yaxis()
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# ## 1. Freezing
#
# A training step moves every *trainable* weight down the slope of the loss $L$, and leaves a *frozen* one alone:
#
# $$w \leftarrow \begin{cases} w - \eta\, \dfrac{\partial L}{\partial w} & w \text{ trainable} \\[2mm]
# w & w \text{ frozen} \end{cases}$$
#
# The slope itself is unharmed: it passes *through* a frozen layer to what lies below.
#
# **Batch normalization has a second way to move.** Beside $\gamma$ and $\beta$ it keeps a mean and a variance for each
# channel. No gradient moves those. In *training mode* every batch that passes by pulls them towards its own, with a
# momentum $m$,
#
# $$\mu \leftarrow m\, \mu + (1 - m)\, \bar{x}_{\text{batch}},$$
#
# and the batch is normalized by its *own* mean and variance. In *inference mode* the stored ones are used, and stay.
#
# **Example.** $\mu = 2.0$ was collected from thousands of pictures, $m = 0.9$. A batch of eight pictures has the mean
# $3.0$. Then $\mu$ becomes $0.9 \cdot 2.0 + 0.1 \cdot 3.0 = 2.1$, and after 20 such batches
# $3 - 0.9^{20} \cdot 1.0 = 2.88$: of the thousands nothing is left.
#
# The figure shows it happen. Nothing is trained there: the 24 pictures only pass by, in batches of 8, in training mode.

# %% figure=true
moving = load_base()
norm = [layer for layer in moving.layers if isinstance(layer, keras.layers.BatchNormalization)][-1]
batches = [pictures[start : start + 8] for start in (0, 8, 16)] * 8
course, spread = [norm.moving_mean.numpy()], np.sqrt(norm.moving_variance.numpy())
for batch in batches:
    moving(batch, training=True)
    course.append(norm.moving_mean.numpy())
figure, axes = plt.subplots(figsize=(6, 2.6))
axes.plot((np.array(course) - course[0])[:, :16] / spread[:16], lw=1.5)
axes.axhline(0, color="gray", ls=":", label="frozen")
axes.set(xlabel="batches that passed by", ylabel="change, in standard deviations")
axes.set_title("stored means of 16 channels of the last block, not frozen")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# **In Keras** a layer has the attribute `trainable`. Set on a model it reaches all layers inside. For batch
# normalization Keras does more than it says: a *frozen* one always works in inference mode, whatever the mode of the
# model around it. So one attribute stops both kinds of movement. (A single weight has a `trainable` as well, but that
# does not stop the statistics: freeze layers.)


# %% task="freeze"
def freeze(base):
    """Freeze a network.

    Args:
        base: A Keras model with any layers. It is changed in place; its weights stay what they are.

    Returns:
        The same model, with nothing trainable: no weight will be trained, and the statistics of batch normalization
        do not move, not even when it is called in training mode.
    """
    raise NotImplementedError


# %% figure=true
frozen = try_yours("freeze", load_base())
if frozen is not None:
    trainable = sum(int(np.prod(weight.shape)) for weight in frozen.trainable_weights)
    print(f"{frozen.count_params():,} parameters, {trainable:,} of them trainable")

# %% [markdown]
# ---
# # Part 2 - A new head
#
# ## 2. The head
#
# The base turns a picture into maps $F$ of $8 \times 8 \times 48$. The head makes probabilities of them, in two steps.
# **Global average pooling** forgets where something is, and keeps how much of it there is:
#
# $$g_c = \frac{1}{H W} \sum_{i,j} F_{ijc}$$
#
# **A dense layer with softmax** weighs the averages, one row of weights for each class:
#
# $$z = g\, W + b, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# **Example.** The map $\begin{bmatrix} 0 & 4 \\ 2 & 2 \end{bmatrix}$ has the average $2$. The scores $z = (2, 1, 0)$
# have the powers $7.39, 2.72, 1$, together $11.11$, so $p = (0.665, 0.245, 0.090)$.
#
# | head on the maps | inputs | parameters for 3 classes |
# | --- | --- | --- |
# | Flatten, dense | $8 \cdot 8 \cdot 48 = 3{,}072$ | $3{,}073 \cdot 3 = 9{,}219$ |
# | average, dense | $48$ | $49 \cdot 3 = 147$ |
#
# With 24 pictures the second column is all that counts: 147 numbers can be learned, 9,219 can only be memorized. Some
# bases give vectors $(N, C)$ instead of maps, because they average by themselves. Then there is nothing left to
# average.
#
# Are the averages good for anything? Here are the 300 others, each with its 48 averages squeezed into two directions
# (the two along which they differ most). No star was ever shown to this network.

# %% figure=true
centered = averages - averages.mean(axis=0)
_, _, directions = np.linalg.svd(centered, full_matrices=False)
flat = centered @ directions[:2].T
figure, axes = plt.subplots(figsize=(5.5, 3.4))
for kind, name in enumerate(NEW_KINDS):
    axes.scatter(*flat[other_labels == kind].T, s=12, color=COLORS[kind], label=name)
axes.set(xlabel="first direction", ylabel="second direction", title="averages of the base's maps")
axes.legend()
plt.show()

# %% [markdown]
# **In Keras.** A model can be called like a layer, and so becomes part of a larger one:
#
# ```python
# inputs = keras.Input(shape=base.input_shape[1:])
# features = base(inputs, training=False)          # ask for inference mode
# ...
# model = keras.Model(inputs, outputs)
# ```
#
# `base.output_shape` tells maps from vectors: `(None, 8, 8, 48)` or `(None, 48)`.
#
# **Which mode is it in?** `fit` runs the whole model in training mode. The `training=False` above says what you
# mean, but do not rely on it: in Keras 3 the mode of the outer model wins over it. What keeps batch normalization in
# inference mode is that it is *frozen*. So the base comes frozen to your function, and has to leave it frozen.


# %% task="add_head"
def add_head(base, classes):
    """Put a head for new classes on a frozen base.

    Args:
        base: A frozen Keras model, as `freeze` returns it, that gives maps ``(N, H, W, C)`` or vectors ``(N, C)``. It
            stays frozen.
        classes: The number of classes.

    Returns:
        A Keras model for the inputs of the base, not compiled: the base itself (no copy), global average pooling if the
        base gives maps, and one dense layer with softmax. Only the dense layer is trainable. Outputs ``(N, classes)``.
    """
    raise NotImplementedError


# %% figure=true
keras.utils.set_random_seed(0)
grown = load_base()
grown.trainable = False
model = try_yours("add_head", grown, 3)
if model is not None:
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    print(f"{model.count_params():,} parameters, {trainable:,} of them trainable")
    print(f"accuracy before any training: {accuracy(model, others, other_labels):.0%} (guessing: 33%)")

# %% [markdown]
# ## 3. Training the head
#
# The loss is the cross-entropy, the mean surprise at the right answer $y_n$:
#
# $$L = -\frac{1}{N} \sum_n \log p_{n, y_n}$$
#
# **Example.** A picture with $p = (0.665, 0.245, 0.090)$ costs $-\log 0.665 = 0.408$ if it is a cross, and
# $-\log 0.090 = 2.41$ if it is a star. Whoever guesses among three pays $\log 3 = 1.10$. Labels that are
# whole numbers want `"sparse_categorical_crossentropy"`; without *sparse* they would have to be one-hot.
#
# **Few pictures make few steps.** 24 pictures in batches of 32, which is Keras's default, are *one* step per epoch.
# Adam moves a weight by about its learning rate $\eta$ per step, so after $E$ epochs no weight of the head is further
# from where it started than
#
# $$|\Delta w| \lesssim \eta \cdot E \cdot \left\lceil \frac{N}{B} \right\rceil$$
#
# | batch $B$ | rate $\eta$ | steps in 5 epochs | furthest way |
# | --- | --- | --- | --- |
# | 32 | 0.001 | 5 | 0.005 |
# | 8 | 0.001 | 15 | 0.015 |
# | 8 | 0.03 | 15 | 0.45 |
#
# The weights of a fresh head are about 0.2 in size: only the last row gets anywhere. A head is a single layer and bears
# a rate like that. What lies below would not, but it is frozen.


# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    """Train the head of a model whose base is frozen.

    Compile the model, with a loss for whole-number labels and with an optimizer, rate and batches that get somewhere in
    a few steps. Then fit it to all of the images. Nothing of the base moves by a single bit: no weight, no statistic.

    Args:
        model: A Keras model as `add_head` returns it: base frozen, outputs ``(N, classes)`` are probabilities.
        images: Array ``(N, H, W, C)`` as the base takes it: bytes or floats, no scaling is needed. It is not changed.
        labels: Integers ``(N,)``, the classes. They are not changed.
        epochs: Passes over all images.

    Returns:
        The ``History`` that ``fit`` returns.
    """
    raise NotImplementedError


# %% figure=true
history = try_yours("train_head", model, pictures, labels, epochs=8)
if history is not None:
    draw_curves({"your head, 24 pictures": history.history}, guess=3)
    head_only = accuracy(model, others, other_labels)
    print(f"accuracy on 300 other pictures: {head_only:.1%}")

# %% [markdown]
# From eight examples of each kind! The mistakes are worth a look: which kind is taken for which, and when?

# %% figure=true
if history is not None:
    probabilities = model.predict(others, verbose=0)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != other_labels)[:10]
    if len(wrong):
        draw_row(others[wrong], [f"{NEW_KINDS[each]}?" for each in probabilities[wrong].argmax(axis=1)])

# %% [markdown]
# ---
# # Part 3 - Fine-tuning
#
# ## 4. Which layers may adapt
#
# The deeper a layer, the more it is about the *old* question. Edges serve everyone; "three corners of a triangle" is of
# little use for rings. So the last layers are allowed to adapt, and the first ones are not.
#
# Which are "the last two layers" of the base? Its list ends like this:
#
# | place | layer | has weights | counts | trainable for `layers=2` |
# | --- | --- | --- | --- | --- |
# | ... | `Conv2D`, 16 filters | yes | yes | no |
# | ... | `BatchNormalization` | yes | no | no |
# | ... | `ReLU`, `MaxPooling2D` | no | no | |
# | -7 | `Conv2D`, 32 filters | yes | yes | **yes** |
# | -6 | `BatchNormalization` | yes | no | no |
# | -5, -4 | `ReLU`, `MaxPooling2D` | no | no | |
# | -3 | `Conv2D`, 48 filters | yes | yes | **yes** |
# | -2 | `BatchNormalization` | yes | no | no |
# | -1 | `ReLU` | no | no | |
#
# Layers without weights have nothing to train, so they do not count. Batch normalization has weights, but stays frozen:
# its statistics come from thousands of pictures, yours would come from 24. So it does not count either.
#
# $$\text{top}_n = \text{the last } n \text{ of those layers that have weights and are no batch normalization}$$
#
# **Example.** For `layers=2` these are the convolutions of 32 and 48 filters, with $4{,}608 + 13{,}824 = 18{,}432$
# weights; for `layers=1` the last one alone; for `layers=4` or more all four; for `layers=0` none.
#
# Two traps. In Keras a model that is frozen *itself* counts as having nothing trainable, whatever its layers say: look
# at `base.trainable_weights` when you are done. And in Python `x[-0:]` is the whole list.


# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    """Make the last layers of a base trainable, and nothing else.

    Args:
        base: A Keras model whose `layers` stand in the order of the flow and are no models themselves. However much of
            it is frozen, it is changed in place; its weights stay what they are.
        layers: How many layers, counted from the end. Only those with weights count, and batch normalization does not.
            0 leaves everything frozen; more than there are means all of them.

    Returns:
        The same model. ``trainable_weights`` holds the weights of these layers and no others; batch normalization is
        frozen, with its statistics.
    """
    raise NotImplementedError


# %% figure=true
figure, panels = plt.subplots(1, 3, figsize=(10, 2.6), sharey=True)
for count, panel in zip((1, 2, 4), panels, strict=True):
    opened = try_yours("unfreeze_top", load_base(), count)
    if opened is None:
        break
    shown = [layer for layer in opened.layers if layer.weights]
    colors = ["crimson" if layer.trainable else "lightsteelblue" for layer in shown]
    panel.barh(range(len(shown)), [layer.count_params() for layer in shown], color=colors)
    panel.set(xscale="log", xlabel="parameters", title=f"unfreeze_top(base, {count}), trainable in red")
    panel.set_yticks(range(len(shown)), [type(layer).__name__.replace("Normalization", "Norm") for layer in shown])
else:
    panels[0].invert_yaxis()
    figure.tight_layout()
    plt.show()
plt.close("all")

# %% [markdown]
# ## 5. Fine-tuning
#
# Now head and top are trained together. Three rules make the difference between adapting and forgetting.
#
# **The head first.** A fresh head is wrong about everything; its large errors would flow down as large gradients and
# wreck what the base knows. So the head is trained before, and you go on with *its* weights.
#
# **Small steps.** The base is nearly right; it has to move a little. With Adam, again, a weight moves by about $\eta$
# per step, so relative to its own size it changes by
#
# $$\frac{|\Delta w|}{|w|} \lesssim \frac{\eta \cdot \text{steps}}{|w|}$$
#
# **Example.** The weights of the last convolution are about $0.06$ in size. Nine steps (24 pictures in batches of 8,
# three epochs) at $\eta = 10^{-4}$ change them by up to $9 \cdot 10^{-4} / 0.06 = 1.5\,\%$. At $\eta = 0.03$, fine for
# a fresh head, it would be $450\,\%$: nothing of the old weights would be left.
#
# **Compile again.** `compile` and the first `fit` fix what is trained. A model that was trained before goes on
# training what it trained, whatever you unfreeze meanwhile. So: unfreeze, *then* compile, with the new
# learning rate, then fit. Adam's memory is empty again then, which is as it should be.


# %% task="fine_tune"
def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """Train the head and the last layers of the base a little further.

    Unfreezes the top of the base as `unfreeze_top` does, compiles the model anew, with Adam at this learning rate, and
    fits it to all of the images. All weights go on from where they are. Of the base only the last `layers` layers move;
    batch normalization does not, and neither do its statistics.

    Args:
        model: A Keras model as `add_head` returns it, whose head is already trained, so that it may be compiled.
        base: The base inside of it.
        images: Array ``(N, H, W, C)`` as the base takes it.
        labels: Integers ``(N,)``, the classes.
        layers: How many layers of the base are trained, counted as in `unfreeze_top`.
        learning_rate: Of the optimizer.
        epochs: Passes over all images.

    Returns:
        The ``History`` that ``fit`` returns.
    """
    raise NotImplementedError


# %% [markdown]
# Does it help? Below, your head is tuned for ten epochs, and beside it the *same* network learns from the same 24
# pictures from scratch, for twice as many epochs. The rate is $10^{-3}$ for both: here, with so few steps, the base
# bears it.

# %% figure=true
results = {}
tuned = try_yours("fine_tune", model, grown, pictures, labels, layers=2, learning_rate=1e-3, epochs=10)
if history is not None and tuned is not None:
    keras.utils.set_random_seed(1)
    fresh = keras.models.clone_model(load_base())  # the same layers, with random weights
    average = keras.layers.GlobalAveragePooling2D()
    scratch = keras.Sequential([fresh, average, keras.layers.Dense(3, activation="softmax")])
    scratch.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    alone = scratch.fit(pictures, labels, batch_size=8, epochs=20, verbose=0)
    draw_curves({"fine-tuned": tuned.history, "from scratch": alone.history}, guess=3)
    results = {
        "from scratch": accuracy(scratch, others, other_labels),
        "new head": head_only,
        "fine-tuned": accuracy(model, others, other_labels),
    }

# %% figure=true
if results:
    figure, axes = plt.subplots(figsize=(6, 2))
    bars = axes.barh(list(results), list(results.values()), color=["lightsteelblue", "royalblue", "crimson"])
    axes.bar_label(bars, [f"{value:.1%}" for value in results.values()], padding=3)
    axes.axvline(1 / 3, color="gray", ls=":")
    axes.set(xlim=(0, 1.12), xlabel="accuracy on 300 pictures that no one has trained on (dotted: guessing)")
    axes.invert_yaxis()
    plt.show()

# %% [markdown]
# (The loss of your network jumps at first: at this rate even a top that is nearly right is shaken before it settles. At
# $10^{-4}$ it is not, and takes longer.)
#
# On its 24 pictures the network from scratch looks fine. On others it is lost: it has learned *these pictures*, not
# crosses, rings and stars. The knowledge that makes the difference was bought once, with 4,000 pictures of other
# things.
#
# ### Where to go from here
# - With how many pictures does training from scratch catch up? `load_shapes(count=...)` draws as many as you like.
# - Fine-tune with a learning rate of 0.03, and watch what happens to the accuracy on others.
# - The program that trained the base is `data/make_base.py`. Train one on two kinds only. How much is lost?
