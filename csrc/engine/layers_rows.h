/* Layers that normalise every row by itself.
 *
 * One line of a batch: a row of a wide one, 16 units after another, or 16 rows of a narrow one, one unit after another. The statistics of its rows are a
 * vec either way, 16 times the same or 16 different numbers. Sums over a row: 16 virtual lanes in a wide batch, one chain in unit order in a narrow one. */
typedef struct line {
    size_t start, step, count; /* vec k lies at start + k * step */
    size_t first;              /* of its rows */
    const grid *grid;
} line;

NN_INLINE size_t lines_of(const grid *g) { return g->narrow ? nn_pad(g->rows) / NN_LANES : g->rows; }
NN_INLINE line line_at(const grid *g, size_t i) {
    return (line){i * NN_LANES, g->pitch, g->narrow ? g->units : nn_pad(g->units) / NN_LANES, g->narrow ? i * NN_LANES : i, g};
}
NN_INLINE vec line_units(const line *l, const real *p, size_t k) { return l->grid->narrow ? v_set(p[k]) : v_load(p + k * NN_LANES); }
NN_INLINE vec line_total(const line *l, vec sum) { return l->grid->narrow ? sum : v_set(v_sum(sum)); }
NN_INLINE mask line_counts(const line *l, size_t k) {
    return l->grid->narrow ? m_first(l->grid->rows - l->first) : m_first(l->grid->units - k * NN_LANES);
}

/* ---- layer_normalization. n: epsilon, center, scale. ----
 * y = gamma (x - mean) / sqrt(variance + epsilon) + beta with mean and biased variance of the row. Ba, Kiros and Hinton, 2016; keras.layers.
 * Tensors: gamma if scale, beta if center. */

static void layer_normalization_shape(nn_layer *l) {
    if (l->kind.numbers[2] != 0) nn_layer_tensor(l, "gamma", 1, 1, 0);
    if (l->kind.numbers[1] != 0) nn_layer_tensor(l, "beta", 1, 1, 0);
    l->keeps_input = 1;
    l->wants_scratch = 1; /* for z = (x - mean) / sqrt(variance + epsilon) */
}

/* z of one line from x; returns 1 / sqrt(variance + epsilon). */
static vec normalize_line(const line *c, real *z, const real *x, real epsilon) {
    const vec units = v_set((real)c->grid->units);
    vec sum = v_zero(), squares = v_zero();
    for (size_t k = 0; k < c->count; k++) sum = v_add(sum, v_keep(line_counts(c, k), v_load(x + c->start + k * c->step)));
    const vec mean = v_div(line_total(c, sum), units);
    for (size_t k = 0; k < c->count; k++) {
        const vec d = v_keep(line_counts(c, k), v_sub(v_load(x + c->start + k * c->step), mean));
        squares = v_fma(d, d, squares);
        v_store(z + c->start + k * c->step, d);
    }
    const vec per_deviation = v_div(v_set(1), v_sqrt(v_add(v_div(line_total(c, squares), units), v_set(epsilon))));
    for (size_t k = 0; k < c->count; k++) {
        real *at = z + c->start + k * c->step;
        v_store(at, v_mul(v_load(at), per_deviation));
    }
    return per_deviation;
}

static void layer_normalization_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const int center = s->numbers[1] != 0, scale = s->numbers[2] != 0;
    const real *gamma = scale ? s->values[0] : NULL, *beta = center ? s->values[(size_t)scale] : NULL;
    real *z = s->scratch, *y = s->y;
    for (size_t i = 0; i < lines_of(&g); i++) {
        const line c = line_at(&g, i);
        normalize_line(&c, z, s->x, (real)s->numbers[0]);
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec factor = gamma ? line_units(&c, gamma, k) : v_set(1);
            v_store(y + at, v_fma(v_load(z + at), factor, beta ? line_units(&c, beta, k) : v_zero()));
        }
    }
}

/* With dz = gamma dy: dx = (dz - mean dz - z mean(z dz)) / deviation. */
static void layer_normalization_backward(nn_pass *p, const nn_site *s) {
    real *dx = s->dx;
    const grid g = s->grid;
    const real *gamma = s->numbers[2] != 0 ? s->values[0] : NULL, *dy = s->dy;
    const vec per_unit = v_set(1 / (real)g.units);
    real *z = s->scratch;
    for (size_t i = 0; i < lines_of(&g); i++) {
        const line c = line_at(&g, i);
        const vec per_deviation = normalize_line(&c, z, s->x, (real)s->numbers[0]);
        vec sum = v_zero(), along = v_zero();
        for (size_t k = 0; k < c.count; k++) { /* padding of dy is 0 */
            const size_t at = c.start + k * c.step;
            const vec d = gamma ? v_mul(v_load(dy + at), line_units(&c, gamma, k)) : v_load(dy + at);
            sum = v_add(sum, d);
            along = v_fma(d, v_load(z + at), along);
        }
        sum = line_total(&c, sum);
        along = line_total(&c, along);
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec d = gamma ? v_mul(v_load(dy + at), line_units(&c, gamma, k)) : v_load(dy + at);
            const vec rest = v_fnma(v_fma(v_load(z + at), along, sum), per_unit, d);
            v_store(dx + at, v_keep(line_counts(&c, k), v_mul(rest, per_deviation)));
        }
    }
}

static void layer_normalization_weights(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const size_t center = s->numbers[1] != 0, scale = s->numbers[2] != 0;
    const real *z = s->scratch, *dy = s->dy;
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        vec beta = v_zero(), gamma = v_zero();
        for (size_t k = 0; k < c.count; k++) {
            const vec d = v_load(dy + c.start + k * c.step);
            beta = v_add(beta, d);
            gamma = v_fma(d, v_load(z + c.start + k * c.step), gamma);
        }
        if (scale) column_store(&c, s->gradients[0], column_total(&c, gamma));
        if (center) column_store(&c, s->gradients[scale], column_total(&c, beta));
    }
}

/* ---- unit_normalization. n: epsilon. y = x / max(|x|, epsilon), |x| the length of the row. ---- */

static void unit_normalization_shape(nn_layer *l) { l->keeps_input = l->keeps_output = 1; }

NN_INLINE vec line_length(const line *c, const real *x) {
    vec squares = v_zero();
    for (size_t k = 0; k < c->count; k++) {
        const vec v = v_keep(line_counts(c, k), v_load(x + c->start + k * c->step));
        squares = v_fma(v, v, squares);
    }
    return v_sqrt(line_total(c, squares));
}

static void unit_normalization_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
    for (size_t i = 0; i < lines_of(&g); i++) {
        const line c = line_at(&g, i);
        const vec length = v_max(v_set((real)s->numbers[0]), line_length(&c, x)); /* NaN stays NaN */
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            v_store(y + at, v_keep(line_counts(&c, k), v_div(v_load(x + at), length)));
        }
    }
}

/* dx = (dy - y sum(y dy)) / |x|, or dy / epsilon where the row is shorter than epsilon. */
static void unit_normalization_backward(nn_pass *p, const nn_site *s) {
    real *dx = s->dx;
    const grid g = s->grid;
    const real *y = s->y, *dy = s->dy;
    const vec epsilon = v_set((real)s->numbers[0]);
    for (size_t i = 0; i < lines_of(&g); i++) {
        const line c = line_at(&g, i);
        const vec length = line_length(&c, s->x);
        vec along = v_zero();
        for (size_t k = 0; k < c.count; k++) along = v_fma(v_load(y + c.start + k * c.step), v_load(dy + c.start + k * c.step), along);
        along = v_keep(m_not(v_lt(length, epsilon)), line_total(&c, along));
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec rest = v_fnma(v_load(y + at), along, v_load(dy + at));
            v_store(dx + at, v_keep(line_counts(&c, k), v_div(rest, v_max(epsilon, length))));
        }
    }
}
