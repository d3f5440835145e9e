/* The blocks behind the handles of nnlite.h. Only nnlite.c and the engine see them. */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "engine.h"

enum {
    NN_PRODUCTS = 4,
    NN_SUMS = 128, /* batches that have sums of their own before they are added up */
};

/* Sites of an epoch's batches, of its last batch if that has fewer rows, and of whatever else comes in between. */
typedef enum nn_site_set { NN_SITES_OF_BATCHES, NN_SITES_OF_LAST, NN_SITES_OF_OTHERS, NN_SITE_SETS } nn_site_set;

/* What an update has to see to: most models have no penalties and no constraints, and all their tensors move. */
typedef struct nn_duties {
    int penalties, clips, constraints, gaps; /* gaps: some tensors do not move */
    size_t end;                              /* of the last trainable tensor */
} nn_duties;

struct nn_model {
    const nn_engine *engine;
    nn_plan plan;
    nn_loss_record loss;
    nn_row *metrics;
    size_t n_metrics;
    nn_optimizer_record optimizer;
    size_t n_slots;
    int compiled;
    int fused;            /* the loss gives its gradient before the last layer */
    nn_duties duties;
    nn_state state;
    void *block;          /* parameters, gradients; each starts on 64 bytes */
    void *parameters, *gradients;
    void *slots;          /* n_slots blocks shaped like parameters */
    nn_outside outside;
};

/* A copy of small data in the order of batches, for narrow plans; see engine/staging.h. */
typedef struct nn_staging {
    void *rows;    /* [rows][stride]: inputs, a 1, targets and weight of each; NULL: not staged. It starts the block of both. */
    void *batches;
    size_t stride;      /* a multiple of 4 */
    size_t batch_reals; /* from one batch to the next */
    size_t block_rows;  /* of a larger batch, so many rows lie together */
} nn_staging;

struct nn_run {
    nn_model *model;
    size_t batch_size;
    void *block;          /* input, targets and weights of one batch, then the plan's workspace; starts on 64 bytes */
    void *input, *targets, *weights, *workspace;
    nn_site *sites;       /* for each layer in the plan, of each set */
    nn_data train, validation;
    int holds;            /* steps end with the gradients */
    nn_staging staged, staged_validation;
    int bound;
    nn_shuffling shuffle;
    uint32_t *order;      /* rows in the order of the epoch under way */
    size_t width;         /* 1 + metrics when the data were bound */
    double *sums;         /* width sums of the epoch under way, then as many for each of NN_SUMS batches, of which training uses the first */
    nn_progress progress;
    double activity;      /* activity penalties of the last nn_forward */
    double started;       /* of the epoch under way, seconds */
    size_t threads;       /* that do the jobs of the call under way; 1 outside of calls */
    size_t step_threads;  /* of them, those that take part in a training step */
    nn_run **helpers;     /* the runs in which threads 1 ... n_helpers work */
    size_t n_helpers;
};

static inline nn_site *nn_sites_of(const nn_run *run, nn_site_set set) {
    return (nn_site *)((char *)run->sites + set * run->model->plan.n_layers * run->model->engine->site_size);
}

#endif
