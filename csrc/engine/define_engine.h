/* The whole engine for one target and dtype. The including file has opened the target's region and included its simd header; it defines
 * NN_ENGINE, the name of the table, and NN_TARGET, the name of the target. */

#include "../model.h"
#include "../pool.h"
#include "../random.h"
#include "../draw.h"
#include "../scalar.h"
#include "vmath.h"

#include "batch.h"
#include "panels.h"
#include "activations.h"
#include "lanes.h"
#include "losses.h"
#include "metrics.h"
#include "optimizers.h"
#include "step.h"
#include "layers.h"
#include "pass.h"
#include "update.h"
#include "staging.h"
#include "train.h"

/* block: a tensor in its panels, padding 0. array: rows x columns. */
static size_t storage_of(const nn_tensor *t, size_t k, size_t j) { return t->offset + j / t->panel * t->rows * t->panel + k * t->panel + j % t->panel; }

static void tensor_pack(const nn_tensor *t, void *block, const void *array) {
    for (size_t i = 0; i < t->size; i++) ((real *)block)[t->offset + i] = 0;
    for (size_t k = 0; k < t->rows; k++) {
        for (size_t j = 0; j < t->columns; j++) ((real *)block)[storage_of(t, k, j)] = ((const real *)array)[k * t->columns + j];
    }
}

static void tensor_unpack(const nn_tensor *t, void *array, const void *block) {
    for (size_t k = 0; k < t->rows; k++) {
        for (size_t j = 0; j < t->columns; j++) ((real *)array)[k * t->columns + j] = ((const real *)block)[storage_of(t, k, j)];
    }
}

static int loss_fuses(uint32_t loss, uint32_t layer) { return losses[loss].fused && layer == LAYERS + losses[loss].fuses; }

/* y[rows][units] = activation(x), 16 rows at a time through scratch: five blocks with room for them. */
static void apply_activation(const nn_row *row, const void *x, size_t rows, size_t units, void *scratch, void *y) {
    const size_t reals = nn_room(0, NN_LANES) * nn_pad(units);
    real *in = scratch, *out = in + reals;
    for (size_t r = 0; r < rows; r += NN_LANES) {
        const grid g = {at_most_16(rows - r), units, nn_pitch(0, NN_LANES), out + reals, reals, 0};
        gather(in, &g, x, NULL, r);
        activations[row->row].forward(row, out, in, &g);
        scatter((real *)y + r * units, &g, out);
    }
}

/* Value i of a stream is a function of word i of its blocks: (word + 1/2) / 2^32, mapped to the distribution in double. */
static void fill_random(nn_distribution kind, double a, double b, uint64_t seed, uint64_t stream, size_t n, void *out) {
    static const double below_two = 0.022750131948179209; /* the normal distribution function of -2 */
    uint32_t words[NN_DRAWN];
    double u[NN_DRAWN], z[NN_DRAWN];
    for (size_t i = 0; i < n; i++) {
        if (i % NN_DRAWN == 0) {
            nn_random_words(words, seed, NN_FOR_INITIAL, stream, i / 4);
            nn_uniform_numbers(u, words);
            for (size_t k = 0; kind == NN_TRUNCATED_NORMAL && k < NN_DRAWN; k++) u[k] = below_two + u[k] * (1 - 2 * below_two);
            if (kind != NN_UNIFORM) nn_normal_quantiles(z, u);
        }
        ((real *)out)[i] = (real)(kind == NN_UNIFORM ? a + (b - a) * u[i % NN_DRAWN] : a + b * z[i % NN_DRAWN]);
    }
}

#define LIST(names) {names, sizeof names / sizeof *names}
const nn_engine NN_ENGINE = {
    .target = NN_TARGET,
    .bits = NN_BITS,
    .site_size = sizeof(nn_site),
    .families = {[NN_LAYERS] = LIST(layer_names), [NN_ACTIVATIONS] = LIST(activation_names), [NN_LOSSES] = LIST(loss_names),
                 [NN_METRICS] = LIST(metric_names), [NN_OPTIMIZERS] = LIST(optimizer_names), [NN_CONSTRAINTS] = LIST(constraint_names)},
    .layer_shape = layer_shape,
    .layer_join = layer_join,
    .loss_fuses = loss_fuses,
    .optimizer_slots = optimizer_slots,
    .optimizer_initial = optimizer_initial,
    .survey = survey_duties,
    .pack = tensor_pack,
    .unpack = tensor_unpack,
    .begin_sites = begin_sites,
    .stage = run_stage,
    .begin_epoch = begin_epoch,
    .advance = run_advance,
    .evaluate = model_evaluate,
    .predict = run_predict,
    .forward = run_forward,
    .backward = run_backward,
    .update = model_update,
    .activate = apply_activation,
    .random = fill_random,
};
