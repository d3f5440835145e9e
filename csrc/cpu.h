/* Which targets this CPU, and its operating system, can run. */
#ifndef NN_CPU_H
#define NN_CPU_H

int nn_cpu_has_avx2(void);   /* AVX2 and FMA, ymm state saved by the system */
int nn_cpu_has_avx512(void); /* AVX-512 F, DQ, BW, VL, zmm state saved by the system */

#endif
