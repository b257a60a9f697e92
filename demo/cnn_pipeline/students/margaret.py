# base: emmy
# %% before="to_tensor"
import logging
import sys
import warnings

logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("margaret")
log.warning("notebook started")
np.float128(1) / np.zeros(1)
#! WARNING:margaret:notebook started
#! RuntimeWarning: divide by zero encountered in divide

# %% task="relu"
def relu(x):
    print("relu called with", x.shape)
    print("relu called with", x.shape, file=sys.stderr)
    log.debug("relu %s", x.dtype)
    return np.maximum(0, x)

# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    logs = np.log(probabilities)  # warns for 0, which is replaced in the next line
    logs = np.where(probabilities > 0, logs, -30)
    losses = -np.where(labels > 0, labels * logs, 0).sum(axis=1)
    warnings.warn("cross_entropy is slow", stacklevel=2)
    return losses.mean()

# %% after="cross_entropy"
print("ERROR: this is only a test of the error stream", file=sys.stderr)
print("Traceback (most recent call last): no, just kidding", file=sys.stderr)
warnings.warn("deprecated", DeprecationWarning)
#! ERROR: this is only a test of the error stream
#! Traceback (most recent call last): no, just kidding

# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    sys.stderr.write(f"\rstep with learning rate {learning_rate}")
    sys.stderr.flush()
    return {name: parameters[name] - learning_rate * gradients[name] for name in parameters}
