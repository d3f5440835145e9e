#define NN_BITS 64
#define NN_TARGET "scalar"
#define NN_ENGINE nn_engine_scalar_f64
#include "../engine/simd_scalar.h"
#include "../engine/define_engine.h"
#include "../engine/target_end.h"
