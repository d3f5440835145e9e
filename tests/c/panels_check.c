/* Checks the dense products of wide plans against the plain chain that defines them, of one target and dtype:
 *
 *   cc -std=gnu11 -O3 -ffp-contract=off -DNN_BITS=32 -DSIMD='"simd_avx2.h"' -Icsrc -Icsrc/engine tests/c/panels_check.c -lm -o panels_check
 *
 * Every size around a tile, a panel and the depth of a block, whole and in parts. Exits 1 if a bit differs, or if anything beside the outputs was written. */
#include SIMD
#include "plan.h"
#include "batch.h"
#include "panels.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 600, MOST_ROWS = 40, MOST_COLUMNS = 80, GUARD = 7 };

static real a[MOST * MOST_COLUMNS], b[MOST * MOST_COLUMNS], c[MOST_COLUMNS * MOST_COLUMNS], start[MOST_COLUMNS];
static int failures;

static size_t at(size_t pitch, size_t r, size_t column) { return column / NN_LANES * pitch + r * NN_LANES + column % NN_LANES; }

static void fill(real *p, size_t n) {
    static uint32_t state = 1;
    for (size_t i = 0; i < n; i++) p[i] = (real)((state = state * 1664525u + 1013904223u) >> 8) / (real)(1 << 23) - 1;
}

static real plain_fma(real x, real y, real z) { return NN_BITS == 32 ? (real)fmaf((float)x, (float)y, (float)z) : (real)fma((double)x, (double)y, (double)z); }

enum product { FORWARD, TURNED, ACROSS, PRODUCTS };

/* c[rows][columns] = start + a b over k, or a b turned, or a across b; computed in parts: rows before and from `cut` on and, but across, the panels by halves. */
static void check(size_t rows, size_t columns, size_t k, size_t cut, enum product product) {
    const int across = product == ACROSS, turned = product == TURNED;
    const size_t cp = (rows + 1) * NN_LANES, bp = (turned ? columns : k) * NN_LANES, ap = (across ? k : rows) * NN_LANES, panels = nn_pad(columns) / NN_LANES;
    nearing near = {.ranges = {a}, .count = 1, .lines = 9};
    for (size_t i = 0; i < MOST_COLUMNS * MOST_COLUMNS; i++) c[i] = GUARD;
    for (size_t from = 0, to = cut; from < rows; from = to, to = rows) {
        panel_product s = {.c = c, .cp = cp, .a = a, .ap = ap, .b = b, .bp = bp, .start = product == FORWARD ? start : NULL, .k = k,
                           .columns = columns, .turned = turned, .near = cut % 2 ? &near : NULL};
        if (across) {
            panel_across(&s, from, to, panels);
        } else {
            s.c += from * NN_LANES;
            s.a += from * NN_LANES;
            panel_forward(&s, to - from, 0, panels / 2);
            panel_forward(&s, to - from, panels / 2, panels);
        }
    }
    for (size_t j = 0; j < columns; j++) {
        for (size_t i = 0; i < rows; i++) {
            real sum = product == FORWARD ? start[j] : 0;
            for (size_t q = 0; q < k; q++) sum = plain_fma(across ? a[at(ap, q, i)] : a[at(ap, i, q)], turned ? b[at(bp, j, q)] : b[at(bp, q, j)], sum);
            if (c[at(cp, i, j)] == sum) continue;
            if (failures++ < 9) fprintf(stderr, "FAILED: (%zu, %zu) of %zu x %zu over %zu, cut %zu, product %d\n", i, j, rows, columns, k, cut, (int)product);
        }
    }
    for (size_t panel = 0; panel < panels; panel++) {
        for (size_t i = 0; i < NN_LANES; i++) failures += c[panel * cp + rows * NN_LANES + i] != GUARD;
    }
}

int main(void) {
    static const size_t columns[] = {1, 16, 33, 48, 64, 80}, depths[] = {1, 15, 16, 17, 127, 128, 129, 255, 256, 257, 513};
    fill(a, sizeof a / sizeof *a);
    fill(b, sizeof b / sizeof *b);
    fill(start, MOST_COLUMNS);
    for (size_t rows = 1; rows <= MOST_ROWS; rows++) {
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            const size_t k = depths[(rows + j) % (sizeof depths / sizeof *depths)];
            for (enum product product = FORWARD; product < PRODUCTS; product++) check(rows, columns[j], k, rows, product);
            check(rows, columns[j], k, rows / 3 + 1, FORWARD);
            check(rows, columns[j], k, rows / 3 + 1, TURNED);
            check(rows, columns[j], k, rows > NN_LANES ? NN_LANES : rows, ACROSS);
        }
    }
    printf("%d failures\n", failures);
    return failures != 0;
}

#include "target_end.h"
