/* The implementation of nnlite.h, in the order of its sections; one file, as that is one manual. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "nnlite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu.h"
#include "environment.h"
#include "model.h"
#include "pool.h"
#include "random.h"

double nn_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- rows and targets ---- */

typedef struct nn_target {
    const nn_engine *engines[2]; /* f32, f64 */
    int (*available)(void);
    int chosen; /* 0: only by name, because our tests have never run it */
} nn_target;

static int always(void) { return 1; }

static const nn_target targets[] = { /* best first */
#if defined(__x86_64__)
    {{&nn_engine_avx512_f32, &nn_engine_avx512_f64}, nn_cpu_has_avx512, 1},
    {{&nn_engine_avx2_f32, &nn_engine_avx2_f64}, nn_cpu_has_avx2, 1},
#elif defined(__aarch64__)
    {{&nn_engine_neon_f32, &nn_engine_neon_f64}, always, 1},
#endif
    {{&nn_engine_scalar_f32, &nn_engine_scalar_f64}, always, 1},
};
enum { TARGETS = sizeof targets / sizeof *targets };

size_t nn_target_count(void) { return TARGETS; }
const char *nn_target_name(size_t i) { return i < TARGETS ? targets[i].engines[0]->target : NULL; }
int nn_target_available(size_t i) { return i < TARGETS && targets[i].available(); }

static const nn_target *default_target(void) {
    for (size_t i = 0; i < TARGETS; i++) {
        if (targets[i].chosen && targets[i].available()) return &targets[i];
    }
    return &targets[TARGETS - 1];
}

const char *nn_target_default(void) { return default_target()->engines[0]->target; }

static nn_status find_engine(const char *name, int bits, const nn_engine **out) {
    const nn_target *target = name ? NULL : default_target();
    if (bits != 32 && bits != 64) return NN_BAD_SIZE;
    for (size_t i = 0; name && i < TARGETS; i++) {
        if (strcmp(name, targets[i].engines[0]->target) != 0) continue;
        if (!targets[i].available()) return NN_TARGET_UNAVAILABLE;
        target = &targets[i];
    }
    if (!target) return NN_UNKNOWN_TARGET;
    *out = target->engines[bits == 64];
    return NN_OK;
}

static const nn_row_list *rows_of(nn_family family) {
    return (unsigned)family < NN_FAMILIES ? &targets[TARGETS - 1].engines[0]->families[family] : NULL;
}

size_t nn_row_count(nn_family family) { return rows_of(family) ? rows_of(family)->count : 0; }
const char *nn_row_name(nn_family family, size_t row) { return row < nn_row_count(family) ? rows_of(family)->names[row] : NULL; }

const char *nn_status_text(nn_status status) {
    switch (status) {
    case NN_OK: return "no error";
    case NN_OUT_OF_MEMORY: return "out of memory";
    case NN_TOO_LARGE: return "the model or the data are larger than memory can be addressed";
    case NN_BAD_SIZE: return "a size is zero or does not match the model";
    case NN_UNKNOWN_ROW: return "unknown layer, activation, loss, metric, optimizer or constraint";
    case NN_UNKNOWN_TARGET: return "unknown target";
    case NN_TARGET_UNAVAILABLE: return "this CPU cannot run that target";
    case NN_NOT_COMPILED: return "the model has no loss and optimizer yet";
    case NN_NO_DATA: return "no data are bound to this run";
    case NN_BAD_NUMBER: return "a number is not finite";
    }
    return "unknown status";
}

/* ---- blocks ---- */

/* Zeroed, on 64 bytes; sizes in reals were checked to fit when the plan was made. What is never used of a large block is never touched, for the system has
 * zeros of its own. The place before it keeps what it was cut from. */
static void *block_new(size_t reals, int bits) {
    int ok = 1;
    const size_t bytes = nn_size(nn_pad(reals + NN_LANES), (size_t)bits / 8, 2 * 64, &ok); /* a vec at the last real may be read */
    char *whole = ok ? calloc(1, bytes) : NULL;
    if (!whole) return NULL;
    void **block = (void **)(void *)(whole + 2 * 64 - (uintptr_t)whole % 64);
    block[-1] = whole;
    return block;
}

static void block_free(void *block) {
    if (block) free(((void **)block)[-1]);
}

static void *advance_by(const nn_engine *engine, void *start, size_t reals) { return (char *)start + reals * ((size_t)engine->bits / 8); }

/* ---- models ---- */

nn_status nn_model_new(const nn_layer_record *layers, size_t n_layers, size_t input_units, int bits, const char *target, nn_model **out) {
    const nn_engine *engine;
    nn_status status = find_engine(target, bits, &engine);
    if (status != NN_OK) return status;
    for (size_t l = 0; l < n_layers; l++) {
        for (size_t t = 0; t < NN_LAYER_TENSORS; t++) {
            if (layers[l].tensors[t].constraint.row >= nn_row_count(NN_CONSTRAINTS)) return NN_UNKNOWN_ROW;
        }
    }
    nn_model *m = calloc(1, sizeof *m);
    if (!m) return NN_OUT_OF_MEMORY;
    m->engine = engine;
    status = nn_plan_new(engine, layers, n_layers, input_units, &m->plan);
    if (status == NN_OK) {
        int ok = 1;
        const size_t reals = nn_size(2, m->plan.parameters, 0, &ok);
        m->block = ok ? block_new(reals, bits) : NULL;
        status = !ok ? NN_TOO_LARGE : !m->block ? NN_OUT_OF_MEMORY : NN_OK;
    }
    if (status != NN_OK) {
        nn_model_free(m);
        return status;
    }
    m->parameters = m->block;
    m->gradients = advance_by(engine, m->parameters, m->plan.parameters);
    engine->survey(m);
    *out = m;
    return NN_OK;
}

void nn_model_free(nn_model *m) {
    if (!m) return;
    nn_plan_free(&m->plan);
    block_free(m->block);
    block_free(m->slots);
    free(m->metrics);
    free(m);
}

static void fill(const nn_engine *engine, void *block, size_t reals, double value) {
    for (size_t i = 0; i < reals; i++) {
        if (engine->bits == 32) ((float *)block)[i] = (float)value;
        else ((double *)block)[i] = value;
    }
}

nn_status nn_model_compile(nn_model *m, const nn_loss_record *loss, const nn_row *metrics, size_t n_metrics, const nn_optimizer_record *optimizer) {
    const nn_engine *engine = m->engine;
    if (loss->kind.row >= nn_row_count(NN_LOSSES) || optimizer->kind.row >= nn_row_count(NN_OPTIMIZERS)) return NN_UNKNOWN_ROW;
    for (size_t k = 0; k < n_metrics; k++) {
        if (metrics[k].row >= nn_row_count(NN_METRICS)) return NN_UNKNOWN_ROW;
    }
    if (!isfinite(optimizer->learning_rate) || !isfinite(optimizer->decay) || !isfinite(loss->weight)) return NN_BAD_NUMBER;
    int ok = 1;
    const size_t n_slots = engine->optimizer_slots(optimizer->kind.row), reals = nn_size(n_slots, m->plan.parameters, 0, &ok);
    if (!ok) return NN_TOO_LARGE;
    void *slots = block_new(reals, engine->bits);
    nn_row *kept = calloc(n_metrics + 1, sizeof *kept);
    if (!slots || !kept) {
        block_free(slots);
        free(kept);
        return NN_OUT_OF_MEMORY;
    }
    if (n_metrics) memcpy(kept, metrics, n_metrics * sizeof *kept);
    const nn_environment caller = environment_enter();
    if (engine->optimizer_initial(&optimizer->kind) != 0) fill(engine, slots, reals, engine->optimizer_initial(&optimizer->kind));
    environment_leave(caller);
    block_free(m->slots);
    free(m->metrics);
    m->slots = slots;
    m->n_slots = n_slots;
    m->metrics = kept;
    m->n_metrics = n_metrics;
    m->loss = *loss;
    m->optimizer = *optimizer;
    m->fused = loss->fuse && m->plan.n_layers > 1 && engine->loss_fuses(loss->kind.row, m->plan.layers[m->plan.n_layers - 1].kind.row);
    fill(engine, m->gradients, m->plan.parameters, 0);
    engine->survey(m);
    m->state.iterations = 0;
    m->state.learning_rate = optimizer->learning_rate;
    for (int i = 0; i < NN_PRODUCTS; i++) m->state.products[i] = 1;
    m->compiled = 1;
    return NN_OK;
}

nn_model_facts nn_model_describe(const nn_model *m) {
    return (nn_model_facts){.inputs = m->plan.inputs, .units = m->plan.units, .tensors = m->plan.n_tensors, .parameters = m->plan.parameters,
                            .slots = m->n_slots, .metrics = m->n_metrics, .bits = m->engine->bits, .target = m->engine->target};
}

nn_status nn_tensor_describe(const nn_model *m, size_t tensor, nn_tensor_facts *out) {
    if (tensor >= m->plan.n_tensors) return NN_BAD_SIZE;
    const nn_tensor *t = &m->plan.tensors[tensor];
    *out = (nn_tensor_facts){.name = t->name, .layer = t->layer, .rows = t->rows, .columns = t->columns, .offset = t->offset, .panel = t->panel,
                             .vector = t->vector, .trainable = t->rule.trainable && !t->statistic};
    return NN_OK;
}

nn_status nn_tensor_set_trainable(nn_model *m, size_t tensor, int trainable) {
    if (tensor >= m->plan.n_tensors) return NN_BAD_SIZE;
    m->plan.tensors[tensor].rule.trainable = trainable;
    m->engine->survey(m);
    return NN_OK;
}

static void *buffer_of(const nn_model *m, size_t buffer) {
    if (buffer == 0) return m->parameters;
    if (buffer == 1) return m->gradients;
    return buffer - 2 < m->n_slots ? advance_by(m->engine, m->slots, (buffer - 2) * m->plan.parameters) : NULL;
}

nn_status nn_tensor_read(const nn_model *m, size_t buffer, size_t tensor, void *array) {
    if (tensor >= m->plan.n_tensors || !buffer_of(m, buffer)) return NN_BAD_SIZE;
    m->engine->unpack(&m->plan.tensors[tensor], array, buffer_of(m, buffer));
    return NN_OK;
}

nn_status nn_tensor_write(nn_model *m, size_t buffer, size_t tensor, const void *array) {
    if (tensor >= m->plan.n_tensors || !buffer_of(m, buffer)) return NN_BAD_SIZE;
    m->engine->pack(&m->plan.tensors[tensor], buffer_of(m, buffer), array);
    return NN_OK;
}

void *nn_model_parameters(nn_model *m) { return m->parameters; }

nn_state nn_state_get(const nn_model *m) { return m->state; }
void nn_state_set(nn_model *m, const nn_state *state) { m->state = *state; }

void nn_model_set_function(nn_model *m, nn_function function, void *context) { m->outside = (nn_outside){.function = function, .context = context}; }

/* ---- runs ---- */

/* Input, targets, weights and workspace of one batch in one block, each padded, targets at most as wide as outputs; and the sites of its layers. */
static nn_status make_room(nn_run *run) {
    const nn_plan *plan = &run->model->plan;
    const nn_engine *engine = run->model->engine;
    if (run->batch_size > SIZE_MAX / 4) return NN_TOO_LARGE;
    int ok = 1;
    const size_t rows = nn_pad(run->batch_size) + 1; /* no less than nn_room */
    const size_t weights = nn_pad(rows); /* every part of the block starts on 64 bytes */
    const size_t input = nn_size(rows, plan->input_stride, 0, &ok), targets_reals = nn_size(rows, plan->stride, 0, &ok);
    const size_t workspace = nn_size(rows, plan->row_reals, plan->fixed_reals, &ok);
    const size_t reals = nn_size(1, input, nn_size(1, targets_reals, nn_size(1, weights, workspace, &ok), &ok), &ok);
    if (!ok) return NN_TOO_LARGE;
    run->block = run->input = block_new(reals, engine->bits);
    if (!run->block) return NN_OUT_OF_MEMORY;
    run->targets = advance_by(engine, run->input, input);
    run->weights = advance_by(engine, run->targets, targets_reals);
    run->workspace = advance_by(engine, run->weights, weights);
    run->sites = calloc(plan->n_layers, NN_SITE_SETS * engine->site_size);
    if (!run->sites) return NN_OUT_OF_MEMORY;
    for (nn_site_set set = NN_SITES_OF_BATCHES; set < NN_SITE_SETS; set++) engine->begin_sites(nn_sites_of(run, set), run->model);
    return NN_OK;
}

nn_status nn_run_new(nn_model *model, size_t batch_size, nn_run **out) {
    if (batch_size == 0) return NN_BAD_SIZE;
    nn_run *run = calloc(1, sizeof *run);
    if (!run) return NN_OUT_OF_MEMORY;
    run->model = model;
    run->batch_size = batch_size;
    run->threads = 1;
    const nn_status status = make_room(run);
    if (status != NN_OK) {
        nn_run_free(run);
        return status;
    }
    *out = run;
    return NN_OK;
}

void nn_run_free(nn_run *run) {
    if (!run) return;
    for (size_t t = 0; t < run->n_helpers; t++) nn_run_free(run->helpers[t]);
    free(run->helpers);
    block_free(run->block);
    free(run->sites);
    free(run->order);
    block_free(run->staged.rows);
    block_free(run->staged_validation.rows);
    free(run->sums);
    free(run);
}

/* Room for the sums of the metrics compiled last: those of an epoch, then those of batches. */
static double *sums_new(const nn_model *m) { return calloc((1 + NN_SUMS) * (1 + m->n_metrics), sizeof(double)); }

static void take_sums(nn_run *run, double *sums) {
    free(run->sums);
    run->sums = sums;
    run->width = 1 + run->model->n_metrics;
}

/* Multiply-adds that are worth the company of one more thread: handing out a job and waiting for it takes a microsecond or two. */
#define WORTH_A_THREAD 5e4

/* Threads that so many multiply-adds are worth, of those allowed. */
static size_t threads_for(double work, size_t allowed) {
    const size_t wanted = work < WORTH_A_THREAD * (double)allowed ? (size_t)(work / WORTH_A_THREAD) : allowed;
    return wanted > 1 ? wanted : 1;
}

/* Borrows threads for a call that may do `work` multiply-adds at the same time, and sees to it that each has a run to work in. */
static nn_status begin_threads(nn_run *run, double work) {
    if (run->model->outside.function) return NN_OK; /* which is asked in the caller's thread */
    size_t wanted = threads_for(work, nn_threads());
    if (wanted < 2 || (wanted = nn_pool_borrow(wanted)) < 2) return NN_OK;
    nn_status status = NN_OK;
    if (run->n_helpers < wanted - 1) {
        nn_run **helpers = realloc(run->helpers, (wanted - 1) * sizeof *helpers);
        status = helpers ? NN_OK : NN_OUT_OF_MEMORY;
        if (helpers) run->helpers = helpers;
        while (status == NN_OK && run->n_helpers < wanted - 1) {
            status = nn_run_new(run->model, run->batch_size, &run->helpers[run->n_helpers]);
            if (status == NN_OK) run->n_helpers++;
        }
    }
    if (status == NN_OK) run->threads = wanted;
    else nn_pool_return();
    return status;
}

static void end_threads(nn_run *run) {
    if (run->threads > 1) nn_pool_return();
    run->threads = 1;
}

/* Targets are as wide as the outputs, or class numbers. */
static int good_data(const nn_run *run, const nn_data *d) {
    return d->rows > 0 && d->rows < UINT32_MAX && (d->target_units == run->model->plan.units || d->target_units == 1) && d->x && d->y;
}

/* Room to stage the data in, if they are small and the plan is narrow; 0 if memory ran out. */
static int staging_new(const nn_run *run, const nn_data *data, size_t block_rows, nn_staging *out) {
    const nn_plan *plan = &run->model->plan;
    int ok = 1;
    const size_t stride = (plan->inputs + 1 + data->target_units + (data->weights ? 1 : 0) + 3) / 4 * 4;
    const size_t batches = (data->rows - 1) / run->batch_size + 1, rows = nn_size(data->rows, stride, 0, &ok);
    const size_t reals = nn_size(nn_size(batches, nn_pad(run->batch_size), 0, &ok), stride, rows, &ok);
    *out = (nn_staging){.stride = stride, .batch_reals = nn_pad(run->batch_size) * stride, .block_rows = block_rows};
    if (!plan->narrow || !ok || reals > NN_STAGED_REALS) return 1;
    out->rows = block_new(reals, run->model->engine->bits);
    out->batches = out->rows ? advance_by(run->model->engine, out->rows, nn_pad(rows)) : NULL;
    return out->rows != NULL;
}

nn_status nn_run_bind(nn_run *run, const nn_data *train, const nn_data *validation, nn_shuffling shuffle) {
    if (!good_data(run, train) || (unsigned)shuffle > NN_SHUFFLE_BATCHES) return NN_BAD_SIZE;
    if (validation && (!good_data(run, validation) || validation->target_units != train->target_units)) return NN_BAD_SIZE;
    if (!run->model->compiled) return NN_NOT_COMPILED;
    double *sums = sums_new(run->model);
    uint32_t *order = shuffle != NN_KEEP ? malloc(train->rows * sizeof *order) : NULL;
    nn_staging staged = {0}, staged_validation = {0};
    const int whole = run->model->loss.by_weight && train->weights; /* whose sum over the batch is needed first */
    const size_t block_rows = whole ? SIZE_MAX : run->model->plan.block_rows;
    if (!sums || (shuffle != NN_KEEP && !order) || !staging_new(run, train, block_rows, &staged) ||
        (validation && !staging_new(run, validation, SIZE_MAX, &staged_validation))) {
        free(sums);
        free(order);
        block_free(staged.rows);
        return NN_OUT_OF_MEMORY;
    }
    take_sums(run, sums);
    free(run->order);
    block_free(run->staged.rows);
    block_free(run->staged_validation.rows);
    run->staged = staged;
    run->staged_validation = staged_validation;
    run->order = order;
    run->train = *train;
    run->validation = validation ? *validation : (nn_data){0};
    run->shuffle = shuffle;
    run->progress = (nn_progress){.batches = (train->rows - 1) / run->batch_size + 1};
    run->bound = 1;
    run->model->engine->stage(run);
    return NN_OK;
}

nn_status nn_order(size_t rows, size_t batch_size, nn_shuffling shuffle, uint64_t seed, uint64_t epoch, uint32_t *order) {
    if (rows >= UINT32_MAX || batch_size == 0 || (unsigned)shuffle > NN_SHUFFLE_BATCHES) return NN_BAD_SIZE;
    nn_order_rows(order, rows, batch_size, shuffle, seed, epoch);
    return NN_OK;
}

/* Data are bound, for the metrics compiled last. */
static int ready_to_run(const nn_run *run) { return run->bound && run->width == 1 + run->model->n_metrics; }

/* What a step does at the same time. It counts for less than other work: twice a step, whatever one thread has written goes to the processors of all others.
 * Steps of narrow plans are too small. */
static double step_work(const nn_run *run) {
    const nn_plan *plan = &run->model->plan;
    const size_t rows = run->train.rows < run->batch_size ? run->train.rows : run->batch_size;
    return plan->narrow ? 0 : 0.1 * plan->row_work * (double)rows;
}

nn_status nn_run_advance(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *partial, double *last,
                         nn_progress *progress) {
    nn_model *m = run->model;
    if (!m->compiled) return NN_NOT_COMPILED;
    if (!ready_to_run(run)) return NN_NO_DATA;
    const double step = step_work(run), validation = m->plan.row_work * (double)run->validation.rows;
    const nn_status status = begin_threads(run, step > validation ? step : validation);
    if (status != NN_OK) return status;
    run->step_threads = threads_for(step, run->threads);
    const nn_environment caller = environment_enter();
    m->engine->advance(run, max_batches, max_epochs, means, seconds, last);
    end_threads(run);
    for (size_t k = 0; partial && run->progress.rows && k < run->width; k++) partial[k] = run->sums[k] / (double)run->progress.rows;
    environment_leave(caller);
    *progress = run->progress;
    return NN_OK;
}

void nn_run_hold(nn_run *run, int hold) { run->holds = hold; }

nn_status nn_run_sums(const nn_run *run, double *sums) {
    if (!ready_to_run(run)) return NN_NO_DATA;
    for (size_t k = 0; k < run->width; k++) sums[k] = run->sums[k];
    return NN_OK;
}

nn_status nn_run_seek(nn_run *run, size_t batches, const double *sums) {
    if (!ready_to_run(run)) return NN_NO_DATA;
    if (batches >= run->progress.batches) return NN_BAD_SIZE;
    run->model->engine->begin_epoch(run);
    run->started = nn_clock();
    for (size_t k = 0; k < run->width; k++) run->sums[k] = sums[k];
    run->progress.batch = batches;
    run->progress.rows = batches * run->batch_size;
    return NN_OK;
}

nn_status nn_forward(nn_run *run, const void *x, size_t rows, int training, void *y) {
    if (rows == 0 || rows > run->batch_size) return NN_BAD_SIZE;
    const nn_environment caller = environment_enter();
    run->model->engine->forward(run, x, rows, training, y);
    environment_leave(caller);
    return NN_OK;
}

double nn_run_activity(const nn_run *run) { return run->activity; }

nn_status nn_backward(nn_run *run, const void *dy, size_t rows) {
    if (rows == 0 || rows > run->batch_size) return NN_BAD_SIZE;
    const nn_environment caller = environment_enter();
    run->model->engine->backward(run, dy, rows);
    environment_leave(caller);
    return NN_OK;
}

nn_status nn_update(nn_model *m, double *penalty) {
    if (!m->compiled) return NN_NOT_COMPILED;
    const nn_environment caller = environment_enter();
    *penalty = m->engine->update(m);
    environment_leave(caller);
    return NN_OK;
}

nn_status nn_evaluate(nn_run *run, const nn_data *data, size_t before, double *sums, double *means) {
    const nn_model *m = run->model;
    if (!good_data(run, data)) return NN_BAD_SIZE;
    if (!m->compiled) return NN_NOT_COMPILED;
    double *own = sums_new(m);
    const nn_status status = own ? begin_threads(run, m->plan.row_work * (double)data->rows) : NN_OUT_OF_MEMORY;
    if (status != NN_OK) {
        free(own);
        return status;
    }
    take_sums(run, own);
    nn_totals totals = {.sums = sums, .rows = before};
    run->bound = 0; /* the run's sums are this call's now */
    const nn_environment caller = environment_enter();
    m->engine->evaluate(run, data, &totals);
    end_threads(run);
    for (size_t k = 0; k < 1 + m->n_metrics; k++) means[k] = sums[k] / (double)totals.rows;
    environment_leave(caller);
    return NN_OK;
}

nn_status nn_predict(nn_run *run, const void *x, size_t rows, void *y) {
    if (rows == 0) return NN_BAD_SIZE;
    const nn_status status = begin_threads(run, run->model->plan.row_work * (double)rows);
    if (status != NN_OK) return status;
    const nn_environment caller = environment_enter();
    run->model->engine->predict(run, x, rows, y);
    end_threads(run);
    environment_leave(caller);
    return NN_OK;
}

/* ---- odds and ends ---- */

nn_status nn_random(nn_distribution kind, double low_or_mean, double high_or_deviation, uint64_t seed, uint64_t stream, size_t n, int bits, void *out) {
    const nn_engine *engine;
    const nn_status status = find_engine("scalar", bits, &engine);
    if (status != NN_OK) return status;
    if (!isfinite(low_or_mean) || !isfinite(high_or_deviation)) return NN_BAD_NUMBER;
    const nn_environment caller = environment_enter();
    engine->random(kind, low_or_mean, high_or_deviation, seed, stream, n, out);
    environment_leave(caller);
    return NN_OK;
}

nn_status nn_activate(const nn_row *activation, const void *x, size_t rows, size_t units, int bits, void *y) {
    const nn_engine *engine;
    if (activation->row >= nn_row_count(NN_ACTIVATIONS)) return NN_UNKNOWN_ROW;
    if (rows == 0 || units == 0 || units > SIZE_MAX / 8192) return NN_BAD_SIZE;
    const nn_status status = find_engine(NULL, bits, &engine);
    if (status != NN_OK) return status;
    void *scratch = block_new(5 * nn_room(0, NN_LANES) * nn_pad(units), bits); /* units were checked not to overflow */
    if (!scratch) return NN_OUT_OF_MEMORY;
    const nn_environment caller = environment_enter();
    engine->activate(activation, x, rows, units, scratch, y);
    environment_leave(caller);
    block_free(scratch);
    return NN_OK;
}
