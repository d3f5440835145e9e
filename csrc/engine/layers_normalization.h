/* ---- batch_normalization. n: momentum, epsilon, center, scale, rests. ----
 * Training: y = gamma (x - mean) / sqrt(variance + epsilon) + beta with mean and biased variance of the batch; the moving statistics go
 * moving = momentum moving + (1 - momentum) batch. Otherwise the moving statistics take their place. Where these are held still, training uses them
 * too if rests is 1, the batch's if it is 0. Ioffe and Szegedy, 2015; keras.layers.
 * Tensors: gamma if scale, beta if center, moving_mean, moving_variance. Sums over the batch: one chain per unit in row
 * order in a wide batch, 16 virtual lanes in a narrow one. */

typedef struct normalization { /* each [stride]; gamma and beta may be NULL */
    const real *gamma, *beta;
    real *gamma_gradient, *beta_gradient, *moving_mean, *moving_variance;
    real *mean, *per_deviation; /* of this batch, kept for backward */
    int of_batch, moves;        /* are the statistics those of the batch, and do they move the moving ones? */
} normalization;

static normalization normalization_of(const nn_pass *p, const nn_site *s) {
    const size_t center = s->numbers[2] != 0, scale = s->numbers[3] != 0, beta = scale, mean = scale + center;
    normalization n = {.moving_mean = s->values[mean], .moving_variance = s->values[mean + 1], .mean = s->fixed};
    if (scale) n.gamma = s->values[0], n.gamma_gradient = s->gradients[0];
    if (center) n.beta = s->values[beta], n.beta_gradient = s->gradients[beta];
    n.per_deviation = n.mean + s->layer->stride;
    n.moves = p->training && p->plan->tensors[s->layer->first_tensor + mean].rule.trainable;
    n.of_batch = n.moves || (p->training && s->numbers[4] == 0);
    return n;
}

static void batch_normalization_shape(nn_layer *l) {
    if (l->kind.numbers[3] != 0) nn_layer_tensor(l, "gamma", 1, 1, 0);
    if (l->kind.numbers[2] != 0) nn_layer_tensor(l, "beta", 1, 1, 0);
    nn_layer_tensor(l, "moving_mean", 1, 1, 1);
    nn_layer_tensor(l, "moving_variance", 1, 1, 1);
    l->fixed_reals = 2 * l->stride;
    l->keeps_input = l->couples_rows = 1;
}

/* One column of a batch: 16 units of a wide batch, one row after another, or one unit of a narrow one, 16 rows after another. The statistics of its units
 * are a vec either way, 16 different numbers or 16 times the same. */
typedef struct column {
    size_t start, step, count; /* vec k lies at start + k * step */
    size_t index;
    const grid *grid;
} column;

NN_INLINE size_t columns_of(const grid *g) { return g->narrow ? g->units : nn_pad(g->units) / NN_LANES; }
NN_INLINE column column_at(const grid *g, size_t c) {
    return (column){c * g->pitch, NN_LANES, g->narrow ? nn_pad(g->rows) / NN_LANES : g->rows, c, g};
}
NN_INLINE vec column_load(const column *c, const real *p) { return c->grid->narrow ? v_set(p[c->index]) : v_load(p + c->index * NN_LANES); }
NN_INLINE void column_store(const column *c, real *p, vec v) {
    if (c->grid->narrow) p[c->index] = v_first(v);
    else v_store(p + c->index * NN_LANES, v);
}
NN_INLINE vec column_total(const column *c, vec sum) { return c->grid->narrow ? v_set(v_sum(sum)) : sum; }
NN_INLINE mask column_counts(const column *c, size_t k) {
    return c->grid->narrow ? m_first(c->grid->rows - k * NN_LANES) : m_first(c->grid->units - c->index * NN_LANES);
}

static void batch_normalization_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const normalization n = normalization_of(p, s);
    const real *x = s->x;
    real *y = s->y;
    const vec rows = v_set((real)p->rows), epsilon = v_set((real)s->numbers[1]);
    const vec momentum = v_set((real)s->numbers[0]), rest = v_set((real)(1 - s->numbers[0]));
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        vec mean = column_load(&c, n.moving_mean), variance = column_load(&c, n.moving_variance);
        if (n.of_batch) {
            vec sum = v_zero(), squares = v_zero();
            for (size_t k = 0; k < c.count; k++) sum = v_add(sum, v_keep(column_counts(&c, k), v_load(x + c.start + k * c.step)));
            mean = v_div(column_total(&c, sum), rows);
            for (size_t k = 0; k < c.count; k++) {
                const vec d = v_keep(column_counts(&c, k), v_sub(v_load(x + c.start + k * c.step), mean));
                squares = v_fma(d, d, squares);
            }
            variance = v_div(column_total(&c, squares), rows);
        }
        if (n.moves) {
            column_store(&c, n.moving_mean, v_fma(momentum, column_load(&c, n.moving_mean), v_mul(rest, mean)));
            column_store(&c, n.moving_variance, v_fma(momentum, column_load(&c, n.moving_variance), v_mul(rest, variance)));
        }
        const vec per_deviation = v_div(v_set(1), v_sqrt(v_add(variance, epsilon)));
        const vec factor = n.gamma ? v_mul(column_load(&c, n.gamma), per_deviation) : per_deviation;
        const vec beta = n.beta ? column_load(&c, n.beta) : v_zero();
        column_store(&c, n.mean, mean);
        column_store(&c, n.per_deviation, per_deviation);
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            v_store(y + at, v_fma(v_sub(v_load(x + at), mean), factor, beta));
        }
    }
}

/* With z = (x - mean) / deviation: dbeta = sum dy, dgamma = sum dy z, dx = gamma / deviation (dy - (dbeta + z dgamma) / rows).
 * Gradients of gamma and beta are made here, of the same sums. */
static void batch_normalization_backward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const normalization n = normalization_of(p, s);
    const real *x = s->x, *dy = s->dy;
    const vec per_row = v_set(n.of_batch ? 1 / (real)p->rows : 0); /* moving statistics do not depend on x */
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        const vec mean = column_load(&c, n.mean), per_deviation = column_load(&c, n.per_deviation);
        vec beta = v_zero(), gamma = v_zero();
        for (size_t k = 0; k < c.count; k++) { /* padding of dy is 0 */
            const vec z = v_mul(v_sub(v_load(x + c.start + k * c.step), mean), per_deviation), d = v_load(dy + c.start + k * c.step);
            beta = v_add(beta, d);
            gamma = v_fma(d, z, gamma);
        }
        beta = column_total(&c, beta);
        gamma = column_total(&c, gamma);
        if (n.beta) column_store(&c, n.beta_gradient, beta);
        if (n.gamma) column_store(&c, n.gamma_gradient, gamma);
        if (!s->dx) continue;
        const vec factor = n.gamma ? v_mul(column_load(&c, n.gamma), per_deviation) : per_deviation;
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec z = v_mul(v_sub(v_load(x + at), mean), per_deviation), d = v_fnma(v_fma(z, gamma, beta), per_row, v_load(dy + at));
            v_store(s->dx + at, v_keep(column_counts(&c, k), v_mul(factor, d)));
        }
    }
}
