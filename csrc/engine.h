/* What a target provides: one constant table of routines for one dtype, all compiled from the same source under engine/.
 * Buffers are void * here because a table serves either float or double; inside a target they are `real *`. */
#ifndef NN_ENGINE_H
#define NN_ENGINE_H

#include "plan.h"

typedef struct nn_row_list {
    const char *const *names;
    size_t count;
} nn_row_list;

/* What is computed outside, for layers of the row `given`. */
typedef struct nn_outside {
    nn_function function;
    void *context;
    int failed;              /* since the function was set */
} nn_outside;

typedef struct nn_site nn_site; /* of a layer, see engine/layers.h */

/* One batch on its way through the plan: everything a layer routine may look at. */
typedef struct nn_pass {
    const nn_plan *plan;
    nn_site *sites;          /* of all layers */
    void *workspace;         /* where the pass's first row lies, as for the input */
    void *input;             /* laid out like a layer's output */
    int staged;              /* is the input that of engine/staging.h? */
    void *fixed;             /* what is there whatever the rows */
    size_t first, rows;      /* rows first ... of the batch, so many of them; first is 0 in a narrow plan */
    size_t pitch;            /* of the whole batch: see grid of engine/batch.h */
    size_t room;             /* nn_room of the rows the workspace is cut for */
    void *lanes;             /* scratch of the thread: see plan.lanes */
    int training;
    uint64_t seed, iteration;
    double penalty;          /* added by layers that penalise their output */
    nn_outside *outside;
    const struct nn_step *step; /* takes gradients as they are made, see engine/step.h; NULL: all are stored */
    struct nn_ahead *ahead;  /* rows to bring near for the next batch, or NULL */
    int begins, ends;        /* of a narrow plan: are these the first, the last rows of the batch? If not both, sums over the rows go on from rows to rows */
} nn_pass;

/* Sums over the rows seen so far; mean = sum / rows. */
typedef struct nn_totals {
    double *sums; /* loss, metrics */
    size_t rows;
} nn_totals;

typedef struct nn_engine {
    const char *target;
    int bits;
    size_t site_size;        /* bytes of a site */
    nn_row_list families[NN_FAMILIES];
    void (*layer_shape)(nn_layer *layer);
    void (*layer_join)(nn_layer *layer, nn_layer *before); /* of two shaped layers: what one does for the other */
    int (*loss_fuses)(uint32_t loss, uint32_t layer);   /* can this loss give its gradient before that last layer? */
    size_t (*optimizer_slots)(uint32_t optimizer);
    double (*optimizer_initial)(const nn_row *optimizer); /* what all slots are filled with at compile */

    void (*survey)(nn_model *model);                      /* after the rules of tensors have changed */
    void (*pack)(const nn_tensor *tensor, void *block, const void *array);
    void (*unpack)(const nn_tensor *tensor, void *array, const void *block);
    void (*begin_sites)(nn_site *sites, const nn_model *model); /* of a run that is made */
    void (*stage)(nn_run *run);                          /* fills what nn_run_bind has made room for */
    void (*begin_epoch)(nn_run *run);                    /* rows in the order of the epoch, sums 0 */
    void (*advance)(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *last);
    void (*evaluate)(nn_run *run, const nn_data *data, nn_totals *totals);
    void (*predict)(nn_run *run, const void *x, size_t rows, void *y);
    void (*forward)(nn_run *run, const void *x, size_t rows, int training, void *y);
    void (*backward)(nn_run *run, const void *dy, size_t rows);
    double (*update)(nn_model *model);                   /* returns the penalties of the parameters before the step */
    void (*activate)(const nn_row *activation, const void *x, size_t rows, size_t units, void *scratch, void *y);
    void (*random)(nn_distribution kind, double a, double b, uint64_t seed, uint64_t stream, size_t n, void *out);
} nn_engine;

/* Every target and dtype that was compiled in, best first, the scalar ones last. A target that is not for this architecture is left out. */
#if defined(__x86_64__)
extern const nn_engine nn_engine_avx512_f32, nn_engine_avx512_f64, nn_engine_avx2_f32, nn_engine_avx2_f64;
#elif defined(__aarch64__)
extern const nn_engine nn_engine_neon_f32, nn_engine_neon_f64;
#endif
extern const nn_engine nn_engine_scalar_f32, nn_engine_scalar_f64;

#endif
