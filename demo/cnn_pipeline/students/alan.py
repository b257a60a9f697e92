# base: grace
# %% [markdown] before="softmax"
# The trap: neither infinity nor zero may come out. So shift the logits until everything fits.

# %% task="softmax"
def softmax(logits):
    while True:
        with np.errstate(over="ignore", under="ignore"):
            e = np.exp(logits)
        if np.isinf(e).any():
            logits = logits - 100
        elif (e == 0).any():
            logits = logits + 100
        else:
            return e / e.sum(axis=-1, keepdims=True)

# %% after="softmax"
softmax(np.array([[1002.0, 1001.0, 1000.0], [2.0, 1.0, 0.0]])[:1])
#> array([[0.66524096, 0.24472847, 0.09003057]])
