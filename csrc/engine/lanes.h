/* The dense products of a narrow plan, 16 rows in a vector; those of a wide one are in panels.h. Every output element is one chain of fused multiply-adds over
 * the other layer's units in index order, every gradient a sum over the rows by the fixed tree across lanes. Tiles only decide which are computed together,
 * so every target gives the same bits. */

/* k and m at most NN_NARROW: c[i][r] = start[i] + sum over q of a[i * ai + q * ak] * b[q][r], r < pitch.
 * c [m][pitch], b [k][pitch]; start NULL for 0. Tiles are small, for so are layers: what counts is to have few instructions around the sums. */
NN_INLINE void narrow_tile(real *c, const real *a, size_t ai, size_t ak, const real *b, const real *start, size_t k, size_t pitch, const size_t m, const size_t panels) {
    vec sum[NN_LANES][2];
#pragma GCC unroll 8
    for (size_t i = 0; i < m; i++)
#pragma GCC unroll 2
        for (size_t p = 0; p < panels; p++) sum[i][p] = start ? v_set(start[i]) : v_zero();
#pragma GCC unroll 1
    for (size_t q = 0; q < k; q++) {
#pragma GCC unroll 8
        for (size_t i = 0; i < m; i++)
#pragma GCC unroll 2
            for (size_t p = 0; p < panels; p++) sum[i][p] = v_fma(v_set(a[i * ai]), v_load(b + p * NN_LANES), sum[i][p]);
        a += ak;
        b += pitch;
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < m; i++)
#pragma GCC unroll 2
        for (size_t p = 0; p < panels; p++) v_store(c + i * pitch + p * NN_LANES, sum[i][p]);
}

NN_INLINE void narrow_strip(real *c, const real *a, size_t ai, size_t ak, const real *b, const real *start, size_t m, size_t k, size_t pitch, const size_t panels) {
    enum { ROWS = NN_REGISTERS < 4 ? 4 / NN_REGISTERS : 1 };
    size_t i = 0;
    for (; i + ROWS <= m; i += ROWS) narrow_tile(c + i * pitch, a + i * ai, ai, ak, b, start ? start + i : NULL, k, pitch, ROWS, panels);
    for (; ROWS > 2 && i + 2 <= m; i += 2) narrow_tile(c + i * pitch, a + i * ai, ai, ak, b, start ? start + i : NULL, k, pitch, 2, panels);
    for (; ROWS > 1 && i < m; i++) narrow_tile(c + i * pitch, a + i * ai, ai, ak, b, start ? start + i : NULL, k, pitch, 1, panels);
}

NN_INLINE void narrow_product(real *c, const real *a, size_t ai, size_t ak, const real *b, const real *start, size_t m, size_t k, size_t pitch) {
    size_t r = 0;
    for (; r + 2 * NN_LANES <= pitch; r += 2 * NN_LANES) narrow_strip(c + r, a, ai, ak, b + r, start, m, k, pitch, 2);
    if (r < pitch) narrow_strip(c + r, a, ai, ak, b + r, start, m, k, pitch, 1);
}

/* Gradients of a narrow layer, in 16 virtual lanes: gradient[i][j] = sum over rows r of x[i][r] * dy[j][r], and gradient[inputs][j] = sum of dy[j][r]
 * if there is a bias, whose tensor follows the kernel's. x [inputs][pitch], dy [units][pitch]. Sixteen sums share one turn of the fixed tree. */

enum { SUMS_AT_ONCE = 4 };
typedef struct sums_store { /* on their way to neighbouring places, which those of several layers are */
    real *to;
    real *waiting; /* [16 + SUMS_AT_ONCE][16], of which `count` */
    size_t count;
} sums_store;

/* The first 16 sums. */
static void store_sums(real *to, const real *waiting, size_t count) {
    vec sums[NN_LANES];
#pragma GCC unroll 16
    for (size_t k = 0; k < NN_LANES; k++) sums[k] = v_load(waiting + k * NN_LANES); /* those beyond `count` are left from earlier */
    if (count == NN_LANES) v_store(to, v_sums(sums));
    else store_tail(to, v_sums(sums), count);
}

static void store_last_sums(sums_store *s) {
    if (s->count) store_sums(s->to, s->waiting, s->count);
    s->count = 0;
}

/* Stores 16 sums and keeps what waits beyond them. */
static void store_full_sums(sums_store *s) {
    store_sums(s->to, s->waiting, NN_LANES);
    s->to += NN_LANES;
    s->count -= NN_LANES;
    for (size_t k = 0; k < s->count; k++) v_store(s->waiting + k * NN_LANES, v_load(s->waiting + (NN_LANES + k) * NN_LANES));
}

/* `chains` more sums, waiting from `to` on, of x, in `factor`, with as many units of dy; returns where the next may wait. chains and panels are constants. */
NN_INLINE real *narrow_chains(sums_store *s, real *to, const vec *factor, const real *dy, size_t pitch, const size_t panels, const size_t chains) {
#pragma GCC unroll 4
    for (size_t c = 0; c < chains; c++) {
        vec sum = v_zero();
#pragma GCC unroll 2
        for (size_t p = 0; p < panels; p++) sum = v_fma(factor[p], v_load(dy + c * pitch + p * NN_LANES), sum);
        v_store(to + c * NN_LANES, sum);
    }
    to += chains * NN_LANES;
    if (to < s->waiting + NN_LANES * NN_LANES) return to;
    s->count = (size_t)(to - s->waiting) / NN_LANES;
    store_full_sums(s);
    return s->waiting + s->count * NN_LANES;
}

/* The sums of one x with all units of dy, by `panels` panels of rows, a constant. step: from one panel of x to the next. */
NN_INLINE void narrow_sums(sums_store *s, const real *x, size_t step, const real *dy, size_t units, const size_t panels) {
    const size_t pitch = panels * NN_LANES;
    real *to = s->waiting + s->count * NN_LANES;
    vec factor[2];
    size_t j = 0;
#pragma GCC unroll 2
    for (size_t p = 0; p < panels; p++) factor[p] = v_load(x + p * step);
    for (; j + SUMS_AT_ONCE <= units; j += SUMS_AT_ONCE) to = narrow_chains(s, to, factor, dy + j * pitch, pitch, panels, SUMS_AT_ONCE);
    for (; j < units; j++) to = narrow_chains(s, to, factor, dy + j * pitch, pitch, panels, 1);
    s->count = (size_t)(to - s->waiting) / NN_LANES;
}

/* The same for any number of panels: few chains would wait for one another there, so several are under way at a time. */
static void narrow_long_sums(sums_store *s, const real *x, size_t step, const real *dy, size_t units, size_t pitch) {
    enum { CHAINS = NN_REGISTERS == 1 ? 8 : 4 };
    for (size_t j = 0; j < units; j += CHAINS) {
        const size_t chains = units - j < CHAINS ? units - j : CHAINS;
        const real *d[CHAINS];
        vec sum[CHAINS];
        for (size_t c = 0; c < CHAINS; c++) {
            d[c] = dy + (j + (c < chains ? c : 0)) * pitch;
            sum[c] = v_zero();
        }
        for (size_t r = 0; r < pitch; r += NN_LANES, x += step) {
            const vec v = v_load(x);
#pragma GCC unroll 8
            for (size_t c = 0; c < CHAINS; c++) sum[c] = v_fma(v, v_load(d[c] + r), sum[c]);
        }
        x -= pitch / NN_LANES * step;
        for (size_t c = 0; c < chains; c++) {
            v_store(s->waiting + s->count * NN_LANES, sum[c]);
            if (++s->count == NN_LANES) store_full_sums(s);
        }
    }
}

static void narrow_gradient(sums_store *s, real *gradient, int bias, const real *x, const real *dy, size_t inputs, size_t units, size_t pitch) {
    static const real ones[NN_LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    if (s->to + s->count != gradient) {
        store_last_sums(s);
        s->to = gradient;
    }
    for (size_t i = 0; i < inputs + (bias ? 1 : 0); i++, x += pitch) {
        const real *factor = i < inputs ? x : ones;
        const size_t step = i < inputs ? NN_LANES : 0;
        if (pitch == NN_LANES) narrow_sums(s, factor, step, dy, units, 1);
        else if (pitch == 2 * NN_LANES) narrow_sums(s, factor, step, dy, units, 2);
        else narrow_long_sums(s, factor, step, dy, units, pitch);
    }
}
