/* Activations. To add one: its routines and its row in NN_ACTIVATION_ROWS, here; an entry in nnlite/activations.py; a line of tests/reference.py.
 *
 * An ELEMENT row has two routines over 16 elements, y = NAME_forward(x, n) and dx = NAME_backward(dy, v, n), where v is the output y if the
 * row says OUTPUT (then y may take the place of x in memory) and the input x if it says INPUT. n: the row's numbers, in the order stated.
 * A ROWWISE row has the same two over 16 rows of the batch, one in each lane: unit u is a vec at u * pitch. Its backward reads the output; y may be x,
 * dx may be dy. Sums over units are chains in unit order.
 * Where the slope may be next to 0, dx comes by `through`. */

/* n[NN_NUMBERS] = the numbers of a row as reals. */
NN_INLINE void numbers_of(real *n, const nn_row *row) {
    for (int i = 0; i < NN_NUMBERS; i++) n[i] = (real)row->numbers[i];
}

NN_INLINE vec clip(vec x, real low, real high) { return v_min(v_set(high), v_max(v_set(low), x)); } /* NaN stays NaN */
NN_INLINE vec v_finite(vec x) { return clip(x, -NN_LARGEST, NN_LARGEST); } /* so that 0 * x is 0 */

/* dy slope: what is too small to matter on its way back through saturated units must not make all before them slow, see fade. */
NN_INLINE vec through(vec dy, vec slope) { return fade(v_mul(dy, slope)); }

NN_INLINE vec linear_forward(vec x, const real *n) { return x; }
NN_INLINE vec linear_backward(vec dy, vec y, const real *n) { return dy; }

NN_INLINE vec relu_forward(vec x, const real *n) { return v_max(v_zero(), x); } /* NaN stays NaN */
NN_INLINE vec relu_backward(vec dy, vec y, const real *n) { return v_keep(v_lt(v_zero(), y), dy); }

/* n: negative_slope. x if x >= 0, negative_slope * x below. */
NN_INLINE vec leaky_relu_forward(vec x, const real *n) { return v_select(v_ge(x, v_zero()), x, v_mul(v_set(n[0]), x)); }
NN_INLINE vec leaky_relu_backward(vec dy, vec x, const real *n) {
    return v_select(v_ge(x, v_zero()), dy, v_mul(v_set(n[0]), dy));
}

/* n: negative_slope, max_value, threshold. max_value above it, x from the threshold on, negative_slope * (x - threshold) below; 0 at x = threshold > 0. */
NN_INLINE vec rectifier_forward(vec x, const real *n) {
    const vec threshold = v_set(n[2]);
    const vec below = v_mul(v_set(n[0]), v_finite(v_sub(x, threshold)));
    return v_select(v_gt(x, threshold), v_min(x, v_set(n[1])), below);
}
NN_INLINE vec rectifier_backward(vec dy, vec x, const real *n) {
    const vec rising = v_keep(v_lt(x, v_set(n[1])), dy);
    return v_select(v_gt(x, v_set(n[2])), rising, v_mul(v_set(n[0]), dy));
}

NN_INLINE vec sigmoid_forward(vec x, const real *n) { return v_sigmoid_of(x, v_exp_fading(v_neg(v_abs(x)))); }
NN_INLINE vec sigmoid_backward(vec dy, vec y, const real *n) { return through(dy, v_fnma(y, y, y)); }

/* n: slope, offset. slope * x + offset cut to [0, 1]. */
NN_INLINE vec hard_sigmoid_forward(vec x, const real *n) {
    return clip(v_fma(v_set(n[0]), x, v_set(n[1])), 0, 1);
}
NN_INLINE vec hard_sigmoid_backward(vec dy, vec y, const real *n) {
    return v_keep(m_and(v_gt(y, v_zero()), v_lt(y, v_set(1))), v_mul(dy, v_set(n[0])));
}

NN_INLINE vec tanh_forward(vec x, const real *n) { return v_tanh(x); }
NN_INLINE vec tanh_backward(vec dy, vec y, const real *n) { return v_mul(dy, v_fnma(y, y, v_set(1))); } /* the slope is 0, or not that small */

NN_INLINE vec softplus_forward(vec x, const real *n) { return v_softplus(x); }
NN_INLINE vec softplus_backward(vec dy, vec x, const real *n) { return through(dy, v_sigmoid(x)); }

NN_INLINE vec softsign_forward(vec x, const real *n) { return v_div(x, v_add(v_set(1), v_abs(x))); }
NN_INLINE vec softsign_backward(vec dy, vec y, const real *n) { /* f' = (1 - |y|)^2 */
    const vec rest = v_sub(v_set(1), v_abs(y));
    return through(dy, v_mul(rest, rest));
}

/* n: alpha. x if x > 0, alpha * (e^x - 1) below. */
NN_INLINE vec elu_forward(vec x, const real *n) { return v_select(v_gt(x, v_zero()), x, v_mul(v_set(n[0]), v_expm1(x))); }
NN_INLINE vec elu_backward(vec dy, vec x, const real *n) {
    return through(dy, v_select(v_gt(x, v_zero()), v_set(1), v_mul(v_set(n[0]), v_exp(x))));
}

#define SELU_SCALE ((real)1.0507009873554805)
#define SELU_ALPHA ((real)1.6732632423543772)
NN_INLINE vec selu_forward(vec x, const real *n) {
    return v_mul(v_set(SELU_SCALE), v_select(v_gt(x, v_zero()), x, v_mul(v_set(SELU_ALPHA), v_expm1(x))));
}
NN_INLINE vec selu_backward(vec dy, vec y, const real *n) { /* below 0, f' = y + scale * alpha */
    return through(dy, v_select(v_gt(y, v_zero()), v_set(SELU_SCALE), v_add(y, v_set(SELU_SCALE * SELU_ALPHA))));
}

NN_INLINE vec exponential_forward(vec x, const real *n) { return v_exp(x); }
NN_INLINE vec exponential_backward(vec dy, vec y, const real *n) { return through(dy, y); }

/* sigmoid(x), and *rest = 1 - sigmoid(x) without cancellation */
NN_INLINE vec sigmoid_and_rest(vec x, vec *rest) {
    const vec e = v_exp_fading(v_neg(v_abs(x))), one = v_set(1), total = v_add(one, e);
    const mask rises = v_ge(x, v_zero());
    *rest = v_div(v_select(rises, e, one), total);
    return v_div(v_select(rises, one, e), total);
}

/* x sigmoid(x) */
NN_INLINE vec silu_forward(vec x, const real *n) { return v_mul(v_max(v_set(-NN_LARGEST), x), v_sigmoid(x)); }
NN_INLINE vec silu_backward(vec dy, vec x, const real *n) { /* f' = s (1 + x (1 - s)) */
    vec rest;
    const vec s = sigmoid_and_rest(x, &rest);
    return through(dy, v_mul(s, v_fma(v_finite(x), rest, v_set(1))));
}

/* x P(x), P the normal distribution function: (1 + erf(x / sqrt 2)) / 2 */
NN_INLINE vec normal_share(vec x) { return v_fma(v_set(0.5), v_erf(v_mul(x, v_set((real)0.70710678118654752))), v_set(0.5)); }
NN_INLINE vec gelu_forward(vec x, const real *n) { return v_mul(v_max(v_set(-NN_LARGEST), x), normal_share(x)); }
NN_INLINE vec gelu_backward(vec dy, vec x, const real *n) { /* f' = P + x e^(-x^2 / 2) / sqrt(2 pi) */
    const vec z = v_finite(x), density = v_mul(v_exp_fading(v_mul(v_mul(z, v_set(-0.5)), z)), v_set((real)0.39894228040143268));
    return through(dy, v_fma(z, density, normal_share(x)));
}

/* x sigmoid(2 u) = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3) */
#define GELU_LINE ((real)1.5957691216057308)  /* 2 sqrt(2 / pi) */
#define GELU_CUBE ((real)0.071354816272600249) /* 0.044715 of that */
NN_INLINE vec gelu_tanh_gate(vec x) { return v_mul(x, v_fma(v_mul(v_set(GELU_CUBE), x), x, v_set(GELU_LINE))); }
NN_INLINE vec gelu_tanh_forward(vec x, const real *n) {
    return v_mul(v_max(v_set(-NN_LARGEST), x), v_sigmoid(gelu_tanh_gate(x)));
}
NN_INLINE vec gelu_tanh_backward(vec dy, vec x, const real *n) {
    vec rest;
    const vec z = clip(x, -64, 64), s = sigmoid_and_rest(gelu_tanh_gate(z), &rest); /* beyond, the gate is shut or open */
    const vec rise = v_mul(z, v_fma(v_mul(v_set(3 * GELU_CUBE), z), z, v_set(GELU_LINE)));
    return through(dy, v_mul(s, v_fma(rise, rest, v_set(1))));
}

/* x tanh(log(1 + e^x)) = x top / (top + rest): with e = e^-|x|, top = 1 + 2 e and rest = 2 e^2 for x >= 0, e (e + 2) and 2 below. */
NN_INLINE vec mish_gate(vec x, vec *rest) {
    const vec e = v_exp_falling(x), two = v_set(2);
    const mask rises = v_ge(x, v_zero());
    const vec top = v_select(rises, v_fma(two, e, v_set(1)), v_mul(e, v_add(e, two)));
    const vec left = v_select(rises, v_mul(two, v_mul(e, e)), two), bottom = v_add(top, left);
    *rest = v_div(left, bottom);
    return v_div(top, bottom);
}
NN_INLINE vec mish_forward(vec x, const real *n) {
    vec rest;
    return v_mul(v_max(v_set(-NN_LARGEST), x), mish_gate(x, &rest));
}
NN_INLINE vec mish_backward(vec dy, vec x, const real *n) { /* f' = t + x (1 - t)(1 + t) sigmoid(x) */
    vec rest;
    const vec t = mish_gate(x, &rest), rise = v_mul(v_mul(rest, v_add(v_set(1), t)), v_sigmoid(x));
    return through(dy, v_fma(v_finite(x), rise, t));
}

/* log sigmoid(x) = -log(1 + e^-x) */
NN_INLINE vec log_sigmoid_forward(vec x, const real *n) { return v_neg(v_softplus(v_neg(x))); }
NN_INLINE vec log_sigmoid_backward(vec dy, vec x, const real *n) { return through(dy, v_sigmoid(v_neg(x))); }

/* x (x + 3) / 6 for |x| < 3, 0 below, x above */
NN_INLINE vec hard_silu_forward(vec x, const real *n) {
    return v_mul(v_max(v_set(-NN_LARGEST), x), v_div(clip(v_add(x, v_set(3)), 0, 6), v_set(6)));
}
NN_INLINE vec hard_silu_backward(vec dy, vec x, const real *n) {
    const vec inside = v_div(v_fma(v_set(2), x, v_set(3)), v_set(6));
    return through(dy, v_select(v_ge(x, v_set(3)), v_set(1), v_select(v_le(x, v_set(-3)), v_zero(), inside)));
}

/* x cut to [-1, 1] */
NN_INLINE vec hard_tanh_forward(vec x, const real *n) { return clip(x, -1, 1); }
NN_INLINE vec hard_tanh_backward(vec dy, vec y, const real *n) { return v_keep(v_lt(v_abs(y), v_set(1)), dy); }

/* n: alpha > 0. x if x > 0, alpha * (e^(x / alpha) - 1) below. */
NN_INLINE vec celu_forward(vec x, const real *n) {
    return v_select(v_gt(x, v_zero()), x, v_mul(v_set(n[0]), v_expm1(v_div(x, v_set(n[0])))));
}
NN_INLINE vec celu_backward(vec dy, vec x, const real *n) {
    return through(dy, v_select(v_gt(x, v_zero()), v_set(1), v_exp(v_div(x, v_set(n[0])))));
}

/* n: threshold. x moved towards 0 by threshold, 0 within it. */
NN_INLINE vec soft_shrink_forward(vec x, const real *n) { return v_sub(x, clip(x, -n[0], n[0])); }
NN_INLINE vec soft_shrink_backward(vec dy, vec x, const real *n) { return v_keep(v_gt(v_abs(x), v_set(n[0])), dy); }

/* n: threshold. x, 0 within threshold of 0. */
NN_INLINE vec hard_shrink_forward(vec x, const real *n) { return v_select(v_le(v_abs(x), v_set(n[0])), v_zero(), x); }
NN_INLINE vec hard_shrink_backward(vec dy, vec x, const real *n) { return v_keep(v_gt(v_abs(x), v_set(n[0])), dy); }

/* x - tanh x */
NN_INLINE vec tanh_shrink_forward(vec x, const real *n) { return v_sub(x, v_tanh(x)); }
NN_INLINE vec tanh_shrink_backward(vec dy, vec x, const real *n) {
    const vec t = v_tanh(x);
    return through(dy, v_mul(t, t));
}

/* n: b > 0. (x + root) / 2, root = sqrt(x^2 + b) without overflow; below 0 as b / 4 over (|x| + root) / 2, without cancellation. */
NN_INLINE vec squareplus_root(vec x, const real *n) {
    const vec least = v_sqrt(v_set(n[0])), large = v_max(least, v_abs(x)), ratio = v_div(v_min(least, v_abs(x)), large);
    return v_mul(large, v_sqrt(v_fma(ratio, ratio, v_set(1))));
}
NN_INLINE vec squareplus_from(vec x, vec root, const real *n) {
    const vec half = v_set(0.5), mean = v_fma(half, root, v_mul(half, v_abs(x)));
    return v_select(v_ge(x, v_zero()), mean, v_div(v_set(n[0] / 4), mean));
}
NN_INLINE vec squareplus_forward(vec x, const real *n) { return squareplus_from(x, squareplus_root(x, n), n); }
NN_INLINE vec squareplus_backward(vec dy, vec x, const real *n) { /* f' = f / root */
    const vec z = v_finite(x), root = squareplus_root(z, n);
    return through(dy, v_div(squareplus_from(z, root, n), root));
}

/* 0 below -1, (x + 1)^2 / 4, x above 1. */
NN_INLINE vec sparse_plus_slope(vec x) { return clip(v_mul(v_set(0.5), v_add(x, v_set(1))), 0, 1); }
NN_INLINE vec sparse_plus_forward(vec x, const real *n) {
    const vec slope = sparse_plus_slope(x);
    return v_select(v_ge(x, v_set(1)), x, v_mul(slope, slope));
}
NN_INLINE vec sparse_plus_backward(vec dy, vec x, const real *n) { return through(dy, sparse_plus_slope(x)); }

/* n: threshold, value. x above the threshold, else value. */
NN_INLINE vec threshold_forward(vec x, const real *n) { return v_select(v_le(x, v_set(n[0])), v_set(n[1]), x); } /* NaN stays NaN */
NN_INLINE vec threshold_backward(vec dy, vec x, const real *n) { return v_keep(v_gt(x, v_set(n[0])), dy); }

/* e^(x - max) / sum. */
NN_INLINE void softmax_forward(real *y, const real *x, size_t units, size_t pitch, const real *n) {
    vec largest = v_load(x), total = v_zero();
    for (size_t u = 1; u < units; u++) largest = v_max(v_load(x + u * pitch), largest);
    for (size_t u = 0; u < units; u++) {
        const vec e = v_exp_fading(v_sub(v_load(x + u * pitch), largest));
        total = v_add(total, e);
        v_store(y + u * pitch, e);
    }
    for (size_t u = 0; u < units; u++) v_store(y + u * pitch, v_div(v_load(y + u * pitch), total));
}
NN_INLINE void softmax_backward(real *dx, const real *dy, const real *y, size_t units, size_t pitch, const real *n) {
    vec mean = v_zero();
    for (size_t u = 0; u < units; u++) mean = v_fma(v_load(dy + u * pitch), v_load(y + u * pitch), mean);
    for (size_t u = 0; u < units; u++) v_store(dx + u * pitch, through(v_sub(v_load(dy + u * pitch), mean), v_load(y + u * pitch)));
}

/* log sum of e^(x - max) */
NN_INLINE vec log_of_shares(const real *x, size_t units, size_t pitch, vec *largest) {
    vec total = v_zero();
    *largest = v_load(x);
    for (size_t u = 1; u < units; u++) *largest = v_max(v_load(x + u * pitch), *largest);
    for (size_t u = 0; u < units; u++) total = v_add(total, v_exp_fading(v_sub(v_load(x + u * pitch), *largest)));
    return v_log_normal(total);
}

/* x - max - log sum of e^(x - max). */
NN_INLINE void log_softmax_forward(real *y, const real *x, size_t units, size_t pitch, const real *n) {
    vec largest;
    const vec log_total = log_of_shares(x, units, pitch, &largest);
    for (size_t u = 0; u < units; u++) v_store(y + u * pitch, v_sub(v_sub(v_load(x + u * pitch), largest), log_total));
}
NN_INLINE void log_softmax_backward(real *dx, const real *dy, const real *y, size_t units, size_t pitch, const real *n) {
    vec total = v_zero();
    for (size_t u = 0; u < units; u++) total = v_add(total, v_load(dy + u * pitch));
    for (size_t u = 0; u < units; u++) v_store(dx + u * pitch, v_fnma(v_exp_fading(v_load(y + u * pitch)), total, v_load(dy + u * pitch)));
}

/* The nearest point of the simplex: max(x - level, 0) with the level that makes the sum 1. The units above it are the `count` largest ones, the most for
 * which 1 + count * (least of them) exceeds their sum; it is looked for at every unit, quadratic in their number. Martins and Astudillo, 2016. */
NN_INLINE void sparsemax_forward(real *y, const real *x, size_t units, size_t pitch, const real *n) {
    vec largest = v_load(x), count = v_set(1), sum = v_zero(), undefined = v_zero();
    for (size_t u = 0; u < units; u++) {
        largest = v_max(v_load(x + u * pitch), largest);
        undefined = v_fma(v_zero(), v_load(x + u * pitch), undefined); /* NaN for infinities and NaN, 0 else */
    }
    for (size_t u = 0; u < units; u++) {
        const vec own = v_sub(v_load(x + u * pitch), largest);
        vec above = v_zero(), total = v_zero();
        for (size_t v = 0; v < units; v++) {
            const vec other = v_sub(v_load(x + v * pitch), largest);
            const mask counts = v_ge(other, own);
            above = v_add(above, v_keep(counts, v_set(1)));
            total = v_add(total, v_keep(counts, other));
        }
        const mask more = m_and(v_gt(v_fma(above, own, v_set(1)), total), v_gt(above, count));
        count = v_select(more, above, count);
        sum = v_select(more, total, sum);
    }
    const vec level = v_add(v_div(v_sub(sum, v_set(1)), count), undefined);
    for (size_t u = 0; u < units; u++) v_store(y + u * pitch, v_max(v_zero(), v_sub(v_sub(v_load(x + u * pitch), largest), level)));
}
NN_INLINE void sparsemax_backward(real *dx, const real *dy, const real *y, size_t units, size_t pitch, const real *n) {
    vec count = v_zero(), sum = v_zero();
    for (size_t u = 0; u < units; u++) {
        const mask above = v_gt(v_load(y + u * pitch), v_zero());
        count = v_add(count, v_keep(above, v_set(1)));
        sum = v_add(sum, v_keep(above, v_load(dy + u * pitch)));
    }
    const vec mean = v_div(sum, count);
    for (size_t u = 0; u < units; u++)
        v_store(dx + u * pitch, v_keep(v_gt(v_load(y + u * pitch), v_zero()), v_sub(v_load(dy + u * pitch), mean)));
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
    ELEMENT(exponential, OUTPUT) \
    ELEMENT(silu, INPUT) \
    ELEMENT(gelu, INPUT) \
    ELEMENT(gelu_tanh, INPUT) \
    ELEMENT(mish, INPUT) \
    ROWWISE(log_softmax) \
    ELEMENT(log_sigmoid, INPUT) \
    ELEMENT(hard_silu, INPUT) \
    ELEMENT(hard_tanh, OUTPUT) \
    ELEMENT(celu, INPUT) \
    ELEMENT(soft_shrink, INPUT) \
    ELEMENT(hard_shrink, INPUT) \
    ELEMENT(tanh_shrink, INPUT) \
    ELEMENT(squareplus, INPUT) \
    ELEMENT(sparse_plus, INPUT) \
    ELEMENT(threshold, INPUT) \
    ROWWISE(sparsemax)

/* ---- everything below follows from the rows ---- */

enum activation_source { INPUT, OUTPUT };

#define ELEMENT(name, source) ACTIVATION_##name,
#define ROWWISE(name) ACTIVATION_##name,
enum activation { NN_ACTIVATION_ROWS(ELEMENT, ROWWISE) };
#undef ELEMENT
#undef ROWWISE

#define ELEMENT(name, source) #name,
#define ROWWISE(name) #name,
static const char *const activation_names[] = {NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)};
#undef ELEMENT
#undef ROWWISE

/* The routines of a row over a batch, laid out as g says. Each is compiled by itself: one routine of all rows would have to begin as the greediest does. */
typedef struct activation_routines {
    void (*forward)(const nn_row *row, real *y, real *x, const grid *g); /* y = f(x); y may be x where the row reads its output backward */
    void (*backward)(const nn_row *row, real *dx, real *dy, real *x, real *y, const grid *g); /* dx from dy, x and y; dx may be dy */
    int reads_input; /* does backward read x, so that y must not be written over it? */
    int by_element;  /* does each element of y depend on that of x alone? */
} activation_routines;

#define ELEMENT(name, source) \
    static NN_APART void name##_of_batch(const nn_row *row, real *y, real *x, const grid *g) { \
        real n[NN_NUMBERS]; \
        numbers_of(n, row); \
        EACH_AT(g, v_store(y + at, name##_forward(v_load(x + at), n));) \
    } \
    static NN_APART void name##_slope_of_batch(const nn_row *row, real *dx, real *dy, real *x, real *y, const grid *g) { \
        const real *from = source == INPUT ? x : y; \
        real n[NN_NUMBERS]; \
        numbers_of(n, row); \
        EACH_AT(g, v_store(dx + at, name##_backward(v_load(dy + at), v_load(from + at), n));) \
    }
#define ROWWISE(name) \
    static NN_APART void name##_of_batch(const nn_row *row, real *y, real *x, const grid *g) { \
        real n[NN_NUMBERS]; \
        numbers_of(n, row); \
        for (size_t r = 0; r < g->rows; r += NN_LANES) { \
            real *lanes = lanes_of(g, x, r, 0); \
            name##_forward(g->narrow ? y + r : lanes, lanes, g->units, lanes_pitch(g), n); \
            lanes_back(g, y, r, lanes); \
        } \
    } \
    static NN_APART void name##_slope_of_batch(const nn_row *row, real *dx, real *dy, real *x, real *y, const grid *g) { \
        real n[NN_NUMBERS]; \
        numbers_of(n, row); \
        for (size_t r = 0; r < g->rows; r += NN_LANES) { \
            real *lanes = lanes_of(g, dy, r, 0); \
            name##_backward(g->narrow ? dx + r : lanes, lanes, lanes_of(g, y, r, 1), g->units, lanes_pitch(g), n); \
            lanes_back(g, dx, r, lanes); \
        } \
    }
NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)
#undef ELEMENT
#undef ROWWISE

#define ELEMENT(name, source) {name##_of_batch, name##_slope_of_batch, source == INPUT, 1},
#define ROWWISE(name) {name##_of_batch, name##_slope_of_batch, 0, 0},
static const activation_routines activations[] = {NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)};
#undef ELEMENT
#undef ROWWISE
