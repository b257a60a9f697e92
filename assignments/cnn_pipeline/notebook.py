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
# # The CNN pipeline from scratch
#
# In this notebook you build a convolutional neural network out of nothing but NumPy arrays: you load images, turn
# them into features, pool the features into patterns, turn the patterns into probabilities, and then make the whole
# chain *learn* by sending errors backwards through it. At the end your own code reads handwritten digits it has never
# seen, and gets more than nine out of ten right.
#
# **image → features → patterns → prediction**
#
# | stage | your functions | shape of what comes out |
# | --- | --- | --- |
# | image | `to_tensor`, `standardize` | $(N, 8, 8, 1)$ |
# | features | `output_size`, `conv2d`, `relu` | $(N, 6, 6, 8)$ |
# | patterns | `max_pool2d`, `average_pool2d`, `global_average_pool` | $(N, 3, 3, 8)$ |
# | prediction | `dense`, `softmax` | $(N, 10)$ |
# | learning | `cross_entropy`, `conv2d_backward`, `max_pool2d_backward`, `sgd_step`, `train_cnn` | one number |
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
# numbers, images that are not square, several channels, strides that do not divide evenly. Every task is graded on
# its own, so a task that you cannot solve does not cost you the later ones. Add cells and helper functions wherever
# you like.
#
# ### Conventions
# - Images are **channels-last**: $(N, H, W, C)$ is image, row, column, channel. Kernels are
#   $(F, F, C_{in}, C_{out})$.
# - *Convolution* means what every deep-learning library means by it: the kernel is **not** flipped.
# - Labels are **one-hot**: class 2 of 4 is $[0, 0, 1, 0]$.
# - A function never changes its arguments; it returns new arrays.
# - `float64` in, `float64` out. `float32` in, `float32` or `float64` out.
# - Only NumPy. No other library may be called inside a task: the arithmetic has to be yours.
#
# Loops are fine. First make it right; if you then want it fast, replace loops over pixels by operations on whole
# arrays.
#
# **Time:** about six hours, half of them for the two backward passes and the training. Nothing is downloaded.

# %% setup=true
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from autograder.data import load_digits

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


def draw(axes, values, title="", numbers=None, **style):
    """Draw a 2-D array as a grid of cells; ``numbers`` is the format of the values written into them."""
    picture = axes.imshow(values, **{"cmap": "gray", "interpolation": "nearest", **style})
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values) if numbers else ():
        red, green, blue, _ = picture.cmap(picture.norm(value))
        ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
        axes.text(column, row, format(value, numbers), ha="center", va="center", color=ink)


def frame(axes, row, column, height, width, color="crimson"):
    """Draw a box around a window whose top left cell is (row, column)."""
    axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), width, height, fill=False, ec=color, lw=3, clip_on=False))


def mosaic(images, columns):
    """Lay images of equal size side by side, ``columns`` in a row, with a thin gap between them."""
    rows = -(-len(images) // columns)
    height, width = images[0].shape
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for index, image in enumerate(images):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, left : left + width] = image
    return canvas


# %% [markdown]
# ---
# # Part 1 - From image to numbers
#
# The images of this notebook are handwritten digits, 8 by 8 pixels. To a program a picture is a table of numbers:
# each pixel is one byte, from 0 (no ink) to 255 (full ink).

# %%
digits, digit_labels = load_digits("train", seed=0)
print(f"images {digits.shape} of {digits.dtype}, labels {digit_labels.shape}: {digit_labels[:12]} ...")

# %% figure=true
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), width_ratios=[1, 2])
draw(left, digits[0], f"one image: 64 numbers, label {digit_labels[0]}", numbers="d")
draw(right, mosaic(digits[:24], 8), "the first 24 images")
plt.show()

# %% [markdown]
# ## 1. From bytes to a tensor
#
# Bytes are good for storing and bad for calculating: `np.uint8(200) + np.uint8(100)` is 44, because the sum wraps
# around at 256. So the first step is to make floats of them, in a range that networks like:
#
# $$T = \frac{X}{255} \in [0, 1]$$
#
# The second step is a matter of form. A color image has a channel axis (red, green, blue), a gray one often has none.
# All layers below expect four axes, $(N, H, W, C)$, so a gray image gets a last axis of length 1. No number changes
# by that.
#
# **Example.** One gray image, shape $(1, 2, 2)$, becomes a tensor of shape $(1, 2, 2, 1)$:
#
# $$\begin{bmatrix} 0 & 51 \\ 102 & 255 \end{bmatrix} \longrightarrow \begin{bmatrix} 0 & 0.2 \\ 0.4 & 1 \end{bmatrix}$$
#
# Divide by 255, the largest value that a byte *can* have, and not by the largest that occurs: the same gray has to
# become the same number in every batch.


# %% task="to_tensor"
def to_tensor(images):
    """Turn stored images into a float tensor.

    Args:
        images: uint8 array ``(N, H, W)`` of gray or ``(N, H, W, C)`` of colored images.

    Returns:
        float32 array ``(N, H, W, C)`` with values in [0, 1]; gray images get ``C = 1``.
    """
    raise NotImplementedError


# %% [markdown]
# ## 2. Standardize
#
# Learning goes best when all inputs live on the same scale: centered at zero, with a spread of about one. For every
# channel $c$, take mean and standard deviation over all images, rows and columns of the **training** set, and use
# them for both sets:
#
# $$\mu_c = \operatorname*{mean}_{n,i,j} X^{train}_{nijc}, \qquad
# \sigma_c = \sqrt{\operatorname*{mean}_{n,i,j} \left(X^{train}_{nijc} - \mu_c\right)^2}, \qquad
# \hat X_{nijc} = \frac{X_{nijc} - \mu_c}{\sigma_c}$$
#
# **Why not the test set's own statistics?** The test set plays the future. In the future images come one at a time,
# and a single image has no useful mean. Whatever you measure on the test set leaks knowledge that you will not have.
#
# **Example.** One channel with the training values $2, 4, 6, 8$: $\mu = 5$, $\sigma^2 = (9 + 1 + 1 + 9) / 4 = 5$,
# $\sigma \approx 2.236$. They become $-1.342, -0.447, 0.447, 1.342$. A test value of 10 becomes
# $(10 - 5) / 2.236 \approx 2.236$: test values may well lie outside the training range.
#
# **A trap.** A channel that never changes in the training set has $\sigma_c = 0$. It carries no information: let it
# become zeros in `train`, and keep it finite in `test`. Beware of rounding here: the mean of many equal floats is not
# always exactly that float, and then the computed $\sigma_c$ is tiny instead of zero.


# %% task="standardize"
def standardize(train, test):
    """Shift and scale every channel by the statistics of ``train``.

    Args:
        train: float array ``(N, H, W, C)``.
        test: float array ``(M, H, W, C)``.

    Returns:
        ``(train, test)``, new arrays of the same shapes. In the new ``train`` every channel has mean 0 and variance 1
        (the mean of the squares, not divided by ``n - 1``), or is all zeros if it was constant. The new ``test`` used
        the same means and deviations and is finite.
    """
    raise NotImplementedError


# %% figure=true
random = np.random.default_rng(0)
colored = random.normal([0.7, 0.4, 0.2], [0.05, 0.15, 0.02], (20, 8, 8, 3))  # three channels, three scales
pair = try_yours("standardize", colored, colored[:2])
if pair is not None:
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.2))
    for panel, values, title in zip(panels, (colored, pair[0]), ("before", "after your standardize"), strict=True):
        for channel, color in enumerate(("crimson", "seagreen", "royalblue")):
            panel.hist(np.ravel(values[..., channel]), 30, color=color, histtype="step", lw=2)
        panel.set(title=title, xlabel="value of a pixel", yticks=[])
    plt.show()

# %% [markdown]
# ---
# # Part 2 - From image to features
#
# A *feature* is something that can be present at a place: an edge, a corner, a dot. A convolution looks for one small
# pattern at every place of the image, with the same few weights everywhere. That is why it needs so few of them, and
# why a digit that moves by a pixel gives the same features, moved by a pixel.
#
# ## 3. How large is the output?
#
# Slide a window of $f$ cells along a line of $n$ cells. It starts at cell 0 and moves on by the *stride* $s$, as long
# as it fits. *Padding* adds $p$ cells of zeros at **both** ends before the window starts. The number of places is
#
# $$n' = \left\lfloor \frac{n - f + 2p}{s} \right\rfloor + 1$$
#
# The rounding down matters: where the stride does not divide evenly, the last cells are never seen.
#
# **Examples.** $n = 7, f = 3, s = 2, p = 0$: $\lfloor 4 / 2 \rfloor + 1 = 3$. With $p = 1$:
# $\lfloor 6 / 2 \rfloor + 1 = 4$. And $n = 6, f = 3, s = 2, p = 0$: $\lfloor 3 / 2 \rfloor + 1 = 2$, and the last
# cell stays unseen. To keep the size with $s = 1$ and an odd $f$, choose $p = (f - 1) / 2$.
#
# In the figure every blue bar is one place of a window with $f = 3$ and $s = 2$; white cells are padding.

# %% figure=true
figure, panels = plt.subplots(1, 3, figsize=(11, 1.9))
for panel, (n, p, places) in zip(panels, [(7, 0, 3), (7, 1, 4), (6, 0, 2)], strict=True):
    for cell in range(-p, n + p):
        fill = "gainsboro" if 0 <= cell < n else "white"
        panel.add_patch(plt.Rectangle((cell, 0), 1, 1, fc=fill, ec="gray"))
        panel.text(cell + 0.5, 0.5, f"{cell}" if 0 <= cell < n else "0", ha="center", va="center", color="dimgray")
    for place in range(places):
        start, depth = 2 * place - p, -0.45 - 0.45 * place
        panel.plot([start + 0.1, start + 2.9], [depth, depth], lw=6, color="royalblue", solid_capstyle="butt")
    panel.set(xlim=(-1.2, 8.2), ylim=(-2.1, 1.1), title=f"n = {n}, p = {p}: {places} places")
    panel.axis("off")
plt.show()


# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    """Count the places of a window along one axis: ``floor((n - f + 2 * padding) / stride) + 1``.

    Args:
        n: Length of the input, in cells.
        f: Length of the window.
        stride: Cells from one place to the next.
        padding: Cells of zeros added at each of the two ends.

    Returns:
        The number of places, an int.

    Raises:
        ValueError: the window is larger than the padded input, or the stride is below 1.
    """
    raise NotImplementedError


# %% [markdown]
# ## 4. Convolution
#
# Lay the kernel on the image, multiply each weight with the pixel below it, add everything up: one number. Then move
# on. With one channel,
#
# $$Z(i, j) = \sum_{m=0}^{F-1} \sum_{n=0}^{F-1} X(i + m,\; j + n)\, K(m, n)$$
#
# **Example.** A $4 \times 4$ image and a $2 \times 2$ kernel, drawn below. The top left value is
# $1 \cdot 1 + 2 \cdot 0 + 0 \cdot 0 + 1 \cdot (-1) = 0$, the one to its right
# $2 \cdot 1 + 0 \cdot 0 + 1 \cdot 0 + 3 \cdot (-1) = -1$. The window in the figure gives $3 - 0 = 3$. (A flipped
# kernel would give the opposite sign everywhere. Do not flip.)

# %% figure=true
X = np.array([[1, 2, 0, 1], [0, 1, 3, 1], [2, 1, 0, 0], [1, 0, 1, 2]])
K = np.array([[1, 0], [0, -1]])
Z = np.array([[0, -1, -1], [-1, 1, 3], [2, 0, -2]])
signed = {"cmap": "RdBu_r", "vmin": -4, "vmax": 4}  # blue is negative, red is positive

figure, panels = plt.subplots(1, 3, figsize=(8, 2.7), width_ratios=[4, 2, 3])
for panel, values, title in zip(panels, (X, K, Z), ("image X", "kernel K", "feature map Z"), strict=True):
    draw(panel, values, title, numbers="d", **signed)
frame(panels[0], 1, 2, 2, 2)
frame(panels[2], 1, 2, 1, 1)
plt.show()

# %% [markdown]
# The full layer adds four things to this picture:
#
# - **Channels in.** The kernel is as deep as the image, and all channels are summed into *one* number. If a window
#   gives 3 in the first channel and $-1$ in the second, and the bias is 0.5, the result is $3 - 1 + 0.5 = 2.5$.
# - **Channels out.** There are $C_{out}$ kernels, each looking for something else, and each makes its own feature
#   map.
# - **Bias.** One number $b_k$ per output channel, added once to every place (not once per input channel).
# - **Stride and padding.** Output $(i, j)$ looks at the window that starts at row $s i$ and column $s j$ of the
#   *padded* image $P$, which is $X$ with $p$ rows and columns of zeros on every side.
#
# $$Z_{nijk} = b_k + \sum_{m=0}^{F-1} \sum_{l=0}^{F-1} \sum_{c=0}^{C_{in}-1}
# P_{n,\; s i + m,\; s j + l,\; c}\; K_{m l c k}$$
#
# **Example.** The same $X$ and $K$ with $s = 2$: keep every second value,
# $\begin{bmatrix} 0 & -1 \\ 2 & -2 \end{bmatrix}$. With $s = 2$ and $p = 1$ the windows start one row and one column
# earlier, and the result is
#
# $$\begin{bmatrix} -1 & 0 & 0 \\ -2 & 1 & 1 \\ 0 & 0 & 2 \end{bmatrix}$$
#
# **How to write it.** Four nested loops (image, row, column, output channel) are a right answer. A much faster one
# loops only over the $F \cdot F$ positions *inside* the kernel: for one position $(m, l)$, all windows of all images
# at once are a slice of $P$ with steps of $s$, and `slice @ K[m, l]` does all channels.


# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    """Convolve every image with every kernel (cross-correlation: no flipping).

    Args:
        x: Images ``(N, H, W, C_in)``.
        kernels: ``(F, F, C_in, C_out)``.
        bias: ``(C_out,)``, one number per output channel.
        stride: Rows, and columns, from one window to the next.
        padding: Rows and columns of zeros added on every side of the images.

    Returns:
        ``(N, H', W', C_out)`` where ``H' = output_size(H, F, stride, padding)``, and the same for ``W'``.
    """
    raise NotImplementedError


# %% [markdown]
# ### What kernels see
#
# Kernels that respond to edges were once designed by hand. Here are three of them and a blur, on a drawn image. Each
# edge kernel answers where brightness *changes* in its direction, red for one sign and blue for the other, and stays
# silent on flat ground. Your network will find kernels of its own.

# %% figure=true
rows, columns = np.mgrid[:24, :24]
scene = ((rows - 7) ** 2 + (columns - 8) ** 2 < 30).astype(float)  # a disk, ...
scene[12:21, 14:22] = 0.7  # ... a square, ...
scene[(np.abs(rows + columns - 25) <= 1) & (rows > 14) & (rows < 22)] = 1  # ... and a stroke
edges = np.zeros((3, 3, 1, 4))
edges[:, :, 0, 0] = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
edges[:, :, 0, 1] = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
edges[:, :, 0, 2] = [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
edges[:, :, 0, 3] = 1 / 9

maps = try_yours("conv2d", scene[None, :, :, None], edges, np.zeros(4), shape=(1, 22, 22, 4))
if maps is not None:
    figure, panels = plt.subplots(1, 5, figsize=(12, 2.7))
    draw(panels[0], scene, "image")
    names = ("left to right", "top to bottom", "diagonal", "blur")
    for panel, name, feature in zip(panels[1:], names, np.moveaxis(maps[0], -1, 0), strict=True):
        largest = np.abs(feature).max() or 1
        draw(panel, feature, name, cmap="RdBu_r", vmin=-largest, vmax=largest)
    plt.show()

# %% [markdown]
# ## 5. ReLU
#
# A convolution of a convolution is only another convolution: without something bent in between, a deep network could
# not do more than one layer. The simplest bend is the *rectified linear unit*: let positive values pass, cut negative
# ones to zero.
#
# $$\operatorname{ReLU}(x) = \max(0, x)$$
#
# **Example.** The feature map $Z$ from above:
#
# $$\begin{bmatrix} 0 & -1 & -1 \\ -1 & 1 & 3 \\ 2 & 0 & -2 \end{bmatrix} \longrightarrow
# \begin{bmatrix} 0 & 0 & 0 \\ 0 & 1 & 3 \\ 2 & 0 & 0 \end{bmatrix}$$
#
# Its derivative is as simple: 1 where the input was positive, 0 where it was negative. So on the way back a gradient
# passes where the value passed. (At exactly 0 there is no derivative; take 0.) You need this in the last task.


# %% task="relu"
def relu(x):
    """Replace negative values by zero.

    Args:
        x: float array of any shape.

    Returns:
        A new array of the same shape: ``max(0, x)`` for every element.
    """
    raise NotImplementedError


# %% figure=true
rectified = try_yours("relu", maps, shape=(1, 22, 22, 4))
if rectified is not None:
    figure, panels = plt.subplots(1, 3, figsize=(9, 2.5))
    slope = np.linspace(-2, 2, 41)
    panels[0].plot(slope, try_yours("relu", slope), lw=3, color="royalblue")
    panels[0].set(title="your relu", xlabel="x", xticks=[-2, 0, 2], yticks=[0, 2])
    draw(panels[1], maps[0, :, :, 0], "left to right, before", cmap="RdBu_r", vmin=-4, vmax=4)
    draw(panels[2], rectified[0, :, :, 0], "after: one kind of edge is left", cmap="RdBu_r", vmin=-4, vmax=4)
    plt.show()

# %% [markdown]
# ---
# # Part 3 - From features to patterns
#
# Whether there *is* an edge matters more than on which pixel exactly it lies. Pooling makes feature maps smaller by
# keeping one number per window, and so gives up a little about *where* to say more clearly *what*.
#
# ## 6. Max pooling
#
# The window moves as in a convolution, without padding. Each channel is pooled on its own:
#
# $$Y_{nijc} = \max_{0 \le m, l < size} X_{n,\; s i + m,\; s j + l,\; c}$$
#
# By default the stride is the size, so that the windows lie side by side. Rows and columns that do not fill a whole
# window are left out: `output_size` knows how many windows there are.
#
# **Example.** Size 2, stride 2, on the $X$ from above: the window $\begin{bmatrix} 0 & 1 \\ 3 & 1 \end{bmatrix}$ at
# the top right gives 3. With size 2 and stride 1 the windows overlap and there are nine of them:
# $\begin{bmatrix} 2 & 3 & 3 \\ 2 & 3 & 3 \\ 2 & 1 & 2 \end{bmatrix}$.
#
# **A trap.** The maximum of a window of negative numbers is negative. It is not zero.

# %% figure=true
figure, panels = plt.subplots(1, 3, figsize=(9, 2.5), width_ratios=[4, 2.5, 2.5])
draw(panels[0], X, "X", numbers="d", cmap="Blues", vmin=0, vmax=4)
draw(panels[1], [[2, 3], [2, 2]], "largest of each window", numbers="d", cmap="Blues", vmin=0, vmax=4)
draw(panels[2], [[1, 1.25], [1, 0.75]], "mean of each window", numbers="g", cmap="Blues", vmin=0, vmax=4)
for row, column, color in [(0, 0, "crimson"), (0, 1, "darkorange"), (1, 0, "seagreen"), (1, 1, "indigo")]:
    frame(panels[0], 2 * row + 0.04, 2 * column + 0.04, 1.92, 1.92, color)
    for panel in panels[1:]:
        frame(panel, row + 0.04, column + 0.04, 0.92, 0.92, color)
plt.show()


# %% task="max_pool2d"
def max_pool2d(x, size=2, stride=None):
    """Keep the largest value of every window.

    Args:
        x: Feature maps ``(N, H, W, C)``.
        size: Rows and columns of a window.
        stride: Rows, and columns, from one window to the next; None means ``size``.

    Returns:
        ``(N, H', W', C)`` where ``H' = output_size(H, size, stride)``, and the same for ``W'``.
    """
    raise NotImplementedError


# %% [markdown]
# ## 7. Average pooling
#
# The same windows, but their mean instead of their maximum:
#
# $$Y_{nijc} = \frac{1}{size^2} \sum_{m=0}^{size-1} \sum_{l=0}^{size-1} X_{n,\; s i + m,\; s j + l,\; c}$$
#
# **Example.** The window at the top right of $X$: $(0 + 1 + 3 + 1) / 4 = 1.25$. The figure above shows all four.
#
# A maximum asks "is it there at all?", a mean "how much of it is there?". A single strong response in a window of
# four survives max pooling undiminished and is cut to a quarter by average pooling.


# %% task="average_pool2d"
def average_pool2d(x, size=2, stride=None):
    """Keep the mean of every window.

    Args:
        x: Feature maps ``(N, H, W, C)``.
        size: Rows and columns of a window.
        stride: Rows, and columns, from one window to the next; None means ``size``.

    Returns:
        ``(N, H', W', C)`` where ``H' = output_size(H, size, stride)``, and the same for ``W'``.
    """
    raise NotImplementedError


# %% [markdown]
# ### How far one number sees
#
# The *receptive field* of a value is the part of the image that it depends on. Going back through a chain of layers
# with windows $f_1, f_2, \dots$ and strides $s_1, s_2, \dots$, it has the width
#
# $$r = 1 + \sum_{l} (f_l - 1) \prod_{k < l} s_k$$
#
# **Example.** A $3 \times 3$ convolution with stride 1, then $2 \times 2$ pooling: $r = 1 + 2 + 1 \cdot 1 = 4$. One
# number after the pool has seen $4 \times 4$ pixels. A second $3 \times 3$ convolution after it would see
# $1 + 2 + 1 \cdot 1 + 2 \cdot 2 = 8$: a whole digit.

# %% figure=true
figure, panels = plt.subplots(1, 3, figsize=(8.5, 2.9), width_ratios=[8, 6, 3])
stages = [
    ("image: 4 x 4 pixels", 8, 2, 4),
    ("after conv 3 x 3: 2 x 2 values", 6, 2, 2),
    ("after pool 2: 1 value", 3, 1, 1),
]
for panel, (title, cells, start, width) in zip(panels, stages, strict=True):
    seen = np.zeros((cells, cells))
    seen[start : start + width, start : start + width] = 1
    draw(panel, seen, title, cmap="Oranges", vmin=-0.15, vmax=1.6)
    panel.set_xticks(np.arange(cells + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(cells + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="white", lw=2)
    panel.tick_params(which="minor", length=0)
plt.show()

# %% [markdown]
# ## 8. Global average pooling
#
# The most radical pooling: one number per channel, the mean over all rows and columns. Where a pattern was is
# forgotten altogether; how much of it there was remains.
#
# $$Y_{nc} = \frac{1}{H W} \sum_{i=0}^{H-1} \sum_{j=0}^{W-1} X_{nijc}$$
#
# **Example.** The map $\operatorname{ReLU}(Z)$ of task 5 has the values 1, 3 and 2 and six zeros:
# $6 / 9 \approx 0.667$.
#
# Large modern networks end this way instead of flattening: it has no weights to overfit with, and it takes images of
# any size.


# %% task="global_average_pool"
def global_average_pool(x):
    """Average each feature map to one number.

    Args:
        x: Feature maps ``(N, H, W, C)``.

    Returns:
        ``(N, C)``, the mean over rows and columns.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 4 - From patterns to a prediction
#
# ## 9. The dense layer
#
# Every class collects evidence from every feature. A weight says how much feature $d$ speaks for (or against) class
# $k$:
#
# $$Y_{nk} = \sum_{d} X_{nd} W_{dk} + b_k, \qquad\text{in one line}\qquad Y = X W + b$$
#
# **Example.** $x = [1, 2]$ with $W = \begin{bmatrix} 1 & 0 & -1 \\ 2 & 1 & 0 \end{bmatrix}$ and $b = [0.5, 0, 1]$
# gives $[1 + 4 + 0.5,\; 0 + 2 + 0,\; -1 + 0 + 1] = [5.5, 2, 0]$.


# %% task="dense"
def dense(x, weights, bias):
    """Apply a fully connected layer.

    Args:
        x: Features ``(N, D)``.
        weights: ``(D, K)``.
        bias: ``(K,)``.

    Returns:
        ``(N, K)``, which is ``x @ weights + bias``.
    """
    raise NotImplementedError


# %% [markdown]
# ## 10. Softmax
#
# The numbers that come out of the dense layer, the *logits*, can be anything. Softmax makes probabilities of them:
# positive, and one in sum. It keeps their order and turns *differences* of logits into *ratios* of probabilities.
#
# $$\operatorname{softmax}(z)_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# **Example.** $z = [2, 1, 0]$: $e^z \approx [7.389, 2.718, 1]$ with the sum $11.107$, so the result is
# $[0.665, 0.245, 0.090]$.
#
# **A trap.** $e^{1000}$ is infinity for a computer, and infinity divided by infinity is not a number. But adding the
# same number to all logits changes nothing, since $e^{z_k + a} = e^{z_k} e^a$ and the factor cancels. So subtract the
# largest logit first:
#
# $$\operatorname{softmax}(z)_k = \frac{e^{z_k - \max z}}{\sum_j e^{z_j - \max z}}$$
#
# Now the largest exponent is 0. $[1002, 1001, 1000]$ gives exactly what $[2, 1, 0]$ gives.


# %% task="softmax"
def softmax(logits):
    """Turn logits into probabilities along the last axis.

    Args:
        logits: float array ``(..., K)``, often ``(N, K)``. Each row is on its own.

    Returns:
        An array of the same shape; every row is positive and sums to 1. Stable: logits of 1000 or -1000 give neither
        infinities nor NaN, and no warning.
    """
    raise NotImplementedError


# %% [markdown]
# Dividing the logits by a *temperature* before the softmax shows what it does to differences: a low temperature
# exaggerates them until the winner takes all, a high one levels them. The network chooses the scale of its logits,
# and so its own confidence.

# %% figure=true
logits = np.array([2.0, 1.0, 0.0, -1.0])
temperatures = np.array([0.3, 1, 5])
rows = try_yours("softmax", logits / temperatures[:, None], shape=(3, 4))
if rows is not None:
    figure, panels = plt.subplots(1, 3, figsize=(9, 1.9), sharey=True)
    for panel, temperature, row in zip(panels, temperatures, rows, strict=True):
        panel.bar(["2", "1", "0", "-1"], row, color="royalblue")
        panel.set(title=f"temperature {temperature:g}", xlabel="logit", ylim=(0, 1))
    panels[0].set_ylabel("probability")
    plt.show()

# %% [markdown]
# ## 11. Cross-entropy
#
# To learn, the network needs one number that says how wrong it is. For one image that is the negative logarithm of
# the probability it gave to the *right* class; for a batch, the mean of those:
#
# $$L = -\frac{1}{N} \sum_{n} \sum_{k} y_{nk} \log p_{nk}$$
#
# With one-hot labels only the term of the right class is left of the inner sum. $L$ is 0 for certainty in the right
# class and grows without bound for certainty in a wrong one. A network that knows nothing gives each of ten classes
# 0.1, and $L = \log 10 \approx 2.303$: remember that number, it is where a training should start.
#
# **Example.** $p = [0.665, 0.245, 0.090]$ and the right class is the first: $-\log 0.665 \approx 0.408$. A second
# image with $p = [0.1, 0.7, 0.2]$ whose right class is the last: $-\log 0.2 \approx 1.609$. The mean is about
# $1.009$.
#
# **A trap.** A probability can be so small that it is stored as 0, and $\log 0$ is minus infinity. Keep the argument
# of the logarithm away from 0 by something tiny, such as $10^{-12}$: small enough not to disturb any ordinary
# probability.

# %% figure=true
figure, axes = plt.subplots(figsize=(5, 2.2))
probability = np.linspace(0.005, 1, 200)
axes.plot(probability, -np.log(probability), lw=3, color="royalblue")
axes.plot([0.665, 0.2, 0.1], -np.log([0.665, 0.2, 0.1]), "o", color="crimson")
for p, note in ((0.665, "0.665 costs 0.408"), (0.2, "0.2 costs 1.609"), (0.1, "0.1, a guess among ten, costs 2.303")):
    axes.annotate(note, (p, -np.log(p)), xytext=(8, 4), textcoords="offset points")
axes.set(xlabel="probability of the right class", ylabel="loss", ylim=(0, 5))
plt.show()


# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    """Measure how wrong the predictions of a batch are.

    Args:
        probabilities: ``(N, K)``, rows from ``softmax``.
        labels: ``(N, K)``, one-hot.

    Returns:
        A float, the mean over the batch of ``-log(probability of the right class)``; finite even where that is 0.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 5 - Learning
#
# The loss depends on every weight. If we knew for each weight in which direction the loss falls, we could take a
# small step there, and again, and again. That direction is the gradient. *Back-propagation* finds it layer by layer,
# from the loss backwards: each layer receives the gradient of the loss with respect to its **output** (`grad`, the
# *upstream* gradient) and returns the gradient with respect to its **inputs**. What a layer needs to know about the
# rest of the network is in `grad` alone.
#
# ## 12. Convolution, backwards
#
# Read the forward formula once more: the pixel $P_{n, si+m, sj+l, c}$ is multiplied with the weight $K_{mlck}$ and
# added to $Z_{nijk}$. So a change of that weight reaches the loss through *every* place $(n, i, j)$, and a change of
# that pixel through every window it lies in. Write $G$ for `grad`, which has the shape of $Z$, and add up all ways:
#
# $$\frac{\partial L}{\partial K_{mlck}} = \sum_{n,i,j} G_{nijk}\, P_{n,\; si+m,\; sj+l,\; c}
# \qquad\qquad
# \frac{\partial L}{\partial b_k} = \sum_{n,i,j} G_{nijk}$$
#
# $$\frac{\partial L}{\partial P_{n,\; si+m,\; sj+l,\; c}} \mathrel{+}= \sum_{k} G_{nijk}\, K_{mlck}
# \qquad \text{for all } i, j, m, l$$
#
# The last line is an instruction: begin with zeros in the shape of the *padded* image and, for each place, add the
# kernel, weighted by the gradient there, onto the window it came from. Windows overlap, so *add*, do not overwrite.
# At the end cut the padding off: nobody asks for the gradient of zeros that you put there yourself.
#
# **Example.** One channel, stride 1, no padding:
#
# $$X = \begin{bmatrix} 1 & 2 & 0 \\ 0 & 1 & 3 \\ 2 & 1 & 0 \end{bmatrix} \quad
# K = \begin{bmatrix} 1 & 0 \\ 0 & -1 \end{bmatrix} \quad
# G = \begin{bmatrix} 1 & 0 \\ 2 & -1 \end{bmatrix}$$
#
# The weight $K(0, 1)$ met the pixels $2, 0, 1, 3$, so its gradient is
# $1 \cdot 2 + 0 \cdot 0 + 2 \cdot 1 + (-1) \cdot 3 = 1$. The pixel in the middle lay in all four windows; it receives
# $1 \cdot (-1) + 0 \cdot 0 + 2 \cdot 0 + (-1) \cdot 1 = -2$. In full:
#
# $$\frac{\partial L}{\partial K} = \begin{bmatrix} 0 & 1 \\ 3 & 3 \end{bmatrix} \qquad
# \frac{\partial L}{\partial b} = 2 \qquad
# \frac{\partial L}{\partial X} = \begin{bmatrix} 1 & 0 & 0 \\ 2 & -2 & 0 \\ 0 & -2 & 1 \end{bmatrix}$$
#
# Note the shapes: a gradient always has the shape of the thing it is the gradient of. Rows of $X$ that the stride
# never reached have the gradient 0, and they are still there.


# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    """Send a gradient back through ``conv2d(x, kernels, bias, stride, padding)``.

    Args:
        grad: Gradient of the loss with respect to the output, ``(N, H', W', C_out)``; any numbers.
        x: The images of the forward pass, ``(N, H, W, C_in)``.
        kernels: The kernels of the forward pass, ``(F, F, C_in, C_out)``.
        stride: The stride of the forward pass.
        padding: The padding of the forward pass.

    Returns:
        ``(grad_x, grad_kernels, grad_bias)``: the gradients of the loss with respect to ``x``, ``kernels`` and
        ``bias``, in their shapes ``(N, H, W, C_in)``, ``(F, F, C_in, C_out)`` and ``(C_out,)``. Sums over the batch, no
        means: where a mean belongs it is already in ``grad``.
    """
    raise NotImplementedError


# %% [markdown]
# ### Trust, and measure
#
# A gradient can be measured without any calculus: move one number up and down by a tiny $h$ and look at the loss.
# This costs two forward passes per number, so nobody trains with it, but it is the best test there is, for everything
# you will ever differentiate.
#
# $$\frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2h}$$
#
# The cell compares it with your formula on a small random layer. An error below about $10^{-7}$ is rounding; above
# $10^{-3}$ it is a mistake.


# %% figure=true
def measured_gradient(loss, values, h=1e-5):
    """Return the gradient of ``loss()`` with respect to the array ``values``, by central differences."""
    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        original = values[index]
        values[index] = original + h
        above = loss()
        values[index] = original - h
        gradient[index] = (above - loss()) / (2 * h)
        values[index] = original
    return gradient


small_x, small_kernels, small_bias = random.normal(size=(2, 5, 4, 2)), random.normal(size=(3, 3, 2, 2)), np.zeros(2)
upstream = random.normal(size=(2, 3, 2, 2))
ready = try_yours("conv2d", small_x, small_kernels, small_bias, stride=2, padding=1, shape=upstream.shape)
gradients = None if ready is None else try_yours("conv2d_backward", upstream, small_x, small_kernels, 2, 1)
if gradients is not None:
    layer = {"x": small_x, "kernels": small_kernels, "bias": small_bias}
    for (name, values), yours in zip(layer.items(), gradients, strict=False):
        measured = measured_gradient(lambda: np.sum(upstream * conv2d(*layer.values(), 2, 1)), values)
        same_shape = np.shape(yours) == values.shape
        error = f"largest error {np.abs(measured - yours).max():.1e}" if same_shape else f"has shape {np.shape(yours)}"
        print(f"gradient of {name:8} {error}")

# %% [markdown]
# ## 13. Max pooling, backwards
#
# Of each window only the winner reached the output. A small change of any other value changes nothing. So the
# gradient of a window goes to the place of its maximum, whole, and all others get zero: a max pool is a *switch*.
#
# $$\frac{\partial L}{\partial X_{n,\; si+m,\; sj+l,\; c}} \mathrel{+}= G_{nijc}
# \quad \text{where } (m, l) \text{ is the place of the maximum of window } (i, j)$$
#
# **Example.** The $X$ from above, size 2, with the upstream gradient
# $G = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}$, is drawn below.
#
# Two things to keep in mind. With a stride smaller than the size one pixel can win in several windows, and then it
# collects all of their gradients: with stride 1 the 3 of $X$ wins four windows. And if two values of a window are
# equal, give the gradient to one of them (libraries take the first in reading order), not to both.

# %% figure=true
routed = np.zeros((4, 4), dtype=int)
routed[[0, 1, 2, 3], [1, 2, 0, 3]] = [1, 2, 3, 4]
figure, panels = plt.subplots(1, 3, figsize=(8.5, 2.6), width_ratios=[4, 2, 4])
draw(panels[0], X, "forward: the winners of X", numbers="d", cmap="Blues", vmin=0, vmax=4)
draw(panels[1], [[1, 2], [3, 4]], "upstream gradient", numbers="d", cmap="Reds", vmin=0, vmax=7)
draw(panels[2], routed, "backward: to the winners only", numbers="d", cmap="Reds", vmin=0, vmax=7)
for row, column in zip(*np.nonzero(routed), strict=True):
    frame(panels[0], row + 0.06, column + 0.06, 0.88, 0.88)
    frame(panels[2], row + 0.06, column + 0.06, 0.88, 0.88)
plt.show()


# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    """Send a gradient back through ``max_pool2d(x, size, stride)``.

    Args:
        grad: Gradient of the loss with respect to the output, ``(N, H', W', C)``; any numbers.
        x: The feature maps of the forward pass, ``(N, H, W, C)``.
        size: The size of the forward pass.
        stride: The stride of the forward pass; None means ``size``.

    Returns:
        ``grad_x``, ``(N, H, W, C)``: every window's gradient at the place of its maximum, summed where windows overlap,
        and zero elsewhere.
    """
    raise NotImplementedError


# %% [markdown]
# ## 14. One step downhill
#
# The gradient points to where the loss grows fastest. *Stochastic gradient descent* goes the other way, for every
# parameter:
#
# $$w \leftarrow w - \eta\, \frac{\partial L}{\partial w}$$
#
# The *learning rate* $\eta$ is the length of the step. It is called stochastic because the gradient comes from a
# small random batch, not from all images: a little noisy, and far cheaper.
#
# **Example.** $w = 1$, gradient $0.4$, $\eta = 0.5$: the new weight is $1 - 0.5 \cdot 0.4 = 0.8$.
#
# The parameters of a network are kept in a dict, one array per name, with the gradients under the same names. Return
# a *new* dict with new arrays; `w -= ...` would change the caller's.


# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    """Take one step of gradient descent.

    Args:
        parameters: dict from names to arrays.
        gradients: dict with the same names, each array in the shape of its parameter.
        learning_rate: The length of the step, a positive float.

    Returns:
        A new dict with the same names: ``parameter - learning_rate * gradient``. The arguments stay as they are.
    """
    raise NotImplementedError


# %% [markdown]
# Forty of your steps in a long valley, $L(u, v) = \tfrac{1}{2} (u^2 + 12 v^2)$, whose gradient is $(u, 12 v)$. Too
# small a rate does not arrive, too large a one leaps from wall to wall.


# %% figure=true
def descend(rate, steps=40):
    """Return the points that your steps visit, or None."""
    points = [np.array([-9.0, 2.5])]
    for _ in range(steps):
        moved = try_yours("sgd_step", {"w": points[-1]}, {"w": points[-1] * [1, 12]}, rate)
        if not isinstance(moved, dict) or np.shape(moved.get("w")) != (2,):
            return None
        points.append(moved["w"])
    return np.array(points)


paths = []
for rate in (0.01, 0.08, 0.163):
    path = descend(rate)
    if path is None:
        break
    paths.append((rate, path))
if len(paths) == 3:
    figure, panels = plt.subplots(1, 3, figsize=(11, 2.2), sharey=True)
    u, v = np.meshgrid(np.linspace(-10, 4, 30), np.linspace(-3.5, 3.5, 30))
    for panel, (rate, path), verdict in zip(panels, paths, ("too slow", "good", "almost unstable"), strict=True):
        panel.contour(u, v, 0.5 * (u**2 + 12 * v**2), levels=[0.5, 4, 12, 25, 45, 70], colors="lightgray")
        panel.plot(*path.T, "o-", ms=3, lw=1, color="crimson")
        panel.set(title=f"rate {rate}: {verdict}", xlim=(-10, 4), ylim=(-3.5, 3.5), xlabel="u")
    plt.show()

# %% [markdown]
# ## 15. The whole network
#
# Now put the parts together. This network is small and does the job; you are free to build another one, as long as it
# is made of your own functions:
#
# | layer | result, for 8 filters | parameters |
# | --- | --- | --- |
# | image | $(N, 8, 8, 1)$ | |
# | convolution $3 \times 3$ | $(N, 6, 6, 8)$ | $3 \cdot 3 \cdot 1 \cdot 8 + 8 = 80$ |
# | ReLU | $(N, 6, 6, 8)$ | |
# | max pool 2 | $(N, 3, 3, 8)$ | |
# | flatten, by `reshape` | $(N, 72)$ | |
# | dense | $(N, 10)$ | $72 \cdot 10 + 10 = 730$ |
# | softmax | $(N, 10)$ | |
#
# **Where to start.** Weights must not begin equal, or all kernels would learn the same. *He initialization* draws
# them from a normal distribution with the deviation $\sqrt{2 / n_{in}}$, where $n_{in}$ is the number of inputs of
# one unit (9 for the convolution, 72 for the dense layer): then the values keep their size from layer to layer.
# Biases begin at 0.
#
# **The last layer, backwards.** Softmax and cross-entropy together have the most beautiful derivative of all. For
# logits $z$ and one-hot labels $y$,
#
# $$\frac{\partial L}{\partial z} = \frac{p - y}{N}$$
#
# *Predicted minus true.* For the example of task 11,
# $p - y = [0.665, 0.245, 0.090] - [1, 0, 0] = [-0.335, 0.245, 0.090]$: raise the first logit, lower the others. Note
# the $N$, the mean of the loss is in here and nowhere else. And for $Y = X W + b$,
#
# $$\frac{\partial L}{\partial W} = X^{\top} G, \qquad \frac{\partial L}{\partial b} = \sum_n G_n, \qquad
# \frac{\partial L}{\partial X} = G\, W^{\top}$$
#
# **One epoch** goes through all images once, in a fresh random order, in *mini-batches* of 16 or 32:
#
# 1. forward: convolution, ReLU, pool, flatten, dense, softmax; keep what the way back needs;
# 2. the loss of the batch;
# 3. backward: $(p - y)/N$, dense, un-flatten, pool, ReLU (pass where the value was positive), convolution;
# 4. `sgd_step`.
#
# The last batch may be smaller; no image is left out. The loss of an epoch is the mean over its images.
#
# **What helps.** Take *one* generator, `np.random.default_rng(seed)`, for the initial weights and for every shuffle:
# then a run can be repeated to the last digit, and mistakes too. If the loss does not start near 2.3 and falls, look
# at the gradients (task 12 shows how to measure them). If it jumps, the steps are too long: let the learning rate
# shrink from its full value in the first epoch towards a small one in the last. For speed, try 50 images and 2 epochs
# first.


# %% task="train_cnn"
def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """Train a small convolutional network by mini-batch gradient descent.

    A design that works: convolution 3x3 with 8 to 16 filters -> ReLU -> max pool 2 -> flatten -> dense -> softmax; He
    initialization, biases zero; mini-batches of 16 or 32, shuffled anew in every epoch. Any other network of your own
    functions is as good if it learns.

    Args:
        images: float array ``(N, 8, 8, 1)``, from ``to_tensor``; any ``N`` of at least 1.
        labels: one-hot ``(N, 10)``.
        epochs: How often to go through all images.
        learning_rate: Length of the steps; you may let it shrink from here over the epochs.
        seed: Decides the initial weights and the shuffling: the same seed gives the same result.

    Returns:
        ``(parameters, losses)``: a dict of arrays, whatever ``predict_cnn`` needs, and a list of ``epochs`` floats, the
        mean loss over the images during each epoch. With 300 digits and the default arguments, about nine of
        ten new digits should be recognized.
    """
    raise NotImplementedError


def predict_cnn(parameters, images):
    """Apply a trained network.

    Args:
        parameters: What ``train_cnn`` returned first.
        images: float array ``(N, 8, 8, 1)``; any ``N``.

    Returns:
        Probabilities ``(N, 10)``. The row of an image depends on that image alone, not on the others.
    """
    raise NotImplementedError


# %% [markdown]
# ---
# # Part 6 - Look at what it learned
#
# Training on 300 digits. With array operations this takes less than a second, with loops over pixels a few.

# %% figure=true
tensor = try_yours("to_tensor", digits[:300], shape=(300, 8, 8, 1))
trained = try_yours("train_cnn", tensor, np.eye(10)[digit_labels[:300]])
parameters, losses = trained if isinstance(trained, tuple) and len(trained) == 2 else (None, None)
if losses is not None:
    figure, axes = plt.subplots(figsize=(5, 2.2))
    axes.axhline(np.log(10), ls=":", color="gray")
    axes.text(len(losses), np.log(10) - 0.05, "knows nothing: log 10", ha="right", va="top", color="gray")
    axes.plot(np.arange(1, len(losses) + 1), losses, "o-", color="royalblue")
    axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    plt.show()

# %% [markdown]
# The loss on images that the network has practiced with says little. These 297 it has never seen. The table counts
# how often each digit was read as which one; everything off the diagonal is a mistake, and beside it are the worst of
# them. Would you have known?

# %% figure=true
unseen, unseen_labels = load_digits("validation", seed=0)
predicted = try_yours("predict_cnn", parameters, try_yours("to_tensor", unseen), shape=(297, 10))
if predicted is not None:
    guess = predicted.argmax(axis=1)
    print(f"{np.mean(guess == unseen_labels):.1%} of {len(unseen)} unseen digits recognized")
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (unseen_labels, guess), 1)
    wrong = np.flatnonzero(guess != unseen_labels)
    worst = wrong[np.argsort(predicted[wrong, unseen_labels[wrong]])][:6]

    figure = plt.figure(figsize=(10, 3.8))
    grid = figure.add_gridspec(2, 5, width_ratios=[2.6, 0.3, 1, 1, 1])
    table = figure.add_subplot(grid[:, 0])
    draw(table, np.where(confusion, confusion, np.nan), cmap="Blues", vmin=0, vmax=40)
    for row, column in np.argwhere(confusion):
        count = confusion[row, column]
        table.text(column, row, count, ha="center", va="center", color="white" if count > 20 else "black")
    table.set(xticks=range(10), yticks=range(10), xlabel="predicted", ylabel="true")
    for index, item in enumerate(worst):
        panel = figure.add_subplot(grid[index // 3, 2 + index % 3])
        draw(panel, unseen[item], f"a {unseen_labels[item]}, read as {guess[item]}")
    plt.show()

# %% [markdown]
# And these are the kernels that it found by itself, with the features they see in one digit. Compare them with the
# edge kernels of task 4: nobody told the network about edges. Red weights like ink, blue ones like paper.

# %% figure=true
learned = parameters.values() if isinstance(parameters, dict) else ()
learned = next((value for value in learned if np.ndim(value) == 4 and np.shape(value)[2] == 1), None)
if learned is not None:
    count = min(8, learned.shape[3])
    seen = try_yours("conv2d", tensor[:1], learned, np.zeros(learned.shape[3]))
    seen = np.zeros((1, 6, 6, count)) if seen is None else seen
    largest, brightest = np.abs(learned).max(), np.abs(seen).max() or 1
    figure, panels = plt.subplots(2, 1, figsize=(9, 2.8))
    kernels = mosaic(list(np.moveaxis(learned[:, :, 0, :count], -1, 0)), count)
    draw(panels[0], kernels, "learned kernels", cmap="RdBu_r", vmin=-largest, vmax=largest)
    features = mosaic(list(np.moveaxis(seen[0, :, :, :count], -1, 0)), count)
    draw(panels[1], features, "what they see", cmap="RdBu_r", vmin=-brightest, vmax=brightest)
    plt.show()

# %% [markdown]
# ## Before you submit
#
# 1. Choose *Restart kernel and run all cells*. The grader does the same, from an empty kernel, but
#    leaves the figures out.
# 2. Look once more at all checks.
# 3. Save, and hand in this file under its name.
#
# **If you want to go on:** train on all 1,000 digits. Put a second convolution in front of the pool. Replace flatten
# by `global_average_pool` and see what it costs. Take average pooling instead of the maximum, and find out how its
# gradient goes back.
