/* One training step of a wide plan, done by the threads of a run in jobs:
 *
 * rows     A part is some rows of the batch, taken through a number of stages. Rows do not need each other; what a layer does that couples them is done
 *          by the leader, on all rows, between two jobs.
 * panels   A part is some panels of the output, or of the input's gradient, of a layer with a large kernel, and of the activations that follow it. So of a
 *          kernel each thread reads its share only, the same in all jobs, and the batch is small enough to be read by all.
 * tiles    A part is some panels, or some inputs of them, of a layer's kernel: their gradient over all rows of the batch and, where it flows, the
 *          optimizer's step. One more part sums up loss and metrics. What else the step has to do is little, and the leader's.
 *
 * No chain of additions is cut by this, so neither the parts nor the number of threads change a bit. */

/* What a thread keeps to itself through a step. */
typedef struct thread_share {
    _Alignas(64) nn_ahead ahead;
} thread_share;

/* The way of a batch through the plan, in stages: its rows gathered; forward of each layer; the gradient of the loss; backward of each layer but the last
 * `skip`, which the loss has done. */
typedef struct batch_step {
    nn_run *run;
    const uint32_t *order;
    size_t start;              /* place of the batch's first row in the order */
    nn_pass batch;
    size_t skip, from, to;     /* stages of the job under way */
    size_t part_rows;
    size_t parts;              /* of a job of panels */
    size_t own_tiles;          /* tiles in a thread's share */
    double part_work;          /* of a tile, multiply-adds */
    thread_share shares[NN_MOST_THREADS];
    double *sums;              /* of loss and metrics */
} batch_step;

static size_t stages_of(const batch_step *s) { return 2 * s->batch.plan->n_layers + 2 - s->skip; }

/* The number of the layer whose forward or backward a stage is, or NO_LAYER. */
#define NO_LAYER SIZE_MAX
static size_t index_of_stage(const batch_step *s, size_t stage) {
    const size_t layers = s->batch.plan->n_layers;
    if (stage == 0 || stage == layers + 1) return NO_LAYER;
    return stage <= layers ? stage - 1 : stages_of(s) - 1 - stage;
}

/* That layer, or NULL. */
static const nn_layer *layer_of_stage(const batch_step *s, size_t stage) {
    const size_t index = index_of_stage(s, stage);
    return index == NO_LAYER ? NULL : &s->batch.plan->layers[index];
}

static int stage_couples_rows(const batch_step *s, size_t stage) {
    const nn_layer *layer = layer_of_stage(s, stage);
    return layer && layer->couples_rows;
}

static outcome outcome_of_rows(const batch_step *s, const nn_pass *p) {
    outcome o = outcome_of(s->run, p, &s->run->train);
    o.batch_rows = s->batch.rows;
    return o;
}

static void do_stages(const batch_step *s, nn_pass *p, size_t from, size_t to) {
    const nn_plan *plan = p->plan;
    for (size_t stage = from; stage < to; stage++) {
        if (stage == 0) {
            gather_inputs(p, s->run->train.x, s->order, s->start + p->first);
        } else if (stage == plan->n_layers + 1) {
            const outcome o = outcome_of_rows(s, p);
            gather_targets(&o, &s->run->train, s->order, s->start + p->first);
            gradient_of_loss(s->run->model, &o, last_site(p)->dy);
        } else {
            const nn_site *site = &p->sites[index_of_stage(s, stage)];
            layer_routine *routine = stage <= plan->n_layers ? site->forward : site->backward;
            if (routine) routine(p, site);
        }
    }
}

/* The pass over rows [first, first + rows) of the batch by a thread, which has scratch of its own. */
static nn_pass pass_of_rows(batch_step *s, size_t first, size_t rows, size_t thread) {
    const nn_run *own = run_of(s->run, thread);
    nn_pass p = s->batch;
    p.first = first;
    p.sites = nn_sites_of(own, NN_SITES_OF_OTHERS);
    p.workspace = (real *)p.workspace + first * NN_LANES;
    p.input = (real *)p.input + first * NN_LANES;
    p.rows = rows;
    p.lanes = fixed_of_run(own) + p.plan->lanes;
    p.ahead = &s->shares[thread].ahead;
    find_sites(&p);
    return p;
}

static void do_rows(void *context, size_t part, size_t thread) {
    batch_step *s = context;
    const size_t first = part * s->part_rows, left = s->batch.rows - first;
    nn_pass p = pass_of_rows(s, first, left < s->part_rows ? left : s->part_rows, thread);
    do_stages(s, &p, s->from, s->to);
}

/* Rows of which one thread takes no more at a time, so that they stay in its cache on their way through the layers. */
enum { ROWS_OF_ONE = 256 };

/* Parts of a multiple of 16 rows: at least two for each thread, since one may be held up, but enough rows for a kernel to be worth its way to the processor. */
static size_t part_rows(const nn_run *run, size_t rows) {
    const size_t most = run->step_threads > 1 ? 64 : ROWS_OF_ONE, wanted = nn_pad(rows) / (run->step_threads > 1 ? 2 * run->step_threads : 1) / NN_LANES * NN_LANES;
    return wanted < NN_LANES ? NN_LANES : wanted < most ? wanted : most;
}

/* ---- panels ---- */

/* Kernels of fewer reals are near at hand for every thread. */
enum { SHARED_KERNEL = 1 << 14 };

static int is_forward(const batch_step *s, size_t stage) { return stage <= s->batch.plan->n_layers; }

/* Panels that a stage computes, if it is the product of a large kernel; else 0. */
static size_t panels_of_stage(const batch_step *s, size_t stage) {
    const nn_layer *l = layer_of_stage(s, stage);
    if (!l || l->kind.row != LAYER_dense || l->inputs * l->stride < SHARED_KERNEL || (l == s->batch.plan->layers && !is_forward(s, stage))) return 0;
    return (is_forward(s, stage) ? l->stride : l->input_stride) / NN_LANES;
}

/* In a job of panels, a thread has so many parts if there are panels enough, and a part at least so many panels: one alone has a load for each sum. */
enum { PARTS_OF_ONE = 4, PANELS_OF_PART = 2 };

/* Few rows for each thread, and panels for two parts or more. */
static int shares_panels(const batch_step *s, size_t stage) {
    const size_t threads = s->run->step_threads;
    return threads > 1 && s->batch.rows < threads * ROWS_OF_ONE && panels_of_stage(s, stage) >= 2 * threads * PANELS_OF_PART;
}

static int goes_by_element(const batch_step *s, size_t stage) {
    const nn_layer *l = layer_of_stage(s, stage);
    return l && l->kind.row >= LAYERS && activations[l->kind.row - LAYERS].by_element;
}

static void do_panels(void *context, size_t part, size_t thread) {
    batch_step *s = context;
    nn_pass p = pass_of_rows(s, 0, s->batch.rows, thread);
    const nn_site *site = &p.sites[index_of_stage(s, s->from)];
    const size_t panels = panels_of_stage(s, s->from), from = part * panels / s->parts, to = (part + 1) * panels / s->parts;
    if (is_forward(s, s->from)) dense_forward_panels(site, from, to);
    else dense_backward_panels(site, from, to);
    for (size_t stage = s->from + 1; stage < s->to; stage++) {
        site = &p.sites[index_of_stage(s, stage)];
        const size_t start = from * p.pitch, units = (to * NN_LANES < site->grid.units ? to * NN_LANES : site->grid.units) - from * NN_LANES;
        if (is_forward(s, stage)) activation_units(site, start, units);
        else activation_units_backward(site, start, units);
    }
}

static void do_all_rows(batch_step *s) {
    const size_t threads = s->run->step_threads;
    s->part_rows = part_rows(s->run, s->batch.rows);
    for (s->from = 0; s->from < stages_of(s); s->from = s->to) {
        s->to = s->from + 1;
        if (stage_couples_rows(s, s->from)) {
            do_stages(s, &s->batch, s->from, s->to);
        } else if (shares_panels(s, s->from)) {
            while (s->to < stages_of(s) && goes_by_element(s, s->to)) s->to++;
            const size_t parts = panels_of_stage(s, s->from) / PANELS_OF_PART;
            s->parts = parts < PARTS_OF_ONE * threads ? parts : PARTS_OF_ONE * threads;
            nn_pool_do(threads, do_panels, s, s->parts);
        } else {
            while (s->to < stages_of(s) && !stage_couples_rows(s, s->to) && !shares_panels(s, s->to)) s->to++;
            nn_pool_do(threads, do_rows, s, (s->batch.rows - 1) / s->part_rows + 1);
        }
    }
}

/* ---- tiles ---- */

/* How a layer's kernel is cut into tiles: across into columns of some panels, as many for each thread if there are enough, and along its inputs. */
typedef struct tiling {
    size_t across, along;
} tiling;

static tiling tiling_of(const batch_step *s, const nn_layer *l) {
    const size_t panels = l->stride / NN_LANES, threads = s->run->step_threads, most = (panels + NN_TILE_PANELS - 1) / NN_TILE_PANELS;
    const size_t wanted = (size_t)((double)(s->batch.rows * l->inputs * l->stride) / s->part_work) + 1, tiles = (wanted + threads - 1) / threads * threads;
    const size_t columns = tiles < most ? tiles : most, even = columns < threads ? threads : columns / threads * threads;
    const size_t across = even <= panels / PANELS_OF_PART ? even : columns, blocks = nn_pad(l->inputs) / NN_LANES, along = (tiles + across - 1) / across;
    return (tiling){across, along < blocks ? along : blocks};
}

/* Of all tiles of a layer, one for all tensors if it has no kernel, each thread's share holds about as many. */
static size_t own_tiles_of(const batch_step *s, const nn_layer *l) {
    if (l->n_tensors == 0) return 0;
    if (l->tensors[0].vector) return 1;
    const tiling t = tiling_of(s, l);
    return (t.across * t.along - 1) / s->run->step_threads + 1;
}

static void do_tile(nn_pass *p, const batch_step *s, const nn_site *site, size_t n) {
    const nn_layer *l = site->layer;
    if (l->tensors[0].vector) {
        if (n == 0 && site->weights) site->weights(p, site);
        return;
    }
    const tiling t = tiling_of(s, l);
    if (n >= t.across * t.along) return;
    const size_t column = n / t.along, row = n % t.along, blocks = nn_pad(l->inputs) / NN_LANES, panels = l->stride / NN_LANES;
    const size_t panel = column * panels / t.across, end = (column + 1) * panels / t.across;
    const size_t from = row * blocks / t.along * NN_LANES, to = (row + 1) * blocks / t.along * NN_LANES;
    dense_gradient(p, site, &(kernel_part){from, to < l->inputs ? to : l->inputs, panel, end - panel});
}

/* The last part sums up loss and metrics, the others are tiles: for each thread its share of every layer's. */
static void do_tiles(void *context, size_t part, size_t thread) {
    batch_step *s = context;
    nn_pass p = pass_of_rows(s, 0, s->batch.rows, thread);
    if (part == s->own_tiles * s->run->step_threads) {
        const outcome o = outcome_of_rows(s, &p);
        measure(s->run->model, &o, s->batch.penalty, s->sums);
        return;
    }
    const size_t share = part / s->own_tiles;
    size_t n = part % s->own_tiles;
    const nn_site *site = p.sites;
    for (; n >= own_tiles_of(s, site->layer); site++) n -= own_tiles_of(s, site->layer);
    do_tile(&p, s, site, share * own_tiles_of(s, site->layer) + n);
}

static void do_all_tiles(batch_step *s) {
    const nn_plan *plan = s->batch.plan;
    const double least = 25e3, share = plan->row_work * (double)s->batch.rows / (double)(4 * s->run->step_threads);
    s->part_work = share > least ? share : least;
    s->own_tiles = 0;
    for (size_t l = 0; l < plan->n_layers - s->skip; l++) s->own_tiles += own_tiles_of(s, &plan->layers[l]);
    nn_pool_do(s->run->step_threads, do_tiles, s, s->own_tiles * s->run->step_threads + 1);
}

/* Is it worth it, and may it be? What others take part in, and a mean over all rows' weights, is done in one piece. */
static int done_in_parts(const nn_run *run, size_t rows) {
    const nn_model *m = run->model;
    return (run->step_threads > 1 || rows > ROWS_OF_ONE) && !run->holds && !m->outside.function && !(m->loss.by_weight && run->train.weights);
}

/* A step on `rows` rows of the run's training data; its sums go into sums[1 + metrics]. */
static NN_APART void train_in_parts(nn_run *run, size_t start, size_t rows, double *sums) {
    nn_model *m = run->model;
    batch_step s;
    s.run = run;
    s.order = run->shuffle != NN_KEEP ? run->order : NULL;
    s.start = start;
    s.batch = pass_of(run, NN_SITES_OF_BATCHES, NULL, rows, 1);
    s.skip = m->fused ? 1 : 0;
    s.sums = sums;
    do_all_rows(&s);
    const double penalty = penalty_value(m);
    nn_step step;
    step_begin(&step, m);
    step.flowing = 1; /* what does not is the leader's alone */
    s.batch.step = &step;
    for (size_t t = 0; t < run->step_threads; t++) s.shares[t].ahead = ahead_of_thread(rows_ahead(run, start, rows), t, run->step_threads);
    do_all_tiles(&s);
    step_end(&step, penalty);
    sums[0] += penalty * (double)rows;
}
