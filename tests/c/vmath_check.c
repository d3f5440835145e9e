/* Checks the vector operations and elementary functions of one target and dtype:
 *
 *   cc -std=c11 -O3 -ffp-contract=off -DNN_BITS=32 -DSIMD='"simd_avx2.h"' -Icsrc/engine tests/c/vmath_check.c -lm -o vmath_check
 *   ./vmath_check            a grid, in seconds: greatest error of each function in units in the last place, hashes of all outputs
 *   ./vmath_check full       every float, or 2^27 doubles; takes a while
 *   ./vmath_check hash       hashes only, over the same grid ("full hash" over the full one)
 *
 * The hashes must be equal on all targets, for they take every bit of every output but the payload of NaN. Exits 1 if an error is above its bound,
 * or if one of two ways to the same number disagrees with the other. */
#include SIMD
#include "soft_fma.h"
#include "vmath.h"

#include <math.h>
#include <stdio.h>

/* The reference: at least 29 bits more than float, 11 bits more than double where long double has them. */
#if NN_BITS == 32
typedef double wide;
#define WIDE(name) name
#define FRACTION 24
#define LEAST_EXPONENT (-149)
#else
typedef long double wide;
#define WIDE(name) name##l
#define FRACTION 53
#define LEAST_EXPONENT (-1074)
#endif
#define REFERENCE_ERROR (sizeof(wide) > sizeof(real) && WIDE(ldexp)(1, -FRACTION - 2) + 1 > 1 ? 0.01 : 1)

static wide ref_exp(wide x) { return WIDE(exp)(x); }
static wide ref_expm1(wide x) { return WIDE(expm1)(x); }
static wide ref_log(wide x) { return WIDE(log)(x); }
static wide ref_log1p(wide x) { return WIDE(log1p)(x); }
static wide ref_tanh(wide x) { return WIDE(tanh)(x); }
static wide ref_erf(wide x) { return WIDE(erf)(x); }
static wide ref_sigmoid(wide x) {
    const wide e = WIDE(exp)(-WIDE(fabs)(x));
    return (x < 0 ? e : 1) / (1 + e);
}
static wide ref_softplus(wide x) { return (x < 0 ? 0 : x) + WIDE(log1p)(WIDE(exp)(-WIDE(fabs)(x))); }

typedef struct function {
    const char *name;
    void (*run)(real *y, const real *x);
    wide (*reference)(wide x);
    double bound[2]; /* float, double */
} function;

#define RUN(name) \
    static void run_##name(real *y, const real *x) { v_store(y, v_##name(v_load(x))); }
RUN(exp) RUN(expm1) RUN(log) RUN(log1p) RUN(tanh) RUN(sigmoid) RUN(softplus) RUN(erf)
#define ROW(name, f32, f64) {#name, run_##name, ref_##name, {f32, f64}}
static const function functions[] = {
    ROW(exp, 1.0, 1.0),  ROW(expm1, 2.0, 2.0),   ROW(log, 1.0, 1.0),      ROW(log1p, 1.5, 1.5),
    ROW(tanh, 2.6, 2.8), ROW(sigmoid, 2.5, 2.5), ROW(softplus, 2.0, 2.0), ROW(erf, 1.5, 1.5)};

/* ---- inputs ---- */

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}

static int is_nan(real x) { return x != x; }

/* Any bits, with a preference for few or many ones and for exponents at the ends, in the middle and around products that cancel. */
static real nasty_random(void) {
    const real_bits fraction = SPLIT_FRACTION, one = 1;
    const real_bits bit = one << next_random() % NN_FRACTION_BITS;
    const real_bits fractions[] = {0, fraction, bit, fraction ^ bit, (real_bits)next_random() & fraction};
    const real_bits bias = NN_EXPONENT_BIAS, near = (real_bits)(next_random() % (2 * NN_FRACTION_BITS + 4)) - NN_FRACTION_BITS - 2;
    const real_bits exponents[] = {0, 2 * bias + 1, 2 * bias - near % 3, bias + near, bias / 2 + near, (real_bits)next_random()};
    const real_bits exponent = exponents[next_random() % 6] & (2 * bias + 1), sign = (real_bits)(next_random() & 1) << (NN_BITS - 1);
    return real_of(sign | exponent << NN_FRACTION_BITS | fractions[next_random() % 5]);
}

#if NN_BITS == 32
#define POINTS(full) ((uint64_t)1 << ((full) ? 32 : 20))
/* every float, or each 4097th in turn */
static real point(uint64_t i, int full) { return real_of((real_bits)(full ? i : i * 4097)); }
#else
#define POINTS(full) ((uint64_t)1 << ((full) ? 27 : 20))
/* [0, 1) */
static double unit_random(void) { return (double)(next_random() >> 11) * 0x1p-53; }

static real point(uint64_t i, int full) {
    (void)full;
    switch (i % 8) {
    case 0: return nasty_random();
    case 1: return real_of(next_random());
    case 2: return 1500 * unit_random() - 750;
    case 3: return 80 * unit_random() - 40;
    case 4: return 12 * unit_random() - 6;
    case 5: return 2 * unit_random() - 1;
    case 6: return 1 + (unit_random() - 0.5) * real_of((NN_EXPONENT_BIAS - next_random() % 50) << NN_FRACTION_BITS);
    default: return 4 * unit_random();
    }
}
#endif

/* ---- checks ---- */

static uint64_t hash_of(uint64_t hash, real x) { return (hash ^ (is_nan(x) ? 1 : bits_of(x))) * 0x100000001B3u; }

/* |y - exact| in units in the last place of exact; infinity counts as the power of two behind the largest number. */
static double error_of(real y, wide exact) {
    if (is_nan(y) || exact != exact) return is_nan(y) && exact != exact ? 0 : 1e30;
    if (exact == 0 && y == 0) return (signbit(exact) != 0) == (signbit(y) != 0) ? 0 : 1e30;
    const wide edge = WIDE(ldexp)(1, NN_EXPONENT_BIAS + 1);
    const wide value = y > NN_LARGEST ? edge : y < -NN_LARGEST ? -edge : (wide)y;
    exact = exact > edge ? edge : exact < -edge ? -edge : exact;
    int exponent;
    (void)WIDE(frexp)(exact, &exponent);
    exponent -= FRACTION;
    return (double)WIDE(ldexp)(WIDE(fabs)(value - exact), -(exponent < LEAST_EXPONENT ? LEAST_EXPONENT : exponent));
}

static int check_function(const function *f, int full, int hash_only) {
    uint64_t hash = 0xCBF29CE484222325u;
    double worst = 0;
    real worst_at = 0, x[NN_LANES], y[NN_LANES];
    state = 88172645463325252u;
    for (uint64_t i = 0; i < POINTS(full); i += NN_LANES) {
        for (size_t k = 0; k < NN_LANES; k++) x[k] = point(i + k, full);
        f->run(y, x);
        for (size_t k = 0; k < NN_LANES; k++) {
            hash = hash_of(hash, y[k]);
            const double error = hash_only ? 0 : error_of(y[k], f->reference((wide)x[k]));
            if (error > worst) {
                worst = error;
                worst_at = x[k];
            }
        }
    }
    const double bound = f->bound[NN_BITS / 64] + REFERENCE_ERROR;
    printf("%-10s hash %016llx", f->name, (unsigned long long)hash);
    if (!hash_only) printf("  error %.3f at %a%s", worst, (double)worst_at, worst > bound ? "  ABOVE ITS BOUND" : "");
    printf("\n");
    return worst > bound;
}

/* The operations have no reference here but each other's targets: a hash over nasty operands. */
static void check_operations(void) {
    uint64_t hash = 0xCBF29CE484222325u;
    real a[NN_LANES], b[NN_LANES], c[NN_LANES], y[NN_LANES];
    state = 88172645463325252u;
    for (int i = 0; i < 50000; i++) {
        for (int k = 0; k < NN_LANES; k++) {
            a[k] = nasty_random();
            b[k] = next_random() % 4 ? nasty_random() : a[k];
            c[k] = nasty_random();
        }
        const vec va = v_load(a), vb = v_load(b), vc = v_load(c), one = v_set(1);
        const mask m = m_or(m_and(v_gt(va, vc), v_le(va, vb)), m_not(v_ge(vb, vc))), first = m_first((size_t)i % 20);
        vec e;
        const vec normal = v_max(v_set(NN_SMALLEST_NORMAL), v_min(v_set(NN_LARGEST), v_abs(va))), fraction = v_split(normal, &e);
        const vec results[] = {v_add(va, vb), v_sub(va, vb), v_mul(va, vb), v_div(va, vb), v_sqrt(va), v_fma(va, vb, vc), v_fnma(va, vb, vc),
                               v_neg(va), v_abs(va), v_copysign(va, vb), v_max(va, vb), v_min(va, vb), v_round(va), v_select(m, va, vb),
                               v_keep(m, va), v_keep(first, va), v_select(v_lt(va, vb), one, va), v_select(v_eq(va, vb), one, va), fraction, e,
                               v_exp2i(v_max(v_set(1 - NN_EXPONENT_BIAS), v_min(v_set(NN_EXPONENT_BIAS), e))),
                               v_scale(fraction, v_sub(e, v_set(NN_FRACTION_BITS))), v_set(v_sum(va)), v_set(v_largest(va)), v_set(v_first(vc)),
                               v_set((real)m_any(m)), v_zero()};
        for (size_t r = 0; r < sizeof results / sizeof *results; r++) {
            v_store(y, results[r]);
            for (int k = 0; k < NN_LANES; k++) hash = hash_of(hash, y[k]);
        }
    }
    printf("%-10s hash %016llx\n", "operations", (unsigned long long)hash);
}

/* v_fma of this target against soft_fma.h. */
static int check_fma(int full) {
    real a[NN_LANES], b[NN_LANES], c[NN_LANES], y[NN_LANES];
    unsigned long wrong = 0;
    state = 88172645463325252u;
    for (long i = 0; i < (full ? 10000000 : 200000); i++) {
        for (int k = 0; k < NN_LANES; k++) {
            a[k] = nasty_random();
            b[k] = nasty_random();
            const real product = a[k] * b[k];
            c[k] = k % 4 == 0 ? -product : k % 4 == 1 ? -real_of(bits_of(product) + (real_bits)(next_random() % 7) - 3) : nasty_random();
        }
        v_store(y, v_fma(v_load(a), v_load(b), v_load(c)));
        for (int k = 0; k < NN_LANES; k++) {
#if NN_BITS == 32
            const real soft = soft_fma_f32(a[k], b[k], c[k]);
#else
            const real soft = soft_fma_f64(a[k], b[k], c[k]);
#endif
            if (bits_of(soft) != bits_of(y[k]) && !(is_nan(soft) && is_nan(y[k])) && !wrong++)
                printf("fma(%a, %a, %a) = %a, not %a\n", (double)a[k], (double)b[k], (double)c[k], (double)y[k], (double)soft);
        }
    }
    printf("%-10s %lu differences\n", "soft fma", wrong);
    return wrong != 0;
}

/* v_exp_fading below 0: v_exp, or 0 where that is small enough. */
static int check_fading(int full) {
    const real small = NN_BITS == 32 ? (real)0x1p-99 : (real)0x1p-898;
    unsigned long wrong = 0;
    real x[NN_LANES], faded[NN_LANES], y[NN_LANES];
    state = 88172645463325252u;
    for (uint64_t i = 0; i < POINTS(full); i += NN_LANES) {
        for (size_t k = 0; k < NN_LANES; k++) x[k] = point(i + k, full);
        const vec negative = v_neg(v_abs(v_load(x)));
        v_store(faded, v_exp_fading(negative));
        v_store(y, v_exp(negative));
        for (size_t k = 0; k < NN_LANES; k++) wrong += !(faded[k] == 0 ? y[k] < small : is_nan(y[k]) ? is_nan(faded[k]) : faded[k] == y[k] && y[k] > small / 8);
    }
    printf("%-10s %lu differences\n", "exp fading", wrong);
    return wrong != 0;
}

/* v_log_normal: v_log, bit for bit. */
static int check_log_normal(int full) {
    unsigned long wrong = 0;
    real x[NN_LANES], normal[NN_LANES], y[NN_LANES];
    state = 88172645463325252u;
    for (uint64_t i = 0; i < POINTS(full); i += NN_LANES) {
        for (size_t k = 0; k < NN_LANES; k++) {
            const real size = point(i + k, full), some = size < 0 ? -size : size;
            x[k] = some < NN_SMALLEST_NORMAL ? NN_SMALLEST_NORMAL : some > NN_LARGEST ? NN_LARGEST : some; /* NaN stays NaN */
        }
        v_store(normal, v_log_normal(v_load(x)));
        v_store(y, v_log(v_load(x)));
        for (size_t k = 0; k < NN_LANES; k++) wrong += is_nan(x[k]) ? !is_nan(normal[k]) : bits_of(normal[k]) != bits_of(y[k]);
    }
    printf("%-10s %lu differences\n", "log normal", wrong);
    return wrong != 0;
}

int main(int count, char **arguments) {
    int full = 0, hash_only = 0, failed = 0;
    for (int i = 1; i < count; i++) {
        full |= !strcmp(arguments[i], "full");
        hash_only |= !strcmp(arguments[i], "hash");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    check_operations();
    if (!hash_only) failed |= check_fma(full) | check_fading(full) | check_log_normal(full);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) failed |= check_function(&functions[i], full, hash_only);
    return failed;
}

#include "target_end.h"
