# base: emmy
# %% [markdown] after="sgd_step"
# Let us see how often I have to step until it does not move any more.

# %% after="sgd_step"
w, steps = {"w": np.array([1.0])}, 0
while w["w"][0] != 0:
    w = sgd_step(w, {"w": np.sign(w["w"])}, 0.3)
    steps += 1
print(steps)
#! KeyboardInterrupt

# %% [markdown] after="sgd_step"
# It jumps from -0.2 to 0.1 and back for ever. Interrupted.
