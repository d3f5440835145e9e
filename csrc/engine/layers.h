/* Layers. To add one: its row in NN_LAYER_ROWS, here, and its four routines, here or in a file included here; a class under nnlite/layers/; a line of
 * tests/reference.py. Every activation row is a layer too: those follow the rows of this list.
 *
 * NAME_shape(l)             tensors, scratch and what backward will read, from l's widths and numbers
 * NAME_forward(p, l)        output from input, both laid out as in batch.h
 * NAME_backward(p, l, dx)   dx, like the input, from the gradient in the output; dx is NULL for the first layer
 * NAME_weights(p, l)        gradients of the layer's tensors, from its input and the gradient in its output
 *
 * Backward of all layers comes before weights of any, so each gradient has its own place. Padding of outputs may hold anything finite; padding of
 * gradients is 0, so padding of parameters stays 0. */

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
    ROW(activity_regularization) \
    ROW(given)

/* Called, not inlined: the way to a small layer would lead through what the largest needs. */
#define ROW(name) \
    static NN_APART void name##_forward(nn_pass *p, const nn_layer *l); \
    static NN_APART void name##_backward(nn_pass *p, const nn_layer *l, real *dx); \
    static NN_APART void name##_weights(nn_pass *p, const nn_layer *l);
NN_LAYER_ROWS(ROW)
#undef ROW

static inline real *place(const nn_pass *p, size_t where) { return (real *)p->workspace + where * p->room; }
static inline real *fixed_place(const nn_pass *p, size_t where) { return (real *)p->fixed + where; }
static inline real *layer_input(const nn_pass *p, const nn_layer *l) { return l->input == NN_PLAN_INPUT ? (real *)p->input : place(p, l->input); }
static inline real *tensor_values(const nn_pass *p, const nn_layer *l, size_t t) { return (real *)p->parameters + l->tensors[t].offset; }
static inline real *tensor_gradient(const nn_pass *p, const nn_layer *l, size_t t) { return (real *)p->gradients + l->tensors[t].offset; }
NN_INLINE grid grid_of(const nn_pass *p, size_t units) {
    const nn_plan *plan = p->plan;
    return (grid){p->rows, units, p->pitch, p->lanes, plan->lanes_reals, plan->narrow};
}

/* ---- dense. n: use_bias. y = x kernel + bias; tensors kernel, bias. ---- */

static void dense_shape(nn_layer *l) {
    nn_layer_tensor(l, "kernel", l->inputs, 0, 0);
    if (l->kind.numbers[0] != 0) nn_layer_tensor(l, "bias", 1, 1, 0);
    l->keeps_input = 1;
    if (!l->narrow) return;
    const size_t inputs = l->inputs + (l->kind.numbers[0] != 0);
    l->chains = narrow_has_chains(inputs, l->units);
    l->tile_units = narrow_tile_units(inputs, l->units);
    l->fixed_reals = narrow_tile_count(inputs, l->units, l->tile_units) * NN_LANES * NN_LANES;
    l->keeps_sums = 1;
}

/* Reals from one panel of a wide layer's kernel to the next. */
static inline size_t kernel_pitch(const nn_layer *l) { return l->inputs * NN_LANES; }

/* Panels [from, to) of a wide layer's output. */
static void dense_forward_panels(nn_pass *p, const nn_layer *l, size_t from, size_t to) {
    const panel_product wide = {
        .c = place(p, l->output), .cp = p->pitch, .a = layer_input(p, l), .ap = p->pitch, .b = tensor_values(p, l, 0), .bp = kernel_pitch(l),
        .start = l->n_tensors > 1 ? tensor_values(p, l, 1) : NULL, .k = l->inputs, .columns = l->units};
    panel_forward(&wide, p->rows, from, to);
}

static void dense_forward(nn_pass *p, const nn_layer *l) {
    if (p->plan->narrow) {
        const real least = l->rectifies ? 0 : -NN_INFINITY;
        const narrow_operands narrow = {.c = place(p, l->output), .a = tensor_values(p, l, 0), .ai = 1, .ak = l->units, .b = layer_input(p, l),
                                        .start = l->n_tensors > 1 ? tensor_values(p, l, 1) : NULL, .m = l->units, .k = l->inputs, .with = &least};
        narrow_product(&narrow, p->pitch, 16, FLOORED);
        return;
    }
    dense_forward_panels(p, l, 0, l->stride / NN_LANES);
}

/* Panels [from, to) of the gradient in a wide layer's input. */
static void dense_backward_panels(nn_pass *p, const nn_layer *l, real *dx, size_t from, size_t to) {
    const panel_product wide = {
        .c = dx, .cp = p->pitch, .a = place(p, l->gradient), .ap = p->pitch, .b = tensor_values(p, l, 0), .bp = kernel_pitch(l),
        .turned = 1, .k = l->units, .columns = l->inputs};
    panel_forward(&wide, p->rows, from, to);
}

static void dense_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (!dx) return;
    if (p->plan->narrow) {
        const narrow_operands narrow = {.c = dx, .a = tensor_values(p, l, 0), .ai = l->units, .ak = 1, .b = place(p, l->gradient), .m = l->inputs, .k = l->units,
                                        .with = layer_input(p, l)};
        if (l[-1].backward_done) narrow_product(&narrow, p->pitch, 0, GATED); /* where dx is asked for, there is a layer before */
        else narrow_product(&narrow, p->pitch, 0, UNCHANGED);
        return;
    }
    dense_backward_panels(p, l, dx, 0, l->input_stride / NN_LANES);
}

/* Part of a wide kernel: inputs [from, to), of which from is a multiple of 16, of so many panels. */
typedef struct kernel_part {
    size_t from, to, panel, panels;
} kernel_part;

/* Gradient and optimizer step of a part of the kernel: 16 inputs and a strip of panels at a time. */
static void dense_flow(nn_pass *p, const nn_layer *l, const kernel_part *k) {
    const size_t parts = (k->panels + NN_TILE_PANELS - 1) / NN_TILE_PANELS * ((k->to - k->from + NN_LANES - 1) / NN_LANES);
    for (size_t panel = k->panel, end = panel + k->panels, n; panel < end; panel += n) {
        n = strip_panels(end - panel);
        for (size_t i = k->from; i < k->to; i += NN_LANES) {
            _Alignas(64) real gradient[NN_TILE_PANELS * BLOCK_REALS];
            nearing near = {.lines = BLOCK_REALS / NN_LINE};
            const size_t inputs = at_most_16(k->to - i), offset = l->tensors[0].offset + panel * kernel_pitch(l) + i * NN_LANES;
            const panel_product wide = {.c = gradient, .cp = BLOCK_REALS, .a = layer_input(p, l) + i / NN_LANES * p->pitch, .ap = p->pitch,
                                        .b = place(p, l->gradient) + panel * p->pitch, .bp = p->pitch, .k = p->rows, .near = &near};
            for (size_t b = 0; b < n; b++) step_nearing(p->step, &near, offset + b * kernel_pitch(l));
            if (p->ahead) ahead_nearing(p->ahead, &near, parts);
            panel_across(&wide, 0, inputs, n);
            for (size_t b = 0; b < n; b++) step_parameters(p->step, offset + b * kernel_pitch(l), gradient + b * BLOCK_REALS, inputs * NN_LANES);
        }
    }
}

/* Gradients of a part of a wide kernel, and the step of those that flow; with input 0 goes the bias. */
static void dense_gradient(nn_pass *p, const nn_layer *l, const kernel_part *k) {
    const real *dy = place(p, l->gradient);
    if (flows(p->step, &p->plan->tensors[l->first_tensor])) {
        dense_flow(p, l, k);
    } else {
        const panel_product wide = {.c = tensor_gradient(p, l, 0) + k->panel * kernel_pitch(l), .cp = kernel_pitch(l), .a = layer_input(p, l), .ap = p->pitch,
                                    .b = dy + k->panel * p->pitch, .bp = p->pitch, .k = p->rows};
        panel_across(&wide, k->from, k->to, k->panels);
    }
    for (size_t panel = k->panel; l->n_tensors > 1 && k->from == 0 && panel < k->panel + k->panels; panel++) {
        vec sum = v_zero();
        for (size_t r = 0; r < p->rows; r++) sum = v_add(sum, v_load(dy + panel * p->pitch + r * NN_LANES));
        v_store(tensor_gradient(p, l, 1) + panel * NN_LANES, sum);
    }
}

static void dense_weights(nn_pass *p, const nn_layer *l) {
    if (!p->plan->narrow) {
        dense_gradient(p, l, &(kernel_part){0, l->inputs, 0, l->stride / NN_LANES});
        return;
    }
    const int bias = l->n_tensors > 1, all = p->begins && p->ends;
    real *x = layer_input(p, l); /* with room for one more input if there is a bias */
    const size_t pitch = p->pitch;
    for (real *ones = x + l->inputs * pitch, *end = bias ? ones + pitch : ones; ones < end; ones += NN_LANES) v_store(ones, v_set(1));
    const narrow_layer narrow = {.gradient = tensor_gradient(p, l, 0), .x = x, .dy = place(p, l->gradient), .inputs = l->inputs + (size_t)bias, .units = l->units,
                                 .pitch = pitch, .kept = all ? NULL : fixed_place(p, l->fixed), .begins = p->begins, .ends = p->ends, .waiting = p->lanes};
    narrow_gradient(&narrow, l->chains, l->tile_units);
}

#include "layers_normalization.h"
#include "layers_rows.h"
#include "layers_elementwise.h"
#include "layers_noise.h"
#include "layers_given.h"

/* ---- activity_regularization. n: l1, l2, per_row. Identity; adds l1 sum |y| + l2 sum y^2 of the batch to the loss, over its rows if per_row. ---- */

static double activity_share(const nn_pass *p, const nn_layer *l) { return l->kind.numbers[2] != 0 ? 1 / (double)p->rows : 1; }

static void activity_regularization_shape(nn_layer *l) { l->elementwise = l->keeps_output = l->couples_rows = 1; }

static void activity_regularization_forward(nn_pass *p, const nn_layer *l) {
    const grid g = grid_of(p, l->units);
    const real *x = layer_input(p, l);
    real *y = place(p, l->output);
    vec sum = v_zero(), squares = v_zero();
    for (size_t i = 0; i < grid_outer(&g); i++) {
        for (size_t j = 0; j < grid_inner(&g); j += NN_LANES) {
            const size_t at = grid_at(&g, i, j);
            const vec whole = v_load(x + at), v = v_keep(m_first(grid_inner(&g) - j), whole);
            sum = v_add(sum, v_abs(v));
            squares = v_fma(v, v, squares);
            v_store(y + at, whole); /* rows of padding too, which a loss may divide by */
        }
    }
    p->penalty += activity_share(p, l) * (l->kind.numbers[0] * (double)v_sum(sum) + l->kind.numbers[1] * (double)v_sum(squares));
}

static void activity_regularization_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (!dx) return;
    const grid g = grid_of(p, l->units);
    const real *y = place(p, l->output), *dy = place(p, l->gradient);
    const double share = activity_share(p, l);
    const vec l1 = v_set((real)(share * l->kind.numbers[0])), l2 = v_set((real)(share * 2 * l->kind.numbers[1]));
    for (size_t i = 0; i < grid_outer(&g); i++) {
        for (size_t j = 0; j < grid_inner(&g); j += NN_LANES) {
            const size_t at = grid_at(&g, i, j);
            const vec v = v_keep(m_first(grid_inner(&g) - j), v_load(y + at));
            v_store(dx + at, v_add(v_load(dy + at), v_fma(l2, v, v_mul(l1, v_sign(v)))));
        }
    }
}

static void activity_regularization_weights(nn_pass *p, const nn_layer *l) { (void)p; (void)l; }

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

typedef struct layer_routines {
    void (*shape)(nn_layer *l);
    void (*forward)(nn_pass *p, const nn_layer *l);
    void (*backward)(nn_pass *p, const nn_layer *l, real *dx);
    void (*weights)(nn_pass *p, const nn_layer *l);
} layer_routines;

#define ROW(name) {name##_shape, name##_forward, name##_backward, name##_weights},
static const layer_routines layers[] = {NN_LAYER_ROWS(ROW)};
#undef ROW

static void layer_shape(nn_layer *l) {
    if (l->kind.row < LAYERS) {
        layers[l->kind.row].shape(l);
        return;
    }
    l->elementwise = 1;
    l->keeps_input = activations[l->kind.row - LAYERS].reads_input;
    l->keeps_output = !l->keeps_input;
}

/* In a narrow plan a dense layer computes the relu behind it, and what goes back through the relu before it, while the numbers are in registers. */
static void layer_join(nn_layer *l, nn_layer *before) {
    const uint32_t relu = LAYERS + ACTIVATION_relu;
    if (!l->narrow) return;
    if (before->kind.row == LAYER_dense && l->kind.row == relu) before->rectifies = l->forward_done = 1;
    if (before->kind.row == relu && l->kind.row == LAYER_dense) before->backward_done = 1;
}

/* The outputs of a layer that is an activation, or so many units of them from a panel on, which starts at `start`. */
NN_INLINE void layer_activation(nn_pass *p, const nn_layer *l, size_t start, size_t units) {
    const grid g = grid_of(p, units);
    activations[l->kind.row - LAYERS].forward(&l->kind, place(p, l->output) + start, layer_input(p, l) + start, &g);
}

NN_INLINE void layer_activation_backward(nn_pass *p, const nn_layer *l, real *dx, size_t start, size_t units) {
    const grid g = grid_of(p, units);
    activations[l->kind.row - LAYERS].backward(&l->kind, dx + start, place(p, l->gradient) + start, layer_input(p, l) + start, place(p, l->output) + start, &g);
}

static void layer_forward(nn_pass *p, const nn_layer *l) {
    if (l->kind.row < LAYERS) layers[l->kind.row].forward(p, l);
    else layer_activation(p, l, 0, l->units);
}

static void layer_backward(nn_pass *p, const nn_layer *l, real *dx) {
    if (l->kind.row < LAYERS) layers[l->kind.row].backward(p, l, dx);
    else if (dx) layer_activation_backward(p, l, dx, 0, l->units);
}

static void layer_weights(nn_pass *p, const nn_layer *l) {
    if (l->kind.row < LAYERS) layers[l->kind.row].weights(p, l);
}
