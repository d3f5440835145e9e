/* Optimizers. To add one: its routines and its row in NN_OPTIMIZER_ROWS, here; an entry in nnlite/optimizers.py; a line of tests/reference_optimizers.py.
 *
 * NAME_prepare(h, o, rate, s) turns the optimizer's numbers and this step's rate into the few constants h the inner loop needs, in double; it alone
 * may move s->products. NAME_step(w, g, slot, h) returns the new w of 16 parameters and moves their slots.
 * A row: name, number of slots, and the value its slots start from (0, or which of its numbers).
 * sqrt(a + inner) + outer: Keras 2 adds epsilon outside the root, Keras 3 inside; one of the two is 0. */

typedef struct rates {
    double rate;       /* learning rate of this step, decay applied */
    double *products;  /* running products of the model */
} rates;

NN_INLINE void sgd_prepare(double *h, const double *n, const rates *s) { h[0] = s->rate; }
NN_INLINE vec sgd_step(vec w, vec g, vec *slot, const real *h) { return v_fnma(v_set(h[0]), g, w); }

/* n: momentum. v = momentum v - rate g; w += v. "Some methods of speeding up the convergence of iteration methods", Polyak, 1964. */
NN_INLINE void momentum_prepare(double *h, const double *n, const rates *s) { h[0] = s->rate; h[1] = n[0]; }
NN_INLINE vec momentum_velocity(vec g, vec *slot, const real *h) {
    return slot[0] = fade(v_fnma(v_set(h[0]), g, v_mul(v_set(h[1]), slot[0])));
}
NN_INLINE vec momentum_step(vec w, vec g, vec *slot, const real *h) { return v_add(w, momentum_velocity(g, slot, h)); }

/* n: momentum. As momentum, but w += momentum v - rate g with the new v. "On the importance of initialization and momentum", Sutskever et al., 2013. */
NN_INLINE void nesterov_prepare(double *h, const double *n, const rates *s) { momentum_prepare(h, n, s); }
NN_INLINE vec nesterov_step(vec w, vec g, vec *slot, const real *h) {
    const vec v = momentum_velocity(g, slot, h);
    return v_add(w, v_fnma(v_set(h[0]), g, v_mul(v_set(h[1]), v)));
}

/* x, or 0 where its square would fade anyway */
NN_INLINE vec settled(vec x) { return v_select(v_lt(v_abs(x), v_set(FADED_ROOT)), v_zero(), x); }
NN_INLINE vec square(vec x) { return v_mul(settled(x), settled(x)); }

/* mean = rho mean + (1 - rho) x */
NN_INLINE vec running(vec mean, real rho, real rest, vec x) { return fade(v_fma(v_set(rest), x, v_mul(v_set(rho), mean))); }

/* n: rho, inner, outer. a = rho a + (1 - rho) g^2; w -= rate g / (sqrt(a + inner) + outer). Tieleman and Hinton, 2012. */
NN_INLINE void rmsprop_prepare(double *h, const double *n, const rates *s) { h[0] = s->rate; h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; h[4] = n[2]; }
NN_INLINE vec scaled(vec g, vec a, const real *h) {
    return v_div(v_mul(v_set(h[0]), g), v_add(v_sqrt(v_add(a, v_set(h[3]))), v_set(h[4])));
}
NN_INLINE vec rmsprop_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], square(g));
    return v_sub(w, scaled(g, slot[0], h));
}

/* n: rho, inner, outer, momentum. m = momentum m + the step of rmsprop; w -= m. */
NN_INLINE void rmsprop_momentum_prepare(double *h, const double *n, const rates *s) { rmsprop_prepare(h, n, s); h[5] = n[3]; }
NN_INLINE vec rmsprop_momentum_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], square(g));
    slot[1] = fade(v_fma(v_set(h[5]), slot[1], scaled(g, slot[0], h)));
    return v_sub(w, slot[1]);
}

/* n: rho, inner, outer, momentum. The mean of g is taken off the mean of g^2 under the root. "Generating sequences with recurrent networks", Graves, 2013. */
NN_INLINE void rmsprop_centered_prepare(double *h, const double *n, const rates *s) { rmsprop_momentum_prepare(h, n, s); }
NN_INLINE vec rmsprop_centered_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], square(g));
    slot[2] = running(slot[2], h[1], h[2], g);
    const vec variance = v_max(v_zero(), v_fnma(slot[2], slot[2], slot[0])); /* rounding may take it below 0 */
    slot[1] = fade(v_fma(v_set(h[5]), slot[1], scaled(g, variance, h)));
    return v_sub(w, slot[1]);
}

/* n: inner, outer, initial_accumulator. a += g^2; w -= rate g / (sqrt(a + inner) + outer). Duchi et al., 2011. */
NN_INLINE void adagrad_prepare(double *h, const double *n, const rates *s) { h[0] = s->rate; h[3] = n[0]; h[4] = n[1]; }
NN_INLINE vec adagrad_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = v_fma(settled(g), settled(g), slot[0]);
    return v_sub(w, scaled(g, slot[0], h));
}

/* n: rho, epsilon. u = g sqrt(d + epsilon) / sqrt(a + epsilon); w -= rate u; d and a are means of u^2 and g^2. Zeiler, 2012. */
NN_INLINE void adadelta_prepare(double *h, const double *n, const rates *s) { h[0] = s->rate; h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; }
NN_INLINE vec adadelta_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], square(g));
    const vec u = v_div(v_mul(g, v_sqrt(v_add(slot[1], v_set(h[3])))), v_sqrt(v_add(slot[0], v_set(h[3]))));
    slot[1] = running(slot[1], h[1], h[2], square(u));
    return v_fnma(v_set(h[0]), u, w);
}

/* n: beta_1, beta_2, epsilon. Both bias corrections go into the rate, once a step: rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon),
 * the form of section 2 of "Adam: a method for stochastic optimization", Kingma and Ba, 2014, whose epsilon is Keras'. */
NN_INLINE void adam_prepare(double *h, const double *n, const rates *s) {
    s->products[0] *= n[0];
    s->products[1] *= n[1];
    h[0] = s->rate * __builtin_sqrt(1 - s->products[1]) / (1 - s->products[0]);
    h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; h[4] = 1 - n[1]; h[5] = n[2];
}
NN_INLINE vec adam_moments(vec g, vec *slot, const real *h) { /* the first moment, scaled by the rate; the second stays in slot[1] */
    slot[0] = running(slot[0], h[1], h[2], g);
    slot[1] = running(slot[1], h[3], h[4], square(g));
    return v_mul(v_set(h[0]), slot[0]);
}
NN_INLINE vec adam_step(vec w, vec g, vec *slot, const real *h) {
    const vec m = adam_moments(g, slot, h);
    return v_sub(w, v_div(m, v_add(v_sqrt(slot[1]), v_set(h[5]))));
}

/* n: as adam. The largest second moment so far takes its place. "On the convergence of Adam and beyond", Reddi et al., 2018. */
NN_INLINE void amsgrad_prepare(double *h, const double *n, const rates *s) { adam_prepare(h, n, s); }
NN_INLINE vec amsgrad_step(vec w, vec g, vec *slot, const real *h) {
    const vec m = adam_moments(g, slot, h);
    slot[2] = v_max(slot[2], slot[1]);
    return v_sub(w, v_div(m, v_add(v_sqrt(slot[2]), v_set(h[5]))));
}

/* n: beta_1, beta_2, epsilon. u = max(beta_2 u, |g|); w -= rate / (1 - beta_1^t) m / (u + epsilon). Kingma and Ba, 2014, section 7. */
NN_INLINE void adamax_prepare(double *h, const double *n, const rates *s) {
    s->products[0] *= n[0];
    h[0] = s->rate / (1 - s->products[0]);
    h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; h[5] = n[2];
}
NN_INLINE vec adamax_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], g);
    slot[1] = fade(v_max(v_mul(v_set(h[3]), slot[1]), v_abs(g)));
    return v_sub(w, v_div(v_mul(v_set(h[0]), slot[0]), v_add(slot[1], v_set(h[5]))));
}

/* n: beta_1, beta_2, epsilon, schedule_decay. mu_t = beta_1 (1 - 0.96^(t schedule_decay) / 2), P_t = mu_1 ... mu_t,
 * w -= rate ((1 - mu_t) g / (1 - P_t) + mu_(t+1) m / (1 - P_(t+1))) / (sqrt(v / (1 - beta_2^t)) + epsilon). Dozat, 2016.
 * products: beta_2^t, 0.96^(t schedule_decay), P_t. */
NN_INLINE void nadam_prepare(double *h, const double *n, const rates *s) {
    const double factor = nn_power(0.96, n[3]);
    s->products[0] *= n[1];
    s->products[1] *= factor;
    const double mu = n[0] * (1 - 0.5 * s->products[1]), next = n[0] * (1 - 0.5 * s->products[1] * factor);
    s->products[2] *= mu;
    h[0] = s->rate * (1 - mu) / (1 - s->products[2]);
    h[6] = s->rate * next / (1 - s->products[2] * next);
    h[7] = 1 / (1 - s->products[0]);
    h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; h[4] = 1 - n[1]; h[5] = n[2];
}
NN_INLINE vec nadam_step(vec w, vec g, vec *slot, const real *h) {
    slot[0] = running(slot[0], h[1], h[2], g);
    slot[1] = running(slot[1], h[3], h[4], square(g));
    const vec m = v_fma(v_set(h[6]), slot[0], v_mul(v_set(h[0]), g));
    return v_sub(w, v_div(m, v_add(v_sqrt(v_mul(slot[1], v_set(h[7]))), v_set(h[5]))));
}

/* n: beta_1, beta_2. w -= rate sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 - beta_2) g.
 * "Symbolic discovery of optimization algorithms", Chen et al., 2023. */
NN_INLINE void lion_prepare(double *h, const double *n, const rates *s) {
    h[0] = s->rate; h[1] = n[0]; h[2] = 1 - n[0]; h[3] = n[1]; h[4] = 1 - n[1];
}
NN_INLINE vec lion_step(vec w, vec g, vec *slot, const real *h) {
    const vec direction = v_sign(v_fma(v_set(h[2]), g, v_mul(v_set(h[1]), slot[0])));
    slot[0] = running(slot[0], h[3], h[4], g);
    return v_fnma(v_set(h[0]), direction, w);
}

/* n: learning_rate_power, initial_accumulator, l1, l2, l2_shrinkage, beta. a: initial_accumulator + sum of g^2, of which the slot holds the sum.
 * z += g + 2 l2_shrinkage w - (a^p - a_before^p) / rate w, p = -learning_rate_power;
 * w = (z cut to [-l1, l1] - z) / (a^p / rate + 2 l2 + beta / rate). "Ad click prediction: a view from the trenches", McMahan et al., 2013. */
NN_INLINE void ftrl_prepare(double *h, const double *n, const rates *s) {
    h[0] = 1 / s->rate; h[1] = -n[0]; h[2] = n[1]; h[3] = n[2]; h[4] = 2 * n[3] + n[5] / s->rate; h[5] = 2 * n[4];
}
NN_INLINE vec ftrl_step(vec w, vec g, vec *slot, const real *h) {
    const vec initial = v_set(h[2]), before = v_power(v_add(slot[0], initial), h[1]);
    slot[0] = v_fma(settled(g), settled(g), slot[0]);
    const vec after = v_power(v_add(slot[0], initial), h[1]), pull = v_mul(v_sub(after, before), v_set(h[0]));
    slot[1] = fade(v_add(slot[1], v_fnma(pull, w, v_fma(v_set(h[5]), w, g))));
    return v_div(v_sub(clip(slot[1], -h[3], h[3]), slot[1]), v_fma(after, v_set(h[0]), v_set(h[4])));
}

#define ZERO (-1)
#define NN_OPTIMIZER_ROWS(ROW) \
    ROW(sgd, 0, ZERO) \
    ROW(momentum, 1, ZERO) \
    ROW(nesterov, 1, ZERO) \
    ROW(rmsprop, 1, ZERO) \
    ROW(rmsprop_momentum, 2, ZERO) \
    ROW(rmsprop_centered, 3, ZERO) \
    ROW(adagrad, 1, 2) \
    ROW(adadelta, 2, ZERO) \
    ROW(adam, 2, ZERO) \
    ROW(amsgrad, 3, ZERO) \
    ROW(adamax, 2, ZERO) \
    ROW(nadam, 2, ZERO) \
    ROW(lion, 1, ZERO) \
    ROW(ftrl, 2, ZERO)

/* ---- everything below follows from the rows ---- */

#define ROW(name, slots, initial) #name,
static const char *const optimizer_names[] = {NN_OPTIMIZER_ROWS(ROW)};
#undef ROW

enum { OPTIMIZER_CONSTANTS = 8, OPTIMIZER_SLOTS = 3 };

/* prepare: this step's constants for sweep, which each row converts itself: an array filled piece by piece and read back in vectors would make the step wait.
 * sweep: one step of w[count] with gradients g[count] and slots at s, s + pitch, ...; what shares the last vec with them stays. */
#define ROW(name, slots, initial) \
    static void name##_constants(real *h, const nn_row *row, const rates *s) { \
        double d[OPTIMIZER_CONSTANTS] = {0}; \
        name##_prepare(d, row->numbers, s); \
        _Pragma("GCC unroll 8") for (int i = 0; i < OPTIMIZER_CONSTANTS; i++) h[i] = (real)d[i]; \
    } \
    static void name##_sweep(real *w, const real *g, real *s, size_t pitch, size_t count, const real *h) { \
        for (size_t i = 0; i < count; i += NN_LANES) { \
            vec slot[OPTIMIZER_SLOTS] = {0}; \
            for (int k = 0; k < (slots); k++) slot[k] = v_load(s + (size_t)k * pitch + i); \
            const vec new = name##_step(v_load(w + i), v_load(g + i), slot, h); \
            if (count - i < NN_LANES) { \
                store_tail(w + i, new, count - i); \
                for (int k = 0; k < (slots); k++) store_tail(s + (size_t)k * pitch + i, slot[k], count - i); \
                break; \
            } \
            v_store(w + i, new); \
            for (int k = 0; k < (slots); k++) v_store(s + (size_t)k * pitch + i, slot[k]); \
        } \
    }
NN_OPTIMIZER_ROWS(ROW)
#undef ROW

typedef struct optimizer_routines {
    void (*prepare)(real *h, const nn_row *row, const rates *s);
    void (*sweep)(real *w, const real *g, real *s, size_t pitch, size_t count, const real *h);
    size_t slots;
    int initial; /* which of the row's numbers the slots start from, or ZERO */
} optimizer_routines;

#define ROW(name, slots, initial) {name##_constants, name##_sweep, slots, initial},
static const optimizer_routines optimizers[] = {NN_OPTIMIZER_ROWS(ROW)};
#undef ROW

static size_t optimizer_slots(uint32_t optimizer) { return optimizers[optimizer].slots; }

static double optimizer_initial(const nn_row *row) {
    const int initial = optimizers[row->row].initial;
    return initial == ZERO ? 0 : row->numbers[initial];
}
