"""The calls of csrc/nnlite.h, as Cython needs to know them; the header is their manual."""

from libc.stddef cimport size_t
from libc.stdint cimport uint32_t, uint64_t

cdef extern from "nnlite.h" nogil:
    ctypedef enum nn_status:
        NN_OK, NN_OUT_OF_MEMORY, NN_TOO_LARGE, NN_BAD_SIZE, NN_UNKNOWN_ROW, NN_UNKNOWN_TARGET, NN_TARGET_UNAVAILABLE, NN_NOT_COMPILED, NN_NO_DATA, NN_BAD_NUMBER
    ctypedef enum nn_family:
        NN_LAYERS, NN_ACTIVATIONS, NN_LOSSES, NN_METRICS, NN_OPTIMIZERS, NN_CONSTRAINTS
    ctypedef enum nn_shuffling:
        NN_KEEP, NN_SHUFFLE_ROWS, NN_SHUFFLE_BATCHES
    ctypedef enum nn_distribution:
        NN_UNIFORM, NN_NORMAL, NN_TRUNCATED_NORMAL
    enum:
        NN_NUMBERS, NN_LAYER_TENSORS, NN_MOST_THREADS

    ctypedef struct nn_row:
        uint32_t row
        double numbers[6]
    ctypedef struct nn_tensor_rule:
        int trainable
        double l1, l2
        nn_row constraint
    ctypedef struct nn_layer_record:
        nn_row kind
        size_t units
        nn_tensor_rule tensors[4]
    ctypedef struct nn_loss_record:
        nn_row kind
        double weight
        int sum, by_weight, skip_frozen, fuse
    ctypedef struct nn_optimizer_record:
        nn_row kind
        double learning_rate, decay, weight_decay, clipvalue, clipnorm, global_clipnorm
    ctypedef struct nn_model_facts:
        size_t inputs, units, tensors, parameters, slots, metrics
        int bits
        const char *target
    ctypedef struct nn_tensor_facts:
        const char *name
        size_t layer, rows, columns, offset, panel
        int vector, trainable
    ctypedef struct nn_state:
        uint64_t seed, iterations, epochs
        double learning_rate
        double products[4]
    ctypedef struct nn_data:
        const void *x
        const void *y
        const void *weights
        size_t rows, target_units
    ctypedef struct nn_progress:
        size_t epochs, batch, batches, rows
        uint64_t bad_iteration
    ctypedef struct nn_model
    ctypedef struct nn_run

    const char *nn_status_text(nn_status status)
    size_t nn_row_count(nn_family family)
    const char *nn_row_name(nn_family family, size_t row)
    size_t nn_target_count()
    const char *nn_target_name(size_t i)
    int nn_target_available(size_t i)
    const char *nn_target_default()
    size_t nn_threads()
    nn_status nn_set_threads(size_t threads)
    nn_status nn_model_new(const nn_layer_record *layers, size_t n_layers, size_t input_units, int bits, const char *target, nn_model **out)
    void nn_model_free(nn_model *model)
    nn_status nn_model_compile(nn_model *model, const nn_loss_record *loss, const nn_row *metrics, size_t n_metrics,
                               const nn_optimizer_record *optimizer)
    nn_model_facts nn_model_describe(const nn_model *model)
    nn_status nn_tensor_describe(const nn_model *model, size_t tensor, nn_tensor_facts *out)
    nn_status nn_tensor_set_trainable(nn_model *model, size_t tensor, int trainable)
    nn_status nn_tensor_read(const nn_model *model, size_t buffer, size_t tensor, void *array)
    nn_status nn_tensor_write(nn_model *model, size_t buffer, size_t tensor, const void *array)
    void *nn_model_parameters(nn_model *model)
    ctypedef int (*nn_function)(void *context, size_t layer, int of_slope, int training, void *values, size_t rows, size_t units) noexcept
    void nn_model_set_function(nn_model *model, nn_function function, void *context)
    nn_state nn_state_get(const nn_model *model)
    void nn_state_set(nn_model *model, const nn_state *state)
    nn_status nn_run_new(nn_model *model, size_t batch_size, nn_run **out)
    void nn_run_free(nn_run *run)
    void nn_run_hold(nn_run *run, int hold)
    nn_status nn_run_bind(nn_run *run, const nn_data *train, const nn_data *validation, nn_shuffling shuffle)
    nn_status nn_order(size_t rows, size_t batch_size, nn_shuffling shuffle, uint64_t seed, uint64_t epoch, uint32_t *order)
    nn_status nn_run_advance(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *partial, double *last,
                             nn_progress *progress)
    nn_status nn_run_sums(const nn_run *run, double *sums)
    nn_status nn_run_seek(nn_run *run, size_t batches, const double *sums)
    nn_status nn_forward(nn_run *run, const void *x, size_t rows, int training, void *y)
    double nn_run_activity(const nn_run *run)
    nn_status nn_backward(nn_run *run, const void *dy, size_t rows)
    nn_status nn_update(nn_model *model, double *penalty)
    nn_status nn_evaluate(nn_run *run, const nn_data *data, size_t before, double *sums, double *means)
    nn_status nn_predict(nn_run *run, const void *x, size_t rows, void *y)
    double nn_clock()
    nn_status nn_random(nn_distribution kind, double low_or_mean, double high_or_deviation, uint64_t seed, uint64_t stream, size_t n, int bits,
                        void *out)
    nn_status nn_activate(const nn_row *activation, const void *x, size_t rows, size_t units, int bits, void *y)
