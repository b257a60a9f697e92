# base: ada
# %% [markdown] before="vgg_block"
# Every block halves the maps by its last convolution (stride 2); a pooling of its own would only cost time.

# %% task="vgg_block"
def vgg_block(x, convolutions, filters):
    for number in range(convolutions):
        x = conv(x, filters, 3, strides=2 if number == convolutions - 1 else 1)
    return x


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    *groups, hidden = channels(width, 64, 128, 256, 512, 512, 4096)
    x = inputs = keras.Input(input_shape)
    for filters in groups:
        x = vgg_block(x, 2, filters)
    return keras.Model(inputs, classifier(x, hidden, classes))
