# base: grace
# %% task="softmax"
def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum(axis=0)

# %% after="softmax"
softmax(np.array([2.0, 1.0, 0.0])).round(3)  # as in the text: 0.665, 0.245, 0.090
#> array([0.665, 0.245, 0.09 ])
