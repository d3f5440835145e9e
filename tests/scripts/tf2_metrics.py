import tensorflow as tf
import numpy as np

tf.random.set_seed(0)
tf.keras.utils.set_random_seed(0)
tf.keras.backend.clear_session()

x = np.random.normal(size=(600, 8)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int32")

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(x)

METRICS = [
    tf.keras.metrics.TruePositives(name='tp'),
    tf.keras.metrics.BinaryAccuracy(name='accuracy'),
    tf.keras.metrics.Precision(name='precision'),
    tf.keras.metrics.Recall(name='recall'),
    tf.keras.metrics.AUC(name='auc'),
]


def make_model(metrics=METRICS, output_bias=None):
    if output_bias is not None:
        output_bias = tf.keras.initializers.Constant(output_bias)
    model = tf.keras.Sequential([
        normalizer,
        tf.keras.layers.Dense(32, activation='swish'),
        tf.keras.layers.Dense(32, activation=tf.keras.activations.gelu),
        tf.keras.layers.Dropout(0.05),
        tf.keras.layers.Dense(1, activation='sigmoid', bias_initializer=output_bias),
    ])
    model.compile(
        optimizer=tf.keras.optimizers.AdamW(learning_rate=1e-2),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=False),
        metrics=metrics)
    return model


early_stopping = tf.keras.callbacks.EarlyStopping(
    monitor='val_auc', verbose=0, patience=20, mode='max', restore_best_weights=True)
model = make_model(output_bias=0.01)
history = model.fit(x, y, batch_size=64, epochs=60, callbacks=[early_stopping], validation_split=0.25, verbose=0)
results = model.evaluate(x, y, batch_size=64, verbose=0, return_dict=True)
for name in ('tp', 'precision', 'recall', 'auc', 'accuracy'):
    print(name, ':', round(results[name], 3))
print(tf.reduce_sum(tf.cast(model(x[:5]) > 0.5, tf.float32)).numpy() <= 5)
