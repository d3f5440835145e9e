/* Layers that treat every element by itself, by numbers of the layer or of its unit. */

/* ---- rescaling. n: factor, offset. y = factor x + offset. ---- */

static void rescaling_shape(nn_layer *l) { l->elementwise = 1; }

static void rescaling_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
    const vec factor = v_set((real)s->numbers[0]), offset = v_set((real)s->numbers[1]);
    EACH_AT(&g, v_store(y + at, v_fma(factor, v_load(x + at), offset));)
}

static void rescaling_backward(nn_pass *p, const nn_site *s) {
    real *dx = s->dx;
    const grid g = s->grid;
    const real *dy = s->dy;
    const vec factor = v_set((real)s->numbers[0]);
    EACH_AT(&g, v_store(dx + at, v_mul(factor, v_load(dy + at)));)
}

/* ---- normalization. n: epsilon, invert. ---- y = (x - mean) / deviation, or x deviation + mean if invert; deviation = max(sqrt(variance), epsilon).
 * Tensors: mean, variance, both statistics that training leaves alone. */

static void normalization_shape(nn_layer *l) {
    nn_layer_tensor(l, "mean", 1, 1, 1);
    nn_layer_tensor(l, "variance", 1, 1, 1);
    l->elementwise = 1;
}

NN_INLINE vec deviation_of(const nn_site *s, const column *c) {
    return v_max(v_set((real)s->numbers[0]), v_sqrt(column_load(c, s->values[1]))); /* NaN stays NaN */
}

static void normalization_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        const vec mean = column_load(&c, s->values[0]), deviation = deviation_of(s, &c);
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec v = v_load(x + at), result = s->numbers[1] != 0 ? v_fma(v, deviation, mean) : v_div(v_sub(v, mean), deviation);
            v_store(y + at, v_keep(column_counts(&c, k), result));
        }
    }
}

static void normalization_backward(nn_pass *p, const nn_site *s) {
    real *dx = s->dx;
    const grid g = s->grid;
    const real *dy = s->dy;
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        const vec deviation = deviation_of(s, &c);
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec d = v_load(dy + at);
            v_store(dx + at, s->numbers[1] != 0 ? v_mul(d, deviation) : v_div(d, deviation));
        }
    }
}

/* ---- prelu. y = x above 0, alpha x below; tensor alpha, one for each unit. He et al., 2015; keras.layers. ---- */

static void prelu_shape(nn_layer *l) {
    nn_layer_tensor(l, "alpha", 1, 1, 0);
    l->elementwise = l->keeps_input = l->couples_rows = 1;
}

static void prelu_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        const vec alpha = column_load(&c, s->values[0]);
        for (size_t k = 0; k < c.count; k++) {
            const vec v = v_load(x + c.start + k * c.step);
            v_store(y + c.start + k * c.step, v_select(v_gt(v, v_zero()), v, v_mul(alpha, v)));
        }
    }
}

/* At x = 0 both slopes are 0, as Keras has it. The gradient of alpha is taken here, for dx may be written over dy. */
static void prelu_backward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x, *dy = s->dy;
    for (size_t i = 0; i < columns_of(&g); i++) {
        const column c = column_at(&g, i);
        const vec alpha = column_load(&c, s->values[0]);
        vec sum = v_zero();
        for (size_t k = 0; k < c.count; k++) {
            const size_t at = c.start + k * c.step;
            const vec v = v_load(x + at), d = v_load(dy + at);
            const mask below = v_lt(v, v_zero());
            sum = v_fma(d, v_keep(below, v), sum);
            if (s->dx) v_store(s->dx + at, v_select(v_gt(v, v_zero()), d, v_keep(below, v_mul(alpha, d))));
        }
        column_store(&c, s->gradients[0], column_total(&c, sum));
    }
}
