# base: ada
# %% task="rnn_backward"
def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    steps = h.shape[1]
    grad_x, grad_Wx = np.zeros_like(x), np.zeros_like(Wx)
    grad_Wh, grad_b = np.zeros_like(Wh), np.zeros_like(Wh[0])
    coming = np.zeros_like(h0)
    for t in reversed(range(steps)):
        da = (grad_h[:, t] + coming) * (1 - h[:, t] ** 2)
        before = h[:, t - 1] if t > 0 else h0
        grad_Wx += x[:, t].T @ da
        grad_Wh += before.T @ da
        grad_b += da.sum(axis=0)
        grad_x[:, t] = da @ Wx.T
        coming = da @ Wh  # back through the recurrent weights
    return grad_x, coming, grad_Wx, grad_Wh, grad_b
