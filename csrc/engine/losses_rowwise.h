/* Losses that look at a whole row of outputs at once, 16 rows in lanes: unit u of t, p and dp is a vec at u * pitch; sums over units are chains in unit
 * order. Rows and conventions: losses.h. Sparse targets are class numbers, one vec; the Python side has checked them, here a wrong one never matches. */

/* Where the targets come from: given in full and smoothed, or from class numbers. */
typedef struct row_targets {
    const real *t;
    size_t units, pitch;
    real keep, add; /* label smoothing: keep * t + add */
    int sparse;
} row_targets;

NN_INLINE vec target_at(const row_targets *s, size_t u) {
    if (s->sparse) return v_keep(v_eq(v_load(s->t), v_set((real)u)), v_set(1));
    return v_fma(v_load(s->t + u * s->pitch), v_set(s->keep), v_set(s->add));
}
NN_INLINE row_targets dense_targets(const real *t, size_t units, size_t pitch, real smoothing) {
    return (row_targets){t, units, pitch, 1 - smoothing, smoothing / (real)units, 0};
}
NN_INLINE row_targets sparse_targets(const real *t, size_t units, size_t pitch) { return (row_targets){t, units, pitch, 1, 0, 1}; }

NN_INLINE vec sum_units(const real *p, size_t units, size_t pitch) {
    vec total = v_zero();
    for (size_t u = 0; u < units; u++) total = v_add(total, v_load(p + u * pitch));
    return total;
}

/* Is every row's target 1 at one unit at most and 0 elsewhere? Then *chosen is its p, or 1. */
NN_INLINE int one_unit(const row_targets *s, const real *p, vec *chosen) {
    mask plain = v_eq(v_zero(), v_zero()), seen = m_not(plain);
    *chosen = v_set(1);
    for (size_t u = 0; u < s->units; u++) {
        const vec t = target_at(s, u);
        const mask here = v_eq(t, v_set(1));
        plain = m_and(plain, m_or(m_and(here, m_not(seen)), v_eq(t, v_zero())));
        seen = m_or(seen, here);
        *chosen = v_select(here, v_load(p + u * s->pitch), *chosen);
    }
    return m_all(m_and(plain, seen));
}

/* -sum t log q, q = p / sum p clipped to [epsilon, 1 - epsilon]. */
NN_INLINE vec crossentropy_value(const row_targets *s, const real *p, real epsilon) {
    const vec total = sum_units(p, s->units, s->pitch);
    vec sum = v_zero(), chosen;
    if (one_unit(s, p, &chosen)) return v_neg(log_clipped(clip(v_div(chosen, total), epsilon, 1 - epsilon), epsilon)); /* other logarithms count for nothing */
    for (size_t u = 0; u < s->units; u++) {
        const vec q = clip(v_div(v_load(p + u * s->pitch), total), epsilon, 1 - epsilon);
        sum = v_fnma(target_at(s, u), log_clipped(q, epsilon), sum);
    }
    return sum;
}

/* dp = scale * (sum of unclipped t / sum p - t / p where q is unclipped) */
NN_INLINE void crossentropy_gradient(real *dp, const row_targets *s, const real *p, vec scale, real epsilon) {
    const vec total = sum_units(p, s->units, s->pitch);
    vec kept = v_zero();
    for (size_t u = 0; u < s->units; u++) {
        const vec v = v_load(p + u * s->pitch), q = v_div(v, total);
        const mask inside = m_and(v_ge(q, v_set(epsilon)), v_le(q, v_set(1 - epsilon)));
        const vec t = v_keep(inside, target_at(s, u));
        kept = v_add(kept, t);
        v_store(dp + u * s->pitch, v_keep(inside, v_div(t, v)));
    }
    const vec share = v_div(kept, total);
    for (size_t u = 0; u < s->units; u++) v_store(dp + u * s->pitch, v_mul(scale, v_sub(share, v_load(dp + u * s->pitch))));
}

/* dz = scale * (p * sum t - t): the gradient at the logits of p = softmax(z). dz may be p. */
NN_INLINE void crossentropy_fused(real *dz, const row_targets *s, const real *p, vec scale) {
    vec total = v_set(1);
    if (!s->sparse) {
        total = v_zero();
        for (size_t u = 0; u < s->units; u++) total = v_add(total, target_at(s, u));
    }
    for (size_t u = 0; u < s->units; u++) v_store(dz + u * s->pitch, fade(v_mul(scale, v_sub(v_mul(v_load(p + u * s->pitch), total), target_at(s, u)))));
}

NN_INLINE vec log_sum_exp(const real *z, size_t units, size_t pitch) {
    vec largest;
    const vec rest = log_of_shares(z, units, pitch, &largest);
    return v_add(largest, rest);
}

/* sum t (log sum e^z - z) */
NN_INLINE vec logits_value(const row_targets *s, const real *z) {
    const vec log_total = log_sum_exp(z, s->units, s->pitch);
    vec sum = v_zero();
    for (size_t u = 0; u < s->units; u++) sum = v_fma(target_at(s, u), v_sub(log_total, v_load(z + u * s->pitch)), sum);
    return sum;
}
NN_INLINE void logits_gradient(real *dz, const row_targets *s, const real *z, vec scale) {
    softmax_forward(dz, z, s->units, s->pitch, NULL);
    crossentropy_fused(dz, s, dz, scale);
}

#define VALUE(name) NN_INLINE vec name##_value(const real *t, const real *p, size_t units, size_t pitch, const real *n)
#define GRADIENT(name) NN_INLINE void name##_gradient(real *dp, const real *t, const real *p, vec scale, size_t units, size_t pitch, const real *n)
#define FUSED(name) NN_INLINE void name##_fused(real *dp, const real *t, const real *p, vec scale, size_t units, size_t pitch, const real *n)

/* n: label_smoothing, epsilon. */
VALUE(categorical_crossentropy) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    return crossentropy_value(&s, p, n[1]);
}
GRADIENT(categorical_crossentropy) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    crossentropy_gradient(dp, &s, p, scale, n[1]);
}
FUSED(categorical_crossentropy) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    crossentropy_fused(dp, &s, p, scale);
}

/* n: label_smoothing. */
VALUE(categorical_crossentropy_from_logits) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    return logits_value(&s, p);
}
GRADIENT(categorical_crossentropy_from_logits) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    logits_gradient(dp, &s, p, scale);
}

/* n: epsilon. */
VALUE(sparse_categorical_crossentropy) {
    const row_targets s = sparse_targets(t, units, pitch);
    return crossentropy_value(&s, p, n[0]);
}
GRADIENT(sparse_categorical_crossentropy) {
    const row_targets s = sparse_targets(t, units, pitch);
    crossentropy_gradient(dp, &s, p, scale, n[0]);
}
FUSED(sparse_categorical_crossentropy) {
    const row_targets s = sparse_targets(t, units, pitch);
    crossentropy_fused(dp, &s, p, scale);
}

VALUE(sparse_categorical_crossentropy_from_logits) {
    const row_targets s = sparse_targets(t, units, pitch);
    return logits_value(&s, p);
}
GRADIENT(sparse_categorical_crossentropy_from_logits) {
    const row_targets s = sparse_targets(t, units, pitch);
    logits_gradient(dp, &s, p, scale);
}

/* n: label_smoothing, epsilon, alpha, gamma. The crossentropy, each term times alpha (1 - q)^gamma; see the focal losses of losses.h. */
VALUE(categorical_focal_crossentropy) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    const vec total = sum_units(p, units, pitch);
    vec sum = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec q = clip(v_div(v_load(p + u * pitch), total), n[1], 1 - n[1]);
        sum = v_fnma(target_at(&s, u), v_mul(v_power(v_sub(v_set(1), q), n[3]), log_clipped(q, n[1])), sum);
    }
    return v_mul(v_set(n[2]), sum);
}
GRADIENT(categorical_focal_crossentropy) { /* with slope f' of a term in q: (f' - sum f' q) / sum p */
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    const vec total = sum_units(p, units, pitch), factor = v_mul(scale, v_div(v_set(n[2]), total));
    vec mean = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec q = v_div(v_load(p + u * pitch), total), miss = v_sub(v_set(1), q);
        const mask inside = m_and(v_ge(q, v_set(n[1])), v_le(q, v_set(1 - n[1])));
        const vec bend = v_mul(focal_power_slope(miss, n[3]), v_log(q));
        const vec slope = v_keep(inside, v_mul(target_at(&s, u), v_sub(bend, v_div(v_power(miss, n[3]), q))));
        mean = v_fma(slope, v_keep(inside, q), mean);
        v_store(dp + u * pitch, slope);
    }
    for (size_t u = 0; u < units; u++) v_store(dp + u * pitch, v_mul(factor, v_sub(v_load(dp + u * pitch), mean)));
}

/* n: label_smoothing, alpha, gamma. As above for softmax(p), with nothing clipped. */
NN_INLINE vec focal_miss(vec log_q) { return v_max(v_zero(), v_neg(v_expm1(log_q))); }
VALUE(categorical_focal_crossentropy_from_logits) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    const vec log_total = log_sum_exp(p, units, pitch);
    vec sum = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec log_q = v_sub(v_load(p + u * pitch), log_total);
        sum = v_fnma(target_at(&s, u), v_mul(v_power(focal_miss(log_q), n[2]), log_q), sum);
    }
    return v_mul(v_set(n[1]), sum);
}
NN_INLINE vec focal_logits_slope(vec t, vec log_q, vec q, real gamma) { /* of a term in its own log q */
    const vec miss = focal_miss(log_q), bend = v_mul(focal_power_slope(miss, gamma), v_mul(q, v_max(v_set(-NN_LARGEST), log_q)));
    return v_mul(t, v_sub(bend, v_power(miss, gamma)));
}
GRADIENT(categorical_focal_crossentropy_from_logits) {
    const row_targets s = dense_targets(t, units, pitch, n[0]);
    const vec log_total = log_sum_exp(p, units, pitch), factor = v_mul(scale, v_set(n[1]));
    vec total = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec log_q = v_sub(v_load(p + u * pitch), log_total);
        total = v_add(total, focal_logits_slope(target_at(&s, u), log_q, v_exp(log_q), n[2]));
        v_store(dp + u * pitch, log_q);
    }
    for (size_t u = 0; u < units; u++) {
        const vec log_q = v_load(dp + u * pitch), q = v_exp(log_q);
        v_store(dp + u * pitch, v_mul(factor, v_fnma(q, total, focal_logits_slope(target_at(&s, u), log_q, q, n[2]))));
    }
}

/* max(0, 1 + max((1 - t) p) - sum t p); *worst: the first unit of the maximum. */
NN_INLINE vec categorical_margin(const real *t, const real *p, size_t units, size_t pitch, vec *worst) {
    vec positive = v_zero(), negative = v_set(-NN_INFINITY);
    *worst = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec target = v_load(t + u * pitch), output = v_load(p + u * pitch), other = v_mul(v_sub(v_set(1), target), output);
        positive = v_fma(target, output, positive);
        *worst = v_select(v_gt(other, negative), v_set((real)u), *worst);
        negative = v_max(negative, other);
    }
    return v_sub(v_add(v_set(1), negative), positive);
}
VALUE(categorical_hinge) {
    vec worst;
    return v_max(v_zero(), categorical_margin(t, p, units, pitch, &worst));
}
GRADIENT(categorical_hinge) {
    vec worst;
    const mask wrong = v_gt(categorical_margin(t, p, units, pitch, &worst), v_zero());
    for (size_t u = 0; u < units; u++) {
        const vec target = v_load(t + u * pitch), other = v_keep(v_eq(worst, v_set((real)u)), v_sub(v_set(1), target));
        v_store(dp + u * pitch, v_keep(wrong, v_mul(scale, v_sub(other, target))));
    }
}

/* sum of t / |t| * p / |p|, lengths at least 1e-6; *per_t = 1 / |t|, *per_p = 1 / |p|. */
#define LEAST_SQUARE ((real)1e-12)
NN_INLINE vec cosine(const real *t, const real *p, size_t units, size_t pitch, vec *per_t, vec *per_p, vec *square) {
    vec tt = v_zero(), pp = v_zero(), tp = v_zero();
    for (size_t u = 0; u < units; u++) {
        const vec a = v_load(t + u * pitch), b = v_load(p + u * pitch);
        tt = v_fma(a, a, tt);
        pp = v_fma(b, b, pp);
        tp = v_fma(a, b, tp);
    }
    *per_t = v_div(v_set(1), v_sqrt(v_max(v_set(LEAST_SQUARE), tt)));
    *per_p = v_div(v_set(1), v_sqrt(v_max(v_set(LEAST_SQUARE), pp)));
    *square = pp;
    return v_mul(v_mul(tp, *per_t), *per_p);
}
VALUE(cosine_similarity) {
    vec per_t, per_p, square;
    return v_neg(cosine(t, p, units, pitch, &per_t, &per_p, &square));
}
GRADIENT(cosine_similarity) {
    vec per_t, per_p, square;
    const vec c = cosine(t, p, units, pitch, &per_t, &per_p, &square);
    const vec along = v_mul(v_keep(v_gt(square, v_set(LEAST_SQUARE)), c), per_p); /* a length held at its least does not pull */
    for (size_t u = 0; u < units; u++) {
        const vec pull = v_sub(v_mul(along, v_load(p + u * pitch)), v_mul(per_t, v_load(t + u * pitch)));
        v_store(dp + u * pitch, v_mul(v_mul(scale, per_p), pull));
    }
}

#undef VALUE
#undef GRADIENT
#undef FUSED
