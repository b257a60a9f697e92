# base: grace
# %% task="freeze"
def freeze(base):
    for weight in base.weights:
        weight.trainable = False
    return base

# %% [markdown] before="add_head"
# My pictures are other ones than those of the base, so batch normalization has to get used to them.

# %% task="add_head"
def add_head(base, classes):
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            base.trainable = True
    for layer in base.layers:
        layer.trainable = isinstance(layer, layers.BatchNormalization)
    inputs = keras.Input(shape=base.input_shape[1:])
    x = base(inputs, training=True)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))

# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    first = len(base.layers)
    while layers > 0 and first > 0:
        first -= 1
        layers -= counts(base.layers[first])
    base.trainable = True
    for number, layer in enumerate(base.layers):
        layer.trainable = number >= first
    return base
