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
# # Deep CNN architectures
#
# Seventeen years lie between the network that read checks for banks and the one that recognized photographs better
# than the people who had labeled them. In this notebook you build the six designs that mark the way, each in a few
# lines of Keras, and see which problem each of them solved.
#
# | year | network | the new idea | parameters | top-5 error on ImageNet |
# | --- | --- | --- | --- | --- |
# | 1998 | LeNet-5 | convolution, pooling, dense: the recipe itself | 61,706 | - |
# | 2012 | AlexNet | deep, wide, ReLU, dropout, on graphics cards | 62,378,344 | 15.3 % |
# | 2013 | NiN | 1x1 convolutions; averaging in place of dense layers | 2,015,398 | - |
# | 2014 | VGG-16 | nothing but 3x3, in blocks | 138,357,544 | 7.3 % |
# | 2014 | GoogLeNet | several sizes side by side, made cheap by 1x1 | 6,998,552 | 6.7 % |
# | 2015 | ResNet | shortcuts: layers that only learn what to change | 11,689,512 (18 layers) | 3.6 % (152 layers) |
#
# (The counts are those of the designs as you will build them, NiN with 10 classes and the others of 2012 and later
# with 1000. The errors are those that the authors reported from the ImageNet competition, usually with several
# networks voting.)
#
# ### How to work
# 1. Read the section, follow its numbers with pencil and paper, then replace `raise NotImplementedError` in the cell
#    below it. The docstring has the exact design.
# 2. Run the cell, then the `check(...)` cell after it. When a network is not the expected one you get both beside each
#    other, stage by stage, with a mark where they differ.
# 3. `lenet5().summary()` shows what you have built. Start the others with a small `width`: VGG-16 of full size takes
#    half a gigabyte.
#
# The final tests are other ones than those of `check`: other image sizes, other channels, other depths. They do not
# care *how* you write a network: `Sequential`, functional or subclassed, `activation="relu"` or a ReLU layer, any
# names. Dropout between the layers of a classifier is up to you, and so are the biases of convolutions that are
# followed by batch normalization (which removes them anyway). Every task is graded on its own.
#
# ### Conventions
# - Images are **channels-last**, $(H, W, C)$; `input_shape` leaves out the batch.
# - A **block function** takes a Keras tensor and returns one: `x = vgg_block(x, 2, 64)`.
# - A **builder** returns a model that is *not* compiled (only `deep_net` compiles) and ends in softmax.
# - `width` makes a network thinner without changing its design: every channel count and every hidden size $c$ becomes
#   $\max(1, \operatorname{round}(\text{width} \cdot c))$. The number of classes stays as it is.
# - Where a docstring names no stride it is 1. A pooling window of 2 moves by 2.
# - The names in a `%%figure` cell stay among the figures, so they never clash with yours. Figures are not graded.
#
# **Time:** about four hours. Nothing is downloaded, and nothing has to be trained.

# %% setup=true
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

from autograder import check

# The rest of this cell is for the figures. You need not read it.
# %load_ext autograder
plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "axes.titlesize": 10})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
COLORS = {"conv": "#cfe0f7", "pool": "#fbe3c0", "dense": "#d9efd5", "join": "#f3d3d8", "": "white"}


def try_yours(function, *arguments, **options):
    """Call one of your functions for a figure; as long as it is not ready, return None and say so quietly."""
    try:
        return globals()[function](*arguments, **options)
    except NotImplementedError:
        print(f"This comes to life when you have written {function}.")
    except Exception as error:  # whatever a half-written function raises, the notebook goes on
        print(f"{function} is not ready for this yet ({type(error).__name__}: {error}).")
    return None


def draw_box(axes, x, y, text, kind="", width=1.5, height=0.62):
    """Draw one layer: a box around (x, y)."""
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(plt.Rectangle(corner, width, height, fc=COLORS[kind], ec="dimgray", zorder=2))
    axes.text(x, y, text, ha="center", va="center", fontsize=9, zorder=3)


def draw_arrow(axes, *points):
    """Draw a line through points that ends in an arrow."""
    *way, end = points
    xs, ys = zip(*way, strict=True)
    axes.plot(xs, ys, color="dimgray", lw=1.3, zorder=1)
    axes.annotate("", end, way[-1], arrowprops={"arrowstyle": "-|>", "color": "dimgray", "shrinkA": 0, "shrinkB": 0})


def empty_drawing(width, height, xlim, ylim):
    """Make an empty drawing."""
    axes = plt.subplots(figsize=(width, height))[1]
    axes.set(xlim=xlim, ylim=ylim)
    axes.axis("off")
    return axes


def draw_pipeline(stages, width=12):
    """Draw stages ``(text, kind, shape)`` in a row, with the shape that comes out below each."""
    axes = empty_drawing(width, 1.4, (-1, 1.9 * len(stages) - 0.9), (-1.1, 0.6))
    for number, (text, kind, shape) in enumerate(stages):
        draw_box(axes, 1.9 * number, 0, text, kind, height=0.9)
        axes.text(1.9 * number, -0.75, shape, ha="center", va="center", fontsize=9, color="dimgray")
        if number:
            draw_arrow(axes, (1.9 * number - 1.15, 0), (1.9 * number - 0.75, 0))
    plt.show()


# %% [markdown]
# ---
# # Two tools
#
# ## Counting parameters
#
# A convolution has one kernel of $f \times f \times c_{in}$ weights per output channel, and one bias. A dense layer has
# one weight per input and unit, and one bias per unit:
#
# $$P_{conv} = (f^2 \, c_{in} + 1)\, c_{out} \qquad\qquad P_{dense} = (n_{in} + 1)\, n_{out}$$
#
# Pooling and ReLU have none. Batch normalization has four numbers per channel, of which two are trained.
#
# **Example.** A 5x5 convolution from 1 to 6 channels: $(25 \cdot 1 + 1) \cdot 6 = 156$. A dense layer from 400 numbers
# to 120: $401 \cdot 120 = 48{,}120$. The image size appears in neither, but a dense layer after a flattening has it in
# $n_{in}$.
#
# ## The receptive field
#
# How much of the *input image* does one number in layer $l$ see? With kernel sizes $f_l$ and strides $s_l$,
#
# $$r_l = r_{l-1} + (f_l - 1)\, j_{l-1}, \qquad j_l = j_{l-1}\, s_l, \qquad r_0 = j_0 = 1$$
#
# where the *jump* $j_l$ is the distance in the image between two neighbors of layer $l$. Strides multiply, so what
# comes after a pooling grows twice as fast.
#
# **Example.** Two 3x3 convolutions and a 2x2 pooling with stride 2: $r = 1 + 2 \cdot 1 = 3$, then
# $3 + 2 \cdot 1 = 5$, then $5 + 1 \cdot 1 = 6$, and now $j = 2$. The next 3x3 convolution sees $6 + 2 \cdot 2 = 10$.


# %% figure=true
def draw_receptive_fields():
    def receptive_fields(steps):
        """Follow the recursion through ``(kernel, stride)`` pairs."""
        r, jump, fields = 1, 1, []
        for kernel, stride in steps:
            r, jump = r + (kernel - 1) * jump, jump * stride
            fields.append(r)
        return fields

    LENET = [(5, 1), (2, 2), (5, 1), (2, 2)]
    ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]
    VGG = [step for count in (2, 2, 3, 3, 3) for step in [(3, 1)] * count + [(2, 2)]]

    _, axes = plt.subplots(figsize=(9, 3))
    styles = {"LeNet-5": (LENET, "seagreen"), "AlexNet": (ALEXNET, "crimson"), "VGG-16": (VGG, "royalblue")}
    for name, (steps, color) in styles.items():
        fields = receptive_fields(steps)
        places = np.arange(1, len(fields) + 1)
        pooled = np.array([stride == 2 for _, stride in steps])
        axes.plot(places, fields, color=color, lw=1.5)
        axes.plot(places[~pooled], np.array(fields)[~pooled], "o", color=color)
        axes.plot(places[pooled], np.array(fields)[pooled], "s", color=color, mfc="white")
        lift = 14 if name == "LeNet-5" else 0  # off the line of VGG-16
        axes.text(places[-1] + 0.25, fields[-1] + lift, f"{name}: {fields[-1]}", va="center", color=color)
    axes.set(
        xlim=(0.5, 21),
        xticks=range(1, 19),
        xlabel="layer (round: convolution, square: pooling)",
        ylabel="receptive field, pixels",
    )
    axes.set(title="What one number sees of the image")
    plt.show()


draw_receptive_fields()

# %% [markdown]
# ---
# # 1. LeNet-5: the recipe (1998)
#
# LeCun, Bottou, Bengio and Haffner wanted to read handwritten digits. A dense layer on a 28x28 image wastes its
# weights: it has to learn the same stroke anew at each place. Their answer is still the recipe of every CNN:
# **convolve**, so that one small pattern is looked for everywhere; **pool**, so that it matters less where exactly it
# was; do that twice, with more channels and fewer pixels each time; then let **dense** layers decide.

# %% figure=true
draw_pipeline(
    [
        ("image", "", "28x28x1"),
        ("conv 5x5\n6, same", "conv", "28x28x6"),
        ("average\n2x2", "pool", "14x14x6"),
        ("conv 5x5\n16, valid", "conv", "10x10x16"),
        ("average\n2x2", "pool", "5x5x16"),
        ("flatten", "", "400"),
        ("dense\n120", "dense", "120"),
        ("dense\n84", "dense", "84"),
        ("softmax\n10", "dense", "10"),
    ]
)

# %% [markdown]
# **Sizes.** The first convolution is padded ("same") and keeps 28x28. The second is not ("valid"):
# $14 - 5 + 1 = 10$. Averaging halves both times, so $5 \cdot 5 \cdot 16 = 400$ numbers reach the dense part.
#
# **Parameters.** Check your model against this sum:
#
# $$\underbrace{(25 + 1) \cdot 6}_{156} + \underbrace{(25 \cdot 6 + 1) \cdot 16}_{2416} +
# \underbrace{401 \cdot 120}_{48120} + \underbrace{121 \cdot 84}_{10164} + \underbrace{85 \cdot 10}_{850} = 61{,}706$$
#
# **Non-linearity.** LeNet used a kind of tanh; sigmoid or ReLU work, too. Take one that you like, the *same* after
# both convolutions and both hidden dense layers. Without any, the whole network would be a single linear map: a
# product of matrices is a matrix.


# %% task="lenet5"
def lenet5(input_shape=(28, 28, 1), classes=10):
    """Build LeNet-5.

    Convolution 5x5, 6 channels, "same"; average pooling 2x2; convolution 5x5, 16 channels, "valid"; average pooling
    2x2; flatten; dense 120; dense 84; dense ``classes`` with softmax. One non-linearity of your choice, the same
    throughout, follows both convolutions and both hidden dense layers.

    Args:
        input_shape: ``(H, W, C)`` of one image, at least 12x12.
        classes: Number of classes.

    Returns:
        An uncompiled Keras model with 61,706 parameters by default.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 2. AlexNet: deep and wide (2012)
#
# For fourteen years larger CNNs did not pay: too little data, too slow machines, and gradients that died in saturated
# sigmoids. Krizhevsky, Sutskever and Hinton had 1.2 million labeled photographs, two graphics cards, and **ReLU**, with
# which their network learned several times faster. Add **dropout** against learning by heart, and the error on ImageNet
# fell from 26 % to 15 % in one year. (They split the network over the two cards; we build it as one tower.)

# %% figure=true
draw_pipeline(
    [
        ("conv 11x11\n96, stride 4", "conv", "55x55x96"),
        ("max 3x3\nstride 2", "pool", "27x27x96"),
        ("conv 5x5\n256", "conv", "27x27x256"),
        ("max 3x3\nstride 2", "pool", "13x13x256"),
        ("conv 3x3\n384", "conv", "13x13x384"),
        ("conv 3x3\n384", "conv", "13x13x384"),
        ("conv 3x3\n256", "conv", "13x13x256"),
        ("max 3x3\nstride 2", "pool", "6x6x256"),
        ("dense 4096\ntwice", "dense", "4096"),
        ("softmax\n1000", "dense", "1000"),
    ],
    width=14,
)

# %% [markdown]
# **Overlapping pooling.** The windows are 3 wide and move by 2, so neighbors share a column.
#
# **Sizes.** The first convolution and all poolings are not padded; the other convolutions are "same":
# $\lfloor (227 - 11)/4 \rfloor + 1 = 55$, $\lfloor (55 - 3)/2 \rfloor + 1 = 27$, then $13$, then $6$.
#
# **Parameters, and where they are.** The convolutions have $34{,}944 + 614{,}656 + 885{,}120 + 1{,}327{,}488 +
# 884{,}992 = 3.7$ million. The first dense layer alone has $(6 \cdot 6 \cdot 256 + 1) \cdot 4096 = 37.8$ million. Ten
# times more for *deciding* than for *seeing*: keep that in mind until NiN.


# %% figure=true
def draw_parameter_counts():
    counts = {"AlexNet": [3_747_200, 37_752_832, 16_781_312, 4_097_000]}
    counts["VGG-16"] = [14_714_688, 102_764_544, 16_781_312, 4_097_000]
    _, axes = plt.subplots(figsize=(9, 1.7))
    for row, parts in enumerate(counts.values()):
        start = 0
        for part, color in zip(parts, ["#7ba7e0", "#5da052", "#8cc683", "#c3e2bd"], strict=True):
            axes.barh(row, part / 1e6, left=start / 1e6, color=color, ec="white")
            start += part
    names = ["all convolutions", "first dense layer", "second", "third"]
    axes.legend(axes.containers[:4], names, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    axes.set(yticks=[0, 1], yticklabels=list(counts), xlabel="million parameters")
    axes.invert_yaxis()
    plt.show()


draw_parameter_counts()


# %% task="alexnet"
def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """Build AlexNet as one tower.

    Convolution 11x11, 96 channels, stride 4, "valid"; max pooling; convolution 5x5, 256, "same"; max pooling;
    convolutions 3x3 of 384, 384 and 256, "same"; max pooling; flatten; dense 4096; dense 4096; dense ``classes`` with
    softmax. Every max pooling is 3x3 with stride 2, "valid". ReLU after each convolution and each hidden dense layer.
    Dropout (the authors: 0.5, at both hidden dense layers) is your choice; no local response normalization.

    Args:
        input_shape: ``(H, W, C)`` of one image, at least 67x67.
        classes: Number of classes.
        width: Scales channels and hidden units, not ``classes``.

    Returns:
        An uncompiled Keras model with 62,378,344 parameters by default.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 3. VGG: nothing but 3x3 (2014)
#
# AlexNet's sizes (11, 5, 3, 3, 3) looked arbitrary. Simonyan and Zisserman asked what *depth* alone can do, and made
# all else as plain as possible: only 3x3 convolutions, "same", and only 2x2 pooling.
#
# **Why 3x3 is enough.** Two of them see $5 \times 5$ pixels and three see $7 \times 7$, like one large kernel. With $c$
# channels in and out and without biases, three have $3 \cdot 9 c^2 = 27 c^2$ weights, one 7x7 has $49 c^2$. So the
# stack is cheaper, and there are three ReLUs on the way instead of one.


# %% figure=true
def draw_stack_of_kernels():
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 2.9), width_ratios=[1.3, 1])
    for level, (cells, label) in enumerate([(7, "image"), (5, "after one 3x3"), (3, "after two"), (1, "after three")]):
        for cell in range(cells):
            corner = (cell - cells / 2, level)
            left.add_patch(plt.Rectangle(corner, 1, 0.45, fc=COLORS["conv"] if level else "gainsboro", ec="dimgray"))
        left.text(4, level + 0.22, label, va="center")
        if level:
            for side in (-1, 1):
                left.plot([side * cells / 2, side * (cells / 2 + 1)], [level, level - 0.55], ":", color="gray")
    left.set(xlim=(-4, 7), ylim=(-0.1, 3.6), title="three 3x3 convolutions see 7 pixels")
    left.axis("off")
    sizes = np.array([3, 5, 7, 9, 11])
    right.plot(sizes, sizes**2, "o-", color="crimson", label="one large kernel")
    right.plot(sizes, 9 * (sizes - 1) / 2, "o-", color="royalblue", label="a stack of 3x3")
    right.set(xticks=sizes, xlabel="receptive field", ylabel="weights / $c^2$", ylim=(0, None))
    right.legend(frameon=False)
    plt.show()


draw_stack_of_kernels()

# %% [markdown]
# **The block.** Layers come in blocks: some 3x3 convolutions with the same number of channels, then one pooling. From
# block to block the image gets half as large and the channels double, until 512. VGG-16 has five blocks with
# 2, 2, 3, 3, 3 convolutions and 64, 128, 256, 512, 512 channels, then the dense part of AlexNet. Layers with weights:
# $2 + 2 + 3 + 3 + 3 + 3 = 16$.
#
# **Sizes.** $224 \to 112 \to 56 \to 28 \to 14 \to 7$, so $7 \cdot 7 \cdot 512 = 25{,}088$ numbers are flattened.
#
# **Parameters.** First block: $(9 \cdot 3 + 1) \cdot 64 = 1{,}792$ and $(9 \cdot 64 + 1) \cdot 64 = 36{,}928$. All
# convolutions: 14.7 million. The first dense layer: $25{,}089 \cdot 4096 = 102.8$ million. Together 138,357,544.
#
# **How to write it.** A function for the block, a loop for the network. Describe the five blocks as data,
# `zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512))`, and there is no line left to get wrong.


# %% task="vgg_block"
def vgg_block(x, convolutions, filters):
    """Apply one VGG block: some 3x3 convolutions, "same", with ReLU after each, then max pooling 2x2.

    Args:
        x: Keras tensor ``(N, H, W, C)``.
        convolutions: How many.
        filters: Channels of each.

    Returns:
        Keras tensor ``(N, H // 2, W // 2, filters)``.
    """
    raise NotImplementedError


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """Build VGG-16: five blocks, flatten, dense 4096, dense 4096, dense ``classes`` with softmax.

    The blocks have 2, 2, 3, 3, 3 convolutions of 64, 128, 256, 512, 512 channels. ReLU after each convolution and each
    hidden dense layer. Dropout in the dense part is your choice.

    Args:
        input_shape: ``(H, W, C)`` of one image, at least 32x32.
        classes: Number of classes.
        width: Scales channels and hidden units, not ``classes``.

    Returns:
        An uncompiled Keras model with 138,357,544 parameters by default.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 4. Network in network: small and smart (2013)
#
# Lin, Chen and Yan saw two weak points, and found one remedy for each.
#
# **A convolution is linear.** Whether a patch shows a cat's ear is no linear question. So put a small *network* into
# each place instead of one layer: after the convolution, two **1x1 convolutions**. A 1x1 kernel sees a single pixel and
# mixes its channels; it is a dense layer that is applied at every pixel with the same weights.
#
# **Example.** A pixel has the channels $(2, -1, 3)$, one output channel the weights $(1, 0, 2)$ and bias $-1$: the
# result is $\operatorname{ReLU}(2 + 0 + 6 - 1) = 7$. From $c_{in} = 96$ to $c_{out} = 96$ it costs $97 \cdot 96 =
# 9{,}312$ parameters; a 3x3 one would cost 83,040.
#
# **Dense layers have most of the weights.** Leave them out altogether: let the last block have *one channel per class*,
# a map of where that class seems to be, and take the mean of each map (**global average pooling**). No parameters, no
# fixed image size, nothing to learn by heart.


# %% figure=true
def draw_nin():
    axes = empty_drawing(11, 2.6, (-0.9, 12.2), (-1.7, 1.5))
    for x, (text, kind) in zip(
        (0, 2, 4, 6),
        [
            ("f x f\nconv, ReLU", "conv"),
            ("1x1\nconv, ReLU", "conv"),
            ("1x1\nconv, ReLU", "conv"),
            ("max 3x3\nstride 2", "pool"),
        ],
        strict=True,
    ):
        draw_box(axes, x, 0.4, text, kind, height=0.9)
        if x:
            draw_arrow(axes, (x - 1.25, 0.4), (x - 0.75, 0.4))
    axes.plot([-0.8, 4.8, 4.8, -0.8, -0.8], [-0.3, -0.3, 1.1, 1.1, -0.3], "--", color="gray")
    axes.text(2, 1.25, "a NiN block", ha="center", color="gray")
    axes.text(6, -0.3, "between blocks", ha="center", color="gray")
    random = np.random.default_rng(3)
    for number in range(3):
        heat = np.exp(-((np.mgrid[:6, :6] - random.uniform(1, 4, (2, 1, 1))) ** 2).sum(axis=0) / (1 + number))
        left = 7.6 + 1.35 * number
        axes.imshow(heat, extent=(left, left + 1.1, -0.1, 1.0), cmap="Blues", vmin=0, vmax=1.2)
        axes.text(left + 0.55, 1.2, f"class {number}", ha="center", color="gray")
        axes.text(left + 0.55, -0.95, f"mean {heat.mean():.2f}", ha="center")
        draw_arrow(axes, (left + 0.55, -0.15), (left + 0.55, -0.65))
    axes.text(9.5, -1.5, "global average pooling, then softmax", ha="center", color="gray")
    axes.set(xlim=(-0.9, 12.2), ylim=(-1.7, 1.5), aspect="auto")
    plt.show()


draw_nin()

# %% [markdown]
# **Sizes** with the default $227 \times 227$: 55 after the first block, 27, 13, 6 after the poolings, and ten maps of
# $6 \times 6$ in the end.


# %% task="nin_block"
def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    """Apply one NiN block: a convolution, then two 1x1 convolutions, ReLU after each of the three.

    Args:
        x: Keras tensor ``(N, H, W, C)``.
        filters: Channels of all three.
        kernel_size: Of the first one, an int.
        strides: Of the first one.
        padding: Of the first one, "valid" or "same".

    Returns:
        Keras tensor ``(N, H', W', filters)``.
    """
    raise NotImplementedError


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    """Build a network in network out of four blocks.

    Blocks of 96 channels (11x11, stride 4, "valid"), 256 (5x5, "same"), 384 (3x3, "same") and ``classes`` (3x3,
    "same"); max pooling 3x3 with stride 2, "valid", between them (three in all); then global average pooling and
    softmax. No dense layer. Dropout before the last block is your choice.

    Args:
        input_shape: ``(H, W, C)`` of one image, at least 67x67.
        classes: Number of classes, and of channels in the last block.
        width: Scales the channels of the first three blocks, not ``classes``.

    Returns:
        An uncompiled Keras model.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 5. GoogLeNet: every size at once (2014)
#
# Which kernel size is best? A face may fill the image or be twenty pixels wide. Szegedy and colleagues refused to
# choose: an **Inception block** does 1x1, 3x3, 5x5 and a pooling *side by side* on the same input and concatenates what
# comes out, along the channels. The next layer takes what it needs.


# %% figure=true
def draw_inception():
    axes = empty_drawing(9, 4.2, (-1.5, 9), (-0.4, 4.6))
    draw_box(axes, 3.75, 0, "input", width=2)
    columns = [
        [("1x1 conv, f1", "conv")],
        [("1x1 conv, f3_reduce", "conv"), ("3x3 conv, f3", "conv")],
        [("1x1 conv, f5_reduce", "conv"), ("5x5 conv, f5", "conv")],
        [("3x3 max, stride 1", "pool"), ("1x1 conv, pool_proj", "conv")],
    ]
    for number, column in enumerate(columns):
        x, heights = 2.5 * number, (1.5, 2.7)
        draw_arrow(axes, (3.75, 0.32), (x, 1.15))
        for (text, kind), y in zip(column, heights, strict=False):
            draw_box(axes, x, y, text, kind, width=2.2)
        if len(column) > 1:
            draw_arrow(axes, (x, 1.82), (x, 2.38))
        draw_arrow(axes, (x, heights[len(column) - 1] + 0.32), (x, 3.3), (3.0 + 0.5 * number, 3.87))
    draw_box(axes, 3.75, 4.2, "concatenate: f1 + f3 + f5 + pool_proj channels", "join", width=5)
    plt.show()


draw_inception()

# %% [markdown]
# All branches are padded "same" with stride 1, so that height and width agree.
#
# **The price, and the trick.** A 5x5 convolution on many channels is expensive. So a 1x1 convolution *reduces* the
# channels first. In block 3a the input has 192 channels and the 5x5 branch makes 32:
#
# | | weights of the 5x5 branch |
# | --- | --- |
# | direct | $25 \cdot 192 \cdot 32 = 153{,}600$ |
# | reduced to 16 first | $1 \cdot 192 \cdot 16 + 25 \cdot 16 \cdot 32 = 15{,}872$ |
#
# A tenth. The pooling branch passes all 192 channels, so a 1x1 convolution *after* it brings them down to 32.
#
# **Example.** Block 3a has the channels $(64, 96, 128, 16, 32, 32)$; out come $64 + 128 + 32 + 32 = 256$, the input of
# block 3b. The reductions do not count: they are inside.
#
# **The network** (Table 1 of the paper). Everything is padded "same"; all max poolings are 3x3 with stride 2.
#
# | stage | f1 | f3_reduce | f3 | f5_reduce | f5 | pool_proj | size after it |
# | --- | --- | --- | --- | --- | --- | --- | --- |
# | convolution 7x7, 64, stride 2 | | | | | | | 112x112x64 |
# | max pooling | | | | | | | 56x56x64 |
# | convolution 1x1, 64; convolution 3x3, 192 | | | | | | | 56x56x192 |
# | max pooling | | | | | | | 28x28x192 |
# | 3a | 64 | 96 | 128 | 16 | 32 | 32 | 28x28x256 |
# | 3b | 128 | 128 | 192 | 32 | 96 | 64 | 28x28x480 |
# | max pooling | | | | | | | 14x14x480 |
# | 4a | 192 | 96 | 208 | 16 | 48 | 64 | 14x14x512 |
# | 4b | 160 | 112 | 224 | 24 | 64 | 64 | 14x14x512 |
# | 4c | 128 | 128 | 256 | 24 | 64 | 64 | 14x14x512 |
# | 4d | 112 | 144 | 288 | 32 | 64 | 64 | 14x14x528 |
# | 4e | 256 | 160 | 320 | 32 | 128 | 128 | 14x14x832 |
# | max pooling | | | | | | | 7x7x832 |
# | 5a | 256 | 160 | 320 | 32 | 128 | 128 | 7x7x832 |
# | 5b | 384 | 192 | 384 | 48 | 128 | 128 | 7x7x1024 |
# | global average pooling, (dropout), dense, softmax | | | | | | | 1000 |
#
# The paper's local response normalization and its two auxiliary classifiers, which only helped the training along, are
# left out. What remains has 6,998,552 parameters: a twentieth of VGG-16, with fewer errors.


# %% task="inception_block"
def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """Apply one Inception block: four branches, concatenated along the channels in this order.

    1. convolution 1x1, ``f1``;
    2. convolution 1x1, ``f3_reduce``, then 3x3, ``f3``;
    3. convolution 1x1, ``f5_reduce``, then 5x5, ``f5``;
    4. max pooling 3x3 with stride 1, then convolution 1x1, ``pool_proj``.

    Everything is padded "same"; ReLU after each of the six convolutions.

    Args:
        x: Keras tensor ``(N, H, W, C)``.
        f1, f3_reduce, f3, f5_reduce, f5, pool_proj: Channels.

    Returns:
        Keras tensor ``(N, H, W, f1 + f3 + f5 + pool_proj)``.
    """
    raise NotImplementedError


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """Build GoogLeNet by the table above.

    Everything is padded "same", the poolings too; ReLU after each convolution. Dropout before the dense layer (the
    authors: 0.4) is your choice.

    Args:
        input_shape: ``(H, W, C)`` of one image.
        classes: Number of classes.
        width: Scales all channel counts, also those inside the blocks, not ``classes``.

    Returns:
        An uncompiled Keras model with 6,998,552 parameters by default.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 6. ResNet: learn only the difference (2015)
#
# If depth is good, why not a hundred layers? He, Zhang, Ren and Sun tried, and found something odd: a plain network of
# 56 layers was worse than one of 20, *on the training images*. So it was not learning by heart. The deeper network
# could have copied the shallow one and let the other layers do nothing, but it did not find even that: doing *nothing*
# is hard to learn for a stack of convolutions.
#
# So make it the default. A **residual block** adds its input to what its layers compute:
#
# $$y = \operatorname{ReLU}\big(x + F(x)\big)$$
#
# With all weights of $F$ at zero the block is ReLU of its input: it does nothing, and nothing has to be learned for
# that. And on the way back the gradient has a path that no weight can shrink:
#
# $$\frac{\partial (x + F)}{\partial x} = 1 + \frac{\partial F}{\partial x}$$
#
# **Example.** Suppose that each of 15 blocks has the slope $\partial F / \partial x = 0.1$. In a row without shortcuts
# the gradient becomes $0.1^{15} = 10^{-15}$. With them it is $1.1^{15} \approx 4.2$.


# %% figure=true
def draw_residual_blocks():
    axes = empty_drawing(11, 3.6, (-1.5, 12), (-0.6, 5.4))
    for x, shape in ((0.5, "same"), (7.5, "other")):
        for y, text, kind in (
            (0, "x", ""),
            (1.1, "3x3 conv, batch norm" if shape == "same" else "3x3 conv, stride, batch norm", "conv"),
            (2.0, "ReLU", ""),
            (2.9, "3x3 conv, batch norm", "conv"),
            (4.0, "add", "join"),
            (4.9, "ReLU", ""),
        ):
            draw_box(axes, x, y, text, kind, width=3.1 if kind == "conv" else 1)
        for start, end in ((0.31, 0.79), (1.41, 1.69), (2.31, 2.59), (3.21, 3.69), (4.31, 4.59)):
            draw_arrow(axes, (x, start), (x, end))
        side = x + 2.9
        draw_arrow(axes, (x + 0.5, 0), (side, 0), (side, 4.0), (x + 0.5, 4.0))
        if shape == "other":
            draw_box(axes, side, 2, "1x1 conv, stride,\nbatch norm", "conv", width=2.3, height=0.9)
        axes.text(side + 0.1, 0.3, "the shortcut", color="gray")
    axes.text(-0.2, 4.45, "shapes agree", color="crimson", ha="right")
    axes.text(6.8, 4.45, "shapes differ", color="crimson", ha="right")
    plt.show()


draw_residual_blocks()

# %% [markdown]
# **When the shapes differ** (new channels, or a stride above 1), $x$ cannot be added to $F(x)$. Then, and only then, a
# 1x1 convolution with the same stride and batch normalization brings it into shape.
#
# **Where things stand.** The stride belongs to the *first* 3x3 convolution. The second ReLU comes *after* the addition:
# before it, $F$ could only ever add and never take away.
#
# **Batch normalization** brings each channel of a batch to mean 0 and deviation 1, then scales and shifts it by two
# learned numbers. A bias before it would be subtracted again at once; most people leave it out.
#
# **ResNet-18.** 7x7 convolution with 64 channels and stride 2, batch normalization, ReLU, 3x3 max pooling with stride
# 2, all "same"; then four stages of two blocks each with 64, 128, 256 and 512 channels, of which the last three begin
# with stride 2; global average pooling, dense, softmax. Layers with weights: $1 + 4 \cdot 2 \cdot 2 + 1 = 18$.
#
# **Sizes.** $224 \to 112 \to 56$, and $56, 28, 14, 7$ after the stages.
#
# **Parameters.** A block from 64 to 64 channels without biases: $2 \cdot 9 \cdot 64^2 = 73{,}728$ weights, and
# $2 \cdot 128 = 256$ trained numbers of batch normalization. In all 11,689,512 trained parameters, and 9,600 running
# means and variances which `summary()` calls non-trainable.


# %% task="residual_block"
def residual_block(x, filters, stride=1):
    """Apply one residual block: ``ReLU(shortcut + path)``.

    The path: convolution 3x3 with the stride, batch normalization, ReLU, convolution 3x3, batch normalization; both
    convolutions "same" with ``filters`` channels. The shortcut: ``x`` itself or, when the stride is not 1 or the
    channels change, a convolution 1x1 with the stride and batch normalization.

    Args:
        x: Keras tensor ``(N, H, W, C)``.
        filters: Channels of the result.
        stride: Of the first convolution, and of the projection.

    Returns:
        Keras tensor ``(N, H', W', filters)`` where ``H' = ceil(H / stride)``.
    """
    raise NotImplementedError


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """Build ResNet-18.

    Convolution 7x7, 64 channels, stride 2; batch normalization; ReLU; max pooling 3x3, stride 2; two residual blocks
    each of 64, 128, 256 and 512 channels, the first one of the last three pairs with stride 2; global average pooling;
    dense ``classes`` with softmax. Everything is padded "same".

    Args:
        input_shape: ``(H, W, C)`` of one image.
        classes: Number of classes.
        width: Scales all channel counts, not ``classes``.

    Returns:
        An uncompiled Keras model, by default with 11,689,512 trained parameters (without biases before batch
        normalization).
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # 7. See it happen: a deep net with and without shortcuts
#
# The experiment of the ResNet authors, small enough for a laptop: 31 convolutions of 16 channels on the 8x8 digits. The
# two networks have the same layers and the same number of parameters; one has shortcuts. Count for $d$ convolutions and
# one input channel, without biases before batch normalization:
#
# $$\underbrace{9 \cdot 16}_{\text{first}} + \underbrace{9 \cdot 16^2 (d - 1)}_{\text{others}} +
# \underbrace{4 \cdot 16\, d}_{\text{batch norm}} + \underbrace{17 \cdot 10}_{\text{dense}}$$
#
# For $d = 31$: $144 + 69{,}120 + 1{,}984 + 170 = 71{,}418$, whether with shortcuts or without: an addition has no
# weights.
#
# **Which convolutions are spanned?** The first one makes 16 channels out of one, so its input cannot be added to
# anything; it stands alone. The others come in pairs: 2 and 3, 4 and 5, ... A shortcut leads around each pair, and the
# pair's last ReLU comes after the addition, as in a residual block. (Write the layers out here, in a loop; then an
# error in `residual_block` cannot follow you.)
#
# The curves below were recorded from such a pair (Adam, batches of 32, 600 digits, five epochs). The examiner trains
# your residual net in the same way and looks at its loss on digits that it has not seen.


# %% figure=true
def draw_recorded_losses():
    recorded = {
        "plain, depth 31": [2.366, 2.245, 2.134, 2.040, 1.944],
        "residual, depth 31": [3.427, 1.144, 0.539, 0.248, 0.118],
    }
    _, axes = plt.subplots(figsize=(6, 2.6))
    axes.axhline(np.log(10), ls=":", color="gray")
    axes.text(5.1, np.log(10), "knows nothing: log 10", va="center", color="gray")
    for (name, losses), color in zip(recorded.items(), ("crimson", "royalblue"), strict=True):
        axes.plot(range(1, 6), losses, "o-", color=color)
        axes.text(5.1, losses[-1], name, va="center", color=color)
    axes.set(xlabel="epoch", ylabel="training loss", xticks=range(1, 6), xlim=(0.8, 5), ylim=(0, None))
    plt.show()


draw_recorded_losses()


# %% task="deep_net"
def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    """Build and compile a deep network of narrow layers, with or without shortcuts.

    ``depth`` convolutions 3x3 of 16 channels, "same", each followed by batch normalization and ReLU; global average
    pooling; dense ``classes`` with softmax. The first convolution stands alone, the others come in pairs. With
    ``residual`` the input of each pair is added to what its second batch normalization gives, before the pair's last
    ReLU. Nothing else differs.

    Args:
        depth: Number of convolutions, odd.
        residual: Whether there are shortcuts.
        input_shape: ``(H, W, C)`` of one image.
        classes: Number of classes.

    Returns:
        A Keras model compiled with Adam and categorical cross-entropy (one-hot labels).
    """
    raise NotImplementedError


# %% [markdown]
# ### Try it yourself
#
# Set `TRAIN` to True and run this cell: it takes about a minute. Then try depths of 5 and 15. Where does the plain net
# begin to fall behind?

# %% figure=true
TRAIN = False


def train_both():
    """Train the plain and the residual net of depth 31."""
    from autograder.data import load_digits

    digits, digit_labels = load_digits("train", seed=0)
    x, y = digits[:600, :, :, np.newaxis] / 255, np.eye(10)[digit_labels[:600]]
    for residual in (False, True):
        net = try_yours("deep_net", 31, residual)
        if net is not None:
            history = net.fit(x, y, epochs=5, batch_size=32, verbose=0).history["loss"]
            print("residual" if residual else "plain   ", "  ".join(f"{loss:.2f}" for loss in history))


if TRAIN:
    train_both()

# %% [markdown]
# ---
# # Side by side
#
# All six, at an eighth of their width (LeNet as it is), built by *your* functions. The bars count parameters, on a
# logarithmic scale; in brackets is the number of kernels (for ResNet-18 its three projections are among them).


# %% figure=true
def draw_side_by_side():
    thin = {
        "lenet5": {},
        "alexnet": {"width": 1 / 8},
        "vgg16": {"width": 1 / 8},
        "nin": {"width": 1 / 8},
        "googlenet": {"width": 1 / 8},
        "resnet18": {"width": 1 / 8},
    }
    built = {name: try_yours(name, **options) for name, options in thin.items()}
    built = {name: model for name, model in built.items() if isinstance(model, keras.Model)}
    if built:
        _, axes = plt.subplots(figsize=(8, 0.4 * len(built) + 0.8))
        for row, model in enumerate(built.values()):
            kernels = [weight for weight in model.weights if weight.name == "kernel"]
            axes.barh(row, model.count_params(), color="#7ba7e0")
            axes.text(model.count_params() * 1.1, row, f"{model.count_params():,}  [{len(kernels)}]", va="center")
        axes.set(xscale="log", yticks=range(len(built)), yticklabels=list(built), xlabel="parameters", xlim=(1e4, 2e7))
        axes.invert_yaxis()
        plt.show()


draw_side_by_side()

# %% [markdown]
# ## Before you submit
#
# 1. Choose *Restart kernel and run all cells*. The grader does the same, from an empty kernel, but
#    leaves the figures out.
# 2. Look once more at all checks.
# 3. Save, and hand in this file under its name.
#
# **If you want to go on:** put batch normalization into VGG and see whether depth gets easier. Replace the addition in
# `deep_net` by a concatenation (that is DenseNet, 2017). Give ResNet's blocks ReLU and batch normalization *before*
# each convolution (the authors' own second version, 2016). And look at the counts once more: which of the six would you
# put on a phone?
