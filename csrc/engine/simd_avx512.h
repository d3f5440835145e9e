/* Registers of the avx512 target: 512 bits, masks in registers of their own. Opens the target region that target_end.h closes. */
#ifndef NN_SIMD_H
#define NN_SIMD_H

#include "real.h"

#define NN_OWN_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#endif
#include <immintrin.h>

#if NN_BITS == 32
typedef __m512 reg;
#define REG_LANES 16
typedef __mmask16 reg_mask;
#define NN_TILE_PANELS 2 /* with NN_TILE_ROWS: the largest product_tile whose sums fit in 32 registers */
#define OP(name) _mm512_##name##_ps
#define COMPARE _mm512_cmp_ps_mask
#define INT(name) _mm512_##name##_epi32
#define INT_SET(bits) _mm512_set1_epi32((int)(bits))
#define AS_INT _mm512_castps_si512
#define AS_REAL _mm512_castsi512_ps
#else
typedef __m512d reg;
#define REG_LANES 8
typedef __mmask8 reg_mask;
#define NN_TILE_PANELS 1
#define OP(name) _mm512_##name##_pd
#define COMPARE _mm512_cmp_pd_mask
#define INT(name) _mm512_##name##_epi64
#define INT_SET(bits) _mm512_set1_epi64((long long)(bits))
#define AS_INT _mm512_castpd_si512
#define AS_REAL _mm512_castsi512_pd
#endif
#define NN_TILE_ROWS 8

NN_INLINE reg r_load(const real *from) { return OP(loadu)(from); }
NN_INLINE void r_store(real *to, reg a) { OP(storeu)(to, a); }
NN_INLINE reg r_set(real x) { return OP(set1)(x); }

NN_INLINE reg r_add(reg a, reg b) { return OP(add)(a, b); }
NN_INLINE reg r_sub(reg a, reg b) { return OP(sub)(a, b); }
NN_INLINE reg r_mul(reg a, reg b) { return OP(mul)(a, b); }
NN_INLINE reg r_div(reg a, reg b) { return OP(div)(a, b); }
NN_INLINE reg r_sqrt(reg a) { return OP(sqrt)(a); }
NN_INLINE reg r_fma(reg a, reg b, reg c) { return OP(fmadd)(a, b, c); }
NN_INLINE reg r_fnma(reg a, reg b, reg c) { return OP(fnmadd)(a, b, c); }
NN_INLINE reg r_neg(reg a) { return OP(xor)(a, r_set(-0.0)); }
NN_INLINE reg r_abs(reg a) { return OP(andnot)(r_set(-0.0), a); }
NN_INLINE reg r_copysign(reg a, reg b) { return OP(or)(r_abs(a), OP(and)(r_set(-0.0), b)); }
NN_INLINE reg r_max(reg a, reg b) { return OP(max)(a, b); }
NN_INLINE reg r_min(reg a, reg b) { return OP(min)(a, b); }
NN_INLINE reg r_round(reg a) { return OP(roundscale)(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

NN_INLINE reg_mask r_gt(reg a, reg b) { return COMPARE(a, b, _CMP_GT_OQ); }
NN_INLINE reg_mask r_ge(reg a, reg b) { return COMPARE(a, b, _CMP_GE_OQ); }
NN_INLINE reg_mask r_lt(reg a, reg b) { return COMPARE(a, b, _CMP_LT_OQ); }
NN_INLINE reg_mask r_le(reg a, reg b) { return COMPARE(a, b, _CMP_LE_OQ); }
NN_INLINE reg_mask r_eq(reg a, reg b) { return COMPARE(a, b, _CMP_EQ_OQ); }
NN_INLINE reg_mask r_mask_and(reg_mask a, reg_mask b) { return (reg_mask)(a & b); }
NN_INLINE reg_mask r_mask_or(reg_mask a, reg_mask b) { return (reg_mask)(a | b); }
NN_INLINE reg_mask r_mask_not(reg_mask a) { return (reg_mask)~a; }
NN_INLINE int r_mask_any(reg_mask a) { return a != 0; }
NN_INLINE reg r_select(reg_mask m, reg a, reg b) { return OP(mask_blend)(m, b, a); }
NN_INLINE reg r_keep(reg_mask m, reg a) { return OP(maskz_mov)(m, a); }

#define NN_SCALE_INSTRUCTION 1
NN_INLINE reg r_scale(reg p, reg n) { return OP(scalef)(p, n); }
NN_INLINE reg r_power_bits(reg t) { return AS_REAL(INT(slli)(AS_INT(t), NN_FRACTION_BITS)); }
NN_INLINE reg r_fraction_split(reg x, reg *e) {
    const __m512i bits = INT(add)(AS_INT(x), INT_SET(SPLIT_ONE - SPLIT_LEAST)), whole = INT_SET(bits_of(SPLIT_WHOLE));
    *e = r_sub(AS_REAL(_mm512_or_si512(INT(srli)(bits, NN_FRACTION_BITS), whole)), r_set(SPLIT_WHOLE + NN_EXPONENT_BIAS));
    return AS_REAL(INT(add)(_mm512_and_si512(bits, INT_SET(SPLIT_FRACTION)), INT_SET(SPLIT_LEAST)));
}

#if NN_BITS == 32
NN_INLINE real r_first(reg a) { return _mm512_cvtss_f32(a); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { \
        const __m256 eight = _mm256_##operation##_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)); \
        __m128 half = _mm_##operation##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1)); \
        half = _mm_##operation##_ps(half, _mm_movehl_ps(half, half)); \
        return _mm_cvtss_f32(_mm_##operation##_ss(half, _mm_movehdup_ps(half))); \
    }
#else
NN_INLINE real r_first(reg a) { return _mm512_cvtsd_f64(a); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { \
        const __m256d four = _mm256_##operation##_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1)); \
        const __m128d half = _mm_##operation##_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1)); \
        return _mm_cvtsd_f64(_mm_##operation##_sd(half, _mm_unpackhi_pd(half, half))); \
    }
#endif
FOLD_REGISTER(add)
FOLD_REGISTER(max)

#undef OP
#undef COMPARE
#undef INT
#undef INT_SET
#undef AS_INT
#undef AS_REAL
#undef FOLD_REGISTER

#include "vec.h"

#if NN_BITS == 32
#define NN_OWN_SUMS
/* Lane i = v_sum(a[i]), by the same tree: each turn adds the halves of two vectors' groups and leaves both side by side. */
NN_INLINE vec v_sums(const vec *a) {
    __m512 t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) { /* [a b] of 8 lanes each */
        const __m512 x = a[2 * i].r[0], y = a[2 * i + 1].r[0];
        t[i] = _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xEE));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) /* [a b c d] of 4 */
        t[i] = _mm512_add_ps(_mm512_shuffle_f32x4(t[2 * i], t[2 * i + 1], 0x88), _mm512_shuffle_f32x4(t[2 * i], t[2 * i + 1], 0xDD));
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) /* in quarter q: a[q], a[4 + q] of 2 */
        t[i] = _mm512_add_ps(_mm512_shuffle_ps(t[2 * i], t[2 * i + 1], 0x44), _mm512_shuffle_ps(t[2 * i], t[2 * i + 1], 0xEE));
    /* in quarter q: sums q, 4 + q, 8 + q, 12 + q */
    const __m512 sums = _mm512_add_ps(_mm512_shuffle_ps(t[0], t[1], 0x88), _mm512_shuffle_ps(t[0], t[1], 0xDD));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return (vec){{_mm512_permutexvar_ps(order, sums)}};
}
#endif

#endif
