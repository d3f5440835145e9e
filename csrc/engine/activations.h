/* Activations. To add one: its routines and its row in NN_ACTIVATION_ROWS, here; an entry in nnlite/activations.py; a line of tests/reference.py.
 *
 * An ELEMENT row has two routines over 16 elements, y = NAME_forward(x, n) and dx = NAME_backward(dy, v, n), where v is the output y if the
 * row says OUTPUT (then y may take the place of x in memory) and the input x if it says INPUT. n: the row's numbers, in the order stated.
 * A ROWWISE row has the same two over 16 rows of the batch, one in each lane: unit u is a vec at u * pitch. Its backward reads the output; y may be x,
 * dx may be dy. Sums over units are chains in unit order. */

NN_INLINE vec linear_forward(vec x, const real *n) { (void)n; return x; }
NN_INLINE vec linear_backward(vec dy, vec y, const real *n) { (void)y; (void)n; return dy; }

NN_INLINE vec relu_forward(vec x, const real *n) { (void)n; return v_max(v_zero(), x); } /* NaN stays NaN */
NN_INLINE vec relu_backward(vec dy, vec y, const real *n) { (void)n; return v_keep(v_gt(y, v_zero()), dy); }

/* n: negative_slope. x if x >= 0, negative_slope * x below. */
NN_INLINE vec leaky_relu_forward(vec x, const real *n) { return v_select(v_ge(x, v_zero()), x, v_mul(v_set(n[0]), x)); }
NN_INLINE vec leaky_relu_backward(vec dy, vec x, const real *n) {
    return v_select(v_ge(x, v_zero()), dy, v_mul(v_set(n[0]), dy));
}

/* n: negative_slope, max_value, threshold. max_value above it, x from the threshold on, negative_slope * (x - threshold) below; 0 at x = threshold > 0. */
NN_INLINE vec rectifier_forward(vec x, const real *n) {
    const vec threshold = v_set(n[2]);
    const vec below = v_mul(v_set(n[0]), v_max(v_set(-NN_LARGEST), v_sub(x, threshold))); /* finite, for 0 * below is to be 0 */
    return v_select(v_gt(x, threshold), v_min(x, v_set(n[1])), below);
}
NN_INLINE vec rectifier_backward(vec dy, vec x, const real *n) {
    const vec rising = v_keep(v_lt(x, v_set(n[1])), dy);
    return v_select(v_gt(x, v_set(n[2])), rising, v_mul(v_set(n[0]), dy));
}

NN_INLINE vec sigmoid_forward(vec x, const real *n) { (void)n; return v_sigmoid(x); }
NN_INLINE vec sigmoid_backward(vec dy, vec y, const real *n) { (void)n; return v_mul(dy, v_fnma(y, y, y)); }

/* n: slope, offset. slope * x + offset cut to [0, 1]. */
NN_INLINE vec hard_sigmoid_forward(vec x, const real *n) {
    return v_min(v_set(1), v_max(v_zero(), v_fma(v_set(n[0]), x, v_set(n[1]))));
}
NN_INLINE vec hard_sigmoid_backward(vec dy, vec y, const real *n) {
    return v_keep(m_and(v_gt(y, v_zero()), v_lt(y, v_set(1))), v_mul(dy, v_set(n[0])));
}

NN_INLINE vec tanh_forward(vec x, const real *n) { (void)n; return v_tanh(x); }
NN_INLINE vec tanh_backward(vec dy, vec y, const real *n) { (void)n; return v_mul(dy, v_fnma(y, y, v_set(1))); }

NN_INLINE vec softplus_forward(vec x, const real *n) { (void)n; return v_softplus(x); }
NN_INLINE vec softplus_backward(vec dy, vec x, const real *n) { (void)n; return v_mul(dy, v_sigmoid(x)); }

NN_INLINE vec softsign_forward(vec x, const real *n) { (void)n; return v_div(x, v_add(v_set(1), v_abs(x))); }
NN_INLINE vec softsign_backward(vec dy, vec y, const real *n) { /* f' = (1 - |y|)^2 */
    (void)n;
    const vec rest = v_sub(v_set(1), v_abs(y));
    return v_mul(dy, v_mul(rest, rest));
}

/* n: alpha. x if x > 0, alpha * (e^x - 1) below. */
NN_INLINE vec elu_forward(vec x, const real *n) { return v_select(v_gt(x, v_zero()), x, v_mul(v_set(n[0]), v_expm1(x))); }
NN_INLINE vec elu_backward(vec dy, vec x, const real *n) {
    return v_mul(dy, v_select(v_gt(x, v_zero()), v_set(1), v_mul(v_set(n[0]), v_exp(x))));
}

#define SELU_SCALE ((real)1.0507009873554805)
#define SELU_ALPHA ((real)1.6732632423543772)
NN_INLINE vec selu_forward(vec x, const real *n) {
    (void)n;
    return v_mul(v_set(SELU_SCALE), v_select(v_gt(x, v_zero()), x, v_mul(v_set(SELU_ALPHA), v_expm1(x))));
}
NN_INLINE vec selu_backward(vec dy, vec y, const real *n) { /* below 0, f' = y + scale * alpha */
    (void)n;
    return v_mul(dy, v_select(v_gt(y, v_zero()), v_set(SELU_SCALE), v_add(y, v_set(SELU_SCALE * SELU_ALPHA))));
}

NN_INLINE vec exponential_forward(vec x, const real *n) { (void)n; return v_exp(x); }
NN_INLINE vec exponential_backward(vec dy, vec y, const real *n) { (void)n; return v_mul(dy, y); }

/* e^(x - max) / sum. */
NN_INLINE void softmax_forward(real *y, const real *x, size_t units, size_t pitch, const real *n) {
    (void)n;
    vec largest = v_load(x), total = v_zero();
    for (size_t u = 1; u < units; u++) largest = v_max(v_load(x + u * pitch), largest);
    for (size_t u = 0; u < units; u++) {
        const vec e = v_exp(v_sub(v_load(x + u * pitch), largest));
        total = v_add(total, e);
        v_store(y + u * pitch, e);
    }
    for (size_t u = 0; u < units; u++) v_store(y + u * pitch, v_div(v_load(y + u * pitch), total));
}
NN_INLINE void softmax_backward(real *dx, const real *dy, const real *y, size_t units, size_t pitch, const real *n) {
    (void)n;
    vec mean = v_zero();
    for (size_t u = 0; u < units; u++) mean = v_fma(v_load(dy + u * pitch), v_load(y + u * pitch), mean);
    for (size_t u = 0; u < units; u++) v_store(dx + u * pitch, v_mul(v_load(y + u * pitch), v_sub(v_load(dy + u * pitch), mean)));
}

#define NN_ACTIVATION_ROWS(ELEMENT, ROWWISE) \
    ELEMENT(linear, OUTPUT) \
    ELEMENT(relu, OUTPUT) \
    ELEMENT(leaky_relu, INPUT) \
    ELEMENT(rectifier, INPUT) \
    ELEMENT(sigmoid, OUTPUT) \
    ELEMENT(hard_sigmoid, OUTPUT) \
    ELEMENT(tanh, OUTPUT) \
    ROWWISE(softmax) \
    ELEMENT(softplus, INPUT) \
    ELEMENT(softsign, OUTPUT) \
    ELEMENT(elu, INPUT) \
    ELEMENT(selu, OUTPUT) \
    ELEMENT(exponential, OUTPUT)

/* ---- everything below follows from the rows ---- */

enum activation_source { INPUT, OUTPUT };

#define ELEMENT(name, source) ACTIVATION_##name,
#define ROWWISE(name) ACTIVATION_##name,
enum activation { NN_ACTIVATION_ROWS(ELEMENT, ROWWISE) ACTIVATIONS };
#undef ELEMENT
#undef ROWWISE

#define ELEMENT(name, source) #name,
#define ROWWISE(name) #name,
static const char *const activation_names[] = {NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)};
#undef ELEMENT
#undef ROWWISE

/* Does the backward routine read x, so that y must not be written over it? */
static int activation_reads_input(uint32_t row) {
    switch (row) {
#define ELEMENT(name, source) case ACTIVATION_##name: return source == INPUT;
#define ROWWISE(name) case ACTIVATION_##name: return 0;
        NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)
#undef ELEMENT
#undef ROWWISE
    }
    return 1;
}

/* y = f(x), both laid out as g says; y may be x where the row reads its output backward. */
static void activation_forward(const nn_row *row, uint32_t activation, real *y, real *x, const grid *g) {
    real n[NN_NUMBERS];
    for (int i = 0; i < NN_NUMBERS; i++) n[i] = (real)row->numbers[i];
    switch (activation) {
#define ELEMENT(name, source) \
    case ACTIVATION_##name: \
        for (size_t i = 0; i < grid_reals(g); i += NN_LANES) v_store(y + i, name##_forward(v_load(x + i), n)); \
        break;
#define ROWWISE(name) \
    case ACTIVATION_##name: \
        for (size_t r = 0; r < g->rows; r += NN_LANES) { \
            real *lanes = lanes_of(g, x, r, 0); \
            name##_forward(g->narrow ? y + r : lanes, lanes, g->units, lanes_pitch(g), n); \
            lanes_back(g, y, r, lanes); \
        } \
        break;
        NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)
#undef ELEMENT
#undef ROWWISE
    }
}

/* dx from dy, x and y, all laid out as g says; dx may be dy. */
static void activation_backward(const nn_row *row, uint32_t activation, real *dx, real *dy, real *x, real *y, const grid *g) {
    real n[NN_NUMBERS];
    for (int i = 0; i < NN_NUMBERS; i++) n[i] = (real)row->numbers[i];
    switch (activation) {
#define ELEMENT(name, source) \
    case ACTIVATION_##name: \
        for (size_t i = 0; i < grid_reals(g); i += NN_LANES) \
            v_store(dx + i, name##_backward(v_load(dy + i), v_load((source == INPUT ? x : y) + i), n)); \
        break;
#define ROWWISE(name) \
    case ACTIVATION_##name: \
        for (size_t r = 0; r < g->rows; r += NN_LANES) { \
            real *lanes = lanes_of(g, dy, r, 0); \
            name##_backward(g->narrow ? dx + r : lanes, lanes, lanes_of(g, y, r, 1), g->units, lanes_pitch(g), n); \
            lanes_back(g, dx, r, lanes); \
        } \
        break;
        NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)
#undef ELEMENT
#undef ROWWISE
    }
}
