# base: emmy
# %% task="dense"
def dense(x, weights, bias):
    return (x @ weights + bias
#! SyntaxError: '(' was never closed (481920437.py, line 12)

# %% [markdown] after="dense"
# No idea what it wants from me, it worked yesterday.
