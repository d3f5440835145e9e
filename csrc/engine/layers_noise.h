/* Layers that are random in training and the identity otherwise.
 * Element i of layer l in step t draws word i of the stream (seed, layer l, t), whoever computes it. */

/* Runs BODY for each element of a grid, padding among them, at its place `at` with its random `word`. Elements are numbered in rows of a wide batch, in units
 * of a narrow one, each padded to a multiple of 16. */
#define EACH_WORD(p, l, g, BODY) { \
    uint32_t words[64]; \
    const size_t inner = nn_pad((g)->inner), before = (g)->narrow ? 0 : (p)->first * inner; \
    for (size_t i = 0; i < (g)->outer * inner; i += NN_LANES) { \
        if (i % 64 == 0) nn_random_words(words, (p)->seed, NN_FOR_LAYER + (uint32_t)((l) - (p)->plan->layers), (p)->iteration, (before + i) / 4); \
        const uint32_t *next = words + i % 64; \
        const size_t start = grid_at((g), i / inner, i % inner); \
        for (size_t w = 0; w < NN_LANES; w++) { \
            const size_t at = start + w; \
            const uint32_t word = next[w]; \
            BODY \
        } \
    } \
}

/* The same where elements share their words: those of a row (shared 1), of a unit (2), or all (3), so that row r, or unit u, has word r, or u. */
#define EACH_SHARED_WORD(p, l, g, shared, BODY) { \
    uint32_t words[64]; \
    const size_t sets = (shared) == 1 ? (g)->rows : (shared) == 2 ? (g)->units : 1; \
    for (size_t i = 0; i < sets; i++) { \
        if (i % 64 == 0) nn_random_words(words, (p)->seed, NN_FOR_LAYER + (uint32_t)((l) - (p)->plan->layers), (p)->iteration, i / 4); \
        const uint32_t word = words[i % 64]; \
        const size_t first_row = (shared) == 1 ? i : 0, rows = (shared) == 1 ? 1 : (g)->rows; \
        const size_t first_unit = (shared) == 2 ? i : 0, units = (shared) == 2 ? 1 : (g)->units; \
        for (size_t r = first_row; r < first_row + rows; r++) { \
            for (size_t u = first_unit; u < first_unit + units; u++) { \
                const size_t at = (g)->narrow ? u * (g)->pitch + r : grid_at((g), r, u / NN_LANES * NN_LANES) + u % NN_LANES; \
                BODY \
            } \
        } \
    } \
}

/* A standard normal number for each word. */
static inline double normal_of(uint32_t word) { return nn_normal_quantile(((double)word + 0.5) * 0x1p-32); }

/* y = x * factor, 16 at a time; without factors a copy, and nothing at all in place. */
static void scale_elements(real *y, const real *x, const real *factor, const grid *g) {
    if (!factor && y == x) return;
    EACH_AT(g, v_store(y + at, factor ? v_mul(v_load(x + at), v_load(factor + at)) : v_load(x + at));)
}

/* The backward pass of layers that keep the slope of each element in scratch. */
static void scaled_backward(nn_pass *p, const nn_layer *l, real *dx) {
    const grid g = grid_of(p, l->units);
    if (dx) scale_elements(dx, place(p, l->gradient), p->training ? place(p, l->scratch) : NULL, &g);
}

/* ---- dropout. n: rate, shared. ---- In training each element is 0 with probability rate, else x / (1 - rate); elements of a row go together where
 * shared is 1, those of a unit where it is 2, all where it is 3. Srivastava et al., 2014; keras.layers. */

static void dropout_shape(nn_layer *l) {
    l->elementwise = 1;
    l->wants_scratch = 1; /* for the factors 0 and 1 / (1 - rate) */
}

static void dropout_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    real *factor = p->training ? place(p, l->scratch) : NULL;
    if (factor) {
        const uint32_t lost = (uint32_t)(l->kind.numbers[0] * 4294967296.0);
        const real kept = (real)(1 / (1 - l->kind.numbers[0]));
        const int shared = (int)l->kind.numbers[1];
        if (shared) EACH_SHARED_WORD(p, l, &g, shared, factor[at] = word < lost ? 0 : kept;)
        else EACH_WORD(p, l, &g, factor[at] = word < lost ? 0 : kept;)
    }
    scale_elements(place(p, l->output), layer_input(p, l), factor, &g);
}

static void dropout_backward(nn_pass *p, const nn_layer *l, real *dx) { scaled_backward(p, l, dx); }
static void dropout_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

/* ---- gaussian_dropout. n: rate. ---- In training each element is multiplied by a normal number of mean 1 and deviation sqrt(rate / (1 - rate)).
 * Srivastava et al., 2014; keras.layers. */

static void gaussian_dropout_shape(nn_layer *l) { l->elementwise = l->wants_scratch = 1; }

static void gaussian_dropout_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    real *factor = p->training ? place(p, l->scratch) : NULL;
    if (factor) {
        const double deviation = __builtin_sqrt(l->kind.numbers[0] / (1 - l->kind.numbers[0]));
        EACH_WORD(p, l, &g, factor[at] = (real)(1 + deviation * normal_of(word));)
    }
    scale_elements(place(p, l->output), layer_input(p, l), factor, &g);
}

static void gaussian_dropout_backward(nn_pass *p, const nn_layer *l, real *dx) { scaled_backward(p, l, dx); }
static void gaussian_dropout_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

/* ---- gaussian_noise. n: deviation. ---- In training a normal number of mean 0 and that deviation is added to each element. */

static void gaussian_noise_shape(nn_layer *l) { l->elementwise = 1; }

static void gaussian_noise_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    const real *x = layer_input(p, l);
    real *y = place(p, l->output);
    scale_elements(y, x, NULL, &g);
    if (p->training) EACH_WORD(p, l, &g, y[at] += (real)(l->kind.numbers[0] * normal_of(word));)
}

static void gaussian_noise_backward(nn_pass *p, const nn_layer *l, real *dx) {
    const grid g = grid_of(p, l->units);
    if (dx) scale_elements(dx, place(p, l->gradient), NULL, &g);
}

static void gaussian_noise_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

/* ---- alpha_dropout. n: rate, shared as in dropout. ---- In training each element is, with probability rate, replaced by what selu tends to far below 0; then all go
 * y = a x + b, which gives inputs of mean 0 and variance 1 such outputs. Klambauer et al., 2017; keras.layers. */

static void alpha_dropout_shape(nn_layer *l) {
    l->elementwise = 1;
    l->wants_scratch = 1; /* for the slopes 0 and a */
}

static void alpha_dropout_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    const real *x = layer_input(p, l);
    real *y = place(p, l->output), *slope = place(p, l->scratch);
    if (!p->training) {
        scale_elements(y, x, NULL, &g);
        return;
    }
    const double rate = l->kind.numbers[0], lowest = -1.0507009873554805 * 1.6732632423543772;
    const double a = 1 / __builtin_sqrt((1 - rate) * (1 + rate * lowest * lowest)), b = -a * lowest * rate;
    const uint32_t lost = (uint32_t)(rate * 4294967296.0);
    const vec offset = v_set((real)b), in_place = v_set((real)(a * lowest + b));
    const int shared = (int)l->kind.numbers[1];
    if (shared) EACH_SHARED_WORD(p, l, &g, shared, slope[at] = word < lost ? 0 : (real)a;)
    else EACH_WORD(p, l, &g, slope[at] = word < lost ? 0 : (real)a;)
    EACH_AT(&g, const vec s = v_load(slope + at); v_store(y + at, v_select(v_gt(s, v_zero()), v_fma(s, v_load(x + at), offset), in_place));)
}

static void alpha_dropout_backward(nn_pass *p, const nn_layer *l, real *dx) { scaled_backward(p, l, dx); }
static void alpha_dropout_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

#undef EACH_WORD
#undef EACH_SHARED_WORD
