/* The three dense products of a layer inside the engine, beside OpenBLAS' sgemm on the same shapes, float32, one thread.
 *
 *   products OPENBLAS rows inputs units [rows inputs units ...]      OPENBLAS: path of the library that NumPy brings, or -
 *
 * Compiled against csrc (see products.py): the routines are those of a training step, bias and its gradient included, in a net of three dense
 * layers, inputs - units - inputs - units. OpenBLAS does the same products without the bias. Before anything is timed, outputs and gradients of
 * both are compared. Prints a line of JSON for each shape: CPU seconds of all products of a kind (three forward, three kernel gradients, two input
 * gradients), medians of turns that alternate between the two. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NN_BITS 32
#include NN_SIMD
#include "engine/define_engine.h"

enum { LAYERS_OF_NET = 3, TURNS = 15 };
enum kind { FORWARD, KERNEL_GRADIENT, INPUT_GRADIENT, KINDS };
static const char *const kind_names[KINDS] = {"forward", "kernel_gradient", "input_gradient"};

typedef int64_t blas_int; /* NumPy's OpenBLAS takes sizes of 64 bits */
enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
typedef void (*sgemm)(int order, int ta, int tb, blas_int m, blas_int n, blas_int k, float alpha, const float *a, blas_int lda, const float *b, blas_int ldb,
                      float beta, float *c, blas_int ldc);

typedef struct net {
    size_t rows, widths[LAYERS_OF_NET + 1];
    nn_model *model;
    nn_run *run;
    nn_pass pass;
    sgemm blas;                                                                         /* NULL: the engine alone */
    float *values[LAYERS_OF_NET + 1], *gradients[LAYERS_OF_NET + 1], *kernels[LAYERS_OF_NET], *kernel_gradients[LAYERS_OF_NET]; /* of OpenBLAS */
} net;

static void die(const char *what) {
    fprintf(stderr, "products: %s\n", what);
    exit(1);
}

static float *reals(size_t n, float scale) {
    static uint32_t state = 1;
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    if (!x) die("out of memory");
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = scale * ((float)(state >> 8) * 0x1p-23f - 1);
    }
    return x;
}

static void net_new(net *s, sgemm blas, size_t rows, size_t inputs, size_t units) {
    *s = (net){.rows = rows, .widths = {inputs, units, inputs, units}, .blas = blas};
    nn_layer_record records[LAYERS_OF_NET] = {0};
    for (size_t l = 0; l < LAYERS_OF_NET; l++) {
        records[l].units = s->widths[l + 1];
        records[l].kind = (nn_row){LAYER_dense, {1}};
        for (size_t t = 0; t < NN_LAYER_TENSORS; t++) records[l].tensors[t].trainable = 1;
    }
    if (nn_model_new(records, LAYERS_OF_NET, inputs, 32, NULL, &s->model) != NN_OK || nn_run_new(s->model, rows, &s->run) != NN_OK) die("no model");
    for (size_t l = 0; l <= LAYERS_OF_NET; l++) {
        s->values[l] = reals(rows * s->widths[l], 1);
        s->gradients[l] = reals(rows * s->widths[l], 1);
        if (l == LAYERS_OF_NET) break;
        const size_t size = s->widths[l] * s->widths[l + 1];
        s->kernels[l] = reals(size, sqrtf(3 / (float)s->widths[l])); /* as many units in, as much variance out */
        s->kernel_gradients[l] = reals(size, 1);
        if (nn_tensor_write(s->model, 0, 2 * l, s->kernels[l]) != NN_OK) die("no kernel");
    }
    float *y = reals(rows * s->widths[LAYERS_OF_NET], 1);
    if (nn_forward(s->run, s->values[0], rows, 1, y) != NN_OK || nn_backward(s->run, s->gradients[LAYERS_OF_NET], rows) != NN_OK) die("no step");
    free(y);
    s->pass = pass_of(s->run, NN_SITES_OF_OTHERS, NULL, rows, 1);
}

static void net_free(net *s) {
    nn_run_free(s->run);
    nn_model_free(s->model);
    for (size_t l = 0; l <= LAYERS_OF_NET; l++) {
        free(s->values[l]);
        free(s->gradients[l]);
        if (l == LAYERS_OF_NET) break;
        free(s->kernels[l]);
        free(s->kernel_gradients[l]);
    }
}

/* For kernel gradients, input gradients are done too, as in a step: time_kind takes their time away. */
static void engine_products(net *s, enum kind kind) {
    if (kind == FORWARD) pass_forward(&s->pass);
    if (kind == KERNEL_GRADIENT) pass_backward(&s->pass, 0, 1, 1);
    for (size_t l = LAYERS_OF_NET; kind == INPUT_GRADIENT && l-- > 1;) dense_backward(&s->pass, &s->pass.sites[l]);
}

static void blas_products(net *s, enum kind kind) {
    const blas_int rows = (blas_int)s->rows;
    for (size_t n = 0; n < LAYERS_OF_NET; n++) {
        const size_t l = kind == FORWARD ? n : LAYERS_OF_NET - 1 - n; /* gradients come from behind */
        const blas_int in = (blas_int)s->widths[l], out = (blas_int)s->widths[l + 1];
        float *x = s->values[l], *y = s->values[l + 1], *dx = s->gradients[l], *dy = s->gradients[l + 1];
        if (kind == FORWARD) s->blas(ROW_MAJOR, PLAIN, PLAIN, rows, out, in, 1, x, in, s->kernels[l], out, 0, y, out);
        if (kind == KERNEL_GRADIENT) s->blas(ROW_MAJOR, TRANSPOSED, PLAIN, in, out, rows, 1, x, in, dy, out, 0, s->kernel_gradients[l], out);
        if (kind == INPUT_GRADIENT && l) s->blas(ROW_MAJOR, PLAIN, TRANSPOSED, rows, in, out, 1, dy, out, s->kernels[l], out, 0, dx, in);
    }
}

/* Both from the same rows and gradient in the outputs to the gradients of all kernels. */
static void compare_results(net *s) {
    for (int kind = FORWARD; kind < KINDS; kind++) blas_products(s, kind == FORWARD ? FORWARD : kind == 1 ? INPUT_GRADIENT : KERNEL_GRADIENT);
    for (size_t l = 0; l < LAYERS_OF_NET; l++) {
        const size_t size = s->widths[l] * s->widths[l + 1];
        float *own = reals(size, 1);
        double error = 0, norm = 0;
        if (nn_tensor_read(s->model, 1, 2 * l, own) != NN_OK) die("no gradient");
        for (size_t i = 0; i < size; i++) {
            error += pow((double)own[i] - (double)s->kernel_gradients[l][i], 2);
            norm += pow((double)own[i], 2);
        }
        free(own);
        if (!(sqrt(error) <= 1e-5 * sqrt(norm))) die("the gradients of the engine are not those of OpenBLAS");
    }
}

typedef void (*work)(net *s, enum kind kind);

/* Of this thread, so that what else runs on the machine does not count. */
static double cpu_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(work call, net *s, enum kind kind, size_t count) {
    const double start = cpu_clock();
    for (size_t i = 0; i < count; i++) call(s, kind);
    return (cpu_clock() - start) / (double)count;
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static void time_kind(net *s, enum kind kind) {
    double taken[2][TURNS];
    size_t count = 1;
    while (seconds_of(engine_products, s, kind, count) * (double)count < 2e-3) count *= 2;
    for (size_t t = 0; t < TURNS; t++) {
        taken[0][t] = seconds_of(engine_products, s, kind, count) - (kind == KERNEL_GRADIENT ? seconds_of(engine_products, s, INPUT_GRADIENT, count) : 0);
        taken[1][t] = s->blas ? seconds_of(blas_products, s, kind, count) : NAN;
    }
    for (size_t side = 0; side < 2; side++) qsort(taken[side], TURNS, sizeof(double), ascending);
    printf(", \"%s\": [%.6g", kind_names[kind], taken[0][TURNS / 2]);
    if (s->blas) printf(", %.6g", taken[1][TURNS / 2]);
    printf("]");
}

int main(int n, char **arguments) {
    sgemm blas = NULL;
    if (n < 5 || (n - 2) % 3) die("usage: products OPENBLAS rows inputs units [rows inputs units ...]");
    void *library = arguments[1][0] == '-' ? NULL : dlopen(arguments[1], RTLD_NOW);
    if (library) {
        *(void **)&blas = dlsym(library, "scipy_cblas_sgemm64_");
        void (*set_threads)(int);
        *(void **)&set_threads = dlsym(library, "scipy_openblas_set_num_threads64_");
        if (!blas || !set_threads) die("not the OpenBLAS that NumPy brings");
        set_threads(1);
    }
    for (int i = 2; i + 3 <= n; i += 3) {
        net s;
        size_t shape[3];
        for (int k = 0; k < 3; k++) shape[k] = (size_t)atoll(arguments[i + k]);
        net_new(&s, blas, shape[0], shape[1], shape[2]);
        if (blas) compare_results(&s);
        printf("{\"rows\": %zu, \"inputs\": %zu, \"units\": %zu", shape[0], shape[1], shape[2]);
        for (int kind = FORWARD; kind < KINDS; kind++) time_kind(&s, kind);
        printf("}\n");
        net_free(&s);
    }
    return 0;
}

#include "engine/target_end.h" /* closes the region of the target's instructions */
