#if defined(__x86_64__)
#define NN_BITS 32
#define NN_TARGET "avx2"
#define NN_ENGINE nn_engine_avx2_f32
#include "../engine/simd_avx2.h"
#include "../engine/define_engine.h"
#include "../engine/target_end.h"
#endif
