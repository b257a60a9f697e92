"""Known wrong answers to the recurrent networks: the way back through time, and how much of a gradient arrives.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import numpy as np

from autograder.misconceptions import collect, misconception


@misconception("rnn_backward")
def one_step_only(grad_h, x, h0, h, Wx, Wh):
    """You sent each gradient back through one step only. What reaches `h[:, t]` goes on to step `t - 1`: carry it."""
    return _backward((grad_h, x, h0, h, Wx, Wh), carry=lambda inner: 0 * inner)


@misconception("rnn_backward")
def last_gradient_only(grad_h, x, h0, h, Wx, Wh):
    """You used the gradient of the last step alone. Each step has its own: add `grad_h[:, t]` to what is carried."""
    last = np.concatenate([0 * grad_h[:, :-1], grad_h[:, -1:]], axis=1)
    return _backward((last, x, h0, h, Wx, Wh))


@misconception("rnn_backward")
def slope_of_tanh_forgotten(grad_h, x, h0, h, Wx, Wh):
    """You left out the slope of the tanh. Going back through a step begins with a factor of `1 - h[:, t] ** 2`."""
    return _backward((grad_h, x, h0, h, Wx, Wh), slope=np.ones_like)


@misconception("rnn_backward")
def tanh_taken_twice(grad_h, x, h0, h, Wx, Wh):
    """You took the tanh of `h` again. `h` is a tanh already: its slope is `1 - h ** 2`."""
    return _backward((grad_h, x, h0, h, Wx, Wh), slope=lambda state: 1 - np.tanh(state) ** 2)


@misconception("rnn_backward")
def carried_through_wrong_side(grad_h, x, h0, h, Wx, Wh):
    """You carried the gradient back by `@ Wh`. Forward is `h @ Wh`; backward is `@ Wh.T`."""
    return _backward((grad_h, x, h0, h, Wx, Wh), carry=lambda inner: inner @ Wh)


@misconception("rnn_backward")
def gradient_beside_the_slope(grad_h, x, h0, h, Wx, Wh):
    """You added `grad_h` after the slope of the tanh. Add the two gradients of `h[:, t]` first, then multiply."""
    inner, carried = np.empty_like(h), np.zeros_like(h0)
    for t in reversed(range(h.shape[1])):
        inner[:, t] = grad_h[:, t] + carried * (1 - h[:, t] ** 2)
        carried = inner[:, t] @ Wh.T
    return _gathered(inner, carried, x, _before(h0, h), Wx)


@misconception("rnn_backward")
def state_after_for_state_before(grad_h, x, h0, h, Wx, Wh):
    """You paired each gradient with the state after its step. `Wh` was multiplied with the one before it."""
    grads = _backward((grad_h, x, h0, h, Wx, Wh))
    inner = _inner(grad_h, h, Wh)
    return (*grads[:3], np.einsum("nti,ntj->ij", h, inner), grads[4])


@misconception("rnn_backward")
def first_state_left_out(grad_h, x, h0, h, Wx, Wh):
    """You left `h0` out of `grad_Wh`. The first step multiplied `Wh` too, with `h0`: add that product."""
    inner = _inner(grad_h, h, Wh)
    return _gathered(inner, inner[:, 0] @ Wh.T, x, _before(0 * h0, h), Wx)


@misconception("rnn_backward")
def steps_overwritten(grad_h, x, h0, h, Wx, Wh):
    """You kept the weights' gradients of one step, by `=`. All steps share the weights: add them up, by `+=`."""
    inner = _inner(grad_h, h, Wh)
    grads = _backward((grad_h, x, h0, h, Wx, Wh))
    return (*grads[:2], x[:, 0].T @ inner[:, 0], h0.T @ inner[:, 0], inner[:, 0].sum(axis=0))


@misconception("rnn_backward")
def bias_gradient_averaged(grad_h, x, h0, h, Wx, Wh):
    """You averaged the bias gradient. The mean is already in `grad_h`: sum over the sequences and over the steps."""
    *grads, grad_b = _backward((grad_h, x, h0, h, Wx, Wh))
    return (*grads, grad_b / (h.shape[0] * h.shape[1]))


@misconception("rnn_backward")
def sequences_averaged(grad_h, x, h0, h, Wx, Wh):
    """You divided the weights' gradients by the batch size. The mean is already in `grad_h`: sum over the sequences."""
    grad_x, grad_h0, *shared = _backward((grad_h, x, h0, h, Wx, Wh))
    return (grad_x, grad_h0, *(grad / len(x) for grad in shared))


@misconception("rnn_backward")
def upstream_gradient_changed(grad_h, x, h0, h, Wx, Wh):
    """You added what is carried into `grad_h` itself, by `+=`. Make a new array: the caller's has to stay as it is."""
    grads = _backward((grad_h, x, h0, h, Wx, Wh))
    grad_h[:, :-1] += _inner(grad_h, h, Wh)[:, 1:] @ Wh.T
    return grads


@misconception("gradient_flow")
def flow_without_slope(h, Wh):
    """You multiplied by `Wh` alone. Each step back also passes the tanh, with the slope `1 - h[k] ** 2`."""
    return _flow(0 * h, Wh)


@misconception("gradient_flow")
def slope_of_the_step_before(h, Wh):
    """You used the slope one step too early. The step from `t` to `t + 1` ends in `h[t + 1]`: take its slope."""
    return _flow(np.concatenate([h[:1], h[:-1]]), Wh)


@misconception("gradient_flow")
def flow_through_transposed_weights(h, Wh):
    """You multiplied by `Wh` from the wrong side. With states as rows, `d h_{k+1}[j] / d h_k[i]` has `Wh[i, j]`."""
    return _flow(h, Wh.T)


@misconception("gradient_flow")
def largest_stretch(h, Wh):
    """You took the largest singular value. The Frobenius norm is the root of the sum of all squares."""
    return _flow(h, Wh, norm=lambda matrix: np.linalg.norm(matrix, 2))


@misconception("gradient_flow")
def single_steps(h, Wh):
    """You measured each step by itself. From `t` to `T` it is the product of all the steps between: multiply on."""
    steps = [np.linalg.norm(Wh * (1 - state**2)) for state in h[1:]]
    return np.array([*steps, np.sqrt(len(Wh))], dtype=h.dtype)


@misconception("gradient_flow")
def norms_multiplied(h, Wh):
    """You multiplied norms. The norm of a product is smaller: multiply the matrices and take the norm at the end."""
    steps = [np.linalg.norm(Wh * (1 - state**2)) for state in h[1:]]
    return (np.cumprod([np.sqrt(len(Wh)), *steps[::-1]])[::-1]).astype(h.dtype)


@misconception("gradient_flow")
def flow_from_the_first_step(h, Wh):
    """You began at the first step. The list runs to the last one: its last entry, of the identity, is `sqrt(H)`."""
    return _flow(h, Wh)[::-1]


@misconception("gradient_flow")
def one_step_too_many(h, Wh):
    """You multiplied once too often. From `T` to `T` there is no step, so the last entry is that of the identity."""
    return _flow(np.concatenate([h, h[-1:]]), Wh)[:-1]


@misconception("gradient_flow")
def divided_by_the_last(h, Wh):
    """You scaled the result to end at 1. The Frobenius norm of the identity is `sqrt(H)`: keep the norms."""
    return (_flow(h, Wh) / np.sqrt(len(Wh))).astype(h.dtype)


def _tanh_slope(state):
    return 1 - state**2


def _before(h0, h):
    return np.concatenate([h0[:, None], h[:, :-1]], axis=1)


def _inner(grad_h, h, Wh, carry=None, slope=_tanh_slope):
    """Return the gradients before the tanh ``(N, T, H)``."""
    inner, carried = np.empty_like(h), np.zeros_like(h[:, 0])
    for t in reversed(range(h.shape[1])):
        inner[:, t] = (grad_h[:, t] + carried) * slope(h[:, t])
        carried = inner[:, t] @ Wh.T if carry is None else carry(inner[:, t])
    return inner


def _gathered(inner, grad_h0, x, before, Wx):
    grad_Wx, grad_Wh = np.einsum("nti,ntj->ij", x, inner), np.einsum("nti,ntj->ij", before, inner)
    return inner @ Wx.T, grad_h0, grad_Wx, grad_Wh, inner.sum(axis=(0, 1))


def _backward(passage, carry=None, slope=_tanh_slope):
    grad_h, x, h0, h, Wx, Wh = passage
    inner = _inner(grad_h, h, Wh, carry, slope)
    grad_h0 = inner[:, 0] @ Wh.T if carry is None else carry(inner[:, 0])
    return _gathered(inner, grad_h0, x, _before(h0, h), Wx)


def _flow(h, Wh, norm=np.linalg.norm):
    product, flow = np.eye(len(Wh), dtype=Wh.dtype), []
    for state in h[::-1]:
        flow.append(norm(product))
        product = (Wh * (1 - state**2)) @ product
    return np.array(flow[::-1], dtype=Wh.dtype)


MISCONCEPTIONS = collect(vars())
