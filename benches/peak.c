/* The rate of fused multiply-adds this processor reaches, float32: as many independent chains as registers hold, on each of
 * argv[1] threads for argv[2] seconds. Prints GFLOP/s, two operations to a multiply-add. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16, CHAINS = 24 };
#elif defined(__FMA__)
enum { LANES = 8, CHAINS = 12 };
#elif defined(__aarch64__)
enum { LANES = 4, CHAINS = 24 };
#else
#error "a processor without fused multiply-adds"
#endif

typedef float vector __attribute__((vector_size(4 * LANES)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct part {
    double seconds, gflops;
    vector sum; /* keeps the chains from being left out */
} part;

static void *run(void *argument) {
    enum { TURNS = 1 << 16 };
    part *p = argument;
    vector chain[CHAINS] = {{0}}, factor = {0}, term = {0};
    factor += 0.999f;
    term += 0.001f;
    const double start = now();
    double turns = 0, seconds;
    do {
        for (int i = 0; i < TURNS; i++) {
#pragma GCC unroll 24
            for (int c = 0; c < CHAINS; c++) chain[c] = chain[c] * factor + term; /* contracted: -ffp-contract is fast by default */
        }
        turns += TURNS;
        seconds = now() - start;
    } while (seconds < p->seconds);
    for (int c = 0; c < CHAINS; c++) p->sum += chain[c];
    p->gflops = 2.0 * LANES * CHAINS * turns / seconds * 1e-9;
    return NULL;
}

int main(int n, char **arguments) {
    enum { MOST = 64 };
    const int threads = n > 1 ? atoi(arguments[1]) : 1;
    if (threads < 1 || threads > MOST) return 1;
    static part parts[MOST];
    pthread_t others[MOST];
    for (int t = 0; t < threads; t++) parts[t].seconds = n > 2 ? atof(arguments[2]) : 0.2;
    for (int t = 1; t < threads; t++) pthread_create(&others[t], NULL, run, &parts[t]);
    run(&parts[0]);
    double gflops = parts[0].gflops;
    for (int t = 1; t < threads; t++) {
        pthread_join(others[t], NULL);
        gflops += parts[t].gflops;
    }
    printf("%.2f\n", gflops);
    return 0;
}
