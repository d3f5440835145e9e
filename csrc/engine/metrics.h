/* Metrics. To add one: its routine and its row in NN_METRIC_ROWS, here; an entry in nnlite/metrics.py; a line of tests/reference.py.
 * Every loss is a metric too: the rows of NN_LOSS_ROWS follow these. Conventions as in losses.h. */

/* n: threshold. 1 where t = (p > threshold). */
NN_INLINE vec binary_accuracy_value(vec t, vec p, const real *n) {
    const vec label = v_keep(v_gt(p, v_set(n[0])), v_set(1));
    return v_keep(v_eq(t, label), v_set(1));
}

/* 1 where t = p rounded to the nearest integer, halves to even: Keras 1 and 2. */
NN_INLINE vec rounded_accuracy_value(vec t, vec p, const real *n) {
    return v_keep(v_eq(t, v_round(p)), v_set(1));
}

/* The first unit of the largest value, in each lane. */
NN_INLINE vec largest_unit(const real *p, size_t units, size_t pitch) {
    vec best = v_load(p), unit = v_zero();
    for (size_t u = 1; u < units; u++) {
        const vec v = v_load(p + u * pitch);
        unit = v_select(v_gt(v, best), v_set((real)u), unit);
        best = v_max(v, best);
    }
    return unit;
}
NN_INLINE vec categorical_accuracy_value(const real *t, const real *p, size_t units, size_t pitch, const real *n) {
    return v_keep(v_eq(largest_unit(t, units, pitch), largest_unit(p, units, pitch)), v_set(1));
}
NN_INLINE vec sparse_categorical_accuracy_value(const real *t, const real *p, size_t units, size_t pitch, const real *n) {
    return v_keep(v_eq(v_load(t), largest_unit(p, units, pitch)), v_set(1));
}

/* n: k. 1 where fewer than k units are larger than that of the class; ties are no harm. */
NN_INLINE vec among_largest(vec class, const real *p, size_t units, size_t pitch, const real *n) {
    vec own = v_load(p), larger = v_zero();
    for (size_t u = 1; u < units; u++) own = v_select(v_eq(class, v_set((real)u)), v_load(p + u * pitch), own);
    for (size_t u = 0; u < units; u++) larger = v_add(larger, v_keep(v_gt(v_load(p + u * pitch), own), v_set(1)));
    return v_keep(m_and(v_lt(larger, v_set(n[0])), v_eq(own, own)), v_set(1));
}
NN_INLINE vec top_k_categorical_accuracy_value(const real *t, const real *p, size_t units, size_t pitch, const real *n) {
    return among_largest(largest_unit(t, units, pitch), p, units, pitch, n);
}
NN_INLINE vec sparse_top_k_categorical_accuracy_value(const real *t, const real *p, size_t units, size_t pitch, const real *n) {
    return among_largest(v_load(t), p, units, pitch, n);
}

/* 1 where t = p. */
NN_INLINE vec exact_accuracy_value(vec t, vec p, const real *n) { return v_keep(v_eq(t, p), v_set(1)); }

/* n: threshold. How many of a row's units are positive, t != 0, or negative, and were taken for positive, p > threshold, or for negative. */
NN_INLINE vec count_of(mask positive, mask taken) { return v_keep(m_and(positive, taken), v_set(1)); }
NN_INLINE vec true_positives_value(vec t, vec p, const real *n) { return count_of(m_not(v_eq(t, v_zero())), v_gt(p, v_set(n[0]))); }
NN_INLINE vec false_positives_value(vec t, vec p, const real *n) { return count_of(v_eq(t, v_zero()), v_gt(p, v_set(n[0]))); }
NN_INLINE vec true_negatives_value(vec t, vec p, const real *n) { return count_of(v_eq(t, v_zero()), m_not(v_gt(p, v_set(n[0])))); }
NN_INLINE vec false_negatives_value(vec t, vec p, const real *n) { return count_of(m_not(v_eq(t, v_zero())), m_not(v_gt(p, v_set(n[0])))); }

#define NN_METRIC_ROWS(MEAN, SUM, ROWWISE) \
    MEAN(binary_accuracy) \
    MEAN(rounded_accuracy) \
    ROWWISE(categorical_accuracy) \
    ROWWISE(sparse_categorical_accuracy) \
    ROWWISE(top_k_categorical_accuracy) \
    ROWWISE(sparse_top_k_categorical_accuracy) \
    MEAN(exact_accuracy) \
    SUM(true_positives) \
    SUM(false_positives) \
    SUM(true_negatives) \
    SUM(false_negatives)

/* ---- everything below follows from the rows ---- */

#define ROW(name) #name,
static const char *const metric_names[] = {NN_METRIC_ROWS(ROW, ROW, ROW) NN_LOSS_ROWS(ROW, ROW, ROW)};
#undef ROW

NN_METRIC_ROWS(MEAN_VALUE, SUM_VALUE, ROWWISE_VALUE)

#define ROW(name) name##_value_of_outcome,
static value_of_outcome *const metrics[] = {NN_METRIC_ROWS(ROW, ROW, ROW) NN_LOSS_ROWS(ROW, ROW, ROW)};
#undef ROW
