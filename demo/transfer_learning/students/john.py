# base: ada
# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    base.trainable = True
    left = layers
    for layer in base.layers:
        can_learn = bool(layer.weights) and not isinstance(layer, NORMS)
        layer.trainable = can_learn and left > 0
        if can_learn:
            left -= 1
    return base

# %% task="fine_tune"
def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    model.optimizer.learning_rate = learning_rate  # it is compiled already
    return model.fit(images, labels, batch_size=6, epochs=epochs, verbose=0)
