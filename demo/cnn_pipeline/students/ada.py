# %% [markdown] after="setup"
# **Ada's notes.** I write everything with loops first, exactly as in the formulas. If there is time left at the end I
# will make it faster. (There was not.)

# %% task="to_tensor"
def to_tensor(images):
    bilder = np.array(images)
    if len(bilder.shape) == 3:
        # gray: put the channel axis at the end
        bilder = np.expand_dims(bilder, axis=3)
    bilder = bilder / 255.0
    return bilder.astype("float32")

# %% task="standardize"
def standardize(train, test):
    train_neu = np.zeros(train.shape)
    test_neu = np.zeros(test.shape)
    for c in range(train.shape[3]):
        kanal = train[:, :, :, c].astype("float64")
        if kanal.max() == kanal.min():
            # constant channel -> zeros in train, only shifted in test
            test_neu[:, :, :, c] = test[:, :, :, c] - kanal.max()
        else:
            mittel = np.mean(kanal)
            abweichung = np.std(kanal)
            train_neu[:, :, :, c] = (kanal - mittel) / abweichung
            test_neu[:, :, :, c] = (test[:, :, :, c] - mittel) / abweichung
    return train_neu, test_neu

# %% after="standardize"
# is it really 0 and 1?
a, b = standardize(np.random.default_rng(1).normal(5, 3, (50, 4, 4, 2)), np.zeros((2, 4, 4, 2)))
print("mean", a.mean().round(6), "std", a.std().round(6))
#> mean -0.0 std 1.0

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride must be 1 or more")
    if f > n + 2 * padding:
        raise ValueError("filter too big")
    # count the positions one by one
    anzahl = 0
    start = 0
    while start + f <= n + 2 * padding:
        anzahl = anzahl + 1
        start = start + stride
    return anzahl

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    n_bilder, hoehe, breite, c_in = x.shape
    f, _, _, c_out = kernels.shape
    # 1. zeros around the image
    gross = np.zeros((n_bilder, hoehe + 2 * padding, breite + 2 * padding, c_in))
    gross[:, padding : padding + hoehe, padding : padding + breite, :] = x
    # 2. slide
    h_neu = output_size(hoehe, f, stride, padding)
    b_neu = output_size(breite, f, stride, padding)
    ergebnis = np.zeros((n_bilder, h_neu, b_neu, c_out))
    for n in range(n_bilder):
        for i in range(h_neu):
            for j in range(b_neu):
                fenster = gross[n, i * stride : i * stride + f, j * stride : j * stride + f, :]
                # all kernels at once, a fourth loop was much too slow
                ergebnis[n, i, j, :] = np.sum(fenster[:, :, :, np.newaxis] * kernels, axis=(0, 1, 2)) + bias
    return ergebnis

# %% after="conv2d"
# the example from the text, stride 2 and padding 1
print(conv2d(X.reshape(1, 4, 4, 1), K.reshape(2, 2, 1, 1), np.zeros(1), 2, 1).reshape(3, 3))
#> [[-1.  0.  0.]
#>  [-2.  1.  1.]
#>  [ 0.  0.  2.]]

# %% [markdown] after="conv2d"
# That is the matrix in the text! Took me two evenings (I had `i + stride` instead of `i * stride`).

# %% task="relu"
def relu(x):
    ergebnis = x.copy()
    ergebnis[ergebnis < 0] = 0
    return ergebnis

# %% task="max_pool2d"
def max_pool2d(x, size=2, stride=None):
    if stride == None:
        stride = size
    n_bilder, hoehe, breite, kanaele = x.shape
    h_neu = output_size(hoehe, size, stride)
    b_neu = output_size(breite, size, stride)
    ergebnis = np.zeros((n_bilder, h_neu, b_neu, kanaele))
    for n in range(n_bilder):
        for i in range(h_neu):
            for j in range(b_neu):
                for c in range(kanaele):
                    fenster = x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    ergebnis[n, i, j, c] = fenster.max()
    return ergebnis

# %% task="average_pool2d"
def average_pool2d(x, size=2, stride=None):
    # same as above, with mean
    if stride == None:
        stride = size
    n_bilder, hoehe, breite, kanaele = x.shape
    h_neu = output_size(hoehe, size, stride)
    b_neu = output_size(breite, size, stride)
    ergebnis = np.zeros((n_bilder, h_neu, b_neu, kanaele))
    for n in range(n_bilder):
        for i in range(h_neu):
            for j in range(b_neu):
                for c in range(kanaele):
                    fenster = x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    ergebnis[n, i, j, c] = fenster.mean()
    return ergebnis

# %% task="global_average_pool"
def global_average_pool(x):
    ergebnis = np.zeros((x.shape[0], x.shape[3]))
    for n in range(x.shape[0]):
        for c in range(x.shape[3]):
            ergebnis[n, c] = x[n, :, :, c].mean()
    return ergebnis

# %% task="dense"
def dense(x, weights, bias):
    ergebnis = np.zeros((x.shape[0], weights.shape[1]))
    for n in range(x.shape[0]):
        for k in range(weights.shape[1]):
            ergebnis[n, k] = np.sum(x[n] * weights[:, k]) + bias[k]
    return ergebnis

# %% task="softmax"
def softmax(logits):
    groesste = np.max(logits, axis=-1, keepdims=True)  # without this: inf / inf = nan
    hoch = np.exp(logits - groesste)
    return hoch / np.sum(hoch, axis=-1, keepdims=True)

# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    summe = 0.0
    for n in range(len(labels)):
        richtig = np.argmax(labels[n])
        p = max(probabilities[n, richtig], 1e-12)
        summe = summe - np.log(p)
    return float(summe / len(labels))

# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    n_bilder, hoehe, breite, c_in = x.shape
    f, _, _, c_out = kernels.shape
    gross = np.zeros((n_bilder, hoehe + 2 * padding, breite + 2 * padding, c_in))
    gross[:, padding : padding + hoehe, padding : padding + breite, :] = x
    d_gross = np.zeros(gross.shape)
    d_kernels = np.zeros(kernels.shape)
    d_bias = np.zeros(c_out)
    for n in range(n_bilder):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                oben, links = i * stride, j * stride
                g = grad[n, i, j, :]
                fenster = gross[n, oben : oben + f, links : links + f, :]
                d_kernels += fenster[:, :, :, np.newaxis] * g
                d_gross[n, oben : oben + f, links : links + f, :] += np.sum(kernels * g, axis=3)
                d_bias += g
    # cut the padding off again
    d_x = d_gross[:, padding : padding + hoehe, padding : padding + breite, :]
    return d_x, d_kernels, d_bias

# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    if stride == None:
        stride = size
    d_x = np.zeros(x.shape)
    for n in range(grad.shape[0]):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                for c in range(grad.shape[3]):
                    fenster = x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    wo = np.unravel_index(np.argmax(fenster), fenster.shape)
                    d_x[n, i * stride + wo[0], j * stride + wo[1], c] += grad[n, i, j, c]
    return d_x

# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    neu = {}
    for name in parameters:
        neu[name] = parameters[name] - learning_rate * gradients[name]
    return neu

# %% task="train_cnn"
def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    zufall = np.random.default_rng(seed)
    # exactly the network of the table
    p = {}
    p["K"] = zufall.normal(0, np.sqrt(2 / 9), size=(3, 3, 1, 8))
    p["kb"] = np.zeros(8)
    p["W"] = zufall.normal(0, np.sqrt(2 / 72), size=(72, 10))
    p["b"] = np.zeros(10)
    losses = []
    anzahl = len(images)
    for epoche in range(epochs):
        reihenfolge = zufall.permutation(anzahl)
        schritt = learning_rate * (1 - epoche / epochs)
        summe = 0
        for start in range(0, anzahl, 16):
            auswahl = reihenfolge[start : start + 16]
            x = images[auswahl]
            y = labels[auswahl]
            # forward
            z = conv2d(x, p["K"], p["kb"])
            a = relu(z)
            m = max_pool2d(a)
            flach = m.reshape(len(x), 72)
            wk = softmax(dense(flach, p["W"], p["b"]))
            summe += cross_entropy(wk, y) * len(x)
            # backward
            d = (wk - y) / len(x)
            g = {}
            g["W"] = np.dot(flach.T, d)
            g["b"] = np.sum(d, axis=0)
            d_m = np.dot(d, p["W"].T).reshape(m.shape)
            d_a = max_pool2d_backward(d_m, a)
            d_z = d_a * (z > 0)
            _, g["K"], g["kb"] = conv2d_backward(d_z, x, p["K"])
            p = sgd_step(p, g, schritt)
        losses.append(summe / anzahl)
    return p, losses


def predict_cnn(parameters, images):
    z = conv2d(images, parameters["K"], parameters["kb"])
    m = max_pool2d(relu(z))
    return softmax(dense(m.reshape(len(images), 72), parameters["W"], parameters["b"]))

# %% after="train_cnn"
# small test before the big one
p, verlauf = train_cnn(to_tensor(digits[:50]), np.eye(10)[digit_labels[:50]], epochs=2)
print(verlauf)
#> [3.0489703384960665, 2.2099351921307293]

# %% [markdown] after="train_cnn"
# It does not start at 2.3 (only 50 images?) but it falls!!! Now the big one, and a coffee.
