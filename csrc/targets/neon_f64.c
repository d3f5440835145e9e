#if defined(__aarch64__)
#define NN_BITS 64
#define NN_TARGET "neon"
#define NN_ENGINE nn_engine_neon_f64
#include "../engine/simd_neon.h"
#include "../engine/define_engine.h"
#include "../engine/target_end.h"
#endif
