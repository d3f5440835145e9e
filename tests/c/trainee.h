/* Small trainings of numbers made by formula, through the engine's door: what the checks beside this file have in common. */
#ifndef TRAINEE_H
#define TRAINEE_H

#include "nnlite.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 37, BATCH = 8, STEPS = 50, EPOCHS = 10, INPUTS = 5, WIDE = 130, MOST_REALS = 40000, LAYERS = 8, METRICS = 6 };

static int failures;

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("FAILED: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    failures++;
}

#define EXPECT(status, call) \
    do { \
        const nn_status got = (call); \
        if (got != (status)) fail("line %d: %s gives \"%s\", not \"%s\"", __LINE__, #call, nn_status_text(got), nn_status_text(status)); \
    } while (0)
#define MUST(call) EXPECT(NN_OK, call)

/* ---- numbers by formula ---- */

/* A multiple of 1/8 in [-1, 1] without a visible pattern. */
static double noise(uint64_t i, uint64_t salt) {
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u + (salt + 1) * 0xD1342543DE82EF95u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z >> 32) % 17) / 8 - 1;
}

typedef union reals { /* the largest array there is: a kernel, or the rows of a net */
    float f32[MOST_REALS];
    double f64[MOST_REALS];
} reals;

static void put(reals *a, int bits, size_t i, double value) {
    if (bits == 32) a->f32[i] = (float)value;
    else a->f64[i] = value;
}

static double get(const reals *a, int bits, size_t i) { return bits == 32 ? (double)a->f32[i] : a->f64[i]; }

typedef struct hash {
    uint64_t value;
    int finite;
} hash;

/* FNV-1a over the bits; float widens to double without loss. */
static void hash_number(hash *h, double x) {
    unsigned char bytes[sizeof x];
    memcpy(bytes, &x, sizeof x);
    for (size_t i = 0; i < sizeof x; i++) h->value = (h->value ^ bytes[i]) * 0x100000001B3u;
    h->finite &= isfinite(x) != 0;
}

/* ---- tasks ---- */

typedef struct task {
    char name[64];
    struct { const char *row; size_t units; } layers[LAYERS]; /* until row is NULL */
    const char *loss, *optimizer, *constraint;
    double penalty, limits; /* l1 and l2 of all tensors; decay, weight decay and all clippings */
    int weighted, frozen;   /* frozen: the first tensor stays */
    nn_shuffling shuffle;
} task;

typedef struct trainee {
    nn_model *model;
    nn_run *run;
    int bits;
    reals x, y, weights, out;
    nn_data data, validation;
    double means[EPOCHS * 2 * (1 + METRICS)], partial[1 + METRICS], last[1 + METRICS];
    size_t width, epochs;
    nn_progress progress;
} trainee;

/* Every number of every row is 1/4: in range for all of them, so that a new row is checked without a line here. */
static nn_row row_named(nn_family family, const char *name) {
    nn_row row = {0};
    while (nn_row_name(family, row.row) && strcmp(nn_row_name(family, row.row), name) != 0) row.row++;
    if (!nn_row_name(family, row.row)) fail("there is no row %s in family %d", name, (int)family);
    for (size_t i = 0; i < NN_NUMBERS; i++) row.numbers[i] = 0.25;
    return row;
}

static int starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* A target for unit u of row r that makes sense for the loss: a class number, one-hot, a sign, or a share. */
static double target_of(const char *loss, size_t r, size_t u, size_t units) {
    const size_t class = (size_t)(8 * noise(r, 3) + 8) % units;
    if (starts(loss, "sparse_")) return (double)class;
    if (starts(loss, "categorical_")) return class == u;
    const double level = noise(r * units + u, 4);
    return strstr(loss, "hinge") ? (level > 0 ? 1 : -1) : (level > 0 ? 0.875 : 0.125) + level / 16;
}

static nn_status make_model(trainee *s, const task *t, const char *target) {
    nn_layer_record layers[LAYERS] = {0};
    size_t n = 0;
    for (; n < LAYERS && t->layers[n].row; n++) {
        layers[n] = (nn_layer_record){.kind = row_named(NN_LAYERS, t->layers[n].row), .units = t->layers[n].units};
        const nn_tensor_rule rule = {1, t->penalty, t->penalty, row_named(NN_CONSTRAINTS, t->constraint ? t->constraint : "none")};
        for (size_t k = 0; k < NN_LAYER_TENSORS; k++) layers[n].tensors[k] = rule;
    }
    layers[0].tensors[0].trainable = !t->frozen;
    return nn_model_new(layers, n, INPUTS, s->bits, target, &s->model);
}

static void fill_model(trainee *s) {
    const size_t n = nn_model_describe(s->model).tensors;
    for (size_t k = 0; k < n; k++) {
        nn_tensor_facts facts;
        MUST(nn_tensor_describe(s->model, k, &facts));
        const double base = !strcmp(facts.name, "gamma") || strstr(facts.name, "variance") ? 1 : 0.03125;
        for (size_t i = 0; i < facts.rows * facts.columns; i++) put(&s->out, s->bits, i, base + noise(i, k) / 2);
        MUST(nn_tensor_write(s->model, 0, k, &s->out));
    }
    nn_state state = nn_state_get(s->model);
    state.seed = 7;
    nn_state_set(s->model, &state);
}

/* Metrics: the loss once more, and the rows of the metrics' own list that look at targets of the loss's kind. */
static nn_status compile_model(trainee *s, const task *t) {
    nn_row metrics[METRICS] = {row_named(NN_METRICS, t->loss)};
    size_t n = 1;
    for (size_t k = 0; k < nn_row_count(NN_METRICS) - nn_row_count(NN_LOSSES) && n < METRICS; k++) {
        const char *name = nn_row_name(NN_METRICS, k);
        if (starts(name, "sparse_") == starts(t->loss, "sparse_")) metrics[n++] = row_named(NN_METRICS, name);
    }
    const nn_loss_record loss = {.kind = row_named(NN_LOSSES, t->loss), .weight = 1, .fuse = 1};
    const double limit = t->limits;
    const nn_optimizer_record optimizer = {row_named(NN_OPTIMIZERS, t->optimizer), 0.0625, limit, limit, limit, limit, limit};
    s->width = 1 + n;
    return nn_model_compile(s->model, &loss, metrics, n, &optimizer);
}

static inline void fill_data(trainee *s, const task *t) {
    const size_t outputs = nn_model_describe(s->model).units, units = starts(t->loss, "sparse_") ? 1 : outputs;
    for (size_t i = 0; i < ROWS * INPUTS; i++) put(&s->x, s->bits, i, noise(i, 1));
    for (size_t i = 0; i < ROWS * units; i++) put(&s->y, s->bits, i, target_of(t->loss, i / units, i % units, outputs));
    for (size_t i = 0; i < ROWS; i++) put(&s->weights, s->bits, i, 1 + noise(i, 2));
    s->data = (nn_data){&s->x, &s->y, t->weighted ? &s->weights : NULL, ROWS, units};
    s->validation = s->data;
    s->validation.rows = BATCH + 1;
}

static inline void advance(trainee *s, size_t batches) {
    const size_t before = s->progress.epochs;
    MUST(nn_run_advance(s->run, batches, EPOCHS, s->means + s->epochs * 2 * s->width, NULL, s->partial, s->last, &s->progress));
    s->epochs += s->progress.epochs - before;
}

static inline void hash_model(hash *h, trainee *s) {
    const nn_model_facts facts = nn_model_describe(s->model);
    const nn_state state = nn_state_get(s->model);
    for (size_t buffer = 0; buffer < 2 + facts.slots; buffer++) {
        for (size_t k = 0; k < facts.tensors && buffer != 1; k++) {
            nn_tensor_facts tensor;
            MUST(nn_tensor_describe(s->model, k, &tensor));
            MUST(nn_tensor_read(s->model, buffer, k, &s->out));
            for (size_t i = 0; i < tensor.rows * tensor.columns; i++) hash_number(h, get(&s->out, s->bits, i));
        }
    }
    const double rest[] = {(double)state.iterations, (double)state.epochs, state.learning_rate};
    for (size_t i = 0; i < 3; i++) hash_number(h, rest[i]);
    for (size_t i = 0; i < 4; i++) hash_number(h, state.products[i]);
    for (size_t i = 0; i < s->epochs * 2 * s->width; i++) hash_number(h, s->means[i]);
    for (size_t i = 0; i < s->width; i++) hash_number(h, s->last[i]);
    MUST(nn_predict(s->run, &s->x, ROWS, &s->out));
    for (size_t i = 0; i < ROWS * facts.units; i++) hash_number(h, get(&s->out, s->bits, i));
    double sums[1 + METRICS] = {0}, means[1 + METRICS];
    MUST(nn_evaluate(s->run, &s->data, 0, sums, means));
    for (size_t i = 0; i < s->width; i++) hash_number(h, means[i]);
}

#endif
