/* Counter-based random numbers: every value is a function of (seed, purpose, epoch or step, index), so there is no state to keep, split or restore.
 * Generator: Philox4x32-10, "Parallel random numbers: as easy as 1, 2, 3", Salmon et al., 2011. */
#ifndef NN_RANDOM_H
#define NN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "nnlite.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum nn_purpose { NN_FOR_SHUFFLE = 1, NN_FOR_INITIAL = 2, NN_FOR_LAYER = 16 /* + layer index */ };

/* Blocks side by side, one to a lane of 64 bits, of which only the low half counts. A simd header may bring wider lanes. */
#ifndef NN_OWN_WORDS
typedef uint64_t nn_words __attribute__((vector_size(16)));
static inline nn_words nn_multiply(nn_words a, nn_words b) { /* of the low halves */
#if defined(__SSE2__)
    return (nn_words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
    return (nn_words)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
    return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}
/* Of each 128 bits of a and b the low halves, or the high ones, side by side. */
static inline nn_words nn_zip_low(nn_words a, nn_words b) { return (nn_words){a[0], b[0]}; }
static inline nn_words nn_zip_high(nn_words a, nn_words b) { return (nn_words){a[1], b[1]}; }
#endif
enum { NN_WORD_LANES = sizeof(nn_words) / sizeof(uint64_t) };
typedef uint32_t nn_indices __attribute__((vector_size(sizeof(nn_words))));

static inline nn_words nn_each(uint64_t x) { return (nn_words){0} + x; }
static inline nn_words nn_counting(uint64_t from) { /* from, from + 1, ... */
    static const uint64_t lane[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    nn_words first;
    __builtin_memcpy(&first, lane, sizeof first);
    return first + from;
}
static inline nn_words nn_zipped(void) { /* 0, 1, 2, ... once zipped: the even lanes count first */
    const nn_words lane = nn_counting(0);
    return (lane >> 1) + (lane & 1) * (NN_WORD_LANES / 2);
}

/* word[k] = word k of the blocks of that index of the stream (seed, purpose, time), in the low half. */
static inline __attribute__((always_inline)) void nn_random_lanes(nn_words *word, uint64_t seed, uint32_t purpose, uint64_t time, nn_words index) {
    /* a time beyond 2^32 would run into the purpose: purposes stay below 2^16 and times below 2^48 */
    nn_words c0 = index, c1 = index >> 32, c2 = nn_each(time), c3 = nn_each((purpose << 16) ^ (uint32_t)(time >> 32));
    nn_words k0 = nn_each(seed), k1 = nn_each(seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const nn_words p = nn_multiply(c0, nn_each(0xD2511F53u)), q = nn_multiply(c2, nn_each(0xCD9E8D57u));
        c0 = (q >> 32) ^ c1 ^ k0;
        c1 = q;
        c2 = (p >> 32) ^ c3 ^ k1;
        c3 = p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    word[0] = c0;
    word[1] = c1;
    word[2] = c2;
    word[3] = c3;
}

enum { NN_PLACES = 8 }; /* blocks drawn at a time, a multiple of the lanes */

/* place[k][b] = floor(word k of block index + b, times left - 4 b - k, / 2^32): the next draws from what is left of a shrinking range. */
static inline __attribute__((always_inline)) void nn_random_places(uint64_t place[4][NN_PLACES], uint64_t seed, uint32_t purpose, uint64_t time, uint64_t index,
                                                                   uint64_t left) {
    for (size_t b = 0; b < NN_PLACES; b += NN_WORD_LANES) {
        nn_words word[4];
        nn_random_lanes(word, seed, purpose, time, nn_counting(index + b));
        for (size_t k = 0; k < 4; k++) {
            const nn_words range = nn_each(left - k) - 4 * nn_counting(b), at = nn_multiply(word[k], range) >> 32;
            __builtin_memcpy(&place[k][b], &at, sizeof at);
        }
    }
}

/* order[0 ... n) = 0, 1, 2, ... */
static inline void nn_count_up(uint32_t *order, size_t n) {
    enum { LANES = 2 * NN_WORD_LANES };
    nn_indices next;
    size_t i = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) next[lane] = lane;
    for (; i + LANES <= n; i += LANES, next += LANES) __builtin_memcpy(order + i, &next, sizeof next);
    for (; i < n; i++) order[i] = (uint32_t)i;
}

static inline void nn_exchange(uint32_t *order, size_t i, size_t k) {
    const uint32_t other = order[k];
    order[k] = order[i];
    order[i] = other;
}

/* order[0 ... n) becomes the epoch's permutation of 0 ... n-1 (Fisher and Yates): position i - 1 changes places with one of [0, i), uniform up to
 * i / 2^32, i falling. n < 2^32. Places are drawn while those drawn before are used: the exchanges, a chain through memory, leave units idle, and need not
 * wait for a place, without which the processor cannot tell which of them touch the same number. */
static inline void nn_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch) {
    uint64_t drawn[2][4][NN_PLACES];
    size_t i = n, blocks = 0;
    nn_count_up(order, n);
    nn_random_places(drawn[0], seed, NN_FOR_SHUFFLE, epoch, 0, n);
    uint64_t (*place)[NN_PLACES] = drawn[0], (*next)[NN_PLACES] = drawn[1];
    while (i > 4 * NN_PLACES) {
        uint64_t (*const used)[NN_PLACES] = place;
        blocks += NN_PLACES;
        nn_random_places(next, seed, NN_FOR_SHUFFLE, epoch, blocks, i - 4 * NN_PLACES);
        for (size_t b = 0; b < NN_PLACES; b++, i -= 4) {
#pragma GCC unroll 4
            for (size_t k = 0; k < 4; k++) nn_exchange(order, i - 1 - k, used[k][b]);
        }
        place = next;
        next = used;
    }
    for (size_t b = 0; i > 1; b++) {
        for (size_t k = 0; k < 4 && i > 1; k++, i--) nn_exchange(order, i - 1, place[k][b]);
    }
}

/* The order of an epoch's rows. how: NN_KEEP, NN_SHUFFLE_ROWS, or NN_SHUFFLE_BATCHES: rows of a batch stay together, batches change places, and a short
 * last batch stays last. */
static inline void nn_order_rows(uint32_t *order, size_t rows, size_t batch_size, nn_shuffling how, uint64_t seed, uint64_t epoch) {
    if (how == NN_SHUFFLE_ROWS) {
        nn_shuffle(order, rows, seed, epoch);
        return;
    }
    const size_t whole = how == NN_SHUFFLE_BATCHES ? rows / batch_size : 0;
    for (size_t r = whole * batch_size; r < rows; r++) order[r] = (uint32_t)r;
    nn_shuffle(order, whole, seed, epoch);
    for (size_t b = whole; b-- > 0;) { /* from the back, for the numbers of the batches stand in front */
        const uint32_t first = order[b] * (uint32_t)batch_size;
        for (size_t r = 0; r < batch_size; r++) order[b * batch_size + r] = first + (uint32_t)r;
    }
}

#endif
