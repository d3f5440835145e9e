/* Layers. To add one: its four routines and its row in NN_LAYER_ROWS, here or in a file included here; a class under nnlite/layers/; a line of
 * tests/reference.py. Every activation row is a layer too: those follow the rows of this list.
 *
 * NAME_shape(l)             tensors, scratch and what backward will read, from l's widths and numbers
 * NAME_forward(p, l)        output from input, both laid out as in batch.h
 * NAME_backward(p, l, dx)   dx, like the input, from the gradient in the output; dx is NULL for the first layer
 * NAME_weights(p, l)        gradients of the layer's tensors, from its input and the gradient in its output
 *
 * Backward of all layers comes before weights of any, so each gradient has its own place. Padding of outputs may hold anything finite; padding of
 * gradients is 0, so padding of parameters stays 0. */

static inline real *place(const nn_pass *p, size_t where) { return (real *)p->workspace + where * p->room; }
static inline real *fixed_place(const nn_pass *p, size_t where) { return (real *)p->workspace + p->plan->row_reals * p->room + where; }
static inline real *layer_input(const nn_pass *p, const nn_layer *l) { return l->input == NN_PLAN_INPUT ? (real *)p->input : place(p, l->input); }
static inline real *tensor_values(const nn_pass *p, const nn_layer *l, size_t t) { return (real *)p->parameters + l->tensors[t].offset; }
static inline real *tensor_gradient(const nn_pass *p, const nn_layer *l, size_t t) { return (real *)p->gradients + l->tensors[t].offset; }
NN_INLINE grid grid_of(const nn_pass *p, size_t units) {
    const nn_plan *plan = p->plan;
    return grid_new(plan->narrow, p->rows, units, fixed_place(p, plan->lanes), plan->lanes_reals);
}

/* ---- dense. n: use_bias. y = x kernel + bias; tensors kernel, bias. ---- */

static void dense_shape(nn_layer *l) {
    nn_layer_tensor(l, "kernel", l->inputs, 0, 0);
    if (l->kind.numbers[0] != 0) nn_layer_tensor(l, "bias", 1, 1, 0);
    l->keeps_input = 1;
}

static void dense_forward(nn_pass *p, const nn_layer *l) {
    const real *bias = l->n_tensors > 1 ? tensor_values(p, l, 1) : NULL;
    if (p->plan->narrow) {
        narrow_product(place(p, l->output), tensor_values(p, l, 0), 1, l->units, layer_input(p, l), bias, l->units, l->inputs, nn_pad(p->rows));
        return;
    }
    const product wide = {
        .c = place(p, l->output), .ci = l->stride, .cp = NN_LANES,
        .a = layer_input(p, l), .ai = l->input_stride, .ak = 1,
        .b = tensor_values(p, l, 0), .bp = l->inputs * NN_LANES, .bk = NN_LANES,
        .panel_start = bias, .m = p->rows, .panels = nn_pad(l->units) / NN_LANES, .k = l->inputs};
    product_run(&wide);
}

static void dense_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (!dx) return;
    if (p->plan->narrow) {
        narrow_product(dx, tensor_values(p, l, 0), l->units, 1, place(p, l->gradient), NULL, l->inputs, l->units, nn_pad(p->rows));
        return;
    }
    const product wide = {
        .c = dx, .ci = l->input_stride, .cp = NN_LANES,
        .a = place(p, l->gradient), .ai = l->stride, .ak = 1,
        .b = (const real *)p->transposed + l->transposed, .bp = l->units * NN_LANES, .bk = NN_LANES,
        .m = p->rows, .panels = nn_pad(l->inputs) / NN_LANES, .k = l->units};
    product_run(&wide);
}

static void dense_weights(nn_pass *p, const nn_layer *l) {
    const real *x = layer_input(p, l), *dy = place(p, l->gradient);
    real *kernel = tensor_gradient(p, l, 0), *bias = l->n_tensors > 1 ? tensor_gradient(p, l, 1) : NULL;
    if (p->plan->narrow) {
        narrow_gradient(p->sums, kernel, bias != NULL, x, dy, l->inputs, l->units, nn_pad(p->rows));
        return;
    }
    const product wide = {
        .c = kernel, .ci = NN_LANES, .cp = l->inputs * NN_LANES,
        .a = x, .ai = 1, .ak = l->input_stride,
        .b = dy, .bp = NN_LANES, .bk = l->stride,
        .m = l->inputs, .panels = nn_pad(l->units) / NN_LANES, .k = p->rows};
    product_run(&wide);
    for (size_t u = 0; bias && u < l->units; u += NN_LANES) {
        vec sum = v_zero();
        for (size_t r = 0; r < p->rows; r++) sum = v_add(sum, v_load(dy + r * l->stride + u));
        v_store(bias + u, sum);
    }
}

/* Panels of the transposed kernel: transposed[i / 16][u][i % 16] = kernel[u / 16][i][u % 16]. */
static void dense_transpose(const nn_layer *l, real *transposed, const real *kernel) {
    const size_t inputs = l->inputs, units = l->units;
    for (size_t i0 = 0; i0 < inputs; i0 += NN_LANES) {
        const size_t lanes = inputs - i0 < NN_LANES ? inputs - i0 : NN_LANES;
        for (size_t u = 0; u < units; u++) {
            const real *from = kernel + (u / NN_LANES) * inputs * NN_LANES + i0 * NN_LANES + u % NN_LANES;
            real *to = transposed + (i0 / NN_LANES) * units * NN_LANES + u * NN_LANES;
            for (size_t i = 0; i < lanes; i++) to[i] = from[i * NN_LANES];
        }
    }
}

#include "layers_normalization.h"
#include "layers_rows.h"
#include "layers_elementwise.h"
#include "layers_noise.h"

/* ---- activity_regularization. n: l1, l2. Identity; adds l1 sum |y| + l2 sum y^2 of the batch to the loss. ---- */

static void activity_regularization_shape(nn_layer *l) { l->elementwise = l->keeps_output = 1; }

static void activity_regularization_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    const real *x = layer_input(p, l);
    real *y = place(p, l->output);
    vec sum = v_zero(), squares = v_zero();
    for (size_t i = 0; i < g.outer; i++) {
        for (size_t j = 0; j < g.inner; j += NN_LANES) {
            const vec v = v_keep(m_first(g.inner - j), v_load(x + i * g.pitch + j));
            sum = v_add(sum, v_abs(v));
            squares = v_fma(v, v, squares);
            v_store(y + i * g.pitch + j, v);
        }
    }
    p->penalty += l->kind.numbers[0] * (double)v_sum(sum) + l->kind.numbers[1] * (double)v_sum(squares);
}

static void activity_regularization_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (!dx) return;
    const grid g = grid_of(p, l->units);
    const real *y = place(p, l->output), *dy = place(p, l->gradient);
    const vec l1 = v_set((real)l->kind.numbers[0]), l2 = v_set((real)(2 * l->kind.numbers[1]));
    for (size_t i = 0; i < grid_reals(&g); i += NN_LANES) {
        const vec v = v_load(y + i);
        v_store(dx + i, v_add(v_load(dy + i), v_fma(l2, v, v_mul(l1, v_sign(v)))));
    }
}

static void activity_regularization_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

#define NN_LAYER_ROWS(ROW) \
    ROW(dense) \
    ROW(batch_normalization) \
    ROW(layer_normalization) \
    ROW(unit_normalization) \
    ROW(normalization) \
    ROW(rescaling) \
    ROW(prelu) \
    ROW(dropout) \
    ROW(gaussian_dropout) \
    ROW(gaussian_noise) \
    ROW(alpha_dropout) \
    ROW(activity_regularization)

/* ---- everything below follows from the rows ---- */

#define ROW(name) LAYER_##name,
enum layer { NN_LAYER_ROWS(ROW) LAYERS };
#undef ROW

#define ROW(name) #name,
#define ELEMENT(name, source) #name,
#define ROWWISE(name) #name,
static const char *const layer_names[] = {NN_LAYER_ROWS(ROW) NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)};
#undef ROW
#undef ELEMENT
#undef ROWWISE

static void layer_shape(nn_layer *l) {
    switch (l->kind.row) {
#define ROW(name) case LAYER_##name: name##_shape(l); return;
        NN_LAYER_ROWS(ROW)
#undef ROW
    }
    l->elementwise = 1;
    l->keeps_input = activation_reads_input(l->kind.row - LAYERS);
    l->keeps_output = !l->keeps_input;
}

static void layer_forward(nn_pass *p, const nn_layer *l) {
    switch (l->kind.row) {
#define ROW(name) case LAYER_##name: name##_forward(p, l); return;
        NN_LAYER_ROWS(ROW)
#undef ROW
    }
    const grid g = grid_of(p, l->units);
    activation_forward(&l->kind, l->kind.row - LAYERS, place(p, l->output), layer_input(p, l), &g);
}

static void layer_backward(nn_pass *p, const nn_layer *l, real *dx) {
    switch (l->kind.row) {
#define ROW(name) case LAYER_##name: name##_backward(p, l, dx); return;
        NN_LAYER_ROWS(ROW)
#undef ROW
    }
    if (!dx) return;
    const grid g = grid_of(p, l->units);
    activation_backward(&l->kind, l->kind.row - LAYERS, dx, place(p, l->gradient), layer_input(p, l), place(p, l->output), &g);
}

static void layer_weights(nn_pass *p, const nn_layer *l) {
    switch (l->kind.row) {
#define ROW(name) case LAYER_##name: name##_weights(p, l); return;
        NN_LAYER_ROWS(ROW)
#undef ROW
    }
}
