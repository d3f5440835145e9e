/* Registers of the scalar target: one real each, plain C. Right everywhere, fast nowhere. */
#ifndef NN_SIMD_H
#define NN_SIMD_H

/* Here speed is not the point, but compiling sixteen lanes of software multiply-add into every use would take a minute: one copy of each
 * operation, and what calls them optimized lightly. */
#define NN_INLINE static inline
#define NN_LIFTED static __attribute__((noinline, unused))
#include "real.h"
#include "soft_fma.h"

typedef real reg;
typedef int reg_mask;
#define REG_LANES 1
#define NN_TILE_ROWS 1
#define NN_TILE_PANELS 1

#if NN_BITS == 32
#define SQRT __builtin_sqrtf
#if defined(__FP_FAST_FMAF) /* one instruction here */
#define FMA __builtin_fmaf
#else
#define FMA soft_fma_f32
#endif
#else
#define SQRT __builtin_sqrt
#if defined(__FP_FAST_FMA)
#define FMA __builtin_fma
#else
#define FMA soft_fma_f64
#endif
#endif
#define SIGN ((real_bits)1 << (NN_BITS - 1))

NN_INLINE reg r_load(const real *from) { return *from; }
NN_INLINE void r_store(real *to, reg a) { *to = a; }
NN_INLINE reg r_set(real x) { return x; }

NN_INLINE reg r_add(reg a, reg b) { return a + b; }
NN_INLINE reg r_sub(reg a, reg b) { return a - b; }
NN_INLINE reg r_mul(reg a, reg b) { return a * b; }
NN_INLINE reg r_div(reg a, reg b) { return a / b; }
NN_INLINE reg r_sqrt(reg a) { return SQRT(a); }
NN_INLINE reg r_fma(reg a, reg b, reg c) { return FMA(a, b, c); }
NN_INLINE reg r_fnma(reg a, reg b, reg c) { return FMA(-a, b, c); }
NN_INLINE reg r_neg(reg a) { return real_of(bits_of(a) ^ SIGN); }
NN_INLINE reg r_abs(reg a) { return real_of(bits_of(a) & ~SIGN); }
NN_INLINE reg r_copysign(reg a, reg b) { return real_of((bits_of(a) & ~SIGN) | (bits_of(b) & SIGN)); }
NN_INLINE reg r_max(reg a, reg b) { return a > b ? a : b; }
NN_INLINE reg r_min(reg a, reg b) { return a < b ? a : b; }
NN_INLINE reg r_round(reg a) { /* from SPLIT_WHOLE on every real is an integer; NaN passes */
    const real size = r_abs(a), rounded = (size + SPLIT_WHOLE) - SPLIT_WHOLE;
    return size < SPLIT_WHOLE ? r_copysign(rounded, a) : a;
}

NN_INLINE reg_mask r_gt(reg a, reg b) { return a > b; }
NN_INLINE reg_mask r_ge(reg a, reg b) { return a >= b; }
NN_INLINE reg_mask r_lt(reg a, reg b) { return a < b; }
NN_INLINE reg_mask r_le(reg a, reg b) { return a <= b; }
NN_INLINE reg_mask r_eq(reg a, reg b) { return a == b; }
NN_INLINE reg_mask r_mask_and(reg_mask a, reg_mask b) { return a & b; }
NN_INLINE reg_mask r_mask_or(reg_mask a, reg_mask b) { return a | b; }
NN_INLINE reg_mask r_mask_not(reg_mask a) { return !a; }
NN_INLINE int r_mask_any(reg_mask a) { return a; }
NN_INLINE reg r_select(reg_mask m, reg a, reg b) { return m ? a : b; }
NN_INLINE reg r_keep(reg_mask m, reg a) { return m ? a : 0; }

NN_INLINE reg r_power_bits(reg t) { return real_of(bits_of(t) << NN_FRACTION_BITS); }
NN_INLINE reg r_fraction_split(reg x, reg *e) {
    const real_bits bits = bits_of(x) + (SPLIT_ONE - SPLIT_LEAST);
    *e = real_of(bits >> NN_FRACTION_BITS | bits_of(SPLIT_WHOLE)) - (SPLIT_WHOLE + NN_EXPONENT_BIAS);
    return real_of((bits & SPLIT_FRACTION) + SPLIT_LEAST);
}

NN_INLINE real r_first(reg a) { return a; }
NN_INLINE real r_fold_add(reg a) { return a; }
NN_INLINE real r_fold_max(reg a) { return a; }

#undef SQRT
#undef FMA
#undef SIGN

#include "vec.h"

#if !defined(__clang__)
#pragma GCC optimize("Os")
#endif

#endif
