/* ---- given. What the layer computes comes from outside, as rows x units reals; without it, the identity. ---- */

static void given_shape(nn_layer *l) { l->wants_scratch = l->couples_rows = 1; } /* for the reals without padding */

NN_INLINE size_t element_at(const grid *g, size_t r, size_t u) {
    return g->narrow ? u * g->pitch + r : grid_at(g, r, u / NN_LANES * NN_LANES) + u % NN_LANES;
}

/* to = what the function makes of from, both laid out as g says; padding of `to` becomes 0. */
static void ask_outside(nn_pass *p, const nn_site *s, int of_slope, real *to, const real *from) {
    const grid g = s->grid;
    real *values = s->scratch;
    for (size_t r = 0; r < g.rows; r++) {
        for (size_t u = 0; u < g.units; u++) values[r * g.units + u] = from[element_at(&g, r, u)];
    }
    if (p->outside->function && p->outside->function(p->outside->context, site_index(p, s), of_slope, p->training, values, g.rows, g.units))
        p->outside->failed = 1;
    EACH_AT(&g, v_store(to + at, v_zero());)
    for (size_t r = 0; r < g.rows; r++) {
        for (size_t u = 0; u < g.units; u++) to[element_at(&g, r, u)] = values[r * g.units + u];
    }
}

static void given_forward(nn_pass *p, const nn_site *s) { ask_outside(p, s, 0, s->y, s->x); }

static void given_backward(nn_pass *p, const nn_site *s) { ask_outside(p, s, 1, s->dx, s->dy); }
