/* Losses. To add one: its routines and its row in NN_LOSS_ROWS, here; an entry in nnlite/losses.py; a line of tests/reference.py.
 *
 * t: targets, p: outputs of the network, n: the row's numbers in the order stated.
 * MEAN and SUM rows have NAME_value(t, p, n) and NAME_gradient(t, p, n), the derivative in p, over 16 elements; the loss of a row of the batch is
 * their mean, or sum, over its units. A ROWWISE row has NAME_value(t, p, units, pitch, n) and NAME_gradient(dp, t, p, scale, units, pitch, n) over 16
 * rows of the batch, one in each lane.
 * FUSES names the activation whose logits the loss can differentiate directly, with NAME_fused in place of NAME_gradient: never dead where a
 * probability has reached 0 or 1. Formulas: keras.losses; values are clipped as Keras does, so that printed numbers agree. */

NN_INLINE vec mean_squared_error_value(vec t, vec p, const real *n) {
    const vec d = v_sub(p, t);
    return v_mul(d, d);
}
NN_INLINE vec mean_squared_error_gradient(vec t, vec p, const real *n) { return v_mul(v_set(2), v_sub(p, t)); }

NN_INLINE vec v_sign(vec x) { return v_select(v_gt(x, v_zero()), v_set(1), v_select(v_lt(x, v_zero()), v_set(-1), x)); }
NN_INLINE vec mean_absolute_error_value(vec t, vec p, const real *n) { return v_abs(v_sub(p, t)); }
NN_INLINE vec mean_absolute_error_gradient(vec t, vec p, const real *n) { return v_sign(v_sub(p, t)); }

/* n: epsilon. 100 |p - t| / max(|t|, epsilon). */
NN_INLINE vec mean_absolute_percentage_error_value(vec t, vec p, const real *n) {
    return v_mul(v_set(100), v_div(v_abs(v_sub(p, t)), v_max(v_abs(t), v_set(n[0]))));
}
NN_INLINE vec mean_absolute_percentage_error_gradient(vec t, vec p, const real *n) {
    return v_div(v_mul(v_set(100), v_sign(v_sub(p, t))), v_max(v_abs(t), v_set(n[0])));
}

/* n: epsilon. (log(1 + max(p, epsilon)) - log(1 + max(t, epsilon)))^2. */
NN_INLINE vec log_difference(vec t, vec p, const real *n) {
    return v_sub(v_log1p(v_max(v_set(n[0]), p)), v_log1p(v_max(v_set(n[0]), t))); /* NaN stays NaN */
}
NN_INLINE vec mean_squared_logarithmic_error_value(vec t, vec p, const real *n) {
    const vec d = log_difference(t, p, n);
    return v_mul(d, d);
}
NN_INLINE vec mean_squared_logarithmic_error_gradient(vec t, vec p, const real *n) {
    const vec slope = v_div(v_mul(v_set(2), log_difference(t, p, n)), v_add(v_set(1), p));
    return v_keep(v_gt(p, v_set(n[0])), slope);
}

/* log of numbers clipped to [epsilon, 1 - epsilon], of 1 less such a number, or of a ratio of two: normal unless epsilon is next to nothing, or too large. */
NN_INLINE vec log_clipped(vec x, real epsilon) {
    const real most = 1 - epsilon;
    return 0 < most && most < 1 ? v_log_normal(x) : v_log(x);
}

/* n: label_smoothing, epsilon. -(t log p + (1 - t) log(1 - p)), p clipped to [epsilon, 1 - epsilon]. */
NN_INLINE vec smooth_binary(vec t, const real *n) { return v_fma(t, v_set(1 - n[0]), v_set(n[0] / 2)); }
NN_INLINE vec binary_crossentropy_value(vec t, vec p, const real *n) {
    const vec y = smooth_binary(t, n), q = clip(p, n[1], 1 - n[1]), one = v_set(1), rest = v_sub(one, q);
    const mask yes = v_eq(y, one);
    if (m_all(m_or(yes, v_eq(y, v_zero())))) return v_neg(log_clipped(v_select(yes, q, rest), n[1])); /* the other logarithm counts for nothing */
    return v_neg(v_fma(y, log_clipped(q, n[1]), v_mul(v_sub(one, y), log_clipped(rest, n[1]))));
}
NN_INLINE vec binary_crossentropy_gradient(vec t, vec p, const real *n) {
    const mask inside = m_and(v_ge(p, v_set(n[1])), v_le(p, v_set(1 - n[1])));
    return v_keep(inside, v_div(v_sub(p, smooth_binary(t, n)), v_fnma(p, p, p)));
}
NN_INLINE vec binary_crossentropy_fused(vec t, vec p, const real *n) { return v_sub(p, smooth_binary(t, n)); }

/* n: label_smoothing. p are logits: max(p, 0) - p t + log(1 + e^-|p|). */
NN_INLINE vec binary_crossentropy_from_logits_value(vec t, vec p, const real *n) { return v_fnma(p, smooth_binary(t, n), v_softplus(p)); }
NN_INLINE vec binary_crossentropy_from_logits_gradient(vec t, vec p, const real *n) { return v_sub(sigmoid_forward(p, NULL), smooth_binary(t, n)); }

/* Focal losses: a crossentropy times miss^gamma, the share of the probability that missed; what is nearly right counts for little.
 * "Focal loss for dense object detection", Lin et al., 2017. n: gamma, positive, negative; positive and negative weigh y and 1 - y. */
NN_INLINE vec focal_weight(vec y, const real *n) { return v_fma(y, v_set(n[1]), v_mul(v_sub(v_set(1), y), v_set(n[2]))); }
NN_INLINE vec focal_value(vec y, vec miss, vec crossentropy, const real *n) {
    return v_mul(v_mul(focal_weight(y, n), v_power(miss, n[0])), crossentropy);
}
NN_INLINE vec focal_power_slope(vec miss, real gamma) { /* taken for level at 0, where it may be infinite */
    return v_keep(v_gt(miss, v_zero()), v_mul(v_set(gamma), v_power(miss, gamma - 1)));
}
NN_INLINE vec focal_gradient(vec y, vec miss, vec miss_slope, vec crossentropy, vec crossentropy_slope, const real *n) {
    const vec turn = v_mul(v_mul(focal_power_slope(miss, n[0]), miss_slope), crossentropy);
    return v_mul(focal_weight(y, n), v_fma(v_power(miss, n[0]), crossentropy_slope, turn));
}

/* n: label_smoothing, epsilon, gamma, positive, negative. miss = y (1 - p) + (1 - y) p, not below 0. */
NN_INLINE vec binary_miss(vec y, vec p, vec rest) { return v_max(v_zero(), v_fma(y, rest, v_mul(v_sub(v_set(1), y), p))); }
NN_INLINE vec binary_focal_crossentropy_value(vec t, vec p, const real *n) {
    const vec y = smooth_binary(t, n);
    return focal_value(y, binary_miss(y, p, v_sub(v_set(1), p)), binary_crossentropy_value(t, p, n), n + 2);
}
NN_INLINE vec binary_focal_crossentropy_gradient(vec t, vec p, const real *n) {
    const vec y = smooth_binary(t, n), miss = binary_miss(y, p, v_sub(v_set(1), p)), miss_slope = v_fnma(v_set(2), y, v_set(1));
    return focal_gradient(y, miss, miss_slope, binary_crossentropy_value(t, p, n), binary_crossentropy_gradient(t, p, n), n + 2);
}

/* n: label_smoothing, gamma, positive, negative. As above for sigmoid(p), with nothing clipped. */
NN_INLINE vec binary_focal_crossentropy_from_logits_value(vec t, vec p, const real *n) {
    const vec y = smooth_binary(t, n);
    vec rest;
    const vec s = sigmoid_and_rest(p, &rest);
    return focal_value(y, binary_miss(y, s, rest), binary_crossentropy_from_logits_value(t, p, n), n + 1);
}
NN_INLINE vec binary_focal_crossentropy_from_logits_gradient(vec t, vec p, const real *n) {
    const vec y = smooth_binary(t, n);
    vec rest;
    const vec s = sigmoid_and_rest(p, &rest), miss_slope = v_mul(v_fnma(v_set(2), y, v_set(1)), v_mul(s, rest));
    return focal_gradient(y, binary_miss(y, s, rest), miss_slope, binary_crossentropy_from_logits_value(t, p, n), v_sub(s, y), n + 1);
}

/* n: delta. d^2 / 2 for d = |p - t| <= delta, delta (d - delta / 2) above. Huber, 1964. */
NN_INLINE vec huber_value(vec t, vec p, const real *n) {
    const vec d = v_abs(v_sub(p, t)), half = v_set(0.5);
    return v_select(v_le(d, v_set(n[0])), v_mul(v_mul(half, d), d), v_mul(v_set(n[0]), v_sub(d, v_set(n[0] / 2))));
}
NN_INLINE vec huber_gradient(vec t, vec p, const real *n) { return clip(v_sub(p, t), -n[0], n[0]); }

/* n: zero_is_minus; where it is 1, a target of 0 stands for -1. */
NN_INLINE vec sign_target(vec t, const real *n) { return n[0] != 0 ? v_select(v_eq(t, v_zero()), v_set(-1), t) : t; }
NN_INLINE vec hinge_margin(vec t, vec p, const real *n) { return v_fnma(sign_target(t, n), p, v_set(1)); }
NN_INLINE vec hinge_value(vec t, vec p, const real *n) { return v_max(v_zero(), hinge_margin(t, p, n)); }
NN_INLINE vec hinge_gradient(vec t, vec p, const real *n) { return v_keep(v_gt(hinge_margin(t, p, n), v_zero()), v_neg(sign_target(t, n))); }

NN_INLINE vec squared_hinge_value(vec t, vec p, const real *n) {
    const vec h = hinge_value(t, p, n);
    return v_mul(h, h);
}
NN_INLINE vec squared_hinge_gradient(vec t, vec p, const real *n) { return v_mul(v_mul(v_set(-2), sign_target(t, n)), hinge_value(t, p, n)); }

/* log cosh d = d + log(1 + e^(-2 d)) - log 2 for d = |p - t| */
NN_INLINE vec log_cosh_value(vec t, vec p, const real *n) {
    const vec d = v_abs(v_sub(p, t));
    return v_sub(v_add(d, v_softplus(v_mul(v_set(-2), d))), v_set((real)0.693147180559945309417));
}
NN_INLINE vec log_cosh_gradient(vec t, vec p, const real *n) { return v_tanh(v_sub(p, t)); }

/* n: epsilon. t log(t / p), both clipped to [epsilon, 1]. */
NN_INLINE vec kl_divergence_value(vec t, vec p, const real *n) {
    const vec y = clip(t, n[0], 1);
    return v_mul(y, log_clipped(v_div(y, clip(p, n[0], 1)), n[0]));
}
NN_INLINE vec kl_divergence_gradient(vec t, vec p, const real *n) {
    const mask inside = m_and(v_ge(p, v_set(n[0])), v_le(p, v_set(1)));
    return v_keep(inside, v_neg(v_div(clip(t, n[0], 1), p)));
}

/* n: epsilon. p - t log(p + epsilon). */
NN_INLINE vec poisson_value(vec t, vec p, const real *n) { return v_fnma(t, v_log(v_add(p, v_set(n[0]))), p); }
NN_INLINE vec poisson_gradient(vec t, vec p, const real *n) { return v_sub(v_set(1), v_div(t, v_add(p, v_set(n[0])))); }

#include "losses_rowwise.h"

#define NN_LOSS_ROWS(MEAN, SUM, ROWWISE) \
    MEAN(mean_squared_error) \
    MEAN(mean_absolute_error) \
    MEAN(mean_absolute_percentage_error) \
    MEAN(mean_squared_logarithmic_error) \
    MEAN(binary_crossentropy) \
    MEAN(binary_crossentropy_from_logits) \
    ROWWISE(categorical_crossentropy) \
    ROWWISE(categorical_crossentropy_from_logits) \
    ROWWISE(sparse_categorical_crossentropy) \
    ROWWISE(sparse_categorical_crossentropy_from_logits) \
    MEAN(hinge) \
    MEAN(squared_hinge) \
    ROWWISE(categorical_hinge) \
    MEAN(log_cosh) \
    SUM(kl_divergence) \
    MEAN(poisson) \
    ROWWISE(cosine_similarity) \
    MEAN(huber) \
    MEAN(binary_focal_crossentropy) \
    MEAN(binary_focal_crossentropy_from_logits) \
    ROWWISE(categorical_focal_crossentropy) \
    ROWWISE(categorical_focal_crossentropy_from_logits)

/* Rows that can differentiate before an activation. */
#define NN_FUSED_ROWS(ELEMENT, ROWWISE) \
    ELEMENT(binary_crossentropy, sigmoid) \
    ROWWISE(categorical_crossentropy, softmax) \
    ROWWISE(sparse_categorical_crossentropy, softmax)

/* ---- everything below follows from the rows ---- */

#define ROW(name) LOSS_##name,
enum loss { NN_LOSS_ROWS(ROW, ROW, ROW) };
#undef ROW

#define ROW(name) #name,
static const char *const loss_names[] = {NN_LOSS_ROWS(ROW, ROW, ROW)};
#undef ROW

/* One batch as losses and metrics see it: outputs laid out as `grid` says, targets likewise but of target_units units. */
typedef struct outcome {
    grid grid, target_grid;
    real *targets, *outputs;
    real *weights;       /* [rows padded], or NULL for ones */
    size_t batch_rows;   /* of the whole batch */
} outcome;

/* Weights of the 16 elements from (outer i, inner j) on; NULL weights are ones. */
NN_INLINE vec weights_at(const real *weights, int narrow, size_t i, size_t j) {
    return !weights ? v_set(1) : narrow ? v_load(weights + j) : v_set(weights[i]);
}

/* Runs BODY for each vec of outputs: p, t and their weights; `counts` are the lanes that are not padding. */
#define EACH_ELEMENTS(o, BODY) { \
    const grid g_ = (o)->grid; \
    const size_t outer_ = grid_outer(&g_), inner_ = grid_inner(&g_), outer_step_ = grid_at(&g_, 1, 0), inner_step_ = grid_at(&g_, 0, NN_LANES); \
    const real *const outputs_ = (o)->outputs, *const targets_ = (o)->targets, *const weights_ = (o)->weights; \
    for (size_t i = 0; i < outer_; i++) { \
        for (size_t j = 0, at = i * outer_step_; j < inner_; j += NN_LANES, at += inner_step_) { \
            const vec p = v_load(outputs_ + at), t = v_load(targets_ + at), weights = weights_at(weights_, g_.narrow, i, j); \
            const mask counts = m_first(inner_ - j); \
            BODY \
        } \
    } \
}

/* Runs BODY for each 16 rows in lanes: pointers p and t, the weights, `counts` the lanes that are rows. */
#define EACH_ROWS(o, BODY) { \
    const size_t rows_ = (o)->grid.rows, units = (o)->grid.units, pitch = lanes_pitch(&(o)->grid); \
    real *const outputs_ = (o)->outputs, *const targets_ = (o)->targets; \
    const real *const weights_ = (o)->weights; \
    for (size_t r = 0; r < rows_; r += NN_LANES) { \
        real *p = lanes_of(&(o)->grid, outputs_, r, 0), *t = lanes_of(&(o)->target_grid, targets_, r, 1); \
        const mask counts = m_first(rows_ - r); \
        const vec weights = weights_ ? v_load(weights_ + r) : v_set(1); \
        BODY \
    } \
}

/* Sums over the rows of the batch of weight * value, in 16 virtual lanes, of the rows of losses and of metrics. */
#define VALUE_OF_OUTCOME(name, EACH, VALUE, divisor) \
    static NN_LARGE NN_APART double name##_value_of_outcome(const nn_row *row, const outcome *o) { \
        real n[NN_NUMBERS]; \
        vec total = v_zero(); \
        numbers_of(n, row); \
        EACH(o, total = v_fma(weights, v_keep(counts, VALUE), total);) \
        return (double)v_sum(total) / (divisor); \
    }
#define MEAN_VALUE(name) VALUE_OF_OUTCOME(name, EACH_ELEMENTS, name##_value(t, p, n), (double)o->grid.units)
#define SUM_VALUE(name) VALUE_OF_OUTCOME(name, EACH_ELEMENTS, name##_value(t, p, n), 1)
#define ROWWISE_VALUE(name) VALUE_OF_OUTCOME(name, EACH_ROWS, name##_value(t, p, units, pitch, n), 1)

/* Where the gradient of 16 rows goes: in a narrow batch to its place, in a wide one to scratch. */
#define STORE_ELEMENTS(dp, o, factor, GRADIENT) \
    EACH_ELEMENTS(o, v_store((dp) + at, fade(v_keep(counts, v_mul(v_mul(v_set(factor), weights), GRADIENT))));)
#define STORE_ROWS(dp, o, ROUTINE) \
    EACH_ROWS(o, { \
        real *lanes = (o)->grid.narrow ? (dp) + r : (o)->grid.lanes + 2 * (o)->grid.lanes_reals; \
        ROUTINE(lanes, t, p, v_keep(counts, v_mul(v_set(scale), weights)), units, pitch, n); \
        lanes_back(&(o)->grid, dp, r, lanes); \
    })

/* dp = scale * d(sum over the rows of the batch of weight * loss) / d outputs, fused: in the logits of the outputs' activation. Padding of dp is 0. */
#define GRADIENT_OF_OUTCOME(name, STORE) \
    static NN_LARGE NN_APART void name##_of_outcome(real *dp, const nn_row *row, real scale, const outcome *o) { \
        real n[NN_NUMBERS]; \
        numbers_of(n, row); \
        STORE \
    }
#define STORE_MEAN(name) GRADIENT_OF_OUTCOME(name, const real mean = scale / (real)o->grid.units; STORE_ELEMENTS(dp, o, mean, name(t, p, n)))
#define STORE_SUM(name) GRADIENT_OF_OUTCOME(name, STORE_ELEMENTS(dp, o, scale, name(t, p, n)))
#define STORE_ROWWISE(name) GRADIENT_OF_OUTCOME(name, STORE_ROWS(dp, o, name))

#define MEAN(name) MEAN_VALUE(name) STORE_MEAN(name##_gradient)
#define SUM(name) SUM_VALUE(name) STORE_SUM(name##_gradient)
#define ROWWISE(name) ROWWISE_VALUE(name) STORE_ROWWISE(name##_gradient)
NN_LOSS_ROWS(MEAN, SUM, ROWWISE)
#undef MEAN
#undef SUM
#undef ROWWISE
#define ELEMENT(name, activation) STORE_MEAN(name##_fused)
#define ROWWISE(name, activation) STORE_ROWWISE(name##_fused)
NN_FUSED_ROWS(ELEMENT, ROWWISE)
#undef ELEMENT
#undef ROWWISE

typedef double value_of_outcome(const nn_row *row, const outcome *o);
typedef void gradient_of_outcome(real *dp, const nn_row *row, real scale, const outcome *o);

typedef struct loss_routines {
    value_of_outcome *value;
    gradient_of_outcome *gradient, *fused; /* fused: before the activation `fuses`, or NULL */
    uint32_t fuses;
} loss_routines;

static const loss_routines losses[] = {
#define ROW(name) [LOSS_##name].value = name##_value_of_outcome, [LOSS_##name].gradient = name##_gradient_of_outcome,
    NN_LOSS_ROWS(ROW, ROW, ROW)
#undef ROW
#define ROW(name, activation) [LOSS_##name].fused = name##_fused_of_outcome, [LOSS_##name].fuses = ACTIVATION_##activation,
    NN_FUSED_ROWS(ROW, ROW)
#undef ROW
};
