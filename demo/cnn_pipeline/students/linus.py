# base: grace
# %% [markdown] after="conv2d"
# ### scratch: compare with TensorFlow
# (only to be sure, not for the solution)

# %% after="conv2d"
import tensorflow as tf

pictures, filters = np.random.normal(size=(2, 9, 7, 3)), np.random.normal(size=(3, 3, 3, 4))
theirs = tf.nn.conv2d(pictures, filters, strides=2, padding="VALID").numpy()
print("largest difference:", np.abs(theirs - conv2d(pictures, filters, np.zeros(4), stride=2)).max())
#> largest difference: 3.552713678800501e-15

# %% after="conv2d_backward"
with tf.GradientTape() as tape:
    variable = tf.Variable(filters)
    loss = tf.reduce_sum(tf.nn.conv2d(pictures, variable, 1, "VALID") ** 2)
theirs = tape.gradient(loss, variable).numpy()
yours = conv2d_backward(2 * conv2d(pictures, filters, np.zeros(4)), pictures, filters)[1]
np.testing.assert_allclose(yours, theirs)
