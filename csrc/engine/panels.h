/* The dense products of a wide plan. Every matrix lies in panels of 16 columns, one row of a panel after another: element (r, c) at
 * c / 16 * pitch + r * 16 + c % 16. Every output element is one chain of fused multiply-adds over q in index order:
 *
 *   c(i, j) = start(j) + sum over q of a(i, q) b(q, j)          forward: x kernel + bias
 *   c(i, j) =            sum over q of a(i, q) b(j, q)          input gradient: dy transposed kernel
 *   c(i, j) =            sum over q of a(q, i) b(q, j)          kernel gradient: x across dy, q over the rows of the batch
 *
 * Tiles only decide which outputs are computed together; blocking over q takes up the chain where it was left. So every target, every partition of
 * the outputs gives the same bits. */

enum { NN_LINE = 64 / sizeof(real) }; /* reals of a cache line, more or less */

/* Memory to ask for while a product is computed, a line of each range every 16 steps, so that what comes after it need not wait. */
typedef struct nearing {
    const real *ranges[24];
    size_t count, lines; /* lines still to be asked for, of each range from its end */
} nearing;

NN_INLINE void nearing_add(nearing *n, const real *range) {
    if (n->count < sizeof n->ranges / sizeof *n->ranges) n->ranges[n->count++] = range;
}

NN_INLINE void nearing_some(nearing *n) {
    if (!n || !n->lines) return;
    n->lines--;
#pragma GCC unroll 4 /* measured: one round at a time, the loop takes a twentieth of the step of a net of one large kernel */
    for (size_t k = 0; k < n->count; k++) __builtin_prefetch(n->ranges[k] + n->lines * NN_LINE);
}

typedef struct panel_product {
    real *c;
    const real *a, *b;
    size_t cp, ap, bp;  /* from one panel to the next */
    const real *start;  /* [columns of c padded], or NULL for 0 */
    size_t k, columns;  /* columns: all there are of c */
    int turned;         /* is it b(j, q) that b holds? */
    nearing *near;      /* or NULL */
} panel_product;

/* Steps of q taken at a time: the panels of b that a strip of tiles shares stay in the first-level cache, and in half of it if another thread of the
 * processor has the other half. */
enum { PANEL_DEPTH = NN_TILE_PANELS > 1 ? 128 : 256 };

/* A tile of fewer panels has more rows. */
enum { TILE_SUMS = NN_TILE_ROWS * NN_TILE_PANELS };

#define EACH_SUM(m, n, BODY) \
    _Pragma("GCC unroll 24") for (size_t i = 0; i < (m); i++) { \
        _Pragma("GCC unroll 4") for (size_t p = 0; p < (n); p++) { BODY } \
    }

/* sum(i, p) += value(i) * b(q, p) */
#define PANEL_STEP(m, n, VALUE) { \
        vec column[NN_TILE_PANELS]; \
        _Pragma("GCC unroll 4") for (size_t p = 0; p < (n); p++) column[p] = v_load(b + p * bp); \
        b += NN_LANES; \
        _Pragma("GCC unroll 24") for (size_t i = 0; i < (m); i++) { \
            const vec value = v_set(VALUE); \
            _Pragma("GCC unroll 4") for (size_t p = 0; p < (n); p++) sum[i][p] = v_fma(value, column[p], sum[i][p]); \
        } \
    }

/* Rows i0 ... of n panels of c from p0 on, over `depth` steps from q0 on, of which b is the first, in the first of these panels; the first `kept` of m rows
 * are stored. m, n and across are constants. */
NN_INLINE void panel_tile(const panel_product *s, size_t i0, size_t p0, size_t q0, size_t depth, size_t kept, const size_t m, const size_t n,
                          const int across) {
    real *c = s->c + p0 * s->cp + i0 * NN_LANES;
    const real *b = s->b;
    const size_t cp = s->cp, ap = s->ap, bp = s->bp;
    vec sum[TILE_SUMS][NN_TILE_PANELS];
    if (q0) EACH_SUM(m, n, sum[i][p] = !across || i < kept ? v_load(c + i * NN_LANES + p * cp) : v_zero();)
    else if (s->start) EACH_SUM(m, n, sum[i][p] = v_load(s->start + (p0 + p) * NN_LANES);)
    else EACH_SUM(m, n, sum[i][p] = v_zero();)
    const real *a = s->a + (across ? i0 / NN_LANES * ap + i0 % NN_LANES + q0 * NN_LANES : q0 / NN_LANES * ap + i0 * NN_LANES);
    for (size_t q = 0; q < depth; q += NN_LANES, a += across ? NN_LANES * NN_LANES : ap) {
        const size_t steps = depth - q < NN_LANES ? depth - q : NN_LANES;
        nearing_some(s->near);
        _Pragma("GCC unroll 1")
        for (size_t t = 0; t < steps; t++) PANEL_STEP(m, n, across ? a[t * NN_LANES + i] : a[i * NN_LANES + t])
    }
    EACH_SUM(m, n, if (!across || i < kept) v_store(c + i * NN_LANES + p * cp, sum[i][p]);)
}

/* The first `rows` rows of a strip of n panels, over q in [q, q + depth). */
NN_INLINE void panel_strip(const panel_product *s, size_t rows, size_t p, size_t q, size_t depth, const size_t n) {
    const size_t most = TILE_SUMS / n;
    size_t i = 0;
    for (; i + most <= rows && (8 % most == 0 || i + 8 != rows); i += most) panel_tile(s, i, p, q, depth, 0, most, n, 0); /* 4 and 4, not 6 and 2 */
#define REST(m) \
    for (; m < most && i + m <= rows; i += m) panel_tile(s, i, p, q, depth, 0, m < most ? m : 1, n, 0);
    REST(8) REST(4) REST(2) REST(1)
#undef REST
}

/* Panels of the next strip, of so many that are left: 2 and 2, not 3 and 1, for a tile of one panel has a load for each sum. */
NN_INLINE size_t strip_panels(size_t left) {
    if (NN_TILE_PANELS == 3 && left == 4) return 2;
    return left < NN_TILE_PANELS ? left : NN_TILE_PANELS;
}

/* strip(..., n) with n a constant */
#define STRIP_OF(n, strip, ...) { \
        if ((n) == NN_TILE_PANELS) strip(__VA_ARGS__, NN_TILE_PANELS); \
        else if ((n) == 2) strip(__VA_ARGS__, NN_TILE_PANELS > 2 ? 2 : 1); \
        else strip(__VA_ARGS__, 1); \
    }

/* Panels of b of at least so many reals come from beyond the second-level cache. */
enum { FAR_REALS = 1 << 18 };

enum { BLOCK_REALS = NN_LANES * NN_LANES };

/* to[n][PANEL_DEPTH][16]: steps [q, q + depth) of n panels of b from p on, where it is turned. A copy kept turned would have to be written in each step: beyond
 * the second-level cache that took longer than to turn a block where it is used. */
static void turn_panels(real *to, const panel_product *s, size_t p, size_t n, size_t q, size_t depth) {
    for (size_t k = 0; k < depth; k += NN_LANES) {
        const real *from = s->b + (q + k) / NN_LANES * s->bp + p * BLOCK_REALS;
        for (size_t i = 0; i < n; i++)
            transpose_block(to + (i * PANEL_DEPTH + k) * NN_LANES, from + i * BLOCK_REALS, at_most_16(s->columns - (p + i) * NN_LANES));
    }
}

/* What the next strip, of n panels from p on, will read of b in steps [q, q + depth). */
static nearing nearing_strip(const panel_product *s, size_t p, size_t n, size_t q, size_t depth) {
    nearing near = {0};
    if (s->turned) {
        near.lines = n * BLOCK_REALS / NN_LINE;
        for (size_t k = 0; k < depth; k += NN_LANES) nearing_add(&near, s->b + (q + k) / NN_LANES * s->bp + p * BLOCK_REALS);
        return near;
    }
    const size_t half = depth / 2 * NN_LANES;
    near.lines = half / NN_LINE;
    for (const real *next = s->b + p * s->bp + q * NN_LANES; n > 0; n--, next += s->bp) {
        nearing_add(&near, next);
        nearing_add(&near, next + half);
    }
    return near;
}

/* The first `rows` rows of panels [from, to) of c. */
static void panel_forward(const panel_product *whole, size_t rows, size_t from, size_t to) {
    const size_t panels = nn_pad(whole->columns) / NN_LANES;
    const int far = whole->k * panels * NN_LANES >= FAR_REALS;
    _Alignas(64) real turned[NN_TILE_PANELS * PANEL_DEPTH * NN_LANES];
    for (size_t q = 0; q < whole->k; q += PANEL_DEPTH) {
        const size_t depth = whole->k - q < PANEL_DEPTH ? whole->k - q : PANEL_DEPTH;
        for (size_t p = from, n; p < to; p += n) {
            n = strip_panels(to - p);
            panel_product s = *whole;
            nearing near;
            if (far && p + n < panels) {
                near = nearing_strip(whole, p + n, n < panels - p - n ? n : panels - p - n, q, depth);
                s.near = &near;
            }
            if (s.turned) {
                turn_panels(turned, whole, p, n, q, depth);
                s.b = turned;
                s.bp = PANEL_DEPTH * NN_LANES;
            } else {
                s.b += p * s.bp + q * NN_LANES;
            }
            STRIP_OF(n, panel_strip, &s, rows, p, q, depth)
        }
    }
}

/* Rows of a tile whose a is taken across: 16 of them are tiles of about one size. */
enum { ACROSS_ROWS = NN_TILE_ROWS == 12 ? 8 : NN_TILE_ROWS, ACROSS_REST = NN_LANES % ACROSS_ROWS };

NN_INLINE size_t across_rows(size_t i) { return NN_LANES - i % NN_LANES < ACROSS_ROWS ? ACROSS_REST : ACROSS_ROWS; }

/* Rows i ... of a strip of n panels, as many as a tile has but none from `to` on, over q in [q, q + depth), a taken across. */
NN_INLINE void across_tile(const panel_product *s, size_t i, size_t to, size_t p, size_t q, size_t depth, const size_t n) {
    if (across_rows(i) == ACROSS_ROWS) panel_tile(s, i, p, q, depth, to - i, ACROSS_ROWS, n, 1);
    else if (ACROSS_REST) panel_tile(s, i, p, q, depth, to - i, ACROSS_REST, n, 1);
}

NN_INLINE void across_strip(const panel_product *s, size_t from, size_t to, size_t p, size_t q, size_t depth, const size_t n) {
    for (size_t i = from; i < to; i += across_rows(i)) across_tile(s, i, to, p, q, depth, n);
}

/* Rows [from, to), of which from is the first of a tile, of the first `panels` of c; a is taken across. */
static void panel_across(const panel_product *whole, size_t from, size_t to, size_t panels) {
    panel_product s = *whole;
    for (size_t q = 0; q < s.k; q += PANEL_DEPTH) {
        const size_t depth = s.k - q < PANEL_DEPTH ? s.k - q : PANEL_DEPTH;
        for (size_t p = 0, n; p < panels; p += n) {
            n = strip_panels(panels - p);
            s.b = whole->b + p * s.bp + q * NN_LANES;
            STRIP_OF(n, across_strip, &s, from, to, p, q, depth)
        }
    }
}
#undef STRIP_OF
#undef EACH_SUM
#undef PANEL_STEP
