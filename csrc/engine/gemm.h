/* The dense product. Every output element is one chain of fused multiply-adds over k in index order:
 *
 *   c(i, p) = start + sum over q of a(i, q) * b(q, p)      i < m, p < panels of 16 columns, q < k
 *
 *   a(i, q) = a[i * ai + q * ak]      one real, broadcast
 *   b(q, p) = b[p * bp + q * bk]      16 reals
 *   c(i, p) = c[i * ci + p * cp]      16 reals
 *   start   = panel_start[p], 16 reals; or 0; or, to take up a chain, what c holds
 *
 *                     wide batch (16 units in a vector)                      narrow batch (16 rows in a vector)
 * forward             a = inputs, b = kernel panels, panel_start = bias      narrow_product: a = kernel, b = inputs, start = bias
 * input gradient      a = doutputs, b = transposed kernel panels             narrow_product: a = kernel, b = doutputs
 * kernel gradient     a = inputs, b = doutputs, k over the rows              sums across lanes: narrow_gradient
 *
 * Tiles only decide which outputs are computed together; blocking over k takes up the chain where it was left. So every target gives the same bits. */

typedef struct product {
    real *c;
    size_t ci, cp;
    const real *a;
    size_t ai, ak;
    const real *b;
    size_t bp, bk;
    const real *panel_start; /* NULL for 0 */
    size_t m, panels, k;
} product;

/* Reals of k taken at a time: two panels of this depth stay in the first-level cache. */
enum { TILE_DEPTH = 256 };

/* m x panels outputs from (i0, p0) on, over k steps from q0 on. m and panels are constants at every use. */
NN_INLINE void product_tile(const product *s, size_t i0, size_t p0, size_t q0, size_t k, const size_t m, const size_t panels) {
    real *c = s->c + i0 * s->ci + p0 * s->cp;
    const real *a = s->a + i0 * s->ai + q0 * s->ak, *b = s->b + p0 * s->bp + q0 * s->bk;
    const size_t ci = s->ci, cp = s->cp, ai = s->ai, ak = s->ak, bp = s->bp, bk = s->bk;
    vec sum[NN_TILE_ROWS][NN_TILE_PANELS];
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++)
#pragma GCC unroll 4
        for (size_t p = 0; p < panels; p++)
            sum[i][p] = q0              ? v_load(c + i * ci + p * cp)
                        : s->panel_start ? v_load(s->panel_start + (p0 + p) * NN_LANES)
                                         : v_zero();
    for (size_t q = 0; q < k; q++) {
        vec column[NN_TILE_PANELS];
#pragma GCC unroll 4
        for (size_t p = 0; p < panels; p++) column[p] = v_load(b + p * bp);
#pragma GCC unroll 16
        for (size_t i = 0; i < m; i++) {
            const vec value = v_set(a[i * ai]);
#pragma GCC unroll 4
            for (size_t p = 0; p < panels; p++) sum[i][p] = v_fma(value, column[p], sum[i][p]);
        }
        a += ak;
        b += bk;
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++)
#pragma GCC unroll 4
        for (size_t p = 0; p < panels; p++) v_store(c + i * ci + p * cp, sum[i][p]);
}

/* All rows of one strip of panels, over k in [q, q + depth). */
NN_INLINE void product_strip(const product *s, size_t p, size_t q, size_t depth, const size_t panels) {
    size_t i = 0;
    for (; i + NN_TILE_ROWS <= s->m; i += NN_TILE_ROWS) product_tile(s, i, p, q, depth, NN_TILE_ROWS, panels);
    switch (s->m - i) {
#define REST(n) \
    case n: \
        if (n < NN_TILE_ROWS) product_tile(s, i, p, q, depth, n < NN_TILE_ROWS ? n : 1, panels); \
        break;
        REST(1) REST(2) REST(3) REST(4) REST(5) REST(6) REST(7) REST(8) REST(9) REST(10) REST(11) REST(12) REST(13)
#undef REST
    }
}

static void product_run(const product *s) {
    for (size_t q = 0; q < s->k; q += TILE_DEPTH) {
        const size_t depth = s->k - q < TILE_DEPTH ? s->k - q : TILE_DEPTH;
        size_t p = 0;
        for (; p + NN_TILE_PANELS <= s->panels; p += NN_TILE_PANELS) product_strip(s, p, q, depth, NN_TILE_PANELS);
        for (; p < s->panels; p++) product_strip(s, p, q, depth, 1);
    }
}

/* The product of a narrow batch, k and m at most NN_NARROW: c[i][r] = start[i] + sum over q of a[i * ai + q * ak] * b[q][r], r < pitch.
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
