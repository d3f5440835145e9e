/* The floating-point environment of a thread. Another library may have left rounding or flush-to-zero changed in it. Results must not depend on that,
 * so every call that computes runs in the default environment and puts the caller's back. */
#ifndef NN_ENVIRONMENT_H
#define NN_ENVIRONMENT_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
typedef unsigned nn_environment;
static inline nn_environment environment_enter(void) {
    const unsigned caller = _mm_getcsr();
    _mm_setcsr(0x1F80);
    return caller;
}
static inline void environment_leave(nn_environment caller) { _mm_setcsr(caller); }
#elif defined(__aarch64__)
typedef uint64_t nn_environment;
static inline nn_environment environment_enter(void) {
    uint64_t caller;
    __asm__ volatile("mrs %0, fpcr" : "=r"(caller));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return caller;
}
static inline void environment_leave(nn_environment caller) { __asm__ volatile("msr fpcr, %0" : : "r"(caller)); }
#else
#error "nnlite needs a 64-bit x86 or ARM processor"
#endif

#endif
