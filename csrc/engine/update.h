/* From gradients to new parameters: penalties, clipping, weight decay, the optimizer's step, constraints.
 * Each is a sweep over tensors in storage order; sums over a tensor run in 16 virtual lanes. */

static inline real *block_at(void *block, const nn_tensor *t) { return (real *)block + t->offset; }

/* Runs BODY for each vec v of a tensor at `values`, zeros beyond its end; `left` reals remain from its place i on. */
#define EACH_VEC(values, t, BODY) \
    for (size_t i = 0; i < (t)->size; i += NN_LANES) { \
        const size_t left = (t)->size - i; \
        const vec v = load_tail((values) + i, left); \
        BODY \
    }

/* Anew after each change of a tensor's rule or of the optimizer. */
static void survey_duties(nn_model *m) {
    const nn_optimizer_record *o = &m->optimizer;
    nn_duties d = {.clips = o->clipvalue > 0 || o->clipnorm > 0 || o->global_clipnorm > 0};
    for (size_t k = 0; k < m->plan.n_tensors; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        if (t->statistic) continue;
        d.penalties |= t->rule.l1 != 0 || t->rule.l2 != 0;
        d.constraints |= t->rule.constraint.row != 0; /* row 0: none */
        d.gaps |= !moves(t);
        d.end = t->offset + t->size > d.end ? t->offset + t->size : d.end;
    }
    m->duties = d;
}

static NN_APART double penalties_of_tensors(const nn_model *m) {
    double penalty = 0;
    for (size_t k = 0; k < m->plan.n_tensors; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        vec sum = v_zero();
        if (t->statistic || (m->loss.skip_frozen && !moves(t))) continue;
        if (t->rule.l1 != 0) {
            EACH_VEC(block_at(m->parameters, t), t, sum = v_add(sum, v_abs(v));)
            penalty += t->rule.l1 * (double)v_sum(sum);
        }
        sum = v_zero();
        if (t->rule.l2 != 0) {
            EACH_VEC(block_at(m->parameters, t), t, sum = v_fma(v, v, sum);)
            penalty += t->rule.l2 * (double)v_sum(sum);
        }
    }
    return penalty;
}

/* l1 sum |w| + l2 sum w^2 over all tensors but statistics, or over those that are not frozen. */
static double penalty_value(const nn_model *m) { return m->duties.penalties ? penalties_of_tensors(m) : 0; }

/* g += l1 sign w + 2 l2 w */
static NN_APART void penalty_gradient(nn_model *m) {
    for (size_t k = 0; k < m->plan.n_tensors; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        if (!moves(t) || (t->rule.l1 == 0 && t->rule.l2 == 0)) continue;
        const real *w = block_at(m->parameters, t);
        real *g = block_at(m->gradients, t);
        const vec l1 = v_set((real)t->rule.l1), l2 = v_set((real)(2 * t->rule.l2));
        EACH_VEC(w, t, store_tail(g + i, v_add(v_load(g + i), v_fma(l2, v, v_mul(l1, v_sign(v)))), left);)
    }
}

static void scale_tensor(real *g, const nn_tensor *t, double factor) {
    EACH_VEC(g, t, store_tail(g + i, v_mul(v, v_set((real)factor)), left);)
}

/* Scales the moving gradients of tensors [from, to) to at most the norm `most`, taken over all of them. */
static void clip_norm(nn_model *m, size_t from, size_t to, double most) {
    vec sum = v_zero();
    for (size_t k = from; k < to; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        if (moves(t)) EACH_VEC(block_at(m->gradients, t), t, sum = v_fma(v, v, sum);)
    }
    const double norm = __builtin_sqrt((double)v_sum(sum));
    if (!(norm > most)) return;
    for (size_t k = from; k < to; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        if (moves(t)) scale_tensor(block_at(m->gradients, t), t, most / norm);
    }
}

static NN_APART void clip_gradients(nn_model *m) {
    const nn_optimizer_record *o = &m->optimizer;
    if (o->global_clipnorm > 0) clip_norm(m, 0, m->plan.n_tensors, o->global_clipnorm);
    if (o->clipnorm > 0) {
        for (size_t k = 0; k < m->plan.n_tensors; k++) clip_norm(m, k, k + 1, o->clipnorm);
    }
    if (o->clipvalue > 0) {
        for (size_t i = 0; i < m->plan.statistics; i += NN_LANES) {
            real *g = (real *)m->gradients + i;
            v_store(g, clip(v_load(g), (real)-o->clipvalue, (real)o->clipvalue));
        }
    }
}

/* ---- constraints. To add one: its routine and its row, here; an entry in nnlite/constraints.py; a line of tests/reference.py. ----
 * NAME_factor(norm, n): what each weight is multiplied with, from the length of its unit's weights (of the whole vector for biases).
 * Formulas: keras.constraints, whose axis 0 this is. */

#define CONSTRAINT_EPSILON ((real)1e-7)

/* n: max_value. */
NN_INLINE vec max_norm_factor(vec norm, const real *n) { return v_div(v_min(norm, v_set(n[0])), v_add(v_set(CONSTRAINT_EPSILON), norm)); }
NN_INLINE vec unit_norm_factor(vec norm, const real *n) { return v_div(v_set(1), v_add(v_set(CONSTRAINT_EPSILON), norm)); }
/* n: min_value, max_value, rate. */
NN_INLINE vec min_max_norm_factor(vec norm, const real *n) {
    const vec wanted = v_fma(v_set(n[2]), clip(norm, n[0], n[1]), v_mul(v_set(1 - n[2]), norm));
    return v_div(wanted, v_add(v_set(CONSTRAINT_EPSILON), norm));
}

#define NN_CONSTRAINT_ROWS(NONE, NORM, SIGN) \
    NONE(none) \
    NORM(max_norm) \
    SIGN(non_neg) \
    NORM(unit_norm) \
    NORM(min_max_norm)

#define ROW(name) CONSTRAINT_##name,
enum constraint { NN_CONSTRAINT_ROWS(ROW, ROW, ROW) CONSTRAINTS };
#undef ROW

#define ROW(name) #name,
static const char *const constraint_names[] = {NN_CONSTRAINT_ROWS(ROW, ROW, ROW)};
#undef ROW

static vec constraint_factor(const nn_row *row, vec norm) {
    real n[NN_NUMBERS];
    numbers_of(n, row);
    switch (row->row) {
#define NONE(name)
#define SIGN(name)
#define NORM(name) case CONSTRAINT_##name: return name##_factor(norm, n);
        NN_CONSTRAINT_ROWS(NONE, NORM, SIGN)
#undef NONE
#undef SIGN
#undef NORM
    }
    return v_set(1);
}

/* The 16 columns of a tensor from j on, one vec a row: at w[0], w[row], ... A vector is one unit's weights as a whole. */
static NN_APART void constrain(real *w, const nn_tensor *t) {
    const nn_row *row = &t->rule.constraint;
    if (row->row == CONSTRAINT_none) return;
    if (row->row == CONSTRAINT_non_neg) {
        EACH_VEC(w, t, store_tail(w + i, v_select(v_lt(v, v_zero()), v_zero(), v), left);)
        return;
    }
    if (t->vector) {
        vec sum = v_zero();
        EACH_VEC(w, t, sum = v_fma(v, v, sum);)
        const vec factor = constraint_factor(row, v_sqrt(v_set(v_sum(sum))));
        EACH_VEC(w, t, store_tail(w + i, v_mul(v, factor), left);)
        return;
    }
    for (size_t j = 0; j < t->columns; j += NN_LANES) {
        real *start = w + j / t->panel * t->rows * t->panel + j % t->panel;
        const size_t left = t->columns - j;
        vec sum = v_zero();
        for (size_t k = 0; k < t->rows; k++) {
            const vec v = load_tail(start + k * t->panel, left);
            sum = v_fma(v, v, sum);
        }
        const vec factor = constraint_factor(row, v_sqrt(sum));
        for (size_t k = 0; k < t->rows; k++) {
            real *at = start + k * t->panel;
            store_tail(at, v_mul(v_load(at), factor), left);
        }
    }
}

/* ---- the step ---- */

/* Moves runs of neighbouring tensors that do and whose gradients are stored. */
static NN_APART void sweep_some(const nn_step *s) {
    const nn_plan *plan = &s->model->plan;
    for (size_t from = 0; from < plan->statistics;) {
        size_t to = from;
        int moving = 1;
        for (size_t k = 0; k < plan->n_tensors; k++) { /* tensors before the statistics lie in their order */
            const nn_tensor *t = &plan->tensors[k];
            if (t->statistic || t->offset < from) continue;
            const int this = moves(t) && !flows(s, t);
            if (to == from) moving = this;
            else if (this != moving) break;
            to = t->offset + t->size;
        }
        if (to == from) break; /* the padding of the last tensor */
        if (moving) step_parameters(s, from, (const real *)s->model->gradients + from, to - from);
        from = to;
    }
}

/* A step of which no gradient flows unless the caller says so. */
NN_INLINE void step_begin(nn_step *s, nn_model *m) {
    s->model = m;
    s->rate = m->state.learning_rate / (1 + m->optimizer.decay * (double)m->state.iterations);
    s->flowing = 0;
    const rates now = {s->rate, m->state.products};
    optimizers[m->optimizer.kind.row].prepare(s->h, &m->optimizer.kind, &now);
}

/* Takes the step the stored gradients ask for. penalty: what the parameters cost before it. */
NN_INLINE void step_end(const nn_step *s, double penalty) {
    nn_model *m = s->model;
    if (penalty != 0) penalty_gradient(m);
    if (m->duties.clips) clip_gradients(m);
    if (s->flowing || m->duties.gaps) sweep_some(s);
    else step_parameters(s, 0, m->gradients, m->duties.end);
    for (size_t k = 0; m->duties.constraints && k < m->plan.n_tensors; k++) {
        const nn_tensor *t = &m->plan.tensors[k];
        if (moves(t)) constrain(block_at(m->parameters, t), t);
    }
    m->state.iterations++;
}

/* Takes a step from stored gradients; returns the penalties the parameters cost before it. */
static NN_APART double model_update(nn_model *m) {
    const double penalty = penalty_value(m);
    nn_step step;
    step_begin(&step, m);
    step_end(&step, penalty);
    return penalty;
}
