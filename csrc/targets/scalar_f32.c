#define NN_BITS 32
#define NN_TARGET "scalar"
#define NN_ENGINE nn_engine_scalar_f32
#include "../engine/simd_scalar.h"
#include "../engine/define_engine.h"
#include "../engine/target_end.h"
