/* nnlite: training small dense networks on a CPU. This header is the whole door between Python and C, and its manual.
 *
 * Words.    A *layer record* is a row of numbers that describes one layer. nn_model_new turns the records once into a *plan*: sizes and
 *           offsets, never changed again. A *model* is the plan plus blocks of reals: parameters, gradients, optimizer slots. A *run* is
 *           one thread's scratch memory (the workspace) plus the data it trains on. Training allocates nothing, only nn_run_bind and nn_evaluate do.
 * Rows.     Layers, activations, losses, metrics, optimizers and constraints are rows of lists under engine/. A row's number is its place
 *           in its list; its name is nn_row_name. The layer family holds the layer rows followed by all activation rows.
 * Reals.    float or double, chosen per model. Arrays at the door are row-major, contiguous and hold reals of the model's type.
 * Storage.  Inside the model a tensor of `rows` x `columns` reals is stored in panels: element (k, j) lies at
 *           offset + (j / panel) * rows * panel + k * panel + j % panel. A wide plan has panels of 16 columns, padded with zeros to a multiple
 *           of 16; in a narrow plan, whose layers are all small, a panel is as wide as the tensor and nothing is padded.
 *           Vectors have rows = 1.
 * Bits.     The same calls with the same numbers give the same bits on every target, on any number of threads, in any number of nn_run calls (see README).
 * Errors.   Every call that can fail returns a status and changes nothing when it fails. Routines behind the door cannot fail.
 * Threads.  Calls on different models may run at the same time. Calls that change one model must not; the caller holds the lock.
 *           A call with enough to do is helped by threads of the engine's own (see nn_set_threads); they sleep between calls. After a fork the child
 *           may call everything, but not use a model or run that another thread of the parent was using. */
#ifndef NNLITE_H
#define NNLITE_H

#include <stddef.h>
#include <stdint.h>

typedef enum nn_status {
    NN_OK = 0,
    NN_OUT_OF_MEMORY,
    NN_TOO_LARGE,          /* a product of sizes does not fit in memory arithmetic */
    NN_BAD_SIZE,           /* a size or count is zero or does not match the model's */
    NN_UNKNOWN_ROW,        /* a row number beyond its list */
    NN_UNKNOWN_TARGET,     /* no target of that name */
    NN_TARGET_UNAVAILABLE, /* this CPU cannot run that target */
    NN_NOT_COMPILED,       /* the call needs a loss and an optimizer */
    NN_NO_DATA,            /* nn_run before nn_run_bind */
    NN_BAD_NUMBER          /* a number is not finite where it must be */
} nn_status;

const char *nn_status_text(nn_status status);

/* ---- rows and targets ---- */

typedef enum nn_family { NN_LAYERS, NN_ACTIVATIONS, NN_LOSSES, NN_METRICS, NN_OPTIMIZERS, NN_CONSTRAINTS, NN_FAMILIES } nn_family;

size_t nn_row_count(nn_family family);
const char *nn_row_name(nn_family family, size_t row); /* NULL beyond the last */

size_t nn_target_count(void);
const char *nn_target_name(size_t i);
int nn_target_available(size_t i); /* compiled in, and this CPU has it */
const char *nn_target_default(void); /* the best available target that our tests have run */

/* ---- threads ---- */

#if defined(__GNUC__)
#define NN_VISIBLE __attribute__((visibility("default"))) /* for libraries that manage the threads of others */
#else
#define NN_VISIBLE
#endif

enum { NN_MOST_THREADS = 256 };

/* Threads that a call may use, the caller's own included: as many as set, or as the process has processors, but no more than 16 that nobody asked for.
 * Where several threads call at the same time, one of them is helped; for a while after a call that found the processors busy with other work, none. */
NN_VISIBLE size_t nn_threads(void);
NN_VISIBLE nn_status nn_set_threads(size_t threads); /* for calls from now on; 0: as many as there are processors */

/* ---- records ---- */

enum { NN_NUMBERS = 6, NN_LAYER_TENSORS = 4, NN_LANES = 16 };

typedef struct nn_row { /* a row of a list and the numbers that parameterise it, in the order its routine states */
    uint32_t row;
    double numbers[NN_NUMBERS];
} nn_row;

typedef struct nn_tensor_rule { /* what the update does with one tensor */
    int trainable;     /* without meaning for statistics */
    double l1, l2;     /* penalty l1 * sum |w| + l2 * sum w^2, added to the loss once a batch; of statistics, nothing */
    nn_row constraint; /* applied after each step */
} nn_tensor_rule;

typedef struct nn_layer_record {
    nn_row kind;   /* a row of NN_LAYERS */
    size_t units;  /* output width; 0 = as wide as the input */
    nn_tensor_rule tensors[NN_LAYER_TENSORS]; /* in the order of the layer's tensors */
} nn_layer_record;

typedef struct nn_loss_record {
    nn_row kind;
    double weight;  /* factor on the loss, not on penalties */
    int sum;        /* 0: mean over the rows of a batch, 1: sum */
    int by_weight;  /* 1: the mean divides by the sum of the rows' weights, not by their count */
    int skip_frozen;/* 1: penalties of frozen tensors do not count */
    int fuse;       /* 1: take the gradient at the logits when the last layer is the activation this loss fuses with */
} nn_loss_record;

typedef struct nn_optimizer_record {
    nn_row kind;
    double learning_rate;
    double decay;           /* rate of step t (from 0) = learning_rate / (1 + decay * t) */
    double weight_decay;    /* w -= rate * weight_decay * w before each step */
    double clipvalue;       /* elements clipped to +-clipvalue; 0 = off, as for the next two */
    double clipnorm;        /* each tensor's gradient scaled to at most this norm */
    double global_clipnorm; /* all gradients together scaled to at most this norm */
} nn_optimizer_record;

/* ---- models ---- */

typedef struct nn_model nn_model;
typedef struct nn_run nn_run;

/* bits: 32 or 64. target: a name, or NULL for the default. The model starts with all parameters zero. */
nn_status nn_model_new(const nn_layer_record *layers, size_t n_layers, size_t input_units, int bits, const char *target, nn_model **out);
void nn_model_free(nn_model *model);

/* Sets loss, metrics and optimizer; clears gradients, slots and the step count; never touches parameters. */
nn_status nn_model_compile(nn_model *model, const nn_loss_record *loss, const nn_row *metrics, size_t n_metrics, const nn_optimizer_record *optimizer);

typedef struct nn_model_facts {
    size_t inputs, units;     /* width of a row of input and of output */
    size_t tensors;           /* tensors in all layers */
    size_t parameters;        /* reals in the flat parameter block, padding included */
    size_t slots, metrics;    /* of the compiled optimizer and metrics */
    int bits;
    const char *target;
} nn_model_facts;
nn_model_facts nn_model_describe(const nn_model *model);

typedef struct nn_tensor_facts {
    const char *name;             /* kernel, bias, gamma, ... */
    size_t layer, rows, columns;  /* the record it came from; vectors have rows = 1 and vector = 1 */
    size_t offset, panel;         /* of its first real in the flat block; columns in a panel */
    int vector, trainable;
} nn_tensor_facts;
nn_status nn_tensor_describe(const nn_model *model, size_t tensor, nn_tensor_facts *out);
nn_status nn_tensor_set_trainable(nn_model *model, size_t tensor, int trainable); /* of a statistic: does the forward pass move it? they do at first */

/* buffer: 0 parameters, 1 gradients, 2 + k optimizer slot k. array: rows x columns, without padding. */
nn_status nn_tensor_read(const nn_model *model, size_t buffer, size_t tensor, void *array);
nn_status nn_tensor_write(nn_model *model, size_t buffer, size_t tensor, const void *array);
void *nn_model_parameters(nn_model *model); /* the flat block itself, nn_model_facts.parameters reals in the storage above */

typedef struct nn_state { /* what training changes besides the blocks; with them it resumes to the same bits */
    uint64_t seed;
    uint64_t iterations;     /* optimizer steps since compile */
    uint64_t epochs;         /* whole epochs trained, which is what numbers the shuffles */
    double learning_rate;
    double products[4];      /* running products such as beta^t */
} nn_state;
nn_state nn_state_get(const nn_model *model);
void nn_state_set(nn_model *model, const nn_state *state);

/* What layers of the row `given` compute, from outside: writes over rows x units reals without padding. of_slope 0: outputs in place of inputs; 1: the
 * gradient in the inputs in place of that in the outputs, for the inputs that came last with training 1. layer: the number of the record. Not 0: it
 * failed, and the call under way returns without having moved a parameter since; what it returns means nothing. NULL: such layers change nothing. */
typedef int (*nn_function)(void *context, size_t layer, int of_slope, int training, void *values, size_t rows, size_t units);
void nn_model_set_function(nn_model *model, nn_function function, void *context);

/* ---- runs ---- */

typedef struct nn_data {
    const void *x;        /* rows x inputs */
    const void *y;        /* rows x target_units */
    const void *weights;  /* rows, or NULL for all ones */
    size_t rows, target_units;
} nn_data;

/* A workspace for batches of up to `batch_size` rows. The model must outlive it. */
nn_status nn_run_new(nn_model *model, size_t batch_size, nn_run **out);
void nn_run_free(nn_run *run);

/* NN_SHUFFLE_BATCHES keeps the rows of a batch together and permutes the batches; a short last batch stays last. */
typedef enum nn_shuffling { NN_KEEP, NN_SHUFFLE_ROWS, NN_SHUFFLE_BATCHES } nn_shuffling;

/* The run keeps the pointers: the arrays must stay until the run is freed or bound anew. validation may be NULL.
 * Small data of narrow nets are copied here, once for each row and once for each row of a batch. Starts at the first batch of an epoch. */
nn_status nn_run_bind(nn_run *run, const nn_data *train, const nn_data *validation, nn_shuffling shuffle);

/* order[0 ... rows): the rows as the epoch with this number trains them, for batches made elsewhere. */
nn_status nn_order(size_t rows, size_t batch_size, nn_shuffling shuffle, uint64_t seed, uint64_t epoch, uint32_t *order);

typedef struct nn_progress {
    size_t epochs;           /* finished since nn_run_bind */
    size_t batch, batches;   /* next batch of the epoch under way, batches in an epoch */
    size_t rows;             /* rows of the epoch under way already seen */
    uint64_t bad_iteration;  /* the first step whose loss was not finite, counted from 1; 0 = none */
} nn_progress;

/* Gather, forward, loss, backward, update and metrics for at most max_batches batches, and no further than max_epochs ends of epochs.
 * means: room for max_epochs x width doubles; each finished epoch fills a row: loss, metrics, and the same for the validation data when
 * bound. seconds: room for max_epochs doubles, the wall time of each finished epoch. partial: width doubles, the running means of the epoch under way.
 * last: width doubles, the means of the last batch alone. seconds, partial and last may be NULL. width = (1 + metrics) * (validation ? 2 : 1). */
nn_status nn_run_advance(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *partial, double *last, nn_progress *progress);

/* Whether the steps of nn_run_advance end with the gradients and leave the update to nn_update, after one batch each. */
void nn_run_hold(nn_run *run, int hold);

/* The sums over the rows of the epoch under way, 1 + metrics doubles: with the number of its batches all that must be known of it to go on there later. */
nn_status nn_run_sums(const nn_run *run, double *sums);
/* Continues, after nn_run_bind and with the model's state put back, after `batches` batches of an epoch, fewer than it has, whose sums those are. */
nn_status nn_run_seek(nn_run *run, size_t batches, const double *sums);

/* The parts of a step, for losses written elsewhere: outputs of one batch, gradients from the gradient of the loss in the outputs, one optimizer step. */
nn_status nn_forward(nn_run *run, const void *x, size_t rows, int training, void *y);
double nn_run_activity(const nn_run *run); /* the activity penalties of the last nn_forward */
nn_status nn_backward(nn_run *run, const void *dy, size_t rows);
nn_status nn_update(nn_model *model, double *penalty);

/* sums, 1 + metrics doubles: to those over the `before` rows of earlier calls are added those over these rows. means: of loss and metrics over all of them.
 * So a long evaluation may be cut into calls where batches end, and gives the same bits. */
nn_status nn_evaluate(nn_run *run, const nn_data *data, size_t before, double *sums, double *means);
nn_status nn_predict(nn_run *run, const void *x, size_t rows, void *y);

/* ---- odds and ends ---- */

double nn_clock(void); /* seconds, monotonic */

/* out[i] = value number i of the stream (seed, stream): uniform between low and high, or normal, cut at two deviations if truncated. */
typedef enum nn_distribution { NN_UNIFORM, NN_NORMAL, NN_TRUNCATED_NORMAL } nn_distribution;
nn_status nn_random(nn_distribution kind, double low_or_mean, double high_or_deviation, uint64_t seed, uint64_t stream, size_t n, int bits, void *out);

/* y = activation(x) on rows x units reals, on the default target. */
nn_status nn_activate(const nn_row *activation, const void *x, size_t rows, size_t units, int bits, void *y);

#endif
