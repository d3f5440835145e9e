/* Closes the region that a simd_*.h opened: the code between them is compiled for the instructions it names. */
#if NN_OWN_REGION
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
