/* Random words in the order of their stream, and the uniform and normal numbers they stand for, 64 at a time. Every lane takes the same IEEE basic operations
 * in the same order, so the bits do not depend on how many there are. */
#ifndef NN_DRAW_H
#define NN_DRAW_H

#include "random.h"

/* In each lane the words a and b, in the order of memory. */
static inline nn_words nn_pair(nn_words a, nn_words b) {
    enum { FIRST = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 32 : 0 };
    return (a & 0xFFFFFFFFu) << FIRST | (b & 0xFFFFFFFFu) << (32 - FIRST);
}

enum { NN_DRAWN = 64 };

/* words[0 ... 64): blocks index ... index + 15 of the stream. */
static __attribute__((noinline)) void nn_random_words(uint32_t *words, uint64_t seed, uint32_t purpose, uint64_t time, uint64_t index) {
    for (size_t b = 0; b < NN_DRAWN / 4; b += NN_WORD_LANES, words += 4 * NN_WORD_LANES) {
        nn_words word[4];
        nn_random_lanes(word, seed, purpose, time, index + b + nn_zipped());
        const nn_words first = nn_pair(word[0], word[1]), second = nn_pair(word[2], word[3]);
        const nn_words low = nn_zip_low(first, second), high = nn_zip_high(first, second);
        __builtin_memcpy(words, &low, sizeof low);
        __builtin_memcpy(words + 2 * NN_WORD_LANES, &high, sizeof high);
    }
}

typedef double nn_doubles __attribute__((vector_size(sizeof(nn_words))));

static inline nn_doubles nn_each_double(double x) { return (nn_doubles){0} + x; }
static inline nn_doubles nn_doubles_at(const double *from) {
    nn_doubles x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

static inline nn_doubles nn_roots(nn_doubles x) {
    for (size_t lane = 0; lane < NN_WORD_LANES; lane++) x[lane] = __builtin_sqrt(x[lane]);
    return x;
}

/* (word + 1/2) / 2^32 */
static inline void nn_uniform_numbers(double *u, const uint32_t *words) {
    for (size_t i = 0; i < NN_DRAWN; i += NN_WORD_LANES) {
        uint32_t word __attribute__((vector_size(sizeof(nn_words) / 2)));
        __builtin_memcpy(&word, words + i, sizeof word);
        const nn_words above = __builtin_convertvector(word, nn_words) | (nn_words)nn_each_double(0x1p52); /* 2^52 + word, as a double */
        const nn_doubles x = ((nn_doubles)above - (0x1p52 - 0.5)) * 0x1p-32;
        __builtin_memcpy(u + i, &x, sizeof x);
    }
}

/* log x for normal x > 0, as nn_log has it. */
static inline nn_doubles nn_logs(nn_doubles x) {
    static const double terms[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1.0};
    const nn_words one = nn_each(0x3FF0000000000000u), whole = ((nn_words)x & 0xFFFFFFFFFFFFFu) | one;
    const nn_words large = (nn_words)((nn_doubles)whole > 1.4142135623730951); /* -1 or 0 */
    const nn_doubles m = (nn_doubles)(whole - (large & (uint64_t)1 << 52));
    const nn_doubles k = (nn_doubles)((((nn_words)x >> 52) - large) | (nn_words)nn_each_double(0x1p52)) - (0x1p52 + 1023);
    const nn_doubles s = (m - 1) / (m + 1), s2 = s * s;
    nn_doubles sum = nn_each_double(terms[0]);
#pragma GCC unroll 10
    for (int i = 1; i < 11; i++) sum = sum * s2 + terms[i];
    return k * 0x1.ef35793c76730p-45 + 2 * s * sum + k * 0x1.62e42fefa3800p-1;
}

/* q top(r) / bottom(r), polynomials of degree 7, highest power first */
static inline nn_doubles nn_ratio(nn_doubles q, nn_doubles r, const double *top, const double *bottom) {
    nn_doubles a = nn_each_double(top[0]), b = nn_each_double(bottom[0]);
#pragma GCC unroll 7
    for (int i = 1; i < 8; i++) {
        a = a * r + top[i];
        b = b * r + bottom[i];
    }
    return q * a / b;
}

/* x[0 ... 64) with a normal distribution function of p[0 ... 64), to about 16 digits: algorithm AS 241, Wichura, 1988, without its last case, since no p here
 * is nearer to 0 or 1 than 2^-33. Uses up p. */
static __attribute__((noinline)) void nn_normal_quantiles(double *x, double *p) {
    static const double near_top[] = {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                                      13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608};
    static const double near_bottom[] = {5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
                                         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0};
    static const double tail_top[] = {7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
                                      3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734};
    static const double tail_bottom[] = {1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
                                         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0};
    uint64_t sign[NN_DRAWN]; /* of r: set in the tails */
    uint8_t place[NN_DRAWN];
    size_t tails = 0;
    for (size_t i = 0; i < NN_DRAWN; i += NN_WORD_LANES) {
        const nn_doubles q = nn_doubles_at(p + i) - 0.5, r = 0.180625 - q * q, near = nn_ratio(q, r, near_top, near_bottom);
        __builtin_memcpy(sign + i, &r, sizeof r);
        __builtin_memcpy(x + i, &near, sizeof near);
    }
    /* One in seven lies there. They are moved together, so that the others do not pay for them, and without a branch, which could not be foretold. */
    for (size_t i = 0; i < NN_DRAWN; i++) {
        p[tails] = p[i];
        place[tails] = (uint8_t)i;
        tails += sign[i] >> 63;
    }
    for (size_t t = 0; t < tails; t += NN_WORD_LANES) {
        const nn_doubles tail = nn_doubles_at(p + t), q = tail - 0.5;
        const nn_words upper = (nn_words)(q > 0), side = (nn_words)nn_each_double(1) | ((nn_words)q & (uint64_t)1 << 63); /* 1 or -1 */
        const nn_doubles least = (nn_doubles)((upper & (nn_words)(1 - tail)) | (~upper & (nn_words)tail));
        const nn_doubles far = nn_ratio((nn_doubles)side, nn_roots(-nn_logs(least)) - 1.6, tail_top, tail_bottom);
        for (size_t lane = 0; lane < NN_WORD_LANES && t + lane < tails; lane++) x[place[t + lane]] = far[lane];
    }
}

#endif
