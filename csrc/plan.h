/* Records in, offsets and sizes out. A plan is made once and never changes; layers own offsets, never memory. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "nnlite.h"

typedef struct nn_tensor {
    const char *name;
    size_t layer;
    size_t rows, columns;  /* kernel: inputs x units; vectors: 1 x units */
    size_t panel;          /* columns in a panel of its storage */
    size_t offset, size;   /* reals in every parameter-shaped block; multiples of 16 in a wide plan */
    int vector;
    int statistic;         /* moved by the forward pass, not by the optimizer */
    nn_tensor_rule rule;
} nn_tensor;

typedef struct nn_layer {
    nn_row kind;
    size_t inputs, units;          /* true widths */
    size_t input_stride, stride;   /* nn_pad of them */
    size_t output, gradient;       /* workspace places of its output and of the gradient in its output */
    size_t scratch;                /* workspace place of as many reals as its output has, if it wants them */
    size_t fixed, fixed_reals;     /* place of this many reals whatever the rows */
    int chains;                    /* is the gradient of a narrow kernel summed in chains, where the batch is small? */
    size_t tile_units;             /* units of the tiles in which it is summed else; 0: of no tiles */
    size_t first_tensor, n_tensors;
    nn_tensor tensors[NN_LAYER_TENSORS];
    int narrow;                    /* of a narrow plan; set before the layer is shaped */
    int forward_done, backward_done; /* by the dense layer before, or behind: see layer_join of engine/layers.h */
    int rectifies;                 /* a dense layer that does the relu behind it */
    int wants_scratch;
    int elementwise;               /* output may be written over input, gradient over gradient */
    int keeps_output;              /* backward reads the layer's own output, so nobody may write over it */
    int keeps_input;               /* backward reads the layer's input, likewise */
    int couples_rows;              /* forward or backward of a row depends on the other rows of its batch, or sums over them */
    int keeps_sums;                /* the gradients of its tensors may be summed up over one block of rows after the other */
} nn_layer;

/* Narrow plans are for nets of few inputs, which are brought into their order anew each epoch, and of small kernels: at most these, measured, where wide plans
 * begin to be as fast. */
enum { NN_NARROW_INPUTS = 32, NN_NARROW_UNITS = 128, NN_NARROW_KERNEL = 2000 };

/* A wide plan keeps a batch in panels of 16 units, like its kernels: element (r, u) of a layer's output lies at u / 16 * pitch + r * 16 + u % 16. A narrow
 * plan keeps it in unit order, 16 rows to a vector, at u * pitch + r: no lane is lost on a layer of two units. See engine/batch.h. */
typedef struct nn_plan {
    size_t inputs, units, input_stride, stride; /* input_stride of a narrow plan: with room for one more input, which stands for the bias */
    int narrow;
    size_t block_rows;            /* of a larger batch a narrow plan takes so many rows at a time, a multiple of 16, through a step: they stay in the cache */
    size_t n_layers, n_tensors;
    nn_layer *layers;
    nn_tensor *tensors;           /* all layers', in layer order; their rules may be changed by nn_tensor_set_trainable */
    size_t parameters;            /* reals of a parameter-shaped block, a multiple of 16 */
    size_t statistics;            /* offset of the first statistic: all trainable tensors lie before it */
    size_t row_reals, fixed_reals;/* the workspace for n rows holds nn_room(n) * row_reals + fixed_reals reals */
    double row_work;              /* about how many multiply-adds the way of one row from input to output costs */
    size_t lanes, lanes_reals;    /* fixed place of three blocks of so many reals: 16 rows of the widest layer, for routines that want rows in lanes */
} nn_plan;

/* Data of a narrow plan are staged if they come to no more than this many reals. */
enum { NN_STAGED_REALS = 1 << 18 };

struct nn_engine;

static inline size_t nn_pad(size_t n) { return (n + NN_LANES - 1) / NN_LANES * NN_LANES; }

/* Rows a batch of so many takes room for. An odd number of rows keeps the panels of a wide plan from sharing the few places of one cache set. */
static inline size_t nn_room(int narrow, size_t rows) { return narrow ? nn_pad(rows) : rows | 1; }

/* Adds a tensor to a layer being shaped. A layer's shape routine calls this in the order of its tensors. */
void nn_layer_tensor(nn_layer *layer, const char *name, size_t rows, int vector, int statistic);

nn_status nn_plan_new(const struct nn_engine *engine, const nn_layer_record *records, size_t n, size_t inputs, nn_plan *out);
void nn_plan_free(nn_plan *plan);

/* a * b + c, or 0 in *ok when it does not fit a size_t */
size_t nn_size(size_t a, size_t b, size_t c, int *ok);

#endif
