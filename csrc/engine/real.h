/* `real`, the number type of this target file: float or double as NN_BITS says, and what the engine needs to know of it. */
#ifndef NN_REAL_H
#define NN_REAL_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../nnlite.h" /* NN_LANES */

/* Equal bits on every target need every operation rounded once, to its own type, in the order written. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "nnlite must be compiled without -ffast-math, -Ofast and -ffinite-math-only"
#endif
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16 /* 16: as 0, on a CPU with 16-bit arithmetic */
#error "nnlite needs floating point without excess precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

#if NN_BITS == 32
typedef float real;
typedef uint32_t real_bits;
#define NN_LARGEST FLT_MAX
#define NN_SMALLEST_NORMAL FLT_MIN
#define NN_FRACTION_BITS 23
#define NN_EXPONENT_BIAS 127
#elif NN_BITS == 64
typedef double real;
typedef uint64_t real_bits;
#define NN_LARGEST DBL_MAX
#define NN_SMALLEST_NORMAL DBL_MIN
#define NN_FRACTION_BITS 52
#define NN_EXPONENT_BIAS 1023
#else
#error "NN_BITS must be 32 or 64"
#endif

#define NN_INFINITY ((real)__builtin_inff())
#define NN_NAN ((real)__builtin_nanf(""))

#define NN_APART __attribute__((noinline))

/* A routine of much code and a small share of a step. Of double, which has most code and least use, it is compiled for size. */
#if NN_BITS == 64
#define NN_LARGE __attribute__((cold))
#else
#define NN_LARGE
#endif

#ifndef NN_INLINE
#define NN_INLINE static inline __attribute__((always_inline))
#endif

/* For splitting x > 0 into m * 2^e by its bits: those of 1 and of the least m, sqrt 1/2, the fraction field, and a number whose low bits
 * take up an exponent as an integer. */
#if NN_BITS == 32
#define SPLIT_ONE 0x3F800000u
#define SPLIT_LEAST 0x3F3504F3u
#define SPLIT_FRACTION 0x007FFFFFu
#define SPLIT_WHOLE 0x1p23f
#else
#define SPLIT_ONE 0x3FF0000000000000u
#define SPLIT_LEAST 0x3FE6A09E667F3BCDu
#define SPLIT_FRACTION 0x000FFFFFFFFFFFFFu
#define SPLIT_WHOLE 0x1p52
#endif

NN_INLINE real_bits bits_of(real x) {
    real_bits bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

NN_INLINE real real_of(real_bits bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
