/* One optimizer step under way. Most gradients are stored, to be clipped, penalised and used by update.h; those of kernels in large nets flow: each part is
 * used up where it is made, and never seen again. Both ways take the same operations, so they give the same bits. */

/* Nets with fewer parameters than this stay in the second-level cache, where a gradient costs next to nothing to store. */
enum { FLOWING_PARAMETERS = 1 << 15 };

typedef struct nn_step {
    nn_model *model;
    double rate;                   /* learning rate of this step, decay applied */
    real h[OPTIMIZER_CONSTANTS];
    int flowing;
} nn_step;

static int moves(const nn_tensor *t) { return t->rule.trainable && !t->statistic; }

/* Not where a gradient is to be seen whole or changed before it is used, or the new values after. */
static int flows(const nn_step *s, const nn_tensor *t) {
    if (!s || !s->flowing || !moves(t) || t->vector) return 0;
    const nn_optimizer_record *o = &s->model->optimizer;
    return o->clipvalue == 0 && o->clipnorm == 0 && o->global_clipnorm == 0 && t->rule.l1 == 0 && t->rule.l2 == 0 && t->rule.constraint.row == 0;
}

/* Moves the `count` parameters from `offset` on by their gradients g[count]. */
static void step_parameters(const nn_step *s, size_t offset, const real *g, size_t count) {
    const nn_model *m = s->model;
    real *w = (real *)m->parameters + offset;
    if (m->optimizer.weight_decay != 0) {
        const vec shrink = v_set((real)(s->rate * m->optimizer.weight_decay));
        for (size_t i = 0; i < count; i += NN_LANES) store_tail(w + i, v_fnma(shrink, v_load(w + i), v_load(w + i)), count - i);
    }
    optimizers[m->optimizer.kind.row].sweep(w, g, (real *)m->slots + offset, m->plan.parameters, count, s->h);
}

/* The parameters from `offset` on and their slots will be needed. */
static void step_nearing(const nn_step *s, nearing *n, size_t offset) {
    const nn_model *m = s->model;
    nearing_add(n, (const real *)m->parameters + offset);
    for (size_t k = 0; k < m->n_slots; k++) nearing_add(n, (const real *)m->slots + k * m->plan.parameters + offset);
}

/* Rows that the next batch will gather, to be asked for while this one is computed. */
typedef struct nn_ahead {
    const real *from;      /* [][units] */
    const uint32_t *order; /* or NULL */
    size_t start, rows, units;
    size_t share;          /* rows asked for at a time; 0: not known yet */
} nn_ahead;

/* The thread's part of the rows: about those that it will gather. */
static nn_ahead ahead_of_thread(nn_ahead a, size_t thread, size_t threads) {
    const size_t from = a.rows * thread / threads;
    a.start += from;
    a.rows = a.rows * (thread + 1) / threads - from;
    return a;
}

/* One of so many parts of the rows left when the first part was asked for. */
static void ahead_nearing(nn_ahead *a, nearing *n, size_t parts) {
    if (!a->share) a->share = a->rows / parts + 1;
    for (size_t r = 0; r < a->share && a->rows; r++, a->rows--, a->start++) {
        const real *row = a->from + (a->order ? a->order[a->start] : a->start) * a->units;
        for (size_t u = 0; u < a->units; u += n->lines * NN_LINE) nearing_add(n, row + u);
    }
}
