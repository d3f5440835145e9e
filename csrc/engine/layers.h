/* Layers. To add one: its row in NN_LAYER_ROWS, here, and its routines, here or in a file included here; a class under nnlite/layers/; a line of
 * tests/reference.py. Every activation row is a layer too: those follow the rows of this list.
 *
 * NAME_shape(l)             tensors, scratch and what backward will read, from l's widths and numbers
 * NAME_forward(p, s)        output y from input x, both laid out as in batch.h
 * NAME_backward(p, s)       dx, like the input, from the gradient dy in the output; of a first layer it is only called if it has tensors to
 *                           make gradients for, and dx is NULL
 * weights(p, s)             gradients of the layer's tensors, from x and dy; NULL if it has none, or backward makes them
 *
 * Backward of all layers comes before weights of any, so each gradient has its own place. Padding of outputs may hold anything finite; padding of
 * gradients is 0, so padding of parameters stays 0. */

#define NN_LAYER_ROWS(ROW) \
    ROW(dense, dense_weights) \
    ROW(batch_normalization, NULL) \
    ROW(layer_normalization, layer_normalization_weights) \
    ROW(unit_normalization, NULL) \
    ROW(normalization, NULL) \
    ROW(rescaling, NULL) \
    ROW(prelu, NULL) \
    ROW(dropout, NULL) \
    ROW(gaussian_dropout, NULL) \
    ROW(gaussian_noise, NULL) \
    ROW(alpha_dropout, NULL) \
    ROW(activity_regularization, NULL) \
    ROW(given, NULL)

typedef void layer_routine(nn_pass *p, const nn_site *s);

/* Where a layer works: all it reads and writes, found once for all batches of as many rows. */
struct nn_site {
    const nn_layer *layer;
    const double *numbers;               /* of its row */
    layer_routine *forward, *backward, *weights; /* NULL where nothing is left to do */
    real *x, *y, *dy, *dx;               /* input, output, and the gradients in the output and, or NULL, in the input */
    real *scratch, *fixed;
    real *values[NN_LAYER_TENSORS], *gradients[NN_LAYER_TENSORS]; /* NULL beyond the layer's tensors */
    grid grid;                           /* of y, dy, dx */
    narrow_layer sums;                   /* of a dense layer of a narrow plan, but x */
    narrow_way *sum_up;
    real *ones;                          /* its input that stands for the bias, if that must be made anew in each step */
};

static inline size_t site_index(const nn_pass *p, const nn_site *s) { return (size_t)(s - p->sites); }

/* Called, not inlined: the way to a small layer would lead through what the largest needs. */
#define ROW(name, weights) static NN_APART layer_routine name##_forward, name##_backward;
NN_LAYER_ROWS(ROW)
#undef ROW

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
static void dense_forward_panels(const nn_site *s, size_t from, size_t to) {
    const nn_layer *l = s->layer;
    const size_t pitch = s->grid.pitch;
    const panel_product wide = {.c = s->y, .cp = pitch, .a = s->x, .ap = pitch, .b = s->values[0], .bp = kernel_pitch(l), .start = s->values[1],
                                .k = l->inputs, .columns = l->units};
    panel_forward(&wide, s->grid.rows, from, to);
}

NN_INLINE narrow_operands forward_operands(const nn_site *s, const real *least) {
    return (narrow_operands){.c = s->y, .a = s->values[0], .ai = 1, .ak = s->layer->units, .b = s->x, .start = s->values[1], .m = s->layer->units,
                             .k = s->layer->inputs, .with = least};
}
NN_INLINE real least_output(const nn_layer *l) { return l->rectifies ? 0 : -NN_INFINITY; }

static void dense_forward(nn_pass *p, const nn_site *s) {
    const nn_layer *l = s->layer;
    if (l->narrow) {
        const real least = least_output(l);
        const narrow_operands narrow = forward_operands(s, &least);
        narrow_product(&narrow, s->grid.pitch, 16, FLOORED);
        return;
    }
    dense_forward_panels(s, 0, l->stride / NN_LANES);
}

/* Panels [from, to) of the gradient in a wide layer's input. */
static void dense_backward_panels(const nn_site *s, size_t from, size_t to) {
    const nn_layer *l = s->layer;
    const size_t pitch = s->grid.pitch;
    const panel_product wide = {.c = s->dx, .cp = pitch, .a = s->dy, .ap = pitch, .b = s->values[0], .bp = kernel_pitch(l), .turned = 1,
                                .k = l->units, .columns = l->inputs};
    panel_forward(&wide, s->grid.rows, from, to);
}

NN_INLINE narrow_operands backward_operands(const nn_site *s) {
    return (narrow_operands){.c = s->dx, .a = s->values[0], .ai = s->layer->units, .ak = 1, .b = s->dy, .m = s->layer->inputs, .k = s->layer->units,
                             .with = s->x};
}

static void dense_backward(nn_pass *p, const nn_site *s) {
    const nn_layer *l = s->layer;
    if (l->narrow) {
        const narrow_operands narrow = backward_operands(s);
        if (l[-1].backward_done) narrow_product(&narrow, s->grid.pitch, 0, GATED);
        else narrow_product(&narrow, s->grid.pitch, 0, UNCHANGED);
        return;
    }
    dense_backward_panels(s, 0, l->input_stride / NN_LANES);
}

/* One or two units, or inputs, of the usual batch: to find the tiles would take as long as they do. */
#define FEW(n) \
    static NN_APART void dense_forward_##n(nn_pass *p, const nn_site *s) { \
        const real least = least_output(s->layer); \
        const narrow_operands narrow = forward_operands(s, &least); \
        narrow_tile(&narrow, 0, 0, USUAL_PITCH, 1, n, 2, FLOORED); \
    } \
    static NN_APART void dense_backward_##n(nn_pass *p, const nn_site *s) { \
        const narrow_operands narrow = backward_operands(s); \
        if (s->layer[-1].backward_done) narrow_tile(&narrow, 0, 0, USUAL_PITCH, narrow.ai, n, 2, GATED); \
        else narrow_tile(&narrow, 0, 0, USUAL_PITCH, narrow.ai, n, 2, UNCHANGED); \
    }
FEW(1)
FEW(2)
#undef FEW

static layer_routine *forward_of_few(size_t units) { return units == 1 ? dense_forward_1 : units == 2 ? dense_forward_2 : dense_forward; }
static layer_routine *backward_of_few(size_t inputs) { return inputs == 1 ? dense_backward_1 : inputs == 2 ? dense_backward_2 : dense_backward; }

/* Part of a wide kernel: inputs [from, to), of which from is a multiple of 16, of so many panels. */
typedef struct kernel_part {
    size_t from, to, panel, panels;
} kernel_part;

/* Gradient and optimizer step of a part of the kernel: 16 inputs and a strip of panels at a time. */
static void dense_flow(nn_pass *p, const nn_site *s, const kernel_part *k) {
    const nn_layer *l = s->layer;
    const size_t parts = (k->panels + NN_TILE_PANELS - 1) / NN_TILE_PANELS * ((k->to - k->from + NN_LANES - 1) / NN_LANES);
    for (size_t panel = k->panel, end = panel + k->panels, n; panel < end; panel += n) {
        n = strip_panels(end - panel);
        for (size_t i = k->from; i < k->to; i += NN_LANES) {
            _Alignas(64) real gradient[NN_TILE_PANELS * BLOCK_REALS];
            nearing near = {.lines = BLOCK_REALS / NN_LINE};
            const size_t inputs = at_most_16(k->to - i), offset = l->tensors[0].offset + panel * kernel_pitch(l) + i * NN_LANES;
            const panel_product wide = {.c = gradient, .cp = BLOCK_REALS, .a = s->x + i / NN_LANES * p->pitch, .ap = p->pitch,
                                        .b = s->dy + panel * p->pitch, .bp = p->pitch, .k = p->rows, .near = &near};
            for (size_t b = 0; b < n; b++) step_nearing(p->step, &near, offset + b * kernel_pitch(l));
            if (p->ahead) ahead_nearing(p->ahead, &near, parts);
            panel_across(&wide, 0, inputs, n);
            for (size_t b = 0; b < n; b++) step_parameters(p->step, offset + b * kernel_pitch(l), gradient + b * BLOCK_REALS, inputs * NN_LANES);
        }
    }
}

/* Gradients of a part of a wide kernel, and the step of those that flow; with input 0 goes the bias. */
static void dense_gradient(nn_pass *p, const nn_site *s, const kernel_part *k) {
    const nn_layer *l = s->layer;
    const real *dy = s->dy;
    if (flows(p->step, &p->plan->tensors[l->first_tensor])) {
        dense_flow(p, s, k);
    } else {
        const panel_product wide = {.c = s->gradients[0] + k->panel * kernel_pitch(l), .cp = kernel_pitch(l), .a = s->x, .ap = p->pitch,
                                    .b = dy + k->panel * p->pitch, .bp = p->pitch, .k = p->rows};
        panel_across(&wide, k->from, k->to, k->panels);
    }
    for (size_t panel = k->panel; l->n_tensors > 1 && k->from == 0 && panel < k->panel + k->panels; panel++) {
        vec sum = v_zero();
        for (size_t r = 0; r < p->rows; r++) sum = v_add(sum, v_load(dy + panel * p->pitch + r * NN_LANES));
        v_store(s->gradients[1] + panel * NN_LANES, sum);
    }
}

static void dense_weights(nn_pass *p, const nn_site *s) {
    const nn_layer *l = s->layer;
    if (!l->narrow) {
        dense_gradient(p, s, &(kernel_part){0, l->inputs, 0, l->stride / NN_LANES});
        return;
    }
    for (size_t r = 0; s->ones && r < s->grid.pitch; r += NN_LANES) v_store(s->ones + r, v_set(1));
    if (p->begins && p->ends) {
        s->sum_up(&s->sums, s->x);
        return;
    }
    narrow_layer some = s->sums;
    some.kept = s->fixed;
    some.begins = p->begins;
    some.ends = p->ends;
    narrow_way_of(&some, l->chains, l->tile_units)(&some, s->x);
}

/* The routines of a narrow layer for the rows of a pass, and in training what weights works with. Staged data bring the input of ones. */
static void dense_site(const nn_pass *p, nn_site *s) {
    const nn_layer *l = s->layer;
    const size_t bias = s->values[1] != NULL, pitch = p->pitch;
    const int usual = is_usual(pitch);
    s->forward = usual ? forward_of_few(l->units) : dense_forward;
    if (s->backward) s->backward = usual ? backward_of_few(l->inputs) : dense_backward;
    if (!p->training) return;
    s->sums = (narrow_layer){.gradient = s->gradients[0], .dy = s->dy, .inputs = l->inputs + bias, .units = l->units, .pitch = pitch, .waiting = p->lanes};
    s->sum_up = narrow_way_of(&s->sums, l->chains, l->tile_units);
    s->ones = bias && !(p->staged && l == p->plan->layers) ? s->x + l->inputs * pitch : NULL; /* where a layer has room for one more unit, see plan.c */
}

#include "layers_normalization.h"
#include "layers_rows.h"
#include "layers_elementwise.h"
#include "layers_noise.h"
#include "layers_given.h"

/* ---- activity_regularization. n: l1, l2, per_row. Identity; adds l1 sum |y| + l2 sum y^2 of the batch to the loss, over its rows if per_row. ---- */

static double activity_share(const nn_pass *p, const nn_site *s) { return s->numbers[2] != 0 ? 1 / (double)p->rows : 1; }

static void activity_regularization_shape(nn_layer *l) { l->elementwise = l->keeps_output = l->couples_rows = 1; }

static void activity_regularization_forward(nn_pass *p, const nn_site *s) {
    const grid g = s->grid;
    const real *x = s->x;
    real *y = s->y;
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
    p->penalty += activity_share(p, s) * (s->numbers[0] * (double)v_sum(sum) + s->numbers[1] * (double)v_sum(squares));
}

static void activity_regularization_backward(nn_pass *p, const nn_site *s) {
    real *dx = s->dx;
    const grid g = s->grid;
    const real *y = s->y, *dy = s->dy;
    const double share = activity_share(p, s);
    const vec l1 = v_set((real)(share * s->numbers[0])), l2 = v_set((real)(share * 2 * s->numbers[1]));
    for (size_t i = 0; i < grid_outer(&g); i++) {
        for (size_t j = 0; j < grid_inner(&g); j += NN_LANES) {
            const size_t at = grid_at(&g, i, j);
            const vec v = v_keep(m_first(grid_inner(&g) - j), v_load(y + at));
            v_store(dx + at, v_add(v_load(dy + at), v_fma(l2, v, v_mul(l1, v_sign(v)))));
        }
    }
}

/* ---- everything below follows from the rows ---- */

#define ROW(name, weights) LAYER_##name,
enum layer { NN_LAYER_ROWS(ROW) LAYERS };
#undef ROW

#define ROW(name, weights) #name,
#define ELEMENT(name, source) #name,
#define ROWWISE(name) #name,
static const char *const layer_names[] = {NN_LAYER_ROWS(ROW) NN_ACTIVATION_ROWS(ELEMENT, ROWWISE)};
#undef ROW
#undef ELEMENT
#undef ROWWISE

typedef struct layer_routines {
    void (*shape)(nn_layer *l);
    layer_routine *forward, *backward, *weights;
} layer_routines;

#define ROW(name, weights) {name##_shape, name##_forward, name##_backward, weights},
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
NN_INLINE void activation_units(const nn_site *s, size_t start, size_t units) {
    grid g = s->grid;
    g.units = units;
    activations[s->layer->kind.row - LAYERS].forward(&s->layer->kind, s->y + start, s->x + start, &g);
}

NN_INLINE void activation_units_backward(const nn_site *s, size_t start, size_t units) {
    grid g = s->grid;
    g.units = units;
    activations[s->layer->kind.row - LAYERS].backward(&s->layer->kind, s->dx + start, s->dy + start, s->x + start, s->y + start, &g);
}

static void activation_forward(nn_pass *p, const nn_site *s) {
    activations[s->layer->kind.row - LAYERS].forward(&s->layer->kind, s->y, s->x, &s->grid);
}

static void activation_backward(nn_pass *p, const nn_site *s) {
    activations[s->layer->kind.row - LAYERS].backward(&s->layer->kind, s->dx, s->dy, s->x, s->y, &s->grid);
}

/* What is the same in all sites of a layer, whatever the rows. */
static void begin_sites(nn_site *s, const nn_model *m) {
    static const layer_routines activation = {NULL, activation_forward, activation_backward, NULL};
    for (const nn_layer *l = m->plan.layers, *const end = l + m->plan.n_layers; l < end; l++, s++) {
        const layer_routines *row = l->kind.row < LAYERS ? &layers[l->kind.row] : &activation;
        int asked = l > m->plan.layers; /* for dx, or for the gradients that backward makes */
        *s = (nn_site){.layer = l, .numbers = l->kind.numbers, .forward = l->forward_done ? NULL : row->forward, .weights = row->weights};
        for (size_t t = 0; t < l->n_tensors; t++) {
            s->values[t] = (real *)m->parameters + l->tensors[t].offset;
            s->gradients[t] = (real *)m->gradients + l->tensors[t].offset;
            asked |= !row->weights && !l->tensors[t].statistic;
        }
        if (asked && !l->backward_done) s->backward = row->backward;
    }
}

/* The rest, for the rows of a pass. */
static NN_APART void find_sites(const nn_pass *p) {
    real *workspace = p->workspace, *x = p->input, *dx = NULL;
    for (nn_site *s = p->sites, *const end = s + p->plan->n_layers; s < end; s++) {
        const nn_layer *l = s->layer;
        s->x = x;
        s->y = x = workspace + l->output * p->room;
        s->dx = dx;
        s->dy = dx = workspace + l->gradient * p->room;
        s->scratch = workspace + l->scratch * p->room;
        s->fixed = (real *)p->fixed + l->fixed;
        s->grid = grid_of(p, l->units);
        if (l->narrow && l->kind.row == LAYER_dense) dense_site(p, s);
    }
}
