#if defined(__x86_64__)
#define NN_BITS 64
#define NN_TARGET "avx512"
#define NN_ENGINE nn_engine_avx512_f64
#include "../engine/simd_avx512.h"
#include "../engine/define_engine.h"
#include "../engine/target_end.h"
#endif
