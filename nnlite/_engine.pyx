# cython: language_level=3, freethreading_compatible=True
"""The narrow door to the C engine: acquire buffers, release the GIL, call, raise. csrc/nnlite.h is the manual of every call.

One file, because it is one extension module and everything here needs the same few lines of buffer handling."""

cimport cython
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from libc.stddef cimport size_t
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, getenv, realloc
from libc.string cimport memcpy, memset

import numpy as np
from numpy import empty  # as np.empty it would be looked up anew in each prediction


_FAMILIES = {"layer": NN_LAYERS, "activation": NN_ACTIVATIONS, "loss": NN_LOSSES, "metric": NN_METRICS, "optimizer": NN_OPTIMIZERS,
             "constraint": NN_CONSTRAINTS}
_ROWS = {family: {nn_row_name(number, i).decode(): i for i in range(nn_row_count(number))} for family, number in _FAMILIES.items()}
_BITS = {"float32": 32, "float64": 64}
_DISTRIBUTIONS = {"uniform": NN_UNIFORM, "normal": NN_NORMAL, "truncated_normal": NN_TRUNCATED_NORMAL}


def rows(family):
    return list(_ROWS[family])


def targets():
    return {nn_target_name(i).decode(): bool(nn_target_available(i)) for i in range(nn_target_count())}


def default_target():
    """The target of a model that asks for none: what NNLITE_TARGET names, or the best this CPU has."""
    cdef const char *named = getenv("NNLITE_TARGET")  # which os.environ sets too, and takes longer to look up
    return (named if named != NULL and named[0] != 0 else nn_target_default()).decode()


MOST_THREADS = NN_MOST_THREADS


def threads():
    """How many threads a call may use, the caller's own included."""
    return nn_threads()


def set_threads(size_t number):
    """For calls from now on; 0: as many as there are processors."""
    check(nn_set_threads(number))


cdef int check(nn_status status) except -1:
    if status == NN_OK:
        return 0
    if status == NN_OUT_OF_MEMORY or status == NN_TOO_LARGE:
        raise MemoryError(nn_status_text(status).decode())
    if status == NN_NOT_COMPILED or status == NN_NO_DATA:
        raise RuntimeError(nn_status_text(status).decode())
    raise ValueError(nn_status_text(status).decode())


cdef int bits_of(dtype) except -1:
    if dtype not in _BITS:
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return _BITS[dtype]


cdef int fill_row(nn_row *row, family, name, numbers) except -1:
    place = _ROWS[family].get(name)
    if place is None:
        raise ValueError(f"the engine has no {family} {name!r}; it has {', '.join(_ROWS[family])}")
    if len(numbers) > NN_NUMBERS:
        raise ValueError(f"{family} {name!r} takes at most {NN_NUMBERS} numbers, got {len(numbers)}")
    row.row = place
    memset(row.numbers, 0, sizeof(row.numbers))
    for i, number in enumerate(numbers):
        row.numbers[i] = number
    return 0


@cython.freelist(4)
cdef class Buffer:
    """One array held for the length of a call (or of a bound run): contiguous, of the model's type, of the size expected."""
    cdef Py_buffer view
    cdef bint held

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)


cdef Buffer take(array, int bits, Py_ssize_t items, bint writable, name):
    cdef Buffer buffer = Buffer.__new__(Buffer)
    PyObject_GetBuffer(array, &buffer.view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
    buffer.held = True
    cdef char wanted = c"f" if bits == 32 else c"d", kind = buffer.view.format[0] if buffer.view.format != NULL else c"B"
    if kind != wanted or buffer.view.len != items * (bits // 8):
        raise ValueError(f"{name} must hold {items} numbers of type float{bits}, got {buffer.view.len // buffer.view.itemsize} "
                         f"of format {buffer.view.format.decode() if buffer.view.format != NULL else 'B'!r}")
    return buffer


cdef tuple shape_of(nn_tensor_facts *facts):
    if facts.vector:
        return (facts.columns,)
    return (facts.rows, facts.columns)


cdef int outside(void *context, size_t layer, int of_slope, int training, void *values, size_t rows, size_t units) noexcept with gil:
    """What a layer of the row "given" computes: the engine's nn_function."""
    model = <EngineModel>context
    try:
        model.ask(layer, of_slope, training, values, rows, units)
        return 0
    except BaseException as error:
        model.raised = error
        return 1


cdef class EngineModel:
    """A plan and its blocks. layers: (name, units, numbers, ((trainable, l1, l2, constraint, constraint_numbers), ...)) for each layer, and for one of
    the row "given" an object with forward(x) -> y and backward(x, dy) -> dx, on arrays (rows, units)."""
    cdef nn_model *handle
    cdef readonly int bits
    cdef readonly object dtype
    cdef readonly Py_ssize_t input_units, output_units, parameter_count
    cdef readonly str target
    cdef bint busy
    cdef dict functions, inputs  # of layers of the row "given": what they compute, and what they got last in training
    cdef object raised           # by such a function
    cdef object __weakref__

    def __cinit__(self, layers, Py_ssize_t input_units, dtype="float32", target=None, seed=0):
        cdef nn_layer_record *records
        cdef size_t n = len(layers)
        cdef nn_state state
        cdef nn_model_facts facts
        cdef nn_status status
        if target is None:
            target = default_target()
        cdef bytes name = target.encode()
        cdef int bits = bits_of(dtype)
        records = <nn_layer_record *>calloc(n + 1, sizeof(nn_layer_record))
        if records == NULL:
            raise MemoryError()
        try:
            self.functions, self.inputs = {}, {}
            for l, (kind, units, numbers, tensors, *function) in enumerate(layers):
                if function and function[0] is not None:
                    self.functions[l] = function[0]
                fill_row(&records[l].kind, "layer", kind, numbers)
                records[l].units = units
                if len(tensors) > NN_LAYER_TENSORS:
                    raise ValueError(f"a layer has at most {NN_LAYER_TENSORS} tensors, layer {l} ({kind}) got {len(tensors)}")
                for t, (trainable, l1, l2, constraint, constraint_numbers) in enumerate(tensors):
                    records[l].tensors[t].trainable = trainable
                    records[l].tensors[t].l1 = l1
                    records[l].tensors[t].l2 = l2
                    fill_row(&records[l].tensors[t].constraint, "constraint", constraint, constraint_numbers)
            if input_units < 1:
                raise ValueError(f"input_units must be positive, got {input_units}")
            status = nn_model_new(records, n, input_units, bits, <const char *>name, &self.handle)
            if status == NN_UNKNOWN_TARGET or status == NN_TARGET_UNAVAILABLE:
                known = ", ".join(name for name, available in targets().items() if available)
                raise ValueError(f"target must be one that this CPU can run ({known}), got {target!r}; see NNLITE_TARGET")
            check(status)
        finally:
            free(records)
        if self.functions:
            nn_model_set_function(self.handle, outside, <void *>self)
        facts = nn_model_describe(self.handle)
        self.bits = facts.bits
        self.dtype = np.dtype(dtype)
        self.target = facts.target.decode()
        self.input_units = facts.inputs
        self.output_units = facts.units
        self.parameter_count = facts.parameters
        state = nn_state_get(self.handle)
        state.seed = seed
        nn_state_set(self.handle, &state)

    def __dealloc__(self):
        nn_model_free(self.handle)

    cdef int ask(self, size_t layer, int of_slope, int training, void *values, size_t rows, size_t units) except -1:
        function = self.functions.get(layer)
        if function is None:
            return 0
        given = empty((rows, units), self.dtype)
        cdef Buffer held = take(given, self.bits, rows * units, True, "values")
        memcpy(held.view.buf, values, rows * units * (self.bits // 8))
        if training and not of_slope:
            self.inputs[layer] = given
        made = np.ascontiguousarray(function.backward(self.inputs[layer], given) if of_slope else function.forward(given), self.dtype)
        held = take(made, self.bits, rows * units, False, "what the function of a layer returned")
        memcpy(values, held.view.buf, rows * units * (self.bits // 8))
        return 0

    cdef int hear(self) except -1:
        """Raise what a function of a layer has raised in the call that has just ended."""
        error, self.raised = self.raised, None
        if error is not None:
            nn_model_set_function(self.handle, outside, <void *>self)
            raise error
        return 0

    def compile(self, loss, bint fuse, metrics, optimizer):
        """loss: (name, numbers, weight, sum, by_weight, skip_frozen); metrics: [(name, numbers)]; optimizer: (name, numbers, learning_rate, decay, weight_decay,
        clipvalue, clipnorm, global_clipnorm)."""
        cdef nn_loss_record loss_record
        cdef nn_optimizer_record optimizer_record
        cdef nn_row *metric_rows = <nn_row *>calloc(len(metrics) + 1, sizeof(nn_row))
        if metric_rows == NULL:
            raise MemoryError()
        try:
            fill_row(&loss_record.kind, "loss", loss[0], loss[1])
            loss_record.weight = loss[2]
            loss_record.sum = loss[3]
            loss_record.by_weight = loss[4]
            loss_record.skip_frozen = loss[5]
            loss_record.fuse = fuse
            for i, (name, numbers) in enumerate(metrics):
                fill_row(&metric_rows[i], "metric", name, numbers)
            fill_row(&optimizer_record.kind, "optimizer", optimizer[0], optimizer[1])
            (optimizer_record.learning_rate, optimizer_record.decay, optimizer_record.weight_decay, optimizer_record.clipvalue,
             optimizer_record.clipnorm, optimizer_record.global_clipnorm) = optimizer[2:]
            self.enter()
            try:
                check(nn_model_compile(self.handle, &loss_record, metric_rows, len(metrics), &optimizer_record))
            finally:
                self.busy = False
        finally:
            free(metric_rows)

    cdef int enter(self) except -1:
        if self.busy:
            raise RuntimeError("this model is being trained by another thread; train different models in parallel, or wait for it")
        self.busy = True
        return 0

    def tensors(self):
        """[(index of the layer, name, shape, trainable)] in the order of the layers."""
        cdef nn_tensor_facts facts
        result = []
        for i in range(nn_model_describe(self.handle).tensors):
            check(nn_tensor_describe(self.handle, i, &facts))
            result.append((facts.layer, facts.name.decode(), shape_of(&facts), bool(facts.trainable)))
        return result

    def layout(self):
        """[(index of the layer, name, shape, offset, panel)]: element (k, j) of a tensor lies in the flat parameters at
        offset + j // panel * rows * panel + k * panel + j % panel."""
        cdef nn_tensor_facts facts
        result = []
        for i, (layer, name, shape, _) in enumerate(self.tensors()):
            check(nn_tensor_describe(self.handle, i, &facts))
            result.append((layer, name, shape, facts.offset, facts.panel))
        return result

    def read(self, size_t buffer, size_t tensor):
        cdef nn_tensor_facts facts
        check(nn_tensor_describe(self.handle, tensor, &facts))
        array = empty(shape_of(&facts), self.dtype)
        cdef Buffer held = take(array, self.bits, facts.rows * facts.columns, True, "array")
        check(nn_tensor_read(self.handle, buffer, tensor, held.view.buf))
        return array

    def write(self, size_t buffer, size_t tensor, array):
        cdef nn_tensor_facts facts
        check(nn_tensor_describe(self.handle, tensor, &facts))
        values = np.ascontiguousarray(array, self.dtype)
        if values.shape != shape_of(&facts):
            raise ValueError(f"{facts.name.decode()} must have shape {shape_of(&facts)}, got {values.shape}")
        cdef Buffer held = take(values, self.bits, facts.rows * facts.columns, False, "array")
        check(nn_tensor_write(self.handle, buffer, tensor, held.view.buf))

    def view(self):
        """The flat parameters themselves, writable, padding included; it keeps the model alive."""
        return np.frombuffer(_Parameters(self), self.dtype)

    def set_trainable(self, size_t tensor, bint trainable):
        check(nn_tensor_set_trainable(self.handle, tensor, trainable))

    @property
    def slots(self):
        return nn_model_describe(self.handle).slots

    @property
    def state(self):
        """What training moves besides the blocks: dict of seed, iterations, epochs, learning_rate, products."""
        return nn_state_get(self.handle)

    @state.setter
    def state(self, value):
        cdef nn_state state = value
        nn_state_set(self.handle, &state)

    @property
    def learning_rate(self):
        return nn_state_get(self.handle).learning_rate

    @learning_rate.setter
    def learning_rate(self, double value):
        cdef nn_state state = nn_state_get(self.handle)
        state.learning_rate = value
        nn_state_set(self.handle, &state)

    @property
    def iterations(self):
        return nn_state_get(self.handle).iterations

    @property
    def epochs_done(self):
        return nn_state_get(self.handle).epochs

    @property
    def seed(self):
        return nn_state_get(self.handle).seed

    def update(self):
        """One optimizer step from the gradients; returns the penalties of the parameters before it."""
        cdef double penalty
        self.enter()
        try:
            check(nn_update(self.handle, &penalty))
        finally:
            self.busy = False
        return penalty


cdef class _Parameters:
    """The buffer behind EngineModel.view."""
    cdef EngineModel model

    def __cinit__(self, EngineModel model):
        self.model = model

    def __getbuffer__(self, Py_buffer *view, int flags):
        view.buf = nn_model_parameters(self.model.handle)
        view.obj = self
        view.len = self.model.parameter_count * (self.model.bits // 8)
        view.itemsize = 1
        view.readonly = 0
        view.format = NULL
        view.ndim = 1
        view.shape = NULL
        view.strides = NULL
        view.suboffsets = NULL
        view.internal = NULL


# Multiply-adds that are done before another thread could begin: to let it would take as long. NumPy keeps the GIL for small arrays, too.
cdef enum:
    SHORT = 10000


cdef class Run:
    """A workspace for batches of up to `batch_size` rows, and the data bound to it."""
    cdef nn_run *handle
    cdef readonly EngineModel model
    cdef readonly Py_ssize_t batch_size
    cdef object kept
    cdef Py_ssize_t width, row_width, taken, timed
    cdef nn_progress progress
    cdef double *rows_of_means     # of all epochs since bind, row_width each
    cdef double *seconds_of_epochs
    cdef Py_ssize_t room           # epochs those two hold
    cdef double *batch_means       # of the epoch under way so far, then of the last batch alone: width each
    cdef double batches_a_second, rows_a_second
    cdef bint busy, holding

    def __cinit__(self, EngineModel model, Py_ssize_t batch_size):
        if batch_size < 1:
            raise ValueError(f"batch_size must be positive, got {batch_size}")
        self.model = model
        self.batch_size = batch_size
        check(nn_run_new(model.handle, batch_size, &self.handle))

    def __dealloc__(self):
        nn_run_free(self.handle)
        free(self.rows_of_means)
        free(self.seconds_of_epochs)
        free(self.batch_means)

    cdef int make_room(self, Py_ssize_t epochs) except -1:
        """For the means and seconds of so many epochs."""
        if epochs <= self.room:
            return 0
        epochs = max(epochs, self.room + self.room // 2)
        cdef double *moved = <double *>realloc(self.rows_of_means, epochs * self.row_width * sizeof(double))
        if moved == NULL:
            raise MemoryError()
        self.rows_of_means = moved
        moved = <double *>realloc(self.seconds_of_epochs, epochs * sizeof(double))
        if moved == NULL:
            raise MemoryError()
        self.seconds_of_epochs = moved
        self.room = epochs
        return 0

    cdef int enter(self) except -1:
        if self.busy:
            raise RuntimeError("this run is in use by another thread")
        self.busy = True
        return 0

    cdef list hold(self, nn_data *data, x, y, weights):
        cdef Py_ssize_t n = len(x), target_units = y.shape[1] if y.ndim > 1 else 1
        cdef Buffer bx = take(x, self.model.bits, n * self.model.input_units, False, "x")
        cdef Buffer by = take(y, self.model.bits, n * target_units, False, "y")
        cdef Buffer bw = take(weights, self.model.bits, n, False, "sample_weight") if weights is not None else None
        data.x = bx.view.buf
        data.y = by.view.buf
        data.weights = bw.view.buf if bw is not None else NULL
        data.rows = n
        data.target_units = target_units
        return [bx, by, bw]

    def bind(self, x, y, sample_weight=None, int shuffle=1, validation=None):
        """x (rows, inputs), y (rows, target units), sample_weight (rows,) or None; validation: such a triple or None. shuffle: 0 none, 1 rows, 2 batches."""
        cdef nn_data train, held_out
        cdef Py_ssize_t width
        cdef double *batch_means
        kept = self.hold(&train, x, y, sample_weight)
        if validation is not None:
            x, y, sample_weight = validation
            kept += self.hold(&held_out, x, y, sample_weight)
        self.enter()
        try:
            check(nn_run_bind(self.handle, &train, &held_out if validation is not None else NULL, <nn_shuffling>shuffle))
            self.kept = kept
            width = 1 + nn_model_describe(self.model.handle).metrics
            batch_means = <double *>realloc(self.batch_means, 2 * width * sizeof(double))
            if batch_means == NULL:
                raise MemoryError()
            memset(batch_means, 0, 2 * width * sizeof(double))
            self.batch_means = batch_means
            self.width = width
            self.row_width = width * (2 if validation is not None else 1)
            self.progress.epochs = self.progress.batch = self.progress.rows = self.progress.bad_iteration = 0
            self.progress.batches = (train.rows - 1) // self.batch_size + 1
            self.room = self.taken = self.timed = 0
        finally:
            self.busy = False
        if self.batches_a_second == 0:  # a guess low enough for the first slice to be far below 20 ms
            self.batches_a_second = 1e7 / (<double>(self.model.parameter_count + self.model.input_units) * self.batch_size)

    def advance(self, Py_ssize_t max_batches, Py_ssize_t max_epochs, double seconds=0.05):
        """Trains until max_batches or max_epochs are done or `seconds` have passed; returns the number of epochs finished.

        The GIL is released in slices of about 20 ms; Ctrl-C is seen between two, at the end of a step."""
        cdef Py_ssize_t batches, epochs, before, seen, done = 0, began
        cdef double start = nn_clock(), now = start, slice_start
        cdef double *means
        cdef double *seconds_taken
        cdef nn_status status
        cdef nn_progress progress
        self.enter()
        try:
            if self.width == 0:
                check(NN_NO_DATA)
            began = self.progress.epochs
            self.model.enter()
            try:
                while max_batches > 0 and done < max_epochs and (now - start < seconds or now == start):
                    batches = min(max_batches, max(1, <Py_ssize_t>(self.batches_a_second * min(0.02, seconds))))
                    epochs = min(max_epochs - done, batches // <Py_ssize_t>self.progress.batches + 1)
                    self.make_room(began + done + epochs)
                    means = self.rows_of_means + (began + done) * self.row_width
                    seconds_taken = self.seconds_of_epochs + began + done
                    before = (began + done) * self.progress.batches + self.progress.batch
                    slice_start = nn_clock()
                    with nogil:
                        status = nn_run_advance(self.handle, batches, epochs, means, seconds_taken, self.batch_means, self.batch_means + self.width,
                                                &progress)
                    check(status)
                    self.progress = progress
                    self.model.hear()
                    now = nn_clock()
                    done = progress.epochs - began
                    seen = progress.epochs * progress.batches + progress.batch - before
                    max_batches -= seen
                    # a first slice may be cold or interrupted: trust it for no more than sixteen times its length
                    self.batches_a_second = min(seen / max(now - slice_start, 1e-7), 16 * seen / 0.02)
                    PyErr_CheckSignals()
            finally:
                self.model.busy = False
        finally:
            self.busy = False
        return done

    @property
    def holds(self):
        """Whether steps end with the gradients: each is to be followed by EngineModel.update."""
        return self.holding

    @holds.setter
    def holds(self, bint value):
        self.holding = value
        nn_run_hold(self.handle, value)

    @property
    def sums(self):
        """(width,) what loss and metrics add up to over the rows of the epoch under way; `seek` goes on from it."""
        sums = empty(self.width)
        cdef Buffer held = take(sums, 64, self.width, True, "sums")
        check(nn_run_sums(self.handle, <double *>held.view.buf))
        return sums

    def seek(self, size_t batches, sums):
        """Goes on after so many batches of an epoch, with the sums over their rows; the model's state is that of then."""
        cdef Buffer held = take(sums, 64, self.width, False, "sums")
        self.enter()
        try:
            check(nn_run_seek(self.handle, batches, <double *>held.view.buf))
            self.progress.batch = batches
            self.progress.rows = batches * self.batch_size
        finally:
            self.busy = False

    def history(self, start=None):
        """A list of means for the loss, each metric, and the same for the validation data: of the epochs from number `start` on, counted from bind; of those
        not asked for yet if None."""
        cdef Py_ssize_t first = self.taken if start is None else start, epoch, k
        self.taken = self.progress.epochs
        return [[self.rows_of_means[epoch * self.row_width + k] for epoch in range(first, self.taken)] for k in range(self.row_width)]

    def epoch_times(self):
        """Seconds each of those took, validation included, that were not asked for yet."""
        cdef Py_ssize_t first = self.timed, epoch
        self.timed = self.progress.epochs
        return [self.seconds_of_epochs[epoch] for epoch in range(first, self.timed)]

    @property
    def epochs(self):
        return self.progress.epochs

    @property
    def batch(self):
        """Batches done of the epoch under way."""
        return self.progress.batch

    @property
    def batches(self):
        """Batches in an epoch."""
        return self.progress.batches

    @property
    def rows(self):
        """Rows done of the epoch under way."""
        return self.progress.rows

    @property
    def partial(self):
        """Means of the epoch under way so far: loss, metrics."""
        return [self.batch_means[k] for k in range(self.width)]

    @property
    def last(self):
        """Means of the last batch alone: loss, metrics."""
        return [self.batch_means[self.width + k] for k in range(self.width)]

    @property
    def bad_iteration(self):
        """The first step, from 1, whose loss was not finite; 0 while all were."""
        return self.progress.bad_iteration

    def forward(self, x, bint training=False):
        """y (rows, output units) of at most batch_size rows."""
        cdef size_t n = len(x)
        cdef Buffer bx = take(x, self.model.bits, n * self.model.input_units, False, "x")
        y = empty((n, self.model.output_units), self.model.dtype)
        cdef Buffer by = take(y, self.model.bits, n * self.model.output_units, True, "y")
        cdef nn_status status
        self.enter()
        try:
            with nogil:
                status = nn_forward(self.handle, bx.view.buf, n, training, by.view.buf)
        finally:
            self.busy = False
        check(status)
        self.model.hear()
        return y

    @property
    def activity(self):
        """The activity penalties of the last forward."""
        return nn_run_activity(self.handle)

    def backward(self, dy):
        """Gradients of all tensors from the gradient of the loss in the outputs of the last forward."""
        cdef size_t n = len(dy)
        cdef Buffer held = take(dy, self.model.bits, n * self.model.output_units, False, "dy")
        cdef nn_status status
        self.enter()
        try:
            with nogil:
                status = nn_backward(self.handle, held.view.buf, n)
        finally:
            self.busy = False
        check(status)
        self.model.hear()

    def evaluate(self, x, y, sample_weight=None):
        """[loss, metrics...] over all rows. Ctrl-C is seen between slices, as in advance."""
        cdef nn_data data, part
        kept = self.hold(&data, x, y, sample_weight)
        cdef size_t item = self.model.bits // 8, inputs = self.model.input_units, width = 1 + nn_model_describe(self.model.handle).metrics
        cdef double *sums
        cdef double *means
        cdef size_t done = 0
        cdef double start
        cdef nn_status status
        part = data
        self.enter()
        sums = <double *>calloc(2 * width, sizeof(double))
        means = sums + width
        try:
            if sums == NULL:
                raise MemoryError()
            while True:
                part.rows = self.slice_of(data.rows - done)
                start = nn_clock() if part.rows < data.rows - done else 0
                with nogil:
                    status = nn_evaluate(self.handle, &part, done, sums, means)
                check(status)
                self.model.hear()
                done += part.rows
                if done == data.rows:
                    break
                part.x = <const char *>part.x + part.rows * inputs * item
                part.y = <const char *>part.y + part.rows * data.target_units * item
                if part.weights != NULL:
                    part.weights = <const char *>part.weights + part.rows * item
                self.between_slices(part.rows, nn_clock() - start)
                if width != 1 + nn_model_describe(self.model.handle).metrics:
                    raise RuntimeError("this model was compiled anew while it was evaluated")
            del kept
            return [means[k] for k in range(width)]
        finally:
            free(sums)
            self.busy = False

    def predict(self, x):
        """y (rows, output units) of any number of rows. Ctrl-C is seen between slices, as in advance."""
        cdef size_t n = len(x), item = self.model.bits // 8, inputs = self.model.input_units, units = self.model.output_units
        cdef Buffer bx = take(x, self.model.bits, n * inputs, False, "x")
        y = empty((n, units), self.model.dtype)
        cdef Buffer by
        cdef const char *x_at
        cdef char *y_at
        cdef size_t rows
        cdef double start
        cdef nn_status status
        if n == 0:
            return y
        by = take(y, self.model.bits, n * units, True, "y")
        x_at = <const char *>bx.view.buf
        y_at = <char *>by.view.buf
        self.enter()
        try:
            while True:
                rows = self.slice_of(n)
                start = nn_clock() if rows < n else 0
                if rows * <size_t>(self.model.parameter_count + inputs + units) < SHORT:
                    status = nn_predict(self.handle, x_at, rows, y_at)
                else:
                    with nogil:
                        status = nn_predict(self.handle, x_at, rows, y_at)
                check(status)
                self.model.hear()
                n -= rows
                if n == 0:
                    break
                x_at += rows * inputs * item
                y_at += rows * units * item
                self.between_slices(rows, nn_clock() - start)
        finally:
            self.busy = False
        return y

    cdef size_t slice_of(self, size_t left):
        """How many of the rows that are left take about 20 ms; whole batches, but for the last."""
        cdef size_t rows = max(<size_t>16, <size_t>(self.rows_a_second * 0.02) // self.batch_size) * self.batch_size
        return min(left, rows)

    cdef int between_slices(self, size_t rows, double seconds) except -1:
        """Lets signals be seen, and remembers how long the slice took; see advance for why it is not trusted far."""
        self.rows_a_second = min(rows / max(seconds, 1e-7), 16 * rows / 0.02)
        return PyErr_CheckSignals()


def random(distribution, double low_or_mean, double high_or_deviation, uint64_t seed, uint64_t stream, shape, dtype="float32"):
    """Array of the stream (seed, stream): "uniform" between low and high, "normal" or "truncated_normal" with mean and deviation."""
    out = empty(shape, dtype)
    cdef int bits = bits_of(dtype)
    cdef Py_ssize_t size = out.size
    cdef Buffer held = take(out, bits, size, True, "out")
    if distribution not in _DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(_DISTRIBUTIONS)}, got {distribution!r}")
    check(nn_random(_DISTRIBUTIONS[distribution], low_or_mean, high_or_deviation, seed, stream, size, bits, held.view.buf))
    return out


def order(rows, size_t batch_size, int shuffle, uint64_t seed, uint64_t epoch):
    """(rows,) numbers of the rows in the order in which the epoch trains them; shuffle as in Run.bind."""
    out = empty(rows, np.uint32)
    cdef Py_buffer view
    PyObject_GetBuffer(out, &view, PyBUF_WRITABLE)
    try:
        check(nn_order(view.len // 4, batch_size, <nn_shuffling>shuffle, seed, epoch, <uint32_t *>view.buf))
    finally:
        PyBuffer_Release(&view)
    return out


def activate(name, numbers, x):
    """y = activation(x), x (rows, units) of float32 or float64."""
    cdef nn_row row
    if x.ndim != 2:
        raise ValueError(f"x must be two-dimensional (rows, units), got shape {x.shape}")
    y = np.empty_like(x)
    cdef int bits = bits_of(x.dtype.name)
    cdef Buffer bx = take(x, bits, x.size, False, "x"), by = take(y, bits, x.size, True, "y")
    fill_row(&row, "activation", name, numbers)
    if x.size:
        check(nn_activate(&row, bx.view.buf, x.shape[0], x.shape[1], bits, by.view.buf))
    return y
