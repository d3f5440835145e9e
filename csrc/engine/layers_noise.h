/* ---- dropout. n: rate. ---- In training each element is 0 with probability rate, else x / (1 - rate). Srivastava et al., 2014; keras.layers.
 * Element i of layer l in step t keeps or loses its value by word i of the stream (seed, layer l, t), whoever computes it. */

static void dropout_shape(nn_layer *l) {
    l->elementwise = 1;
    l->wants_scratch = 1; /* for the factors 0 and 1 / (1 - rate) */
}

/* y = x * factor, 16 at a time; without factors a copy, and nothing at all in place. */
static void scale_elements(real *y, const real *x, const real *factor, size_t n) {
    if (!factor && y == x) return;
    for (size_t i = 0; i < n; i += NN_LANES) v_store(y + i, factor ? v_mul(v_load(x + i), v_load(factor + i)) : v_load(x + i));
}

static void dropout_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    const size_t n = grid_reals(&g);
    if (!p->training) {
        scale_elements(place(p, l->output), layer_input(p, l), NULL, n);
        return;
    }
    real *factor = place(p, l->scratch);
    const uint32_t lost = (uint32_t)(l->kind.numbers[0] * 4294967296.0);
    const real kept = (real)(1 / (1 - l->kind.numbers[0]));
    uint32_t words[64];
    const uint32_t purpose = NN_FOR_LAYER + (uint32_t)(l - p->plan->layers);
    for (size_t i = 0; i < n; i += NN_LANES) {
        if (i % 64 == 0) nn_random_words(words, p->seed, purpose, p->iteration, i / 4);
        for (size_t w = 0; w < NN_LANES; w++) factor[i + w] = words[i % 64 + w] < lost ? 0 : kept;
    }
    scale_elements(place(p, l->output), layer_input(p, l), factor, n);
}

static void dropout_backward(nn_pass *p, const nn_layer *l, real *dx) {
    const grid g = grid_of(p, l->units);
    if (dx) scale_elements(dx, place(p, l->gradient), p->training ? place(p, l->scratch) : NULL, grid_reals(&g));
}

static void dropout_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }
