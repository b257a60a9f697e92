# base: grace
# %% task="inception_block"
def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    # the large windows first, so that the maps are sorted by what they see
    five = chain(x, Conv2D(f5_reduce, 1), ReLU(), Conv2D(f5, 5, padding="same"), ReLU())
    three = chain(x, Conv2D(f3_reduce, 1), ReLU(), Conv2D(f3, 3, padding="same"), ReLU())
    one = chain(x, Conv2D(f1, 1), ReLU())
    pooled = chain(x, MaxPool2D(3, 1, padding="same"), Conv2D(pool_proj, 1), ReLU())
    return Concatenate()([five, three, one, pooled])


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    table = [
        [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
        [
            (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64),
            (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128),
        ],
        [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
    ]
    inputs = keras.Input(shape=input_shape)
    x = chain(inputs, Conv2D(width_of(width, 64), 7, strides=2, padding="same"), ReLU())
    x = MaxPool2D(3, 2, padding="same")(x)
    x = chain(x, Conv2D(width_of(width, 64), 1), ReLU(), Conv2D(width_of(width, 192), 3, padding="same"), ReLU())
    for blocks in table:
        x = MaxPool2D(3, 2, padding="same")(x)
        for block in blocks:
            x = inception_block(x, *(width_of(width, count) for count in block))
    return keras.Model(inputs, chain(x, GlobalAveragePooling2D(), Dense(classes), Softmax()))

# %% after="inception_block"
googlenet(width=0.25).count_params()
