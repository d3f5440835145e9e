/* The dense products of a narrow plan; those of a wide one are in panels.h. Every output element is one chain of fused multiply-adds over k in index order:
 *
 *   c(i, p) = start + sum over q of a(i, q) * b(q, p)      i < m, p < panels of 16 rows of the batch, q < k
 *
 *   a(i, q) = a[i * ai + q * ak]      one real, broadcast: of the kernel
 *   b(q, p) = b[p * bp + q * bk]      16 reals: of the inputs, or of the gradient in the outputs
 *   c(i, p) = c[i * ci + p * cp]      16 reals
 *   start   = row_start[i], the bias; or 0; or, to take up a chain, what c holds
 *
 * The kernel gradient sums across lanes: narrow_gradient. Tiles only decide which outputs are computed together; blocking over k takes up the chain where
 * it was left. So every target gives the same bits. */

typedef struct product {
    real *c;
    size_t ci, cp;
    const real *a;
    size_t ai, ak;
    const real *b;
    size_t bp, bk;
    const real *row_start; /* [m], or NULL for 0 */
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
            sum[i][p] = q0 ? v_load(c + i * ci + p * cp) : s->row_start ? v_set(s->row_start[i0 + i]) : v_zero();
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

/* Gradients of a narrow layer, in 16 virtual lanes: gradient[i][j] = sum over rows r of x[i][r] * dy[j][r], and gradient[inputs][j] = sum of dy[j][r]
 * if there is a bias, whose tensor follows the kernel's. x [inputs][pitch], dy [units][pitch]. Sixteen sums share one turn of the fixed tree. */
static void narrow_gradient(real *gradient, int bias, const real *x, const real *dy, size_t inputs, size_t units, size_t pitch) {
    enum { CHAINS = 4 };
    vec sums[NN_LANES + CHAINS];
    size_t n = 0;
    for (size_t i = 0; i < inputs + (bias ? 1 : 0); i++) {
        for (size_t j = 0; j < units; j += CHAINS) {
            const real *d[CHAINS];
            vec sum[CHAINS];
            for (size_t c = 0; c < CHAINS; c++) {
                d[c] = dy + (j + c < units ? j + c : j) * pitch;
                sum[c] = v_zero();
            }
            for (size_t r = 0; r < pitch; r += NN_LANES) {
                const vec v = i < inputs ? v_load(x + i * pitch + r) : v_set(1);
#pragma GCC unroll 4
                for (size_t c = 0; c < CHAINS; c++) sum[c] = v_fma(v, v_load(d[c] + r), sum[c]);
            }
            for (size_t c = 0; c < CHAINS && j + c < units; c++) sums[n++] = sum[c];
            if (n < NN_LANES) continue;
            v_store(gradient, v_sums(sums));
            gradient += NN_LANES;
            n -= NN_LANES;
            for (size_t k = 0; k < n; k++) sums[k] = sums[NN_LANES + k];
        }
    }
    if (n == 0) return;
    for (size_t k = n; k < NN_LANES; k++) sums[k] = sums[0]; /* anything finite: the tail is not stored */
    store_tail(gradient, v_sums(sums), n);
}
