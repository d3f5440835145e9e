/* One training step of a wide plan, done by the threads of a run in two jobs:
 *
 * rows     A part is some rows of the batch: gathered, taken through all layers, and the gradient of the loss taken back through them. Rows do not need
 *          each other; what a layer does that couples them is done by the leader, on all rows, between two jobs.
 * tiles    A part is some inputs of a layer's kernel: their gradient over all rows of the batch and, where it flows, the optimizer's step and the
 *          transposed kernel. One more part sums up loss and metrics. What else the step has to do is little, and the leader's.
 *
 * No chain of additions is cut by this, so neither the parts nor the number of threads change a bit. */

/* The way of a batch through the plan, in stages: its rows gathered; forward of each layer; the gradient of the loss; backward of each layer but the last
 * `skip`, which the loss has done. */
typedef struct batch_step {
    nn_run *run;
    const uint32_t *order;
    size_t start;              /* place of the batch's first row in the order */
    nn_pass batch;
    size_t skip, from, to;     /* stages of the job under way */
    size_t part_rows;
    double part_work;          /* of a tile, multiply-adds */
    double *sums;              /* of loss and metrics */
} batch_step;

static size_t stages_of(const batch_step *s) { return 2 * s->batch.plan->n_layers + 2 - s->skip; }

/* The layer whose forward or backward a stage is, or NULL. */
static const nn_layer *layer_of_stage(const batch_step *s, size_t stage) {
    const nn_plan *plan = s->batch.plan;
    if (stage == 0 || stage == plan->n_layers + 1) return NULL;
    return &plan->layers[stage <= plan->n_layers ? stage - 1 : stages_of(s) - 1 - stage];
}

static int stage_couples_rows(const batch_step *s, size_t stage) {
    const nn_layer *layer = layer_of_stage(s, stage);
    return layer && layer->couples_rows;
}

/* What losses and metrics look at, of the rows of a pass. */
static outcome outcome_of(const batch_step *s, const nn_pass *p) {
    const nn_run *run = s->run;
    return (outcome){.grid = grid_of(p, p->plan->units), .target_grid = grid_of(p, run->train.target_units),
                     .targets = run_real(run->targets) + p->first * NN_LANES, .outputs = place(p, last_layer(p->plan)->output),
                     .weights = run->train.weights ? run_real(run->weights) + p->first : NULL, .batch_rows = s->batch.rows};
}

static void gather_rows(const batch_step *s, nn_pass *p) {
    const nn_run *run = s->run;
    const nn_data *data = &run->train;
    const grid inputs = grid_of(p, p->plan->inputs), targets = grid_of(p, data->target_units), single = grid_new(1, p->rows, 1, nn_pitch(1, p->rows), NULL, 0);
    gather((real *)p->input, &inputs, data->x, s->order, s->start + p->first);
    gather(run_real(run->targets) + p->first * NN_LANES, &targets, data->y, s->order, s->start + p->first);
    if (data->weights) gather(run_real(run->weights) + p->first, &single, data->weights, s->order, s->start + p->first);
}

static void do_stages(const batch_step *s, nn_pass *p, size_t from, size_t to) {
    const nn_plan *plan = p->plan;
    for (size_t stage = from; stage < to; stage++) {
        const nn_layer *layer = layer_of_stage(s, stage);
        if (stage == 0) gather_rows(s, p);
        else if (!layer) {
            const outcome o = outcome_of(s, p);
            gradient_of_loss(s->run->model, &o, place(p, last_layer(plan)->gradient));
        }
        else if (stage <= plan->n_layers) layer_forward(p, layer);
        else layer_backward(p, layer, layer == plan->layers ? NULL : place(p, layer[-1].gradient));
    }
}

/* The pass over rows [first, first + rows) of the batch by a thread, which has scratch of its own. */
static nn_pass pass_of_rows(const batch_step *s, size_t first, size_t rows, size_t thread) {
    nn_pass p = s->batch;
    p.first = first;
    p.workspace = (real *)p.workspace + first * NN_LANES;
    p.input = (const real *)p.input + first * NN_LANES;
    p.rows = rows;
    p.lanes = fixed_of_run(run_of(s->run, thread)) + p.plan->lanes;
    return p;
}

static void do_rows(void *context, size_t part, size_t thread) {
    const batch_step *s = context;
    const size_t first = part * s->part_rows, left = s->batch.rows - first;
    nn_pass p = pass_of_rows(s, first, left < s->part_rows ? left : s->part_rows, thread);
    do_stages(s, &p, s->from, s->to);
}

/* Rows of which one thread takes no more at a time, so that they stay in its cache on their way through the layers. */
enum { ROWS_OF_ONE = 256 };

/* Parts of a multiple of 16 rows: at least two for each thread, since one may be held up, but enough rows for a kernel to be worth its way to the processor. */
static size_t part_rows(const nn_run *run, size_t rows) {
    const size_t most = run->threads > 1 ? 64 : ROWS_OF_ONE, wanted = nn_pad(rows) / (run->threads > 1 ? 2 * run->threads : 1) / NN_LANES * NN_LANES;
    return wanted < NN_LANES ? NN_LANES : wanted < most ? wanted : most;
}

static void do_all_rows(batch_step *s) {
    s->part_rows = part_rows(s->run, s->batch.rows);
    for (s->from = 0; s->from < stages_of(s); s->from = s->to) {
        s->to = s->from + 1;
        if (stage_couples_rows(s, s->from)) {
            do_stages(s, &s->batch, s->from, s->to);
            continue;
        }
        while (s->to < stages_of(s) && !stage_couples_rows(s, s->to)) s->to++;
        nn_pool_do(s->run->threads, do_rows, s, (s->batch.rows - 1) / s->part_rows + 1);
    }
}

/* ---- tiles ---- */

/* Inputs of a tile that come to s->part_work. */
static size_t tile_inputs(const batch_step *s, const nn_layer *l) {
    const size_t wanted = (size_t)(s->part_work / (double)(s->batch.rows * l->stride));
    return wanted < l->inputs ? wanted / NN_LANES * NN_LANES + NN_LANES : nn_pad(l->inputs);
}

/* How many tiles a layer has: down its kernel, or one for all tensors of a layer that has no kernel. */
static size_t tiles_of(const batch_step *s, const nn_layer *l) {
    if (l->n_tensors == 0 || l->tensors[0].vector) return l->n_tensors > 0;
    return (l->inputs - 1) / tile_inputs(s, l) + 1;
}

static void do_tile(const batch_step *s, nn_pass *p, const nn_layer *l, size_t n) {
    if (l->tensors[0].vector) {
        layer_weights(p, l);
        return;
    }
    const size_t inputs = tile_inputs(s, l), from = n * inputs, to = from + inputs < l->inputs ? from + inputs : l->inputs;
    dense_gradient(p, l, from, to);
}

/* Part 0 sums up loss and metrics, the others are tiles. */
static void do_tiles(void *context, size_t part, size_t thread) {
    const batch_step *s = context;
    nn_pass p = pass_of_rows(s, 0, s->batch.rows, thread);
    if (part == 0) {
        const outcome o = outcome_of(s, &p);
        measure(s->run->model, &o, s->batch.penalty, s->sums);
        return;
    }
    size_t n = part - 1;
    const nn_layer *l = p.plan->layers;
    for (; n >= tiles_of(s, l); l++) n -= tiles_of(s, l);
    do_tile(s, &p, l, n);
}

static void do_all_tiles(batch_step *s) {
    const nn_plan *plan = s->batch.plan;
    const double least = 25e3, share = plan->row_work * (double)s->batch.rows / (double)(4 * s->run->threads);
    size_t parts = 1;
    s->part_work = share > least ? share : least;
    for (size_t l = 0; l < plan->n_layers - s->skip; l++) parts += tiles_of(s, &plan->layers[l]);
    nn_pool_do(s->run->threads, do_tiles, s, parts);
}

/* Is it worth it, and may it be? What others take part in, and a mean over all rows' weights, is done in one piece. */
static int done_in_parts(const nn_run *run, size_t rows) {
    const nn_model *m = run->model;
    return (run->threads > 1 || rows > ROWS_OF_ONE) && !run->holds && !m->outside.function && !(m->loss.by_weight && run->train.weights);
}

/* A step on `rows` rows of the run's training data; its sums go into sums[1 + metrics]. */
static void train_in_parts(nn_run *run, size_t start, size_t rows, double *sums) {
    nn_model *m = run->model;
    batch_step s = {.run = run, .order = run->shuffle != NN_KEEP ? run->order : NULL, .start = start, .batch = pass_of(run, run->input, rows, 1),
                  .skip = m->fused ? 1 : 0, .sums = sums};
    do_all_rows(&s);
    const double penalty = penalty_value(m);
    nn_step step;
    step_begin(&step, m);
    nn_ahead ahead = rows_ahead(run, start, rows);
    step.flowing = m->plan.parameters >= FLOWING_PARAMETERS;
    s.batch.step = &step;
    if (run->threads == 1) s.batch.ahead = &ahead; /* it is one thread's */
    do_all_tiles(&s);
    step_end(&step, penalty);
    sums[0] += penalty * (double)rows;
}
