/* The dense products of a narrow plan, 16 rows in a vector; those of a wide one are in panels.h. Every output element is one chain of fused multiply-adds over
 * the other layer's units in index order, every gradient a sum over the rows by the fixed tree across lanes. Tiles only decide which are computed together,
 * so every target gives the same bits. */

/* The largest power of two of sums for which there are registers, and loads; are they as many as share a turn of the tree? */
#define SUMS_FIT(n) (NN_TILE_ROWS * NN_TILE_PANELS >= (n))
enum { SUMS_AT_ONCE = SUMS_FIT(16) ? 16 : SUMS_FIT(8) ? 8 : SUMS_FIT(4) ? 4 : SUMS_FIT(2) ? 2 : 1, TREE_FITS = SUMS_FIT(16) };
#undef SUMS_FIT

/* What becomes of a sum: it is stored as it is, or if it exceeds the number `with`, else that, or, as through a relu of the outputs with[m][pitch], where these
 * exceed 0, else 0. */
enum epilogue { UNCHANGED, FLOORED, GATED };

NN_INLINE vec narrow_epilogue(vec sum, const enum epilogue epilogue, const real *with, size_t at) {
    if (epilogue == FLOORED) return v_max(v_set(*with), sum); /* NaN stays NaN */
    if (epilogue == GATED) return relu_backward(sum, v_load(with + at), NULL);
    return sum;
}

/* Rows of the usual batch, of which more is known: a few instructions less for each small layer. Of double that would be too much code. */
enum { USUAL_PITCH = 2 * NN_LANES };
static int is_usual(size_t pitch) { return NN_BITS == 32 && pitch == USUAL_PITCH; }

/* c[i][r] = start[i] + sum over q of a[i * ai + q * ak] * b[q][r], r < pitch, after the epilogue.
 * c [m][pitch], b [k][pitch]; start NULL for 0. Tiles are small, for so are layers: what counts is to have few instructions around the sums. */
typedef struct narrow_operands {
    real *c;
    const real *a;
    size_t ai, ak;
    const real *b, *start;
    size_t m, k;
    const real *with;
} narrow_operands;

/* Rows i ... of c and panels from place r on. pitch, ai, m, panels and epilogue may be constants. */
NN_INLINE void narrow_tile(const narrow_operands *o, size_t i, size_t r, size_t pitch, size_t ai, const size_t m, const size_t panels,
                           const enum epilogue epilogue) {
    const real *a = o->a + i * ai, *b = o->b + r;
    real *c = o->c + i * pitch + r;
    vec sum[NN_LANES][2];
#pragma GCC unroll 16
    for (size_t u = 0; u < m; u++)
#pragma GCC unroll 2
        for (size_t p = 0; p < panels; p++) sum[u][p] = o->start ? v_set(o->start[i + u]) : v_zero();
#pragma GCC unroll 1
    for (size_t q = 0; q < o->k; q++) {
#pragma GCC unroll 16
        for (size_t u = 0; u < m; u++)
#pragma GCC unroll 2
            for (size_t p = 0; p < panels; p++) sum[u][p] = v_fma(v_set(a[u * ai]), v_load(b + p * NN_LANES), sum[u][p]);
        a += o->ak;
        b += pitch;
    }
#pragma GCC unroll 16
    for (size_t u = 0; u < m; u++)
#pragma GCC unroll 2
        for (size_t p = 0; p < panels; p++)
            v_store(c + u * pitch + p * NN_LANES, narrow_epilogue(sum[u][p], epilogue, o->with, (i + u) * pitch + r + p * NN_LANES));
}

/* In tiles of one panel while `most` rows and registers allow, then of all panels, which share the loads of a. */
NN_INLINE void narrow_strip(const narrow_operands *o, size_t r, size_t pitch, size_t ai, const size_t panels, const size_t most, const enum epilogue epilogue) {
    size_t i = 0;
#define TILES(rows, together) \
    for (; (rows == 1 || rows * together <= SUMS_AT_ONCE) && i + rows <= o->m; i += rows) \
        for (size_t p = 0; p < panels; p += together) narrow_tile(o, i, r + p * NN_LANES, pitch, ai, rows, together, epilogue);
    if (most >= 16) TILES(16, 1)
    if (most >= 8) TILES(8, 1)
    TILES(8, panels) TILES(4, panels) TILES(2, panels) TILES(1, panels)
#undef TILES
}

NN_INLINE void narrow_product(const narrow_operands *o, size_t pitch, const size_t most, const enum epilogue epilogue) {
    if (is_usual(pitch)) {
        if (o->ai == 2) narrow_strip(o, 0, USUAL_PITCH, 2, 2, most, epilogue); /* a short row of a saves addresses */
        else narrow_strip(o, 0, USUAL_PITCH, o->ai, 2, most, epilogue);
        return;
    }
    size_t r = 0;
    for (; r + 2 * NN_LANES <= pitch; r += 2 * NN_LANES) narrow_strip(o, r, pitch, o->ai, 2, most, epilogue);
    if (r < pitch) narrow_strip(o, r, pitch, o->ai, 1, most, epilogue);
}

/* Gradients of a narrow layer: gradient[i][j] = sum over rows r of x[i][r] * dy[j][r]. A bias, whose tensor follows the kernel's, counts as one more input, of
 * ones. They are summed up in 16 virtual lanes, of which sixteen sums share one turn of the fixed tree; or, of small batches in layers with enough units to
 * fill lanes, as chains over the rows in their order. */
typedef struct narrow_layer {
    real *gradient;        /* [inputs][units] */
    const real *dy;        /* [units][pitch] */
    size_t inputs, units, pitch;
    real *kept;            /* sums that go on from one block of rows of the batch to the next, [16] each; NULL: these are all rows */
    int begins, ends;      /* are these the first, the last rows of the batch? */
    real *waiting;         /* scratch [16][16] */
} narrow_layer;
typedef void narrow_way(const narrow_layer *l, const real *x); /* x [inputs][pitch] */

/* Lane k = the sum of waiting[k][16]. */
static vec waiting_sums(const real *waiting) {
    vec sums[NN_LANES];
#pragma GCC unroll 16
    for (size_t k = 0; k < NN_LANES; k++) sums[k] = v_load(waiting + k * NN_LANES);
    return v_sums(sums);
}

/* sums[a * 16 / B + b] of 16 / B inputs with B units, or waiting[16][16] where there are not registers enough; taken up from waiting unless this begins
 * them. pitch, begins and B may be constants. */
NN_INLINE void narrow_sums(real *waiting, vec *sums, int begins, const real *x, const real *dy, size_t pitch, const size_t B) {
#pragma GCC unroll 16
    for (size_t k = 0; k < NN_LANES; k += SUMS_AT_ONCE) {
        vec sum[SUMS_AT_ONCE];
#pragma GCC unroll 16
        for (size_t s = 0; s < SUMS_AT_ONCE; s++) {
            const vec first = v_load(x + (k + s) / B * pitch), second = v_load(dy + (k + s) % B * pitch);
            sum[s] = begins ? v_mul(first, second) : v_fma(first, second, v_load(waiting + (k + s) * NN_LANES));
        }
#pragma GCC unroll 2
        for (size_t r = NN_LANES; r < pitch; r += NN_LANES) {
#pragma GCC unroll 16
            for (size_t s = 0; s < SUMS_AT_ONCE; s++)
                sum[s] = v_fma(v_load(x + (k + s) / B * pitch + r), v_load(dy + (k + s) % B * pitch + r), sum[s]);
        }
#pragma GCC unroll 16
        for (size_t s = 0; s < SUMS_AT_ONCE; s++) {
            if (TREE_FITS) sums[s] = sum[s];
            else v_store(waiting + (k + s) * NN_LANES, sum[s]);
        }
    }
}

/* In tiles of 16 / B inputs by B units, of which there are no fewer: the last ones overlap their neighbours. kept, pitch and B may be constants. */
NN_INLINE void narrow_tiles(const narrow_layer *l, const real *x, real *kept, const size_t pitch, const size_t B) {
    const size_t A = NN_LANES / B, inputs = l->inputs, units = l->units;
    const real *dy = l->dy;
    real *gradient = l->gradient, *waiting = kept ? kept : l->waiting;
    for (size_t i = 0; i < inputs; i += A) {
        const size_t input = i + A <= inputs ? i : inputs - A;
        for (size_t j = 0; j < units; j += B) {
            const size_t unit = j + B <= units ? j : units - B;
            real *to = gradient + input * units + unit;
            vec sums[NN_LANES];
            narrow_sums(waiting, sums, !kept || l->begins, x + input * pitch, dy + unit * pitch, pitch, B);
            for (size_t k = 0; kept && TREE_FITS && k < NN_LANES; k++) v_store(waiting + k * NN_LANES, sums[k]);
            const real *done = waiting;
            if (kept) waiting += NN_LANES * NN_LANES;
            if (kept && !l->ends) continue;
            const vec totals = TREE_FITS ? v_sums(sums) : waiting_sums(done);
            if (B == units) {
                v_store(to, totals);
            } else {
                real rows[NN_LANES];
                v_store(rows, totals);
                for (size_t a = 0; a < A; a++) __builtin_memcpy(to + a * units, rows + a * B, B * sizeof *to);
            }
        }
    }
}

/* One sum after the other, where there are fewer than a tile has. kept and pitch may be constants. */
NN_INLINE void narrow_few(const narrow_layer *l, const real *x, real *kept, const size_t pitch) {
    const size_t inputs = l->inputs, units = l->units;
    real *to = l->gradient;
    for (size_t i = 0; i < inputs; i++, x += pitch) {
        const real *dy = l->dy;
        for (size_t j = 0; j < units; j++, dy += pitch, to++) {
            vec sum = !kept || l->begins ? v_zero() : v_load(kept);
#pragma GCC unroll 2
            for (size_t r = 0; r < pitch; r += NN_LANES) sum = v_fma(v_load(x + r), v_load(dy + r), sum);
            if (kept) {
                v_store(kept, sum);
                kept += NN_LANES;
            }
            if (!kept || l->ends) *to = v_sum(sum);
        }
    }
}

static size_t narrow_tile_count(size_t inputs, size_t units, size_t B) {
    return B ? ((inputs - 1) / (NN_LANES / B) + 1) * ((units - 1) / B + 1) : (inputs * units - 1) / NN_LANES + 1;
}

/* B of the tiles that cover a layer with the least work, sums and loads; 0: it is too small for any. */
static size_t narrow_tile_units(size_t inputs, size_t units) {
    size_t best = 0, least = SIZE_MAX;
    for (size_t B = 1; B <= 8; B *= 2) {
        const size_t A = NN_LANES / B, work = narrow_tile_count(inputs, units, B) * (A * B + A + B);
        if (A > inputs || B > units || work >= least) continue;
        best = B;
        least = work;
    }
    return best;
}

/* Are chains the faster way? Measured in cycles, with 32 rows and vectors of 16: dy must be transposed for them, while each sum takes part in a tree. */
static int narrow_has_chains(size_t inputs, size_t units) {
    const size_t panels = nn_pad(units) / NN_LANES;
    return panels * (190 + 17 * inputs) < 3 * inputs * units;
}

enum { CHAIN_ROWS = 64 }; /* The trees of larger batches cost little beside their sums. */

/* to[pitch][units padded] = dy, transposed. pitch may be a constant. */
NN_INLINE void narrow_turn(real *to, const narrow_layer *l, const size_t pitch) {
    const size_t units = l->units, padded = nn_pad(units);
    for (size_t r = 0; r < pitch; r += NN_LANES) {
        const real *from = l->dy + r;
        size_t u = 0;
        for (; u + NN_LANES <= units; u += NN_LANES) transpose_lanes(to + r * padded + u, padded, from + u * pitch, pitch, NN_LANES);
        if (u < units) transpose_lanes(to + r * padded + u, padded, from + u * pitch, pitch, units - u);
    }
}

/* pitch <= CHAIN_ROWS */
static NN_APART void narrow_chains(const narrow_layer *l, const real *x) {
    real turned[CHAIN_ROWS * NN_NARROW_UNITS], padding[NN_NARROW_KERNEL + (NN_NARROW_UNITS + 1) * NN_LANES]; /* [pitch][units padded], [inputs][units padded] */
    const size_t units = l->units, padded = nn_pad(units), pitch = l->pitch;
    real *sums = units == padded ? l->gradient : padding;
    if (is_usual(pitch)) narrow_turn(turned, l, USUAL_PITCH);
    else narrow_turn(turned, l, pitch);
    const narrow_operands o = {.c = sums, .a = x, .ai = pitch, .ak = 1, .b = turned, .m = l->inputs, .k = pitch};
    narrow_product(&o, padded, 0, UNCHANGED);
    for (size_t i = 0; sums == padding && i < l->inputs; i++) copy_row(l->gradient + i * units, padding + i * padded, units);
}

/* The ways of summing up: tiles of B units, or of 0: one sum after the other. Each is compiled by itself, and again for the usual batches. */
#define WAYS(WAY) WAY(0) WAY(1) WAY(2) WAY(4) WAY(8)
NN_INLINE void narrow_sum_up(const narrow_layer *l, const real *x, real *kept, const size_t pitch, const size_t B) {
    if (B) narrow_tiles(l, x, kept, pitch, B);
    else narrow_few(l, x, kept, pitch);
}
#define WAY(B) \
    static NN_APART void narrow_way_##B(const narrow_layer *l, const real *x) { narrow_sum_up(l, x, l->kept, l->pitch, B); } \
    static NN_APART void narrow_usual_way_##B(const narrow_layer *l, const real *x) { narrow_sum_up(l, x, NULL, USUAL_PITCH, B); }
WAYS(WAY)
#undef WAY

/* chains, tile_units: see nn_layer. */
static narrow_way *narrow_way_of(const narrow_layer *l, int chains, size_t tile_units) {
    if (chains && !l->kept && l->pitch <= CHAIN_ROWS) return narrow_chains;
    const int usual = !l->kept && is_usual(l->pitch);
#define WAY(B) if (tile_units == B) return usual ? narrow_usual_way_##B : narrow_way_##B;
    WAYS(WAY)
#undef WAY
    return NULL;
}
#undef WAYS
