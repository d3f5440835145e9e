/* What this machine can do: how many processors, and which targets its CPU and operating system can run. */
#ifndef NN_CPU_H
#define NN_CPU_H

#include <stddef.h>

size_t nn_cpu_count(void);   /* processors that this process may keep busy, at least 1; found once */
int nn_cpu_has_avx2(void);   /* AVX2 and FMA, ymm state saved by the system */
int nn_cpu_has_avx512(void); /* AVX-512 F, DQ, BW, VL, zmm state saved by the system */

#endif
