# base: emmy
# %% task="clip_gradients"
def clip_gradients(gradients, max_norm):
    return {name: np.clip(gradient, -max_norm, max_norm) for name, gradient in gradients.items()}

# %% task="gradient_flow"
def gradient_flow(h, Wh):
    # the tanh is nearly linear here, so only the weights count
    powers = [np.linalg.matrix_power(Wh, len(h) - 1 - t) for t in range(len(h))]
    return np.array([np.linalg.norm(power) for power in powers])
