/* Registers of the avx2 target: 256 bits, fused multiply-add. Opens the target region that target_end.h closes. */
#ifndef NN_SIMD_H
#define NN_SIMD_H

#include "real.h"

#define NN_OWN_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include <immintrin.h>

#if NN_BITS == 32
typedef __m256 reg;
#define REG_LANES 8
#define NN_TILE_ROWS 6 /* the largest product_tile whose sums fit in 16 registers */
#define OP(name) _mm256_##name##_ps
#define INT(name) _mm256_##name##_epi32
#define INT_SET(bits) _mm256_set1_epi32((int)(bits))
#define AS_INT _mm256_castps_si256
#define AS_REAL _mm256_castsi256_ps
#else
typedef __m256d reg;
#define REG_LANES 4
#define NN_TILE_ROWS 2
#define OP(name) _mm256_##name##_pd
#define INT(name) _mm256_##name##_epi64
#define INT_SET(bits) _mm256_set1_epi64x((long long)(bits))
#define AS_INT _mm256_castpd_si256
#define AS_REAL _mm256_castsi256_pd
#endif
#define NN_TILE_PANELS 1

typedef reg reg_mask; /* all bits of a lane, or none */

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
NN_INLINE reg r_round(reg a) { return OP(round)(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

NN_INLINE reg_mask r_gt(reg a, reg b) { return OP(cmp)(a, b, _CMP_GT_OQ); }
NN_INLINE reg_mask r_ge(reg a, reg b) { return OP(cmp)(a, b, _CMP_GE_OQ); }
NN_INLINE reg_mask r_lt(reg a, reg b) { return OP(cmp)(a, b, _CMP_LT_OQ); }
NN_INLINE reg_mask r_le(reg a, reg b) { return OP(cmp)(a, b, _CMP_LE_OQ); }
NN_INLINE reg_mask r_eq(reg a, reg b) { return OP(cmp)(a, b, _CMP_EQ_OQ); }
NN_INLINE reg_mask r_mask_and(reg_mask a, reg_mask b) { return OP(and)(a, b); }
NN_INLINE reg_mask r_mask_or(reg_mask a, reg_mask b) { return OP(or)(a, b); }
NN_INLINE reg_mask r_mask_not(reg_mask a) { return OP(xor)(a, AS_REAL(INT_SET(-1))); }
NN_INLINE int r_mask_any(reg_mask a) { return OP(movemask)(a) != 0; }
NN_INLINE reg r_select(reg_mask m, reg a, reg b) { return OP(blendv)(b, a, m); }
NN_INLINE reg r_keep(reg_mask m, reg a) { return OP(and)(m, a); }

NN_INLINE reg r_power_bits(reg t) { return AS_REAL(INT(slli)(AS_INT(t), NN_FRACTION_BITS)); }
NN_INLINE reg r_fraction_split(reg x, reg *e) {
    const __m256i bits = INT(add)(AS_INT(x), INT_SET(SPLIT_ONE - SPLIT_LEAST)), whole = INT_SET(bits_of(SPLIT_WHOLE));
    *e = r_sub(AS_REAL(_mm256_or_si256(INT(srli)(bits, NN_FRACTION_BITS), whole)), r_set(SPLIT_WHOLE + NN_EXPONENT_BIAS));
    return AS_REAL(INT(add)(_mm256_and_si256(bits, INT_SET(SPLIT_FRACTION)), INT_SET(SPLIT_LEAST)));
}

#if NN_BITS == 32
NN_INLINE real r_first(reg a) { return _mm256_cvtss_f32(a); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { \
        __m128 half = _mm_##operation##_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)); \
        half = _mm_##operation##_ps(half, _mm_movehl_ps(half, half)); \
        return _mm_cvtss_f32(_mm_##operation##_ss(half, _mm_movehdup_ps(half))); \
    }
#else
NN_INLINE real r_first(reg a) { return _mm256_cvtsd_f64(a); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { \
        const __m128d half = _mm_##operation##_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)); \
        return _mm_cvtsd_f64(_mm_##operation##_sd(half, _mm_unpackhi_pd(half, half))); \
    }
#endif
FOLD_REGISTER(add)
FOLD_REGISTER(max)

#undef OP
#undef INT
#undef INT_SET
#undef AS_INT
#undef AS_REAL
#undef FOLD_REGISTER

#define NN_OWN_COLUMNS (NN_BITS == 32)
#include "vec.h"

#define NN_OWN_WORDS
typedef uint64_t nn_words __attribute__((vector_size(32)));
NN_INLINE nn_words nn_multiply(nn_words a, nn_words b) { return (nn_words)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
NN_INLINE nn_words nn_zip_low(nn_words a, nn_words b) { return (nn_words)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b); }
NN_INLINE nn_words nn_zip_high(nn_words a, nn_words b) { return (nn_words)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b); }

#if NN_BITS == 32
/* Two 4 x 4 transposes side by side, twice. */
NN_INLINE void v_columns(vec *column, const real *const *row, size_t from) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++, row += 8) {
        __m256 t[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) /* row i, row 4 + i */
            t[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[i] + from)), _mm_loadu_ps(row[4 + i] + from), 1);
        const __m256 a = _mm256_unpacklo_ps(t[0], t[1]), b = _mm256_unpacklo_ps(t[2], t[3]);
        const __m256 c = _mm256_unpackhi_ps(t[0], t[1]), d = _mm256_unpackhi_ps(t[2], t[3]);
        column[0].r[h] = _mm256_shuffle_ps(a, b, 0x44);
        column[1].r[h] = _mm256_shuffle_ps(a, b, 0xEE);
        column[2].r[h] = _mm256_shuffle_ps(c, d, 0x44);
        column[3].r[h] = _mm256_shuffle_ps(c, d, 0xEE);
    }
}

#define NN_OWN_SUMS
/* Lane i = v_sum(a[i]), by the same tree: each turn adds the halves of two registers' groups and leaves both side by side. Half of the addends stay in
 * their lanes, for a blend can go where a shuffle cannot; the sum of two is the same in either order. */
NN_INLINE reg sums_of_8(const vec *a) {
    __m256 t[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* [a b] of 4 lanes each */
        const __m256 x = r_add(a[2 * i].r[0], a[2 * i].r[1]), y = r_add(a[2 * i + 1].r[0], a[2 * i + 1].r[1]);
        t[i] = r_add(_mm256_blend_ps(x, y, 0xF0), _mm256_permute2f128_ps(x, y, 0x21));
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) /* in half q: a[q], a[2 + q] of 2 */
        t[i] = r_add(_mm256_blend_ps(t[2 * i], t[2 * i + 1], 0xCC), _mm256_shuffle_ps(t[2 * i], t[2 * i + 1], 0x4E));
    /* in half q: sums q, 2 + q, 4 + q, 6 + q */
    const __m256 sums = r_add(_mm256_shuffle_ps(t[0], t[1], 0x88), _mm256_shuffle_ps(t[0], t[1], 0xDD));
    return _mm256_permutevar8x32_ps(sums, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
NN_INLINE vec v_sums(const vec *a) { return (vec){{sums_of_8(a), sums_of_8(a + 8)}}; }
#endif

#endif
