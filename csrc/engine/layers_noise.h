/* Layers that are random in training and the identity otherwise.
 * Element i of layer l in step t draws word i of the stream (seed, layer l, t), whoever computes it. */

/* drawn[64]: 0 for words below `lost`, else `kept` */
static void draw_kept(real *drawn, const uint32_t *words, uint32_t lost, real kept) {
    typedef real_bits lanes __attribute__((vector_size(sizeof(nn_words))));
    enum { LANES = sizeof(lanes) / sizeof(real) };
    for (size_t i = 0; i < NN_DRAWN; i += LANES) {
        uint32_t word __attribute__((vector_size(LANES * sizeof(uint32_t))));
        memcpy(&word, words + i, sizeof word);
        const lanes bits = (lanes)(__builtin_convertvector(word, lanes) >= lost) & bits_of(kept);
        memcpy(drawn + i, &bits, sizeof bits);
    }
}

/* drawn[64]: normal numbers of that mean and deviation. A mean of -0 leaves even the signs of zeros alone. */
static void draw_normal(real *drawn, const uint32_t *words, double mean, double deviation) {
    typedef real lanes __attribute__((vector_size(NN_WORD_LANES * sizeof(real))));
    double u[NN_DRAWN], z[NN_DRAWN];
    nn_uniform_numbers(u, words);
    nn_normal_quantiles(z, u);
    for (size_t i = 0; i < NN_DRAWN; i += NN_WORD_LANES) {
        const lanes x = __builtin_convertvector(mean + deviation * nn_doubles_at(z + i), lanes);
        memcpy(drawn + i, &x, sizeof x);
    }
}

/* Runs DRAW for every 64 words, to make reals[64] of them, and BODY for each vec of those, `drawn`, and its place `at` in a grid, padding included.
 * Elements are numbered in rows of a wide batch, in units of a narrow one, each padded to a multiple of 16. */
#define EACH_DRAWN(p, s, g, DRAW, BODY) { \
    uint32_t words[NN_DRAWN]; \
    real reals[NN_DRAWN]; \
    const size_t inner = nn_pad(grid_inner(g)), before = (g)->narrow ? 0 : (p)->first * inner; \
    for (size_t i = 0, next = 0; i < grid_outer(g); i++) { \
        for (size_t j = 0; j < inner; j += NN_LANES, next += NN_LANES) { \
            if (next % NN_DRAWN == 0) { \
                nn_random_words(words, (p)->seed, NN_FOR_LAYER + (uint32_t)site_index(p, s), (p)->iteration, (before + next) / 4); \
                DRAW \
            } \
            const size_t at = grid_at((g), i, j); \
            const vec drawn = v_load(reals + next % NN_DRAWN); \
            BODY \
        } \
    } \
}

/* factor = 0 with the layer's rate as probability, else `kept`. Where elements share their words, those of a row (shared 1), of a unit (2), or all (3), row r,
 * or unit u, has word r, or u. */
static void draw_factors(nn_pass *p, const nn_site *s, const grid *g, real *factor, real kept) {
    const uint32_t lost = (uint32_t)(s->numbers[0] * 4294967296.0);
    const int shared = (int)s->numbers[1];
    if (!shared) {
        EACH_DRAWN(p, s, g, draw_kept(reals, words, lost, kept);, v_store(factor + at, drawn);)
        return;
    }
    uint32_t words[NN_DRAWN];
    const size_t sets = shared == 1 ? g->rows : shared == 2 ? g->units : 1, before = shared == 1 ? p->first : 0; /* a multiple of 16 */
    for (size_t i = 0; i < sets; i++) {
        if (i % NN_DRAWN == 0) nn_random_words(words, p->seed, NN_FOR_LAYER + (uint32_t)site_index(p, s), p->iteration, (before + i) / 4);
        const size_t first_row = shared == 1 ? i : 0, rows = shared == 1 ? 1 : g->rows;
        const size_t first_unit = shared == 2 ? i : 0, units = shared == 2 ? 1 : g->units;
        for (size_t r = first_row; r < first_row + rows; r++) {
            for (size_t u = first_unit; u < first_unit + units; u++) {
                factor[g->narrow ? u * g->pitch + r : grid_at(g, r, u / NN_LANES * NN_LANES) + u % NN_LANES] = words[i % NN_DRAWN] < lost ? 0 : kept;
            }
        }
    }
}

/* y = x * factor, 16 at a time; without factors a copy, and nothing at all in place. */
static void scale_elements(real *y, const real *x, const real *factor, const grid *g) {
    if (!factor && y == x) return;
    EACH_AT(g, v_store(y + at, factor ? v_mul(v_load(x + at), v_load(factor + at)) : v_load(x + at));)
}

/* The backward pass of layers that keep the slope of each element in scratch. */
static void scaled_backward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    scale_elements(s->dx, s->dy, p->training ? s->scratch : NULL, &g);
}

/* ---- dropout. n: rate, shared. ---- In training each element is 0 with probability rate, else x / (1 - rate); elements of a row go together where
 * shared is 1, those of a unit where it is 2, all where it is 3. Srivastava et al., 2014; keras.layers. */

static void dropout_shape(nn_layer *l) {
    l->elementwise = 1;
    l->wants_scratch = 1; /* for the factors 0 and 1 / (1 - rate) */
}

static void dropout_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    real *factor = p->training ? s->scratch : NULL;
    if (factor) draw_factors(p, s, &g, factor, (real)(1 / (1 - s->numbers[0])));
    scale_elements(s->y, s->x, factor, &g);
}

static void dropout_backward(nn_pass *p, const nn_site *s) { scaled_backward(p, s); }

/* ---- gaussian_dropout. n: rate. ---- In training each element is multiplied by a normal number of mean 1 and deviation sqrt(rate / (1 - rate)).
 * Srivastava et al., 2014; keras.layers. */

static void gaussian_dropout_shape(nn_layer *l) { l->elementwise = l->wants_scratch = 1; }

static void gaussian_dropout_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    real *factor = p->training ? s->scratch : NULL;
    if (factor) {
        const double deviation = __builtin_sqrt(s->numbers[0] / (1 - s->numbers[0]));
        EACH_DRAWN(p, s, &g, draw_normal(reals, words, 1, deviation);, v_store(factor + at, drawn);)
    }
    scale_elements(s->y, s->x, factor, &g);
}

static void gaussian_dropout_backward(nn_pass *p, const nn_site *s) { scaled_backward(p, s); }

/* ---- gaussian_noise. n: deviation. ---- In training a normal number of mean 0 and that deviation is added to each element. */

static void gaussian_noise_shape(nn_layer *l) { l->elementwise = 1; }

static void gaussian_noise_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
    scale_elements(y, x, NULL, &g);
    const double deviation = s->numbers[0];
    if (p->training) EACH_DRAWN(p, s, &g, draw_normal(reals, words, -0.0, deviation);, v_store(y + at, v_add(v_load(y + at), drawn));)
}

static void gaussian_noise_backward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    scale_elements(s->dx, s->dy, NULL, &g);
}

/* ---- alpha_dropout. n: rate, shared as in dropout. ---- In training each element is, with probability rate, replaced by what selu tends to far below 0; then all go
 * y = a x + b, which gives inputs of mean 0 and variance 1 such outputs. Klambauer et al., 2017; keras.layers. */

static void alpha_dropout_shape(nn_layer *l) {
    l->elementwise = 1;
    l->wants_scratch = 1; /* for the slopes 0 and a */
}

static void alpha_dropout_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y, *slope = s->scratch;
    if (!p->training) {
        scale_elements(y, x, NULL, &g);
        return;
    }
    const double rate = s->numbers[0], lowest = -1.0507009873554805 * 1.6732632423543772;
    const double a = 1 / __builtin_sqrt((1 - rate) * (1 + rate * lowest * lowest)), b = -a * lowest * rate;
    const vec offset = v_set((real)b), in_place = v_set((real)(a * lowest + b));
    draw_factors(p, s, &g, slope, (real)a);
    EACH_AT(&g, const vec s = v_load(slope + at); v_store(y + at, v_select(v_gt(s, v_zero()), v_fma(s, v_load(x + at), offset), in_place));)
}

static void alpha_dropout_backward(nn_pass *p, const nn_site *s) { scaled_backward(p, s); }

#undef EACH_DRAWN
