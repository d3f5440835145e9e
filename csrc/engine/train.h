/* The training loop: gather, forward, loss, backward, update, metrics. Everything a step needs was allocated by nn_run_new and nn_run_bind. */

static inline real *run_real(void *p) { return (real *)p; }

NN_INLINE nn_pass pass_of(nn_run *run, const void *input, size_t rows, int training) {
    nn_model *m = run->model;
    const size_t room = m->plan.narrow ? nn_pad(run->batch_size) : run->batch_size;
    return (nn_pass){.plan = &m->plan, .parameters = m->parameters, .gradients = m->gradients, .transposed = m->transposed,
                     .workspace = run->workspace, .input = input, .rows = rows, .room = room, .training = training,
                     .seed = m->state.seed, .iteration = m->state.iterations};
}

static const nn_layer *last_layer(const nn_plan *plan) { return &plan->layers[plan->n_layers - 1]; }

static void pass_forward(nn_pass *p) {
    for (size_t l = 0; l < p->plan->n_layers; l++) layer_forward(p, &p->plan->layers[l]);
}

/* From the gradient in the output of the last layer but `skip` to the gradients of all tensors. */
static void pass_backward(nn_pass *p, size_t skip) {
    const nn_layer *layers = p->plan->layers;
    sums_store sums = {.waiting = fixed_place(p, p->plan->lanes)}; /* which only wide plans need for rows in lanes */
    p->sums = &sums;
    for (size_t l = p->plan->n_layers - skip; l-- > 0;) layer_backward(p, &layers[l], l ? place(p, layers[l - 1].gradient) : NULL);
    for (size_t l = 0; l < p->plan->n_layers - skip; l++) layer_weights(p, &layers[l]);
    store_last_sums(&sums);
}

/* to[0 ... n) = from[0 ... n); rows are short, and a call of memcpy for each would cost more than the copy. */
static inline void copy_row(real *to, const real *from, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) __builtin_memcpy(to + i, from + i, 4 * sizeof *to);
    for (; i < n; i++) __builtin_memcpy(to + i, from + i, sizeof *to);
}

/* to[units][pitch] = the rows, transposed; units is a constant where the caller knows it. */
NN_INLINE void gather_narrow(real *to, const grid *g, const real *from, const uint32_t *order, size_t start, const size_t units) {
    for (size_t r = 0; r < g->rows; r++) {
        const real *row = from + (order ? order[start + r] : start + r) * units;
        for (size_t u = 0; u < units; u++) to[u * g->pitch + r] = row[u];
    }
    for (size_t u = 0; u < units; u++) {
        for (size_t r = g->rows; r < g->pitch; r++) to[u * g->pitch + r] = 0;
    }
}

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
    for (size_t r = 0; r < g->rows; r++) copy_row(to + r * g->pitch, from + (order ? order[start + r] : start + r) * g->units, g->units);
}

/* The reverse: to[rows][units] */
static void scatter(real *to, const grid *g, const real *from) {
    for (size_t r = 0; r < g->rows; r++) {
        if (g->narrow) for (size_t u = 0; u < g->units; u++) to[r * g->units + u] = from[u * g->pitch + r];
        else copy_row(to + r * g->units, from + r * g->pitch, g->units);
    }
}

/* The pass over rows start ... of the data, its input gathered; staged: or already there, if this is not NULL. */
NN_INLINE nn_pass gather_pass(nn_run *run, const nn_staging *staged, const void *x, const uint32_t *order, size_t start, size_t rows, int training) {
    if (staged) return pass_of(run, staged_batch(staged, run->batch_size, start), rows, training);
    const nn_pass p = pass_of(run, run->input, rows, training);
    const grid g = grid_of(&p, p.plan->inputs);
    gather(run_real(run->input), &g, x, order, start);
    /* Rows of padding repeat the last row: finite where it is, so that 0 times what comes of them is 0. */
    for (size_t u = 0; g.narrow && u < g.units; u++) {
        real *column = run_real(run->input) + u * g.pitch;
        for (size_t r = rows; r < g.pitch; r++) column[r] = column[rows - 1];
    }
    return p;
}

/* What losses and metrics look at: targets and weights gathered, outputs where the pass leaves them. */
NN_INLINE outcome gather_outcome(nn_run *run, const nn_staging *staged, const nn_pass *p, const nn_data *data, const uint32_t *order, size_t start) {
    outcome o = {.grid = grid_of(p, p->plan->units), .target_grid = grid_of(p, data->target_units), .targets = run->targets,
                 .outputs = place(p, last_layer(p->plan)->output), .weights = data->weights ? run->weights : NULL};
    if (staged) {
        o.targets = (real *)p->input + p->plan->inputs * o.grid.pitch;
        if (data->weights) o.weights = (const real *)p->input + (staged->columns - 1) * o.grid.pitch;
        return o;
    }
    gather(o.targets, &o.target_grid, data->y, order, start);
    const grid single = grid_new(1, p->rows, 1, NULL, 0);
    if (data->weights) gather(run_real(run->weights), &single, data->weights, order, start);
    return o;
}

/* The sum over a batch that its mean loss contributes, and the metrics' sums, into sums[1 + metrics]. Metrics are not weighted. In training the gradient
 * of the loss is left in dp, else NULL. */
static void measure(const nn_model *m, const outcome *o, real *dp, double penalty, double *sums) {
    const double rows = (double)o->grid.rows, scale = m->loss.sum ? m->loss.weight : m->loss.weight / rows;
    const double loss = m->loss.weight * loss_pass(dp, &m->loss.kind, dp && m->fused, (real)scale, o);
    sums[0] = (m->loss.sum ? loss * rows : loss) + penalty * rows;
    outcome unweighted;
    if (o->weights) {
        unweighted = *o;
        unweighted.weights = NULL;
        o = &unweighted;
    }
    for (size_t k = 0; k < m->n_metrics; k++) sums[1 + k] = metric_value(&m->metrics[k], o);
}

/* The pass and the outcome of the batch under way. Batches of as many rows that are staged differ in little else than where they lie. */
typedef struct batch {
    nn_pass pass;
    outcome outcome;
} batch;

static void next_batch(nn_run *run, batch *b, size_t start, size_t rows) {
    const nn_staging *staged = run->staged.rows ? &run->staged : NULL;
    if (staged && b->pass.rows == rows) {
        const real *input = staged_batch(staged, run->batch_size, start);
        const ptrdiff_t onward = input - (const real *)b->pass.input;
        b->pass.input = input;
        b->pass.iteration = run->model->state.iterations;
        b->pass.penalty = 0;
        b->outcome.targets += onward;
        if (b->outcome.weights) b->outcome.weights += onward;
        return;
    }
    const uint32_t *order = run->shuffle != NN_KEEP ? run->order : NULL;
    b->pass = gather_pass(run, staged, run->train.x, order, start, rows, 1);
    b->outcome = gather_outcome(run, staged, &b->pass, &run->train, order, start);
}

/* One optimizer step on `rows` rows of the run's training data; its sums go into sums[1 + metrics]. */
static void train_batch(nn_run *run, batch *b, size_t start, size_t rows, double *sums) {
    nn_model *m = run->model;
    nn_pass *p = &b->pass;
    next_batch(run, b, start, rows);
    pass_forward(p);
    measure(m, &b->outcome, place(p, last_layer(p->plan)->gradient), p->penalty, sums);
    pass_backward(p, m->fused ? 1 : 0); /* an activation shares its gradient's place with the layer before */
    sums[0] += model_update(m) * (double)rows;
}

static void begin_epoch(nn_run *run) {
    const nn_state *s = &run->model->state;
    if (run->shuffle != NN_KEEP) {
        nn_order_rows(run->order, run->train.rows, run->batch_size, run->shuffle, s->seed, s->epochs);
        if (run->staged.rows) stage_batches(&run->staged, run->train.rows, run->batch_size, run->order);
    }
    for (size_t k = 0; k < 1 + run->model->n_metrics; k++) run->sums[k] = 0;
    run->started = nn_clock();
}

static void evaluate_rows(nn_run *run, const nn_staging *staged, const nn_data *data, nn_totals *totals) {
    nn_model *m = run->model;
    const size_t width = 1 + m->n_metrics;
    double *sums = run->sums + width;
    const double penalty = penalty_value(m);
    for (size_t start = 0; start < data->rows; start += run->batch_size) {
        const size_t rows = data->rows - start < run->batch_size ? data->rows - start : run->batch_size;
        nn_pass p = gather_pass(run, staged, data->x, NULL, start, rows, 0);
        const outcome o = gather_outcome(run, staged, &p, data, NULL, start);
        pass_forward(&p);
        measure(m, &o, NULL, p.penalty + penalty, sums);
        for (size_t k = 0; k < width; k++) totals->sums[k] += sums[k];
        totals->rows += rows;
    }
}

static void model_evaluate(nn_run *run, const nn_data *data, nn_totals *totals) { evaluate_rows(run, NULL, data, totals); }

/* means[0 ... width) of the epoch just finished, then those of the validation data. */
static void end_epoch(nn_run *run, double *means, double *seconds) {
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
    if (seconds) *seconds = nn_clock() - run->started;
}

static void run_advance(nn_run *run, size_t max_batches, size_t max_epochs, double *means, double *seconds, double *last) {
    const size_t width = 1 + run->model->n_metrics, row = run->validation.rows ? 2 * width : width;
    double *sums = run->sums + width;
    size_t epochs = 0;
    batch under_way = {0};
    for (size_t b = 0; b < max_batches && epochs < max_epochs; b++) {
        nn_progress *at = &run->progress;
        if (at->batch == 0) begin_epoch(run);
        const size_t left = run->train.rows - at->rows, rows = left < run->batch_size ? left : run->batch_size;
        train_batch(run, &under_way, at->rows, rows, sums);
        for (size_t k = 0; k < width; k++) run->sums[k] += sums[k];
        if (last) for (size_t k = 0; k < width; k++) last[k] = sums[k] / (double)rows;
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

/* y[rows][units] from rows start ... of x[][inputs], at most run->batch_size of them. */
static void forward_rows(nn_run *run, const void *x, size_t start, size_t rows, int training, real *y) {
    nn_pass p = gather_pass(run, NULL, x, NULL, start, rows, training);
    const grid g = grid_of(&p, p.plan->units);
    pass_forward(&p);
    scatter(y, &g, place(&p, last_layer(p.plan)->output));
}

static void run_forward(nn_run *run, const void *x, size_t rows, int training, void *y) { forward_rows(run, x, 0, rows, training, y); }

static void run_backward(nn_run *run, const void *dy, size_t rows) {
    nn_pass p = pass_of(run, run->input, rows, 1);
    const grid g = grid_of(&p, p.plan->units);
    real *gradient = place(&p, last_layer(p.plan)->gradient);
    for (size_t i = 0; i < grid_reals(&g); i += NN_LANES) v_store(gradient + i, v_zero());
    gather(gradient, &g, dy, NULL, 0);
    pass_backward(&p, 0);
}

static void run_predict(nn_run *run, const void *x, size_t rows, void *y) {
    for (size_t start = 0; start < rows; start += run->batch_size) {
        const size_t n = rows - start < run->batch_size ? rows - start : run->batch_size;
        forward_rows(run, x, start, n, 0, run_real(y) + start * run->model->plan.units);
    }
}
