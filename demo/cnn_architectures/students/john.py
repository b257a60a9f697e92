# base: ada
# %% task="residual_block"
def residual_block(x, filters, stride=1):
    path = conv_norm(relu(conv_norm(x, filters, 3, stride)), filters, 3)
    return relu(conv_norm(x, filters, 1, stride) + path)  # so that the shapes fit, whatever comes


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    inputs = keras.Input(input_shape)
    counts = channels(width, 64, 128, 256, 512)
    x = layers.MaxPooling2D(3, 2, "same")(relu(conv_norm(inputs, counts[0], 7, 2)))
    for stage, filters in enumerate(counts):
        for number in range(2):
            x = residual_block(x, filters, stride=2 if stage and not number else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))

# %% task="deep_net"
def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    x = inputs = keras.Input(input_shape)
    for _ in range(depth):
        x = relu(conv_norm(x, 16, 3))  # residual: see the next cell, tomorrow
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(classes, "softmax")(x))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model
