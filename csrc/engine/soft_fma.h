/* Fused multiply-add without the instruction: a * b + c rounded once. The C library's own is wrong or slow in too many places. */
#ifndef NN_SOFT_FMA_H
#define NN_SOFT_FMA_H

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide_bits;

static inline uint64_t soft_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double soft_double(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* a + b rounded to odd: if inexact, the neighbour whose last bit is 1. Rounding that again, to at least two bits fewer, rounds a + b correctly
 * (Boldo and Melquiond, 2008). */
static inline double soft_add_to_odd(double a, double b) {
    const double sum = a + b, b_part = sum - a, rest = (a - (sum - b_part)) + (b - b_part); /* a + b = sum + rest */
    const uint64_t inexact = (rest < 0) | (rest > 0), away = inexact & (uint64_t)((rest < 0) != (sum < 0));
    return soft_double((soft_bits(sum) - away) | inexact);
}

/* The product of two floats is exact in double. */
static inline float soft_fma_f32(float a, float b, float c) { return (float)soft_add_to_odd((double)a * (double)b, (double)c); }

/* A finite nonzero double is whole * 2^exponent, 2^52 <= whole < 2^53. */
static inline uint64_t soft_whole(double x, int *exponent) {
    uint64_t whole = soft_bits(x) & 0x000FFFFFFFFFFFFFu;
    *exponent = (int)(soft_bits(x) >> 52 & 0x7FF) - 1075;
    if (*exponent > -1075) return whole | (uint64_t)1 << 52;
    const int shift = __builtin_clzll(whole) - 11; /* subnormal */
    *exponent = -1074 - shift;
    return whole << shift;
}

/* x >> shift, with the last bit set if bits were lost */
static inline wide_bits soft_shift_sticky(wide_bits x, int shift) {
    if (shift == 0) return x;
    if (shift > 127) return x != 0;
    return x >> shift | ((x << (128 - shift)) != 0);
}

static inline double soft_fma_f64(double a, double b, double c) {
    const uint64_t infinite = 0x7FF0000000000000u, sign_bit = (uint64_t)1 << 63;
    if ((soft_bits(a) & infinite) == infinite || (soft_bits(b) & infinite) == infinite || a == 0 || b == 0) return a * b + c;
    if ((soft_bits(c) & infinite) == infinite) return c;

    int product_exponent, b_exponent, c_exponent = 0;
    const uint64_t a_whole = soft_whole(a, &product_exponent), b_whole = soft_whole(b, &b_exponent);
    uint64_t sign = (soft_bits(a) ^ soft_bits(b)) & sign_bit;
    /* 20 bits of room below keep the sum exact or sticky: 2^124 <= product < 2^126 */
    wide_bits sum = (wide_bits)a_whole * b_whole << 20;
    int exponent = product_exponent + b_exponent - 20;
    if (c != 0) {
        wide_bits addend = (wide_bits)soft_whole(c, &c_exponent) << 72;
        c_exponent -= 72;
        if (c_exponent > exponent) {
            sum = soft_shift_sticky(sum, c_exponent - exponent);
            exponent = c_exponent;
        } else {
            addend = soft_shift_sticky(addend, exponent - c_exponent);
        }
        if (sign == (soft_bits(c) & sign_bit)) {
            sum += addend;
        } else if (sum >= addend) {
            sum -= addend;
        } else {
            sum = addend - sum;
            sign ^= sign_bit;
        }
        if (sum == 0) return 0; /* exact cancellation gives +0 in round-to-nearest */
    }

    /* 55 bits, sticky, then rounded to 53, or fewer if the result is subnormal */
    const uint64_t high = (uint64_t)(sum >> 64), low = (uint64_t)sum;
    const int length = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
    int drop = length - 55;
    if (exponent + drop < -1076) drop = -1076 - exponent;
    uint64_t whole = (uint64_t)(drop >= 0 ? soft_shift_sticky(sum, drop) : sum << -drop);
    exponent += drop + 2;
    const uint64_t rest = whole & 3;
    whole >>= 2;
    whole += rest > 2 || (rest == 2 && (whole & 1));
    if (whole == (uint64_t)1 << 53) {
        whole >>= 1;
        exponent++;
    }
    if (exponent > 971) return soft_double(sign | infinite);
    /* the leading bit of a normal whole carries one into the exponent field; a subnormal has none */
    return soft_double(sign | (((uint64_t)(exponent + 1074) << 52) + whole));
}

#endif
