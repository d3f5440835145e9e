/* A fit in FANN, for fann_peer.py: full-batch gradient descent on the mean squared error of a net of sigmoids. */
#include <floatfann.h>
#include <stddef.h>
#include <string.h>

typedef struct fit {
    struct fann *net;
    struct fann_train_data *rows;
} fit;

/* weights: of each unit in turn those of its inputs, then its bias. x [rows][widths[0]], y [rows][widths[layers - 1]]. */
int fit_new(fit *out, const unsigned *widths, unsigned layers, const float *weights, const float *x, const float *y, unsigned rows, float learning_rate) {
    const unsigned inputs = widths[0], units = widths[layers - 1];
    out->net = fann_create_standard_array(layers, widths);
    out->rows = fann_create_train(rows, inputs, units);
    if (!out->net || !out->rows) return 1;
    for (unsigned r = 0; r < rows; r++) {
        memcpy(out->rows->input[r], x + (size_t)r * inputs, inputs * sizeof *x);
        memcpy(out->rows->output[r], y + (size_t)r * units, units * sizeof *y);
    }
    fann_set_activation_function_hidden(out->net, FANN_SIGMOID);
    fann_set_activation_function_output(out->net, FANN_SIGMOID);
    fann_set_activation_steepness_hidden(out->net, 0.5f); /* FANN's sigmoid of x is 1 / (1 + exp(-2 steepness x)) */
    fann_set_activation_steepness_output(out->net, 0.5f);
    fann_set_training_algorithm(out->net, FANN_TRAIN_BATCH);
    fann_set_train_error_function(out->net, FANN_ERRORFUNC_LINEAR);
    fann_set_learning_rate(out->net, learning_rate);
    fann_set_learning_momentum(out->net, 0);
    const unsigned n = fann_get_total_connections(out->net);
    struct fann_connection connections[n];
    fann_get_connection_array(out->net, connections);
    for (unsigned i = 0; i < n; i++) connections[i].weight = weights[i];
    fann_set_weight_array(out->net, connections, n);
    return 0;
}

/* The mean squared error of the last epoch while it ran. */
double fit_run(fit *f, unsigned epochs) {
    double loss = 0;
    for (unsigned e = 0; e < epochs; e++) loss = fann_train_epoch(f->net, f->rows);
    return loss;
}

void fit_predict(fit *f, const float *x, unsigned rows, float *y) {
    const unsigned inputs = fann_get_num_input(f->net), units = fann_get_num_output(f->net);
    for (unsigned r = 0; r < rows; r++) memcpy(y + (size_t)r * units, fann_run(f->net, (float *)x + (size_t)r * inputs), units * sizeof *y);
}

void fit_free(fit *f) {
    if (f->net) fann_destroy(f->net);
    if (f->rows) fann_destroy_train(f->rows);
}
