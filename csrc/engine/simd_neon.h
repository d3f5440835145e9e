/* Registers of the neon target: 128 bits, in every 64-bit ARM processor. */
#ifndef NN_SIMD_H
#define NN_SIMD_H

#include "real.h"

#include <arm_neon.h>

#if NN_BITS == 32
typedef float32x4_t reg;
typedef uint32x4_t reg_mask;
#define REG_LANES 4
#define NN_TILE_ROWS 5 /* the largest product_tile whose sums fit in 32 registers */
#define OP(name) name##q_f32
#define INT(name) name##q_u32
#define INT_N(name) name##q_n_u32
#define AS_INT vreinterpretq_u32_f32
#define AS_REAL vreinterpretq_f32_u32
#define AS_WORDS(a) (a)
#define FROM_WORDS(a) (a)
#else
typedef float64x2_t reg;
typedef uint64x2_t reg_mask;
#define REG_LANES 2
#define NN_TILE_ROWS 2
#define OP(name) name##q_f64
#define INT(name) name##q_u64
#define INT_N(name) name##q_n_u64
#define AS_INT vreinterpretq_u64_f64
#define AS_REAL vreinterpretq_f64_u64
#define AS_WORDS vreinterpretq_u32_u64
#define FROM_WORDS vreinterpretq_u64_u32
#endif
#define NN_TILE_PANELS 1

NN_INLINE reg r_load(const real *from) { return OP(vld1)(from); }
NN_INLINE void r_store(real *to, reg a) { OP(vst1)(to, a); }
#if NN_BITS == 32
NN_INLINE reg r_set(real x) { return vdupq_n_f32(x); }
#else
NN_INLINE reg r_set(real x) { return vdupq_n_f64(x); }
#endif

NN_INLINE reg r_add(reg a, reg b) { return OP(vadd)(a, b); }
NN_INLINE reg r_sub(reg a, reg b) { return OP(vsub)(a, b); }
NN_INLINE reg r_mul(reg a, reg b) { return OP(vmul)(a, b); }
NN_INLINE reg r_div(reg a, reg b) { return OP(vdiv)(a, b); }
NN_INLINE reg r_sqrt(reg a) { return OP(vsqrt)(a); }
NN_INLINE reg r_fma(reg a, reg b, reg c) { return OP(vfma)(c, a, b); }
NN_INLINE reg r_fnma(reg a, reg b, reg c) { return OP(vfms)(c, a, b); }
NN_INLINE reg r_neg(reg a) { return OP(vneg)(a); }
NN_INLINE reg r_abs(reg a) { return OP(vabs)(a); }
NN_INLINE reg r_copysign(reg a, reg b) { return OP(vbsl)(AS_INT(r_set(-0.0)), b, a); }
NN_INLINE reg r_max(reg a, reg b) { return OP(vbsl)(OP(vcgt)(a, b), a, b); }
NN_INLINE reg r_min(reg a, reg b) { return OP(vbsl)(OP(vclt)(a, b), a, b); }
NN_INLINE reg r_round(reg a) { return OP(vrndn)(a); }

NN_INLINE reg_mask r_gt(reg a, reg b) { return OP(vcgt)(a, b); }
NN_INLINE reg_mask r_ge(reg a, reg b) { return OP(vcge)(a, b); }
NN_INLINE reg_mask r_lt(reg a, reg b) { return OP(vclt)(a, b); }
NN_INLINE reg_mask r_le(reg a, reg b) { return OP(vcle)(a, b); }
NN_INLINE reg_mask r_eq(reg a, reg b) { return OP(vceq)(a, b); }
NN_INLINE reg_mask r_mask_and(reg_mask a, reg_mask b) { return INT(vand)(a, b); }
NN_INLINE reg_mask r_mask_or(reg_mask a, reg_mask b) { return INT(vorr)(a, b); }
NN_INLINE reg_mask r_mask_not(reg_mask a) { return FROM_WORDS(vmvnq_u32(AS_WORDS(a))); }
NN_INLINE int r_mask_any(reg_mask a) { return vmaxvq_u32(AS_WORDS(a)) != 0; }
NN_INLINE reg r_select(reg_mask m, reg a, reg b) { return OP(vbsl)(m, a, b); }
NN_INLINE reg r_keep(reg_mask m, reg a) { return AS_REAL(INT(vand)(m, AS_INT(a))); }

NN_INLINE reg r_power_bits(reg t) { return AS_REAL(INT_N(vshl)(AS_INT(t), NN_FRACTION_BITS)); }
NN_INLINE reg r_fraction_split(reg x, reg *e) {
    const reg_mask bits = INT(vadd)(AS_INT(x), INT_N(vdup)(SPLIT_ONE - SPLIT_LEAST)), whole = AS_INT(r_set(SPLIT_WHOLE));
    *e = r_sub(AS_REAL(INT(vorr)(INT_N(vshr)(bits, NN_FRACTION_BITS), whole)), r_set(SPLIT_WHOLE + NN_EXPONENT_BIAS));
    return AS_REAL(INT(vadd)(INT(vand)(bits, INT_N(vdup)(SPLIT_FRACTION)), INT_N(vdup)(SPLIT_LEAST)));
}

#if NN_BITS == 32
NN_INLINE real r_first(reg a) { return vgetq_lane_f32(a, 0); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { \
        a = r_##operation(a, vextq_f32(a, a, 2)); \
        return r_first(r_##operation(a, vextq_f32(a, a, 1))); \
    }
#else
NN_INLINE real r_first(reg a) { return vgetq_lane_f64(a, 0); }
#define FOLD_REGISTER(operation) \
    NN_INLINE real r_fold_##operation(reg a) { return r_first(r_##operation(a, vextq_f64(a, a, 1))); }
#endif
FOLD_REGISTER(add)
FOLD_REGISTER(max)

#undef OP
#undef INT
#undef INT_N
#undef AS_INT
#undef AS_REAL
#undef AS_WORDS
#undef FROM_WORDS
#undef FOLD_REGISTER

#include "vec.h"

#endif
