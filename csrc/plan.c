#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"

size_t nn_size(size_t a, size_t b, size_t c, int *ok) {
    if (b != 0 && a > (SIZE_MAX / 2 - c) / b) {
        *ok = 0;
        return 0;
    }
    return a * b + c;
}

void nn_layer_tensor(nn_layer *layer, const char *name, size_t rows, int vector, int statistic) {
    nn_tensor *tensor = &layer->tensors[layer->n_tensors++];
    *tensor = (nn_tensor){.name = name, .rows = rows, .columns = layer->units, .vector = vector, .statistic = statistic};
}

/* Is a narrow plan the faster one? */
static int is_narrow(const nn_layer_record *records, size_t n_layers, size_t inputs) {
    int narrow = inputs <= NN_NARROW_INPUTS;
    for (size_t l = 0, width = inputs; narrow && l < n_layers; l++) {
        if (!records[l].units) continue; /* as many as before */
        narrow = records[l].units <= NN_NARROW_UNITS && width * records[l].units <= NN_NARROW_KERNEL;
        width = records[l].units;
    }
    return narrow;
}

/* Sizes one layer after another. Elementwise layers write over their input unless somebody's backward still needs it. */
static nn_status shape_layers(const nn_engine *engine, const nn_layer_record *records, nn_plan *plan) {
    int ok = 1;
    size_t width = plan->inputs, widest = 0;
    plan->narrow = is_narrow(records, plan->n_layers, plan->inputs);
    plan->input_stride = nn_pad(plan->inputs + (plan->narrow ? 1 : 0));
    for (size_t l = 0; l < plan->n_layers; l++) {
        nn_layer *layer = &plan->layers[l], *before = l ? layer - 1 : NULL;
        if (records[l].kind.row >= engine->families[NN_LAYERS].count) return NN_UNKNOWN_ROW;
        *layer = (nn_layer){.kind = records[l].kind, .inputs = width, .units = records[l].units ? records[l].units : width, .narrow = plan->narrow};
        if (layer->units > SIZE_MAX / 4 - NN_LANES) return NN_TOO_LARGE;
        layer->input_stride = nn_pad(layer->inputs);
        layer->stride = nn_pad(layer->units);
        const size_t columns = plan->narrow ? layer->units : layer->stride; /* reals a row */
        if (layer->stride > widest) widest = layer->stride;
        engine->layer_shape(layer);
        if (before && layer->elementwise && !before->keeps_output && !layer->keeps_input) {
            layer->output = before->output;
        } else {
            layer->output = plan->row_reals;
            plan->row_reals = nn_size(1, plan->narrow ? columns + 1 : columns, plan->row_reals, &ok); /* it may be an input: see plan->input_stride */
        }
        if (before && layer->elementwise) {
            layer->gradient = before->gradient;
        } else {
            layer->gradient = plan->row_reals;
            plan->row_reals = nn_size(1, columns, plan->row_reals, &ok);
        }
        layer->scratch = plan->row_reals;
        plan->row_reals = nn_size(1, layer->wants_scratch ? columns : 0, plan->row_reals, &ok);
        layer->fixed = plan->fixed_reals;
        plan->fixed_reals = nn_size(1, layer->fixed_reals, plan->fixed_reals, &ok);
        if (before) engine->layer_join(layer, before);
        layer->first_tensor = plan->n_tensors;
        plan->n_tensors += layer->n_tensors;
        width = layer->units;
    }
    plan->lanes = plan->fixed_reals;
    plan->lanes_reals = nn_size(widest, NN_LANES, 0, &ok);
    plan->fixed_reals = nn_size(3, plan->lanes_reals, plan->fixed_reals, &ok);
    plan->units = width;
    plan->stride = nn_pad(width);
    return ok ? NN_OK : NN_TOO_LARGE;
}

enum { BLOCK_ROWS = 256 };

/* Scratch is filled with random numbers that are counted over the whole batch. */
static size_t block_rows_of(const nn_plan *plan) {
    int whole = !plan->narrow;
    for (size_t l = 0; l < plan->n_layers; l++) {
        const nn_layer *layer = &plan->layers[l];
        whole |= layer->couples_rows || layer->wants_scratch || (layer->n_tensors > 0 && !layer->keeps_sums);
    }
    return whole ? SIZE_MAX : BLOCK_ROWS;
}

/* An element of a layer's output costs about as much as so many multiply-adds, besides those of its product. */
enum { ELEMENT_WORK = 8 };

static double work_of(const nn_plan *plan) {
    double work = 0;
    for (size_t l = 0; l < plan->n_layers; l++) work += ELEMENT_WORK * (double)plan->layers[l].units;
    for (size_t k = 0; k < plan->n_tensors; k++) {
        const nn_tensor *t = &plan->tensors[k];
        if (!t->vector) work += (double)t->rows * (double)t->columns;
    }
    return work;
}

/* Trainable tensors first, statistics after them, so that one sweep of the optimizer covers the former. */
static nn_status place_tensors(const nn_layer_record *records, nn_plan *plan) {
    int ok = 1;
    for (int statistic = 0; statistic < 2; statistic++) {
        if (statistic) plan->statistics = plan->parameters = nn_pad(plan->parameters);
        for (size_t l = 0; l < plan->n_layers; l++) {
            nn_layer *layer = &plan->layers[l];
            for (size_t t = 0; t < layer->n_tensors; t++) {
                nn_tensor *tensor = &layer->tensors[t];
                if (tensor->statistic != statistic) continue;
                tensor->layer = l;
                tensor->rule = records[l].tensors[t];
                if (statistic) tensor->rule.trainable = 1;
                tensor->offset = plan->parameters;
                tensor->panel = plan->narrow ? tensor->columns : NN_LANES;
                tensor->size = nn_size(tensor->rows, plan->narrow ? tensor->columns : nn_pad(tensor->columns), 0, &ok);
                plan->parameters = nn_size(1, tensor->size, plan->parameters, &ok);
                plan->tensors[layer->first_tensor + t] = *tensor;
            }
        }
    }
    plan->parameters = nn_pad(plan->parameters);
    return ok ? NN_OK : NN_TOO_LARGE;
}

nn_status nn_plan_new(const nn_engine *engine, const nn_layer_record *records, size_t n, size_t inputs, nn_plan *out) {
    if (n == 0 || inputs == 0) return NN_BAD_SIZE;
    if (inputs > SIZE_MAX / 4 || n > SIZE_MAX / sizeof(nn_layer)) return NN_TOO_LARGE;
    nn_plan plan = {.inputs = inputs, .n_layers = n};
    plan.layers = calloc(n, sizeof *plan.layers);
    if (!plan.layers) return NN_OUT_OF_MEMORY;
    nn_status status = shape_layers(engine, records, &plan);
    if (status == NN_OK) {
        plan.tensors = calloc(plan.n_tensors + 1, sizeof *plan.tensors);
        status = plan.tensors ? place_tensors(records, &plan) : NN_OUT_OF_MEMORY;
    }
    if (status != NN_OK) {
        nn_plan_free(&plan);
        return status;
    }
    plan.row_work = work_of(&plan);
    plan.block_rows = block_rows_of(&plan);
    *out = plan;
    return NN_OK;
}

void nn_plan_free(nn_plan *plan) {
    free(plan->layers);
    free(plan->tensors);
    *plan = (nn_plan){0};
}
