"""What Keras and TensorFlow have and nnlite has not, with the nearest thing there is: for the sentence of an error."""

from __future__ import annotations

import re

_BY_LAYERS = "layers are trained with fit() or train_on_batch(); a loss written in Python may have its own gradient"
_NO_IMAGES = "it reads no images: make an array (rows, height, width) of them, and begin with Flatten"
_PREPARE = "it reads neither images nor texts: make arrays of numbers of them, with NumPy or scikit-learn"
_NO_TEXTS = "it takes numbers: count words or code them one-hot, with NumPy or scikit-learn, and use Dense"
_GIVE_BATCHES = "give arrays to fit(), or batches by a generator or a utils.Sequence"
_NO_GRAPHS = "values are NumPy arrays, computed at once, and there is no session"

# Patterns of the last parts of names, each with what to do; the first that matches counts.
_INSTEAD = {
    r"GradientTape|gradients|custom_gradient|Module|stop_recording": _BY_LAYERS,
    r"Session|InteractiveSession|placeholder|get_default_graph|global_variables_initializer|Graph|ConfigProto|"
    r"get_variable|variable_scope|reset_default_graph": _NO_GRAPHS,
    r"data|TFRecordReader|io|queue": _GIVE_BATCHES,
    r"preprocessing\.text|preprocessing\.sequence|Tokenizer|pad_sequences|text_dataset_from_directory|TextVectorization|"
    r"text_to_word_sequence|one_hot_text|strings": _NO_TEXTS,
    r"preprocessing": _PREPARE,
    r"preprocessing\.image|ImageDataGenerator|image_dataset_from_directory|load_img|img_to_array|"
    r"array_to_img|image": _NO_IMAGES,
    r"applications|\w*VGG1[69]|ResNet\w*|Inception\w*|MobileNet\w*|EfficientNet\w*|Xception|DenseNet\w*|hub": (
        "it has no ready-made nets: they are convolutional; train a Sequential of Dense layers on their features"
    ),
    r"estimator|feature_column|learn": "make a Sequential, or an estimator of nnlite.wrappers",
    r"distribute|distribution|tpu|MirroredStrategy": "it trains on the processor of one machine, and needs none of it",
    r"summary|profiler": "use callbacks.TensorBoard or callbacks.CSVLogger",
    r"lite|saved_model|export": "save a model with model.save('net.keras'), which TensorFlow reads",
    r"mixed_precision|dtype_policies|DTypePolicy": "types are float32 and float64: config.set_floatx",
    r"tuner|KerasTuner": "use scikit-learn's GridSearchCV with an estimator of nnlite.wrappers",
}  # fmt: skip


def instead(name: str) -> str:
    """Return what to do in place of `name`, a dotted name of Keras or TensorFlow; "" if nothing is known.

    >>> instead("tensorflow.GradientTape")
    'layers are trained with fit() or train_on_batch(); a loss written in Python may have its own gradient'
    """
    parts = name.split(".")
    endings = [".".join(parts[-count:]) for count in (2, 1)]
    for pattern, advice in _INSTEAD.items():
        if any(re.fullmatch(pattern, ending) for ending in endings):
            return advice
    return ""
