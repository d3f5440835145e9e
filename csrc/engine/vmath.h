/* Elementary functions of 16 lanes, for all inputs: right limits at infinities and zeros, gradual underflow, NaN for NaN. Made of the operations of
 * vec.h only, so their bits are the same on every target. tests/c/vmath_check.c measures the errors stated here, in units in the last place:
 *
 *                                  exp   expm1  log   log1p  tanh  sigmoid  softplus  erf
 *   32 bits (every float)          0.92  1.55   0.83  1.40   2.50  2.41     1.81      1.15
 *   64 bits (2^27 samples each)    0.88  1.83   0.81  1.36   2.56  2.37     1.74      1.31
 *
 * The coefficients are minimax fits to the functions named beside them, relative error, highest power first. */

#if NN_BITS == 32
#define LOG2_E 0x1.715476p+0
#define LN2 0x1.62e430p-1
#define LN2_REST -0x1.05c610p-29 /* ln 2 = LN2 + LN2_REST */
#define EXP_LEAST (-104)         /* below: 0 */
#define EXP_FADED (-69)          /* e^x is about FADED */
#define EXP_MOST 89              /* above: infinity */
#define EXPM1_LEAST (-18)        /* below: -1 */
#define TINY 0x1p-25             /* below, x^2 / 2 is lost beside x, and only x has the sign of its zero */
#define SUBNORMAL_SHIFT 25       /* makes every number normal */
/* (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2 */
static const real exp_terms[] = {0x1.6ab238p-10, 0x1.122c7ep-7, 0x1.55579ep-5, 0x1.5554aap-3, 0x1.fffffep-2};
/* (2 atanh(s) - 2 s) / s^3 of s^2 on |s| <= (sqrt 2 - 1) / (sqrt 2 + 1) */
static const real log_terms[] = {0x1.31e240p-2, 0x1.995eccp-2, 0x1.55557ap-1};
/* erf(x) / x - 1 of x^2 on [0, 1], and erfc(x) e^(x^2) of x on [1, 4] (64 bits: [1, 6]) */
static const real erf_top[] = {-0x1.5f9b62p-10, -0x1.de9444p-7, -0x1.52ebc4p-2, 0x1.06eba8p-3};
static const real erf_bottom[] = {0x1.349fecp-5, 0x1.681f7ep-2, 1};
static const real erfc_top[] = {0x1.b30ee8p-3, 0x1.6d0d2ep-1, 1};
static const real erfc_bottom[] = {0x1.7f9494p-2, 0x1.494470p+0, 0x1.d79d0ap+0, 1};
#else
#define LOG2_E 0x1.71547652b82fep+0
#define LN2 0x1.62e42fefa39efp-1
#define LN2_REST 0x1.abc9e3b39803fp-56
#define EXP_LEAST (-746)
#define EXP_FADED (-623)
#define EXP_MOST 710
#define EXPM1_LEAST (-39)
#define TINY 0x1p-54
#define SUBNORMAL_SHIFT 54
static const real exp_terms[] = {0x1.1f1fc3f187fb9p-29, 0x1.af5d06afa3384p-26, 0x1.27e507fcb8302p-22, 0x1.71ddf942f1f36p-19,
                                 0x1.a01a0197fbb40p-16, 0x1.a01a01af94250p-13, 0x1.6c16c16c177b8p-10, 0x1.111111110f724p-7,
                                 0x1.5555555555558p-5, 0x1.5555555555559p-3, 0x1p-1};
static const real log_terms[] = {0x1.2f11834af5898p-3, 0x1.39a09536ec943p-3, 0x1.746649b1f004cp-3, 0x1.c71c51d7c9729p-3,
                                 0x1.249249422a42cp-2, 0x1.999999997f9f9p-2, 0x1.5555555555593p-1};
static const real erf_top[] = {-0x1.547bf7d643885p-16, -0x1.fddbb6a8c7e5fp-12, -0x1.1ee0316ce29c9p-7, -0x1.88cca043cce2bp-5,
                               -0x1.44c5b9e2938e3p-2, 0x1.06eba8214db69p-3};
static const real erf_bottom[] = {0x1.547bf7d4bab8bp-16, 0x1.6521dade11a31p-11, 0x1.5ac03b4abce65p-7, 0x1.7df6487bd4c55p-4, 0x1.d6557076d8bd6p-2, 1};
static const real erfc_top[] = {0x1.039810dc708edp-7, 0x1.3ddce77a20e20p-4, 0x1.68cf1f8502073p-2, 0x1.d3e274f65c48bp-1, 0x1.5c9d0b49e9ee4p+0, 1};
static const real erfc_bottom[] = {0x1.cc1fcbf0f124bp-7, 0x1.19b00a30c9ef6p-3, 0x1.4364b5821db01p-1, 0x1.b012b77ae228ep+0,
                                   0x1.5ca1469557202p+1, 0x1.3ebd3f74afaa9p+1, 1};
#endif

/* These functions are part of a hundred rows. Double, of which a vec takes twice as many registers, pays for a call with less than it saves in code. */
#if NN_BITS == 64
#define NN_VMATH static NN_APART
#else
#define NN_VMATH NN_INLINE
#endif

NN_INLINE vec v_polynomial(vec x, const real *terms, const size_t count) {
    vec sum = v_set(terms[0]);
#pragma GCC unroll 16
    for (size_t i = 1; i < count; i++) sum = v_fma(sum, x, v_set(terms[i]));
    return sum;
}
#define POLYNOMIAL(x, terms) v_polynomial(x, terms, sizeof terms / sizeof *terms)

/* x = n ln 2 + r, |r| <= ln 2 / 2; returns r */
NN_INLINE vec v_reduce(vec x, vec *n) {
    *n = v_sub(v_fma(x, v_set(LOG2_E), v_set(NN_ROUNDER)), v_set(NN_ROUNDER));
    return v_fnma(*n, v_set(LN2_REST), v_fnma(*n, v_set(LN2), x));
}

/* EXP_LEAST <= x <= EXP_MOST: e^x = 2^n (1 + r + r^2 q(r)) */
NN_INLINE vec v_exp_inside(vec x) {
    vec n;
    const vec r = v_reduce(x, &n), one = v_set(1);
    return v_scale(v_fma(v_fma(POLYNOMIAL(r, exp_terms), r, one), r, one), n);
}

NN_VMATH vec v_exp(vec x) { return v_exp_inside(v_min(v_set(EXP_MOST), v_max(v_set(EXP_LEAST), x))); }

/* e^x for x <= 0, but 0 below EXP_FADED: shares of a probability, which would be slow as subnormal numbers, see fade */
NN_VMATH vec v_exp_fading(vec x) { return v_select(v_lt(x, v_set(EXP_FADED)), v_zero(), v_exp_inside(v_max(v_set(EXP_FADED), x))); }

/* e^-|x| */
NN_VMATH vec v_exp_falling(vec x) { return v_exp_inside(v_max(v_set(EXP_LEAST), v_neg(v_abs(x)))); }

/* EXPM1_LEAST <= x <= EXP_MOST: (e^x - 1) / 2 = 2^(n-1) p + (2^(n-1) - 1/2), p = r + r^2 q(r) = e^r - 1 */
NN_INLINE vec v_expm1_half(vec x) {
    vec n;
    const vec r = v_reduce(x, &n), p = v_fma(v_mul(r, r), POLYNOMIAL(r, exp_terms), r), power = v_power_bits(v_add(n, v_set(NN_ROUNDER - 1)));
    return v_fma(power, p, v_sub(power, v_set(0.5)));
}

NN_VMATH vec v_expm1(vec x) {
    const vec half = v_expm1_half(v_min(v_set(EXP_MOST), v_max(v_set(EXPM1_LEAST), x)));
    return v_select(v_lt(v_abs(x), v_set(TINY)), x, v_add(half, half));
}

/* log((1 + f) 2^e), 1 + f in [sqrt 1/2, sqrt 2]: s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - (f^2 / 2 - s (f^2 / 2 + R)), R = s^2 q(s^2) */
NN_INLINE vec v_log_reduced(vec f, vec e) {
    const vec s = v_div(f, v_add(v_set(2), f)), z = v_mul(s, s), half = v_mul(v_mul(f, v_set(0.5)), f);
    const vec inner = v_fma(s, v_fma(z, POLYNOMIAL(z, log_terms), half), v_mul(e, v_set(LN2_REST)));
    return v_fma(e, v_set(LN2), v_sub(f, v_sub(half, inner)));
}

/* y where 0 < distance < infinity, and what a logarithm is elsewhere: -infinity at 0, NaN below, infinity and NaN as they are */
NN_INLINE vec v_log_limits(vec distance, vec y) {
    const vec below = v_select(v_eq(distance, v_zero()), v_set(-NN_INFINITY), v_set(NN_NAN));
    return v_select(v_gt(distance, v_zero()), v_select(v_lt(distance, v_set(NN_INFINITY)), y, distance), below);
}

NN_VMATH vec v_log(vec x) {
    const mask subnormal = v_lt(x, v_set(NN_SMALLEST_NORMAL));
    vec e;
    const vec m = v_split(v_select(subnormal, v_mul(x, v_set((real)((uint64_t)1 << SUBNORMAL_SHIFT))), x), &e);
    return v_log_limits(x, v_log_reduced(v_sub(m, v_set(1)), v_sub(e, v_keep(subnormal, v_set(SUBNORMAL_SHIFT)))));
}

/* The same for normal numbers x > 0 and for NaN. */
NN_VMATH vec v_log_normal(vec x) {
    vec e;
    const vec m = v_split(x, &e);
    return v_select(v_eq(x, x), v_log_reduced(v_sub(m, v_set(1)), e), x);
}

/* 1 + x = u + rest exactly; f = (u + rest) 2^-e - 1. From 2^64 on the rest is nothing, and 2^-e might be. */
NN_VMATH vec v_log1p(vec x) {
    const vec one = v_set(1), u = v_add(one, x), rest = v_sub(v_min(one, x), v_sub(u, v_max(one, x)));
    vec e;
    const vec m = v_split(u, &e), scaled = v_mul(rest, v_exp2i(v_neg(v_min(e, v_set(64)))));
    const vec y = v_log_limits(u, v_log_reduced(v_add(v_sub(m, one), scaled), e));
    return v_select(v_lt(v_abs(x), v_set(TINY)), x, y);
}

/* tanh |x| = -e / (2 + e), e = e^(-2 |x|) - 1 */
NN_VMATH vec v_tanh(vec x) {
    const vec half = v_expm1_half(v_max(v_set(EXPM1_LEAST), v_mul(v_abs(x), v_set(-2))));
    return v_copysign(v_div(half, v_add(v_set(1), half)), x);
}

/* 1 / (1 + e) for x >= 0, e times that below; e = e^-|x| */
NN_INLINE vec v_sigmoid_of(vec x, vec e) {
    const vec one = v_set(1);
    return v_div(v_select(v_ge(x, v_zero()), one, e), v_add(one, e));
}
NN_VMATH vec v_sigmoid(vec x) { return v_sigmoid_of(x, v_exp_falling(x)); }

/* max(0, x) + log(1 + e^-|x|) */
NN_VMATH vec v_softplus(vec x) {
    const vec e = v_exp_falling(x), one = v_set(1);
    const mask large = v_gt(e, v_set(0x1.a8279ap-2)); /* sqrt 2 - 1 */
    const vec f = v_select(large, v_fma(e, v_set(0.5), v_set(-0.5)), e);
    return v_add(v_max(v_zero(), x), v_log_reduced(f, v_keep(large, one)));
}

/* x + x P(x^2) / Q(x^2) for |x| <= 1, 1 - e^(-x^2) A(|x|) / B(|x|) above */
NN_VMATH vec v_erf(vec x) {
    const vec size = v_min(v_set(6), v_abs(x)), z = v_mul(size, size), one = v_set(1);
    const mask small = v_le(size, one);
    const vec top = v_select(small, POLYNOMIAL(z, erf_top), v_mul(v_exp_inside(v_neg(z)), POLYNOMIAL(size, erfc_top)));
    const vec ratio = v_div(top, v_select(small, POLYNOMIAL(z, erf_bottom), POLYNOMIAL(size, erfc_bottom)));
    return v_copysign(v_select(small, v_fma(size, ratio, size), v_sub(one, ratio)), x);
}

/* x^a for x >= 0. The usual a are exact to a rounding, others to |a log x| units in the last place and a few. */
NN_INLINE vec v_power(vec x, real a) {
    if (a == 0) return v_set(1);
    if (a == (real)0.5) return v_sqrt(x);
    if (a == 1) return x;
    if (a == 2) return v_mul(x, x);
    return v_exp(v_mul(v_set(a), v_log(x)));
}

#undef LOG2_E
#undef LN2
#undef LN2_REST
#undef EXP_LEAST
#undef EXP_FADED
#undef EXP_MOST
#undef EXPM1_LEAST
#undef TINY
#undef SUBNORMAL_SHIFT
#undef POLYNOMIAL
