/* The training loop: gather, forward, loss, backward, update, metrics. Everything a step needs was allocated by nn_run_new and nn_run_bind. */

/* to[units][pitch] = the rows, transposed; units is a constant where the caller knows it. */
NN_INLINE void gather_narrow(real *to, const grid *g, const real *from, const uint32_t *order, size_t start, const size_t units) {
    for (size_t u = 0; u < units; u++) {
        for (size_t r = g->rows / NN_LANES * NN_LANES; r < g->pitch; r += NN_LANES) v_store(to + u * g->pitch + r, v_zero());
    }
    for (size_t r = 0; r < g->rows; r++) {
        const real *row = from + (order ? order[start + r] : start + r) * units;
        for (size_t u = 0; u < units; u++) to[u * g->pitch + r] = row[u];
    }
}

enum { GATHERED_ROWS = 8 };

/* to, laid out as g says, = rows start ... of from[][g->units] in the given order, or as they come. Padding becomes, or stays, 0. */
static void gather(real *to, const grid *g, const real *from, const uint32_t *order, size_t start) {
    if (g->narrow) {
        switch (g->units) { /* rows of a few reals: a loop over them would cost more than they do */
        case 1: gather_narrow(to, g, from, order, start, 1); return;
        case 2: gather_narrow(to, g, from, order, start, 2); return;
        case 3: gather_narrow(to, g, from, order, start, 3); return;
        case 4: gather_narrow(to, g, from, order, start, 4); return;
        case 5: gather_narrow(to, g, from, order, start, 5); return;
        default: gather_narrow(to, g, from, order, start, g->units); return;
        }
    }
    for (size_t r = 0, n; r < g->rows; r += n) { /* some rows at a time: those of a panel share a page of memory, panels do not */
        const real *row[GATHERED_ROWS];
        n = g->rows - r < GATHERED_ROWS ? g->rows - r : GATHERED_ROWS;
        for (size_t k = 0; k < n; k++) row[k] = from + (order ? order[start + r + k] : start + r + k) * g->units;
        size_t u = 0;
        for (; u + NN_LANES <= g->units; u += NN_LANES) {
            real *panel = to + grid_at(g, r, u);
            for (size_t k = 0; k < n; k++) v_store(panel + k * NN_LANES, v_load(row[k] + u));
        }
        for (size_t k = 0; u < g->units && k < n; k++) {
            real *last = to + grid_at(g, r + k, u);
            v_store(last, v_zero());
            copy_row(last, row[k] + u, g->units - u);
        }
    }
}

/* The reverse: to[rows][units] */
static void scatter(real *to, const grid *g, const real *from) {
    for (size_t r = 0; r < g->rows; r++) {
        if (g->narrow) for (size_t u = 0; u < g->units; u++) to[r * g->units + u] = from[u * g->pitch + r];
        else for (size_t u = 0; u < g->units; u += NN_LANES) copy_row(to + r * g->units + u, from + grid_at(g, r, u), at_most_16(g->units - u));
    }
}

/* Sample weights lie as in a narrow plan everywhere. */
NN_INLINE grid grid_of_weights(size_t rows) { return (grid){rows, 1, nn_pitch(1, rows), NULL, 0, 1}; }

/* The input of a pass = rows start ... of x. */
NN_INLINE void gather_inputs(const nn_pass *p, const void *x, const uint32_t *order, size_t start) {
    const grid g = grid_of(p, p->plan->inputs);
    gather(p->input, &g, x, order, start);
    /* Rows of padding repeat the last row: finite where it is, so that 0 times what comes of them is 0. */
    for (size_t u = 0; g.narrow && u < g.units; u++) {
        real *column = run_real(p->input) + u * g.pitch;
        for (size_t r = g.rows / NN_LANES * NN_LANES; r < g.pitch; r += NN_LANES)
            v_store(column + r, v_select(m_first(g.rows - r), v_load(column + r), v_set(column[g.rows - 1])));
    }
}

/* What losses and metrics look at, of the rows of a pass: outputs where it leaves them, targets and weights where they are gathered, or staged. */
NN_INLINE outcome outcome_of(nn_run *run, const nn_pass *p, const nn_data *data) {
    outcome o = {.grid = grid_of(p, p->plan->units), .target_grid = grid_of(p, data->target_units), .outputs = last_site(p)->y,
                 .targets = run_real(run->targets) + p->first * NN_LANES, .weights = data->weights ? run_real(run->weights) + p->first : NULL,
                 .batch_rows = p->rows};
    if (!p->staged) return o;
    o.targets = (real *)p->input + (p->plan->inputs + 1) * o.grid.pitch;
    if (data->weights) o.weights = o.targets + data->target_units * o.grid.pitch;
    return o;
}

NN_INLINE void gather_targets(const outcome *o, const nn_data *data, const uint32_t *order, size_t start) {
    gather(o->targets, &o->target_grid, data->y, order, start);
    const grid single = grid_of_weights(o->grid.rows);
    if (data->weights) gather(o->weights, &single, data->weights, order, start);
}

static NN_APART double total_weight(const outcome *o) {
    vec total = v_zero();
    for (size_t r = 0; r < o->grid.rows; r += NN_LANES) total = v_add(total, v_keep(m_first(o->grid.rows - r), v_load(o->weights + r)));
    return (double)v_sum(total);
}

/* What the sum of the rows' weighted losses is divided by; 1 if that would be 0. */
NN_INLINE double loss_divisor(const nn_model *m, const outcome *o) {
    if (m->loss.sum) return 1;
    if (!m->loss.by_weight || !o->weights) return (double)o->batch_rows;
    const double total = total_weight(o);
    return total == 0 ? 1 : total;
}

NN_INLINE void gradient_of_loss(const nn_model *m, const outcome *o, real *dp) {
    const loss_routines *loss = &losses[m->loss.kind.row];
    (m->fused ? loss->fused : loss->gradient)(dp, &m->loss.kind, (real)(m->loss.weight / loss_divisor(m, o)), o);
}

/* The sum over a batch that its mean loss contributes, and the metrics' sums, into sums[1 + metrics]. Metrics are not weighted. */
NN_INLINE void measure(const nn_model *m, const outcome *o, double penalty, double *sums) {
    const double rows = (double)o->batch_rows;
    sums[0] = m->loss.weight * losses[m->loss.kind.row].value(&m->loss.kind, o) * (rows / loss_divisor(m, o)) + penalty * rows;
    outcome unweighted;
    if (o->weights) {
        unweighted = *o;
        unweighted.weights = NULL;
        o = &unweighted;
    }
    for (size_t k = 0; k < m->n_metrics; k++) sums[1 + k] = metrics[m->metrics[k].row](&m->metrics[k], o);
}

/* What batches are made of. */
typedef struct source {
    const nn_data *data;
    const nn_staging *staged; /* where they lie ready, or NULL */
    const uint32_t *order;    /* or NULL */
    int training;
} source;

static source source_of_training(const nn_run *run) {
    return (source){&run->train, run->staged.rows ? &run->staged : NULL, run->shuffle != NN_KEEP ? run->order : NULL, 1};
}

/* The pass and the outcome of a batch. Batches of as many rows differ in what they hold and, staged, in where it lies. */
typedef struct batch {
    nn_site_set set;
    nn_pass pass;
    outcome outcome;
} batch;

/* b becomes batch `number`, `rows` rows from place `start` on; what it was before came from the same source. */
NN_INLINE void next_batch(nn_run *run, batch *b, const source *from, size_t number, size_t start, size_t rows) {
    if (b->pass.rows != rows) {
        b->pass = pass_of(run, b->set, from->staged ? staged_batch(from->staged, run->batch_size, start) : NULL, rows, from->training);
        b->outcome = outcome_of(run, &b->pass, from->data);
    } else {
        b->pass.iteration = run->model->state.iterations;
        b->pass.penalty = 0;
        if (from->staged) {
            real *input = (real *)from->staged->batches + number * from->staged->batch_reals;
            const ptrdiff_t onward = input - (real *)b->pass.input;
            b->pass.input = b->pass.sites->x = input;
            b->outcome.targets += onward;
            if (b->outcome.weights) b->outcome.weights += onward;
        }
    }
    if (from->staged) return;
    gather_inputs(&b->pass, from->data->x, from->order, start);
    gather_targets(&b->outcome, from->data, from->order, start);
}

/* The rows of the batch after this one, of `rows` rows from place `start` on. */
static nn_ahead rows_ahead(const nn_run *run, size_t start, size_t rows) {
    const size_t next = start + rows, left = run->train.rows - next;
    return (nn_ahead){.from = run->train.x, .order = run->shuffle != NN_KEEP ? run->order : NULL, .start = next,
                      .rows = left < run->batch_size ? left : run->batch_size, .units = run->model->plan.inputs};
}

#include "jobs.h"

/* Forward, loss and backward of rows that are gathered as b says. */
NN_INLINE void batch_gradients(const nn_model *m, batch *b, int begins, int ends) {
    nn_pass *p = &b->pass;
    pass_forward(p);
    gradient_of_loss(m, &b->outcome, last_site(p)->dy);
    pass_backward(p, m->fused ? 1 : 0, begins, ends); /* the last activation shares its gradient's place with the layer before */
}

/* The same for a batch of a narrow plan that is too large for the cache, block of rows by block of rows. */
static NN_APART void block_gradients(nn_run *run, const source *from, size_t start, size_t rows, double *sums) {
    const size_t width = 1 + run->model->n_metrics;
    double *own = sums + width;
    for (size_t k = 0; k < width; k++) sums[k] = 0;
    for (size_t first = 0, count; first < rows; first += count) {
        batch b = {.set = NN_SITES_OF_OTHERS};
        count = rows - first < run->staged.block_rows ? rows - first : run->staged.block_rows;
        next_batch(run, &b, from, run->progress.batch, start + first, count);
        b.outcome.batch_rows = rows;
        batch_gradients(run->model, &b, first == 0, first + count == rows);
        measure(run->model, &b.outcome, b.pass.penalty, own);
        for (size_t k = 0; k < width; k++) sums[k] += own[k];
    }
}

/* One optimizer step on `rows` rows of the run's training data; its sums go into sums[1 + metrics], behind which is room for as many again. */
static void train_batch(nn_run *run, batch *b, const source *from, size_t start, size_t rows, double *sums) {
    nn_model *m = run->model;
    if (!m->plan.narrow && done_in_parts(run, rows)) {
        train_in_parts(run, start, rows, sums);
        return;
    }
    const int held = run->holds || m->outside.function; /* there may be no step: nothing of it is begun before all gradients are there */
    double penalty = held ? 0 : penalty_value(m);
    nn_step step;
    nn_ahead ahead;
    if (!held) step_begin(&step, m);
    if (rows > run->staged.block_rows) {
        block_gradients(run, from, start, rows, sums);
    } else {
        next_batch(run, b, from, run->progress.batch, start, rows);
        if (!held && !m->plan.narrow && m->plan.parameters >= FLOWING_PARAMETERS) {
            step.flowing = 1;
            ahead = rows_ahead(run, start, rows);
            b->pass.step = &step;
            b->pass.ahead = &ahead;
        }
        batch_gradients(m, b, 1, 1);
    }
    if (!held) step_end(&step, penalty);
    else if (!run->holds && !m->outside.failed) penalty = model_update(m);
    /* What is only told comes last: nothing of the next step waits for it. */
    if (rows <= run->staged.block_rows) measure(m, &b->outcome, b->pass.penalty, sums);
    sums[0] += penalty * (double)rows;
}

static NN_APART void begin_epoch(nn_run *run) {
    const nn_state *s = &run->model->state;
    if (run->shuffle != NN_KEEP) {
        nn_order_rows(run->order, run->train.rows, run->batch_size, run->shuffle, s->seed, s->epochs);
        if (run->staged.rows) stage_batches(&run->staged, run->train.rows, run->batch_size, run->order);
    }
    for (size_t k = 0; k < 1 + run->model->n_metrics; k++) run->sums[k] = 0;
}

/* ---- batches that do not depend on each other, on several threads ---- */

/* Parts of this size make a job's overhead small, and leave enough of them for every thread. */
#define PART_WORK 5e4

static size_t batches_in_part(const nn_run *run, size_t batches) {
    const double work = run->model->plan.row_work * (double)run->batch_size;
    const size_t wanted = work < PART_WORK ? (size_t)(PART_WORK / work) + 1 : 1, least = batches / NN_MOST_PARTS + 1;
    const size_t most = batches / (4 * run->threads) + 1;
    return most < least ? least : wanted < least ? least : wanted < most ? wanted : most;
}

/* Consecutive batches without order, those of a part done by one thread. */
typedef struct stretch {
    nn_run *run;
    const nn_staging *staged; /* where batches of evaluation lie, or NULL */
    const nn_data *data;
    const real *x;       /* of prediction */
    real *y;
    size_t start, end;   /* rows */
    size_t batches_in_part;
    double penalty;
} stretch;

NN_INLINE size_t batches_of(const nn_run *run, size_t rows) { return (rows - 1) / run->batch_size + 1; }
NN_INLINE size_t rows_at(const nn_run *run, size_t start, size_t end) { return end - start < run->batch_size ? end - start : run->batch_size; }

/* Does the stretch: calls part_routine with the numbers of its parts. */
static void do_stretch(stretch *s, nn_part *part_routine) {
    const size_t batches = batches_of(s->run, s->end - s->start);
    s->batches_in_part = batches_in_part(s->run, batches);
    nn_pool_do(s->run->threads, part_routine, s, (batches - 1) / s->batches_in_part + 1);
}

/* Runs BODY for each batch of a part: its number in the stretch, its first row `start`, and its `rows`. */
#define EACH_BATCH(s, part, BODY) \
    for (size_t b = (part) * (s)->batches_in_part; b < ((part) + 1) * (s)->batches_in_part; b++) { \
        const size_t start = (s)->start + b * (s)->run->batch_size; \
        if (start >= (s)->end) return; \
        const size_t rows = rows_at((s)->run, start, (s)->end); \
        BODY \
    }

/* The sums of each batch of the part into run->sums. */
static void evaluate_part(void *context, size_t part, size_t thread) {
    const stretch *s = context;
    const nn_model *m = s->run->model;
    nn_run *run = run_of(s->run, thread);
    const source from = {s->data, s->staged, NULL, 0};
    batch own = {.set = NN_SITES_OF_OTHERS};
    EACH_BATCH(s, part, {
        next_batch(run, &own, &from, start / run->batch_size, start, rows);
        pass_forward(&own.pass);
        measure(m, &own.outcome, own.pass.penalty + s->penalty, s->run->sums + (1 + b) * (1 + m->n_metrics));
    })
}

/* Whoever computed the sums of the batches, they are added up in the order of the batches. */
static void evaluate_rows(nn_run *run, const nn_staging *staged, const nn_data *data, nn_totals *totals) {
    nn_model *m = run->model;
    const size_t width = 1 + m->n_metrics;
    const double penalty = penalty_value(m);
    for (size_t start = 0; start < data->rows; start += NN_SUMS * run->batch_size) {
        stretch s = {.run = run, .staged = staged, .data = data, .start = start, .end = data->rows, .penalty = penalty};
        if (s.end - start > NN_SUMS * run->batch_size) s.end = start + NN_SUMS * run->batch_size;
        do_stretch(&s, evaluate_part);
        for (size_t b = 0; b < batches_of(run, s.end - start); b++) {
            for (size_t k = 0; k < width; k++) totals->sums[k] += run->sums[(1 + b) * width + k];
        }
        totals->rows += s.end - start;
    }
}

static void model_evaluate(nn_run *run, const nn_data *data, nn_totals *totals) { evaluate_rows(run, NULL, data, totals); }

/* means[0 ... width) of the epoch just finished, then those of the validation data. */
static NN_APART void end_epoch(nn_run *run, double *means, double *seconds) {
    const size_t width = 1 + run->model->n_metrics;
    for (size_t k = 0; k < width; k++) means[k] = run->sums[k] / (double)run->train.rows;
    run->model->state.epochs++;
    run->progress.epochs++;
    run->progress.batch = 0;
    run->progress.rows = 0;
    if (run->validation.rows) {
        nn_totals totals = {.sums = means + width};
        for (size_t k = 0; k < width; k++) totals.sums[k] = 0;
        evaluate_rows(run, run->staged_validation.rows ? &run->staged_validation : NULL, &run->validation, &totals);
        for (size_t k = 0; k < width; k++) totals.sums[k] /= (double)totals.rows;
    }
    const double now = nn_clock();
    if (seconds) *seconds = now - run->started;
    run->started = now; /* the next, if it follows at once */
}

static void run_advance(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *last) {
    const size_t width = 1 + run->model->n_metrics, row = run->validation.rows ? 2 * width : width;
    double *sums = run->sums + width;
    const source from = source_of_training(run);
    size_t epochs = 0;
    if (run->progress.batch == 0) run->started = nn_clock();
    batch whole = {.set = NN_SITES_OF_BATCHES}, rest = {.set = NN_SITES_OF_LAST}; /* batches of an epoch, and its last if that has fewer rows */
    for (size_t b = 0; b < max_batches && epochs < max_epochs; b++) {
        nn_progress *at = &run->progress;
        if (at->batch == 0) begin_epoch(run);
        const size_t left = run->train.rows - at->rows, rows = left < run->batch_size ? left : run->batch_size;
        train_batch(run, rows == run->batch_size ? &whole : &rest, &from, at->rows, rows, sums);
        if (run->model->outside.failed) return;
        for (size_t k = 0; k < width; k++) run->sums[k] += sums[k];
        if (last && (b + 1 == max_batches || at->rows + rows == run->train.rows)) {
            for (size_t k = 0; k < width; k++) last[k] = sums[k] / (double)rows;
        }
        if (!at->bad_iteration && !(sums[0] - sums[0] == 0)) at->bad_iteration = run->model->state.iterations;
        at->batch++;
        at->rows += rows;
        if (at->rows == run->train.rows) {
            end_epoch(run, means + epochs * row, seconds ? seconds + epochs : NULL);
            epochs++;
        }
    }
}

/* ---- the parts of a step, one at a time ---- */

/* y[rows][units] from rows start ... of x[][inputs], as many as the pass has. */
static NN_APART void forward_rows(nn_pass *p, const void *x, size_t start, real *y) {
    gather_inputs(p, x, NULL, start);
    pass_forward(p);
    scatter(y, &last_site(p)->grid, last_site(p)->y);
}

static void run_forward(nn_run *run, const void *x, size_t rows, int training, void *y) {
    nn_pass p = pass_of(run, NN_SITES_OF_OTHERS, NULL, rows, training);
    forward_rows(&p, x, 0, y);
    run->activity = p.penalty;
}

static void run_backward(nn_run *run, const void *dy, size_t rows) {
    nn_pass p = pass_of(run, NN_SITES_OF_OTHERS, NULL, rows, 1);
    const nn_site *last = last_site(&p);
    EACH_AT(&last->grid, v_store(last->dy + at, v_zero());)
    gather(last->dy, &last->grid, dy, NULL, 0);
    pass_backward(&p, 0, 1, 1);
}

static void predict_part(void *context, size_t part, size_t thread) {
    const stretch *s = context;
    nn_run *run = run_of(s->run, thread);
    nn_pass p = {0};
    EACH_BATCH(s, part, {
        if (p.rows != rows) p = pass_of(run, NN_SITES_OF_OTHERS, NULL, rows, 0);
        forward_rows(&p, s->x, start, s->y + start * run->model->plan.units);
    })
}

static void run_predict(nn_run *run, const void *x, size_t rows, void *y) {
    stretch s = {.run = run, .x = x, .y = y, .end = rows};
    do_stretch(&s, predict_part);
}
