/* ---- given. What the layer computes comes from outside, as rows x units reals; without it, the identity. ---- */

static void given_shape(nn_layer *l) { l->wants_scratch = l->couples_rows = 1; } /* for the reals without padding */

NN_INLINE size_t element_at(const grid *g, size_t r, size_t u) {
    return g->narrow ? u * g->pitch + r : grid_at(g, r, u / NN_LANES * NN_LANES) + u % NN_LANES;
}

/* to = what the function makes of from, both laid out as g says; padding of `to` becomes 0. */
static void ask_outside(nn_pass *p, const nn_layer *l, int of_slope, real *to, const real *from) {
    const grid g = grid_of(p, l->units);
    real *values = place(p, l->scratch);
    for (size_t r = 0; r < g.rows; r++) {
        for (size_t u = 0; u < g.units; u++) values[r * g.units + u] = from[element_at(&g, r, u)];
    }
    if (p->outside->function && p->outside->function(p->outside->context, (size_t)(l - p->plan->layers), of_slope, p->training, values, g.rows, g.units))
        p->outside->failed = 1;
    EACH_AT(&g, v_store(to + at, v_zero());)
    for (size_t r = 0; r < g.rows; r++) {
        for (size_t u = 0; u < g.units; u++) to[element_at(&g, r, u)] = values[r * g.units + u];
    }
}

static void given_forward(nn_pass *p, const nn_layer *l) { ask_outside(p, l, 0, place(p, l->output), layer_input(p, l)); }

static void given_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (dx) ask_outside(p, l, 1, dx, place(p, l->gradient));
}

static void given_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }
