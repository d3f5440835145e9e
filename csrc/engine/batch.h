/* How one batch of a layer's outputs lies in memory, and the same 16 rows at a time for routines that work across units.
 *
 * wide:   [rows][units padded]   element (r, u) at r * pitch + u
 * narrow: [units][rows padded]   element (r, u) at u * pitch + r */

typedef struct grid {
    size_t rows, units;
    size_t outer, inner, pitch; /* `outer` runs of `inner` reals that count, `pitch` apart */
    int narrow;
    real *lanes;                /* three blocks of scratch for 16 rows each, */
    size_t lanes_reals;         /* of so many reals */
} grid;

NN_INLINE grid grid_new(int narrow, size_t rows, size_t units, real *lanes, size_t lanes_reals) {
    if (narrow) return (grid){rows, units, units, rows, nn_pad(rows), 1, lanes, lanes_reals};
    return (grid){rows, units, rows, units, nn_stride(units), 0, lanes, lanes_reals};
}

NN_INLINE size_t grid_reals(const grid *g) { return g->outer * g->pitch; }

/* ---- 16 rows in lanes: unit u of rows r ... r + 15 is one vec, at u * lanes_pitch ---- */

NN_INLINE size_t lanes_pitch(const grid *g) { return g->narrow ? g->pitch : NN_LANES; }

/* to[columns][16] = from[rows][columns] transposed, at most 16 x 16; missing rows and columns give 0. */
static void transpose_block(real *to, size_t to_pitch, const real *from, size_t from_pitch, size_t rows, size_t columns) {
    for (size_t c = 0; c < NN_LANES; c++) {
        for (size_t r = 0; r < NN_LANES; r++) to[c * to_pitch + r] = c < columns && r < rows ? from[r * from_pitch + c] : 0;
    }
}

NN_INLINE size_t at_most_16(size_t n) { return n < NN_LANES ? n : NN_LANES; }

/* Rows r ... r + 15 of x in lanes: where they lie in a narrow batch, copied to scratch block `block` of a wide one. */
static real *lanes_of(const grid *g, real *x, size_t r, size_t block) {
    if (g->narrow) return x + r;
    real *to = g->lanes + block * g->lanes_reals;
    for (size_t u = 0; u < g->units; u += NN_LANES)
        transpose_block(to + u * NN_LANES, NN_LANES, x + r * g->pitch + u, g->pitch, at_most_16(g->rows - r), at_most_16(g->units - u));
    return to;
}

/* Writes lanes back to rows r ... r + 15 of y; padding becomes 0. A narrow batch was written in place. */
static void lanes_back(const grid *g, real *y, size_t r, const real *lanes) {
    if (g->narrow) return;
    real block[NN_LANES * NN_LANES];
    for (size_t u = 0; u < g->units; u += NN_LANES) {
        transpose_block(block, NN_LANES, lanes + u * NN_LANES, NN_LANES, at_most_16(g->units - u), NN_LANES);
        for (size_t i = 0; i < NN_LANES && r + i < g->rows; i++) v_store(y + (r + i) * g->pitch + u, v_load(block + i * NN_LANES));
    }
}

/* ---- numbers too small to matter ---- */

/* Moments of parameters that get no gradient any more, and gradients of saturated outputs, fade into subnormal numbers: hundreds of times slower on many
 * CPUs, and rounding can keep them from ever reaching 0. They are cut off here, by value and so alike on every target. NaN stays NaN. */
#define FADED (NN_BITS == 32 ? (real)0x1p-100 : (real)0x1p-900)
#define FADED_ROOT (NN_BITS == 32 ? (real)0x1p-50 : (real)0x1p-450)
NN_INLINE vec fade(vec x) { return v_select(v_lt(v_abs(x), v_set(FADED)), v_zero(), x); }

/* ---- the last vec of a tensor, of a batch, of a sum ---- */

/* Tensors of a narrow plan stand side by side: the last vec of one may hold the first reals of the next. */
NN_INLINE vec load_tail(const real *p, size_t left) { return v_keep(m_first(left), v_load(p)); }
NN_INLINE void store_tail(real *p, vec v, size_t left) { v_store(p, v_select(m_first(left), v, v_load(p))); }

#ifndef NN_OWN_SUMS
/* Lane i = v_sum(sums[i]). */
NN_INLINE vec v_sums(const vec *sums) {
    real totals[NN_LANES];
    for (size_t i = 0; i < NN_LANES; i++) totals[i] = v_sum(sums[i]);
    return v_load(totals);
}
#endif
