#include "cpu.h"

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
