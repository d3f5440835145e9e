#define _GNU_SOURCE /* sched_getaffinity */
#include "cpu.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static size_t count_processors(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
    cpu_set_t may_run_on;
    if (sched_getaffinity(0, sizeof may_run_on, &may_run_on) == 0) n = CPU_COUNT(&may_run_on);
    /* A container may have all processors, but only the time of a few: microseconds of use in each period. */
    FILE *limit = fopen("/sys/fs/cgroup/cpu.max", "re");
    long use, period;
    if (limit) {
        if (fscanf(limit, "%ld %ld", &use, &period) == 2 && period > 0 && use / period < n) n = (use + period - 1) / period;
        fclose(limit);
    }
#endif
    return n > 1 ? (size_t)n : 1;
}

size_t nn_cpu_count(void) {
    static _Atomic size_t count;
    if (!count) count = count_processors();
    return count;
}

#if defined(__x86_64__)
#include <cpuid.h>

/* Own CPUID: __builtin_cpu_supports needs a run-time symbol that not every linker brings. */
static unsigned extended_state(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int has(unsigned leaf7_ebx, unsigned state) {
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (fma | osxsave | avx)) != (fma | osxsave | avx)) return 0;
    if ((extended_state() & state) != state) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & leaf7_ebx) == leaf7_ebx;
}

/* On a virtual machine each CPUID is a trap of microseconds, so the answer is kept: 0 unknown, 1 no, 2 yes. Threads may find it together. */
static int known(_Atomic int *answer, unsigned leaf7_ebx, unsigned state) {
    if (!*answer) *answer = 1 + has(leaf7_ebx, state);
    return *answer - 1;
}

int nn_cpu_has_avx2(void) {
    static _Atomic int answer;
    return known(&answer, 1u << 5, 0x06);
}

int nn_cpu_has_avx512(void) {
    static _Atomic int answer;
    return known(&answer, 1u << 5 | 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, 0xE6);
}
#else
int nn_cpu_has_avx2(void) { return 0; }
int nn_cpu_has_avx512(void) { return 0; }
#endif
