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
#define NN_TILE_ROWS 8 /* 24 sums, as of 12 rows and 2 panels, but 11 loads instead of 14 */
#define NN_TILE_PANELS 3
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
#define NN_TILE_ROWS 12 /* the largest tile whose sums fit in 32 registers */
#define NN_TILE_PANELS 1
#define OP(name) _mm512_##name##_pd
#define COMPARE _mm512_cmp_pd_mask
#define INT(name) _mm512_##name##_epi64
#define INT_SET(bits) _mm512_set1_epi64((long long)(bits))
#define AS_INT _mm512_castpd_si512
#define AS_REAL _mm512_castsi512_pd
#endif

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

#define NN_OWN_COLUMNS (NN_BITS == 32)
#include "vec.h"

#define NN_OWN_WORDS
typedef uint64_t nn_words __attribute__((vector_size(64)));
NN_INLINE nn_words nn_multiply(nn_words a, nn_words b) { return (nn_words)_mm512_mul_epu32((__m512i)a, (__m512i)b); }
NN_INLINE nn_words nn_zip_low(nn_words a, nn_words b) { return (nn_words)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b); }
NN_INLINE nn_words nn_zip_high(nn_words a, nn_words b) { return (nn_words)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b); }

#if NN_BITS == 32
/* Four 4 x 4 transposes side by side. */
NN_INLINE void v_columns(vec *column, const real *const *row, size_t from) {
    __m512 t[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* in quarter q: row 4 q + i */
        t[i] = _mm512_castps128_ps512(_mm_loadu_ps(row[i] + from));
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(row[4 + i] + from), 1);
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(row[8 + i] + from), 2);
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(row[12 + i] + from), 3);
    }
    const __m512 a = _mm512_unpacklo_ps(t[0], t[1]), b = _mm512_unpacklo_ps(t[2], t[3]);
    const __m512 c = _mm512_unpackhi_ps(t[0], t[1]), d = _mm512_unpackhi_ps(t[2], t[3]);
    column[0].r[0] = _mm512_shuffle_ps(a, b, 0x44);
    column[1].r[0] = _mm512_shuffle_ps(a, b, 0xEE);
    column[2].r[0] = _mm512_shuffle_ps(c, d, 0x44);
    column[3].r[0] = _mm512_shuffle_ps(c, d, 0xEE);
}

#define NN_OWN_EIGHT_COLUMNS
/* 8 x 8 transposes of rows 0 ... 7 and of rows 8 ... 15, side by side. */
NN_INLINE void v_eight_columns(vec *column, const real *const *row, size_t from) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    const __m512i second = _mm512_setr_epi32(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    __m512 t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) /* rows i, 8 + i */
        t[i] = _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(row[i] + from)), _mm256_loadu_ps(row[8 + i] + from), 1);
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) { /* of rows i ... i + 3: t[i + k] has columns k, 4 + k */
        const __m512 a = _mm512_unpacklo_ps(t[i], t[i + 1]), b = _mm512_unpacklo_ps(t[i + 2], t[i + 3]);
        const __m512 c = _mm512_unpackhi_ps(t[i], t[i + 1]), d = _mm512_unpackhi_ps(t[i + 2], t[i + 3]);
        t[i] = _mm512_shuffle_ps(a, b, 0x44);
        t[i + 1] = _mm512_shuffle_ps(a, b, 0xEE);
        t[i + 2] = _mm512_shuffle_ps(c, d, 0x44);
        t[i + 3] = _mm512_shuffle_ps(c, d, 0xEE);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        column[k].r[0] = _mm512_permutex2var_ps(t[k], first, t[4 + k]);
        column[4 + k].r[0] = _mm512_permutex2var_ps(t[k], second, t[4 + k]);
    }
}

#define NN_OWN_SUMS
/* Lane i = v_sum(a[i]), by the same tree: each turn adds the halves of two vectors' groups and leaves both side by side. Half of the addends stay in their
 * lanes, for a blend can go where a shuffle cannot; the sum of two is the same in either order. */
NN_INLINE vec v_sums(const vec *a) {
#define HALVES(stay, move) _mm512_add_ps(_mm512_mask_blend_ps(stay, x, y), move)
    const __m512i quarters = _mm512_setr_epi32(4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
    const __m512i neighbours = _mm512_setr_epi32(1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30);
    __m512 t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) { /* [a b] of 8 lanes each */
        const __m512 x = a[2 * i].r[0], y = a[2 * i + 1].r[0];
        t[i] = HALVES(0xFF00, _mm512_shuffle_f32x4(x, y, 0x4E));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* [a c b d] of 4 */
        const __m512 x = t[2 * i], y = t[2 * i + 1];
        t[i] = HALVES(0xF0F0, _mm512_permutex2var_ps(x, quarters, y));
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) { /* in each quarter, of [a c b d]: a[q], a[4 + q] of 2 */
        const __m512 x = t[2 * i], y = t[2 * i + 1];
        t[i] = HALVES(0xCCCC, _mm512_shuffle_ps(x, y, 0x4E));
    }
    const __m512 x = t[0], y = t[1], sums = HALVES(0xAAAA, _mm512_permutex2var_ps(x, neighbours, y)); /* q, 8 + q, 4 + q, 12 + q */
    const __m512i order = _mm512_setr_epi32(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
    return (vec){{_mm512_permutexvar_ps(order, sums)}};
#undef HALVES
}
#endif

#endif
