/* Counter-based random numbers: every value is a function of (seed, purpose, epoch or step, index), so there is no state to keep, split or restore.
 * Generator: Philox4x32-10, "Parallel random numbers: as easy as 1, 2, 3", Salmon et al., 2011. */
#ifndef NN_RANDOM_H
#define NN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "nnlite.h"

enum nn_purpose { NN_FOR_SHUFFLE = 1, NN_FOR_INITIAL = 2, NN_FOR_LAYER = 16 /* + layer index */ };

typedef struct nn_block { uint32_t word[4]; } nn_block;

static inline nn_block nn_philox(uint64_t seed, nn_block counter) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p = (uint64_t)0xD2511F53u * counter.word[0], q = (uint64_t)0xCD9E8D57u * counter.word[2];
        counter = (nn_block){{(uint32_t)(q >> 32) ^ counter.word[1] ^ k0, (uint32_t)q, (uint32_t)(p >> 32) ^ counter.word[3] ^ k1, (uint32_t)p}};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return counter;
}

/* Words 4 * index ... 4 * index + 3 of the stream (seed, purpose, time). */
static inline nn_block nn_random_block(uint64_t seed, uint32_t purpose, uint64_t time, uint64_t index) {
    /* a time beyond 2^32 would run into the purpose: purposes stay below 2^16 and times below 2^48 */
    return nn_philox(seed, (nn_block){{(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)time, (purpose << 16) ^ (uint32_t)(time >> 32)}});
}

/* words[0 ... 64): blocks index ... index + 15 of the stream, computed side by side so that a compiler finds vectors in it. */
static inline void nn_random_words(uint32_t *words, uint64_t seed, uint32_t purpose, uint64_t time, uint64_t index) {
    enum { BLOCKS = 16 };
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS], k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        c0[b] = (uint32_t)(index + b);
        c1[b] = (uint32_t)((index + b) >> 32);
        c2[b] = (uint32_t)time;
        c3[b] = (purpose << 16) ^ (uint32_t)(time >> 32);
    }
    for (int round = 0; round < 10; round++) {
#pragma GCC unroll 1
        for (int b = 0; b < BLOCKS; b++) { /* kept a loop, or its vectors are lost */
            const uint64_t p = (uint64_t)0xD2511F53u * c0[b], q = (uint64_t)0xCD9E8D57u * c2[b];
            c0[b] = (uint32_t)(q >> 32) ^ c1[b] ^ k0;
            c1[b] = (uint32_t)q;
            c2[b] = (uint32_t)(p >> 32) ^ c3[b] ^ k1;
            c3[b] = (uint32_t)p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int b = 0; b < BLOCKS; b++) {
        words[4 * b] = c0[b];
        words[4 * b + 1] = c1[b];
        words[4 * b + 2] = c2[b];
        words[4 * b + 3] = c3[b];
    }
}

/* order[0 ... n) becomes the epoch's permutation of 0 ... n-1 (Fisher and Yates). n < 2^32. */
static inline void nn_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch) {
    uint32_t words[64];
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    for (size_t i = n, w = 0; i > 1; i--, w++) {
        if (w % 64 == 0) nn_random_words(words, seed, NN_FOR_SHUFFLE, epoch, w / 4);
        const size_t j = (size_t)(((uint64_t)words[w % 64] * i) >> 32); /* uniform on [0, i) up to i / 2^32 */
        const uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
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
