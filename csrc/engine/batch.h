/* How one batch of a layer's outputs lies in memory, and the same 16 rows at a time for routines that work across units.
 *
 * wide:   [units / 16][rows][16]   element (r, u) at u / 16 * pitch + r * 16 + u % 16
 * narrow: [units][rows padded]     element (r, u) at u * pitch + r
 *
 * Part of the rows of a batch is a grid of fewer rows from a later start, with the same pitch. */

typedef struct grid {
    size_t rows, units, pitch;
    real *lanes;         /* three blocks of scratch for 16 rows each, */
    size_t lanes_reals;  /* of so many reals */
    int narrow;
} grid;

NN_INLINE size_t nn_pitch(int narrow, size_t rows) { return nn_room(narrow, rows) * (narrow ? 1 : NN_LANES); }

/* wide: rows of units; narrow: units of rows. Element (i, j) of them, j a multiple of 16, lies at grid_at. */
NN_INLINE size_t grid_outer(const grid *g) { return g->narrow ? g->units : g->rows; }
NN_INLINE size_t grid_inner(const grid *g) { return g->narrow ? g->rows : g->units; }
NN_INLINE size_t grid_at(const grid *g, size_t i, size_t j) { return g->narrow ? i * g->pitch + j : i * NN_LANES + j / NN_LANES * g->pitch; }

/* Runs BODY for the place `at` of each vec of a grid, in the order of memory; padding is among them. A narrow grid is one run, a wide one a run for each panel. */
#define EACH_AT(g, BODY) { \
    const size_t pitch_ = (g)->pitch, reals_ = (g)->narrow ? (g)->units * pitch_ : (g)->rows * NN_LANES; \
    const size_t end_ = (g)->narrow ? pitch_ : nn_pad((g)->units) / NN_LANES * pitch_; \
    for (size_t start_ = 0; start_ < end_; start_ += pitch_) { \
        for (size_t at = start_; at < start_ + reals_; at += NN_LANES) { BODY } \
    } \
}

/* ---- 16 rows in lanes: unit u of rows r ... r + 15 is one vec, at u * lanes_pitch ---- */

NN_INLINE size_t lanes_pitch(const grid *g) { return g->narrow ? g->pitch : NN_LANES; }

NN_INLINE size_t at_most_16(size_t n) { return n < NN_LANES ? n : NN_LANES; }

#ifndef NN_OWN_EIGHT_COLUMNS
/* column[c] lane i = row[i][from + c], c < 8. */
NN_INLINE void v_eight_columns(vec *column, const real *const *row, size_t from) {
    for (size_t c = 0; c < 8; c += NN_COLUMNS) v_columns(column + c, row, from + c);
}
#endif

/* to[16][to_pitch] = from[rows][from_pitch], 16 columns, transposed; missing rows give 0. to may be from. Pitches and rows may be constants. */
NN_INLINE void transpose_lanes(real *to, size_t to_pitch, const real *from, size_t from_pitch, size_t rows) {
    static const real none[NN_LANES];
    const real *row[NN_LANES];
    vec column[NN_LANES];
#pragma GCC unroll 16
    for (size_t r = 0; r < NN_LANES; r++) row[r] = r < rows ? from + r * from_pitch : none;
#pragma GCC unroll 2
    for (size_t c = 0; c < NN_LANES; c += 8) v_eight_columns(column + c, row, c);
#pragma GCC unroll 16
    for (size_t c = 0; c < NN_LANES; c++) v_store(to + c * to_pitch, column[c]);
}

/* The same of a block, to[16][16] = from[rows][16]: nearly always whole, and then without a question for each row. */
static void transpose_block(real *to, const real *from, size_t rows) {
    if (rows >= NN_LANES) transpose_lanes(to, NN_LANES, from, NN_LANES, NN_LANES);
    else transpose_lanes(to, NN_LANES, from, NN_LANES, rows);
}

static NN_APART real *lanes_copied(const grid *g, real *x, size_t r, size_t block) {
    real *to = g->lanes + block * g->lanes_reals;
    for (size_t u = 0; u < g->units; u += NN_LANES) transpose_block(to + u * NN_LANES, x + grid_at(g, r, u), at_most_16(g->rows - r));
    return to;
}

/* Rows r ... r + 15 of x in lanes: where they lie in a narrow batch, copied to scratch block `block` of a wide one. */
NN_INLINE real *lanes_of(const grid *g, real *x, size_t r, size_t block) { return g->narrow ? x + r : lanes_copied(g, x, r, block); }

static NN_APART void lanes_copied_back(const grid *g, real *y, size_t r, const real *lanes) {
    real block[NN_LANES * NN_LANES];
    for (size_t u = 0; u < g->units; u += NN_LANES) {
        transpose_block(block, lanes + u * NN_LANES, at_most_16(g->units - u));
        for (size_t i = 0; i < NN_LANES && r + i < g->rows; i++) v_store(y + grid_at(g, r + i, u), v_load(block + i * NN_LANES));
    }
}

/* Writes lanes back to rows r ... r + 15 of y; padding becomes 0. A narrow batch was written in place. */
NN_INLINE void lanes_back(const grid *g, real *y, size_t r, const real *lanes) {
    if (!g->narrow) lanes_copied_back(g, y, r, lanes);
}

/* to[0 ... n) = from[0 ... n); rows are short, and a call of memcpy for each would cost more than the copy. */
static inline void copy_row(real *to, const real *from, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) __builtin_memcpy(to + i, from + i, 4 * sizeof *to);
    for (; i < n; i++) __builtin_memcpy(to + i, from + i, sizeof *to);
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
