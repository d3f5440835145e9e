/* vec: 16 virtual lanes of real, mask: 16 truths, made of NN_REGISTERS registers each. A simd_*.h brings the registers:
 *
 *   reg, reg_mask    types                     REG_LANES    reals in a reg
 *   r_NAME           the operations lifted below; r_fold_add and r_fold_max fold a register to one real by halves
 *   r_power_bits(t)  the bits of t, moved up to the exponent field     r_fraction_split(x, &e)    see v_split
 *
 * Every operation is an IEEE basic operation or moves bits, so all targets agree in every bit (but for the payload of a NaN). */
#ifndef NN_VEC_H
#define NN_VEC_H

enum { NN_REGISTERS = NN_LANES / REG_LANES };

typedef struct vec {
    reg r[NN_REGISTERS];
} vec;

typedef struct mask {
    reg_mask r[NN_REGISTERS];
} mask;

/* Registers must never become an array in memory, so the loop over them is unrolled; an array of reals is better left a loop. */
#if NN_LOOP_OVER_REGISTERS
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define EACH_REGISTER UNROLL for (int i = 0; i < NN_REGISTERS; i++)

/* How an operation of many instructions, such as a multiply-add in software, is compiled: a target may want one copy of it, not hundreds. */
#ifndef NN_HEAVY
#define NN_HEAVY NN_INLINE
#endif

#define LIFT_AS(linkage, result, operation, parameters, ...) \
    linkage result operation parameters { \
        result y; \
        EACH_REGISTER y.r[i] = __VA_ARGS__; \
        return y; \
    }
#define LIFT(result, operation, parameters, ...) LIFT_AS(NN_INLINE, result, operation, parameters, __VA_ARGS__)
#define LIFT_UNARY(name) LIFT(vec, v_##name, (vec a), r_##name(a.r[i]))
#define LIFT_BINARY(name) LIFT(vec, v_##name, (vec a, vec b), r_##name(a.r[i], b.r[i]))
#define LIFT_TERNARY(name) LIFT_AS(NN_HEAVY, vec, v_##name, (vec a, vec b, vec c), r_##name(a.r[i], b.r[i], c.r[i]))
#define LIFT_COMPARE(name) LIFT(mask, v_##name, (vec a, vec b), r_##name(a.r[i], b.r[i]))

LIFT(vec, v_load, (const real *from), r_load(from + i * REG_LANES))
LIFT(vec, v_set, (real x), r_set(x))
NN_INLINE void v_store(real *to, vec a) { EACH_REGISTER r_store(to + i * REG_LANES, a.r[i]); }
NN_INLINE vec v_zero(void) { return v_set(0); }

LIFT_BINARY(add)
LIFT_BINARY(sub)
LIFT_BINARY(mul)
LIFT_BINARY(div)
LIFT_UNARY(sqrt)
LIFT_TERNARY(fma)  /* a * b + c */
LIFT_TERNARY(fnma) /* c - a * b */
LIFT_UNARY(neg)
LIFT_UNARY(abs)
LIFT_BINARY(copysign) /* magnitude, sign */
LIFT_BINARY(max)      /* a > b ? a : b */
LIFT_BINARY(min)      /* a < b ? a : b */
LIFT_UNARY(round)     /* to the nearest integer, halves to even */

/* false where an operand is NaN */
LIFT_COMPARE(gt)
LIFT_COMPARE(ge)
LIFT_COMPARE(lt)
LIFT_COMPARE(le)
LIFT_COMPARE(eq)

LIFT(mask, m_and, (mask a, mask b), r_mask_and(a.r[i], b.r[i]))
LIFT(mask, m_or, (mask a, mask b), r_mask_or(a.r[i], b.r[i]))
LIFT(mask, m_not, (mask a), r_mask_not(a.r[i]))
LIFT(vec, v_select, (mask m, vec a, vec b), r_select(m.r[i], a.r[i], b.r[i])) /* m ? a : b */
LIFT(vec, v_keep, (mask m, vec a), r_keep(m.r[i], a.r[i]))                    /* m ? a : +0 */

NN_INLINE int m_any(mask m) {
    reg_mask any = m.r[0];
    EACH_REGISTER any = r_mask_or(any, m.r[i]);
    return r_mask_any(any);
}

NN_INLINE int m_all(mask m) { return !m_any(m_not(m)); }

/* Lanes below n, for any n: with n = units left in a row, the lanes that are not padding. */
NN_INLINE mask m_first(size_t n) {
    static const real index[NN_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return v_lt(v_load(index), v_set((real)n));
}

/* Adding NN_ROUNDER rounds a number below 2^(NN_FRACTION_BITS - 2) to an integer and leaves that integer, biased, in the low bits. */
#define NN_ROUNDER ((real)(3 * ((real_bits)1 << (NN_FRACTION_BITS - 1)) + NN_EXPONENT_BIAS))

LIFT_UNARY(power_bits) /* of NN_ROUNDER + n: 2^n */

/* 2^n for integral n, 1 - NN_EXPONENT_BIAS <= n <= NN_EXPONENT_BIAS */
NN_INLINE vec v_exp2i(vec n) { return v_power_bits(v_add(n, v_set(NN_ROUNDER))); }

/* p * 2^n, rounded once, for p in [1/2, 2] and integral n within 25 (64 bits: 54) of the exponents of normal numbers: down to 0, up to infinity */
#if NN_SCALE_INSTRUCTION
LIFT_BINARY(scale)
#else
NN_INLINE vec v_scale(vec p, vec n) { /* in two steps, of which the first is exact */
    const vec first = v_max(n, v_set(3 - NN_EXPONENT_BIAS)), rest = v_sub(n, first);
    return v_mul(v_mul(p, v_power_bits(v_add(first, v_set(NN_ROUNDER - 1)))), v_power_bits(v_add(rest, v_set(NN_ROUNDER + 1))));
}
#endif

/* x = m * 2^e for normal x > 0: m in [sqrt 1/2, sqrt 2), e integral */
NN_INLINE vec v_split(vec x, vec *e) {
    vec m;
    EACH_REGISTER m.r[i] = r_fraction_split(x.r[i], &e->r[i]);
    return m;
}

NN_INLINE real v_first(vec a) { return r_first(a.r[0]); }

/* Lane i with lane i + 8, then + 4, + 2, + 1: the tree of every sum across lanes. */
#define FOLD_BY(half, operation) \
    for (int i = 0; i < half && i + half < NN_REGISTERS; i++) a.r[i] = r_##operation(a.r[i], a.r[i + half]);
#define FOLD(name, operation) \
    NN_INLINE real name(vec a) { \
        FOLD_BY(8, operation) FOLD_BY(4, operation) FOLD_BY(2, operation) FOLD_BY(1, operation) \
        return r_fold_##operation(a.r[0]); \
    }
FOLD(v_sum, add)
FOLD(v_largest, max)

/* column[c] lane i = rows[index[i] * stride + c]. */
enum { NN_COLUMNS = 4 };
#if !NN_OWN_COLUMNS
NN_INLINE void v_columns(vec *column, const real *rows, const uint32_t *index, size_t stride) {
    real columns[NN_COLUMNS][NN_LANES];
    for (size_t i = 0; i < NN_LANES; i++) {
        for (size_t c = 0; c < NN_COLUMNS; c++) columns[c][i] = rows[index[i] * stride + c];
    }
    for (size_t c = 0; c < NN_COLUMNS; c++) column[c] = v_load(columns[c]);
}
#endif

#undef LIFT
#undef LIFT_AS
#undef LIFT_UNARY
#undef LIFT_BINARY
#undef LIFT_TERNARY
#undef LIFT_COMPARE
#undef FOLD
#undef FOLD_BY

#endif
