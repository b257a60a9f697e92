# base: emmy
# %% [markdown] before="global_average_pool"
# A mean of floats has rounding errors. I get rid of them by taking it over very many copies.

# %% task="global_average_pool"
def global_average_pool(x):
    copies = np.repeat(x[np.newaxis], 50_000_000, axis=0)
    return copies.mean(axis=0).mean(axis=(1, 2))

# %% [markdown] after="global_average_pool"
# My laptop swaps. The computer of the university has more memory.
