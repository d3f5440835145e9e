/* Checks that threads change nothing: through the engine's door, nnlite.h, without Python. tests/c/run.sh builds and runs it, also under ThreadSanitizer:
 *
 *   cc -std=gnu11 -O1 -g -pthread -fsanitize=thread -ffp-contract=off -Icsrc tests/c/threads_check.c csrc/[a-z]*.c csrc/targets/[a-z]*.c -lm -o threads_check
 *
 * Trains, evaluates and predicts with as many rows as are worth several threads: with 1 to 7 of them, in several threads of the program at once while the
 * number is changed, and in forked children, one of them forked in the midst of all this. Exits 1 if any two results differ in a bit. */
#include "trainee.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 2001, STEP = 1000, FEW_STEPS = 12, CALLERS = 3, ROUNDS = 2 };

static const task nets[] = {
    {.name = "narrow", .layers = {{"dense", 20}, {"relu", 0}, {"dense", 2}, {"softmax", 0}},
     .loss = "sparse_categorical_crossentropy", .optimizer = "rmsprop", .shuffle = NN_SHUFFLE_ROWS},
    {.name = "wide", .layers = {{"dense", WIDE}, {"tanh", 0}, {"dropout", 0}, {"dense", 36}, {"relu", 0}, {"dense", 3}, {"softmax", 0}},
     .loss = "categorical_crossentropy", .optimizer = "adam", .weighted = 1, .shuffle = NN_SHUFFLE_ROWS},
    {.name = "large enough for gradients to flow",
     .layers = {{"dense", 200}, {"relu", 0}, {"dense", 180}, {"tanh", 0}, {"dense", 4}}, .loss = "mean_squared_error", .optimizer = "rmsprop_momentum"},
    {.name = "rows that depend on each other",
     .layers = {{"dense", WIDE}, {"batch_normalization", 0}, {"prelu", 0}, {"activity_regularization", 0}, {"dense", 33}, {"elu", 0}, {"dense", 5}},
     .loss = "mean_squared_error", .optimizer = "nadam", .constraint = "max_norm", .penalty = 0.015625, .limits = 0.25, .frozen = 1},
};
enum { NETS = sizeof nets / sizeof *nets };

static void *numbers_new(int bits, size_t n) { return calloc(n, (size_t)bits / 8); }

static void set(void *array, int bits, size_t i, double value) {
    if (bits == 32) ((float *)array)[i] = (float)value;
    else ((double *)array)[i] = value;
}

static void hash_array(hash *h, const void *array, int bits, size_t n) {
    for (size_t i = 0; i < n; i++) hash_number(h, bits == 32 ? (double)((const float *)array)[i] : ((const double *)array)[i]);
}

/* The engine forgets that it found the machine busy, which it is wherever tests run. */
static void forget(void) { MUST(nn_set_threads(nn_threads())); }

/* The hash of all that comes of one net: parameters, history, evaluation, predictions. */
static uint64_t everything(const task *t, int bits) {
    hash h = {0xCBF29CE484222325u, 1};
    trainee *s = calloc(1, sizeof *s); /* too large for the stack of a thread */
    s->bits = bits;
    MUST(make_model(s, t, NULL));
    fill_model(s);
    MUST(compile_model(s, t));
    MUST(nn_run_new(s->model, STEP, &s->run));
    const size_t outputs = nn_model_describe(s->model).units, units = starts(t->loss, "sparse_") ? 1 : outputs;
    void *x = numbers_new(bits, MANY * INPUTS), *y = numbers_new(bits, MANY * units), *weights = numbers_new(bits, MANY), *out = numbers_new(bits, MANY * outputs);
    for (size_t i = 0; i < MANY * INPUTS; i++) set(x, bits, i, noise(i, 1));
    for (size_t i = 0; i < MANY * units; i++) set(y, bits, i, target_of(t->loss, i / units, i % units, outputs));
    for (size_t i = 0; i < MANY; i++) set(weights, bits, i, 1 + noise(i, 2));
    const nn_data data = {x, y, t->weighted ? weights : NULL, MANY, units};
    double means[8 * (1 + METRICS)] = {0};
    MUST(nn_run_bind(s->run, &data, &data, t->shuffle));
    forget();
    MUST(nn_run_advance(s->run, FEW_STEPS, 4, means, NULL, s->partial, s->last, &s->progress));
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) hash_number(&h, means[i]);
    for (size_t i = 0; i < s->width; i++) hash_number(&h, s->last[i]);
    double sums[1 + METRICS] = {0};
    forget();
    MUST(nn_evaluate(s->run, &data, 0, sums, means));
    for (size_t i = 0; i < s->width; i++) hash_number(&h, means[i]);
    forget();
    MUST(nn_predict(s->run, x, MANY, out));
    hash_array(&h, out, bits, MANY * outputs);
    hash_array(&h, nn_model_parameters(s->model), bits, nn_model_describe(s->model).parameters);
    if (!h.finite) fail("%s, f%d: a number is not finite", t->name, bits);
    nn_run_free(s->run);
    nn_model_free(s->model);
    free(x), free(y), free(weights), free(out), free(s);
    return h.value;
}

static uint64_t expected[NETS][2];
static atomic_int callers_left;

static int is_expected(size_t net, int bits, const char *where) {
    const int same = everything(&nets[net], bits) == expected[net][bits == 64];
    if (!same) fprintf(stderr, "FAILED: %s, f%d: other bits %s\n", nets[net].name, bits, where);
    return same;
}

/* Returns NULL if all is well. */
static void *call(void *number) {
    int same = 1;
    for (size_t i = 0; i < ROUNDS * NETS; i++) same &= is_expected((i + *(const size_t *)number) % NETS, i % 2 ? 64 : 32, "beside other callers");
    atomic_fetch_sub(&callers_left, 1);
    return same ? NULL : &callers_left;
}

static int forks;

static void check_child(const char *where) {
#if !defined(__SANITIZE_THREAD__) /* which does not follow a child that starts threads */
    if (!forks) return;
    const pid_t child = fork();
    if (child == 0) {
        alarm(120); /* for one that hangs */
        _exit(is_expected(1, 32, where) ? 0 : 1);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fail("a child forked %s ends with status %d", where, status);
#else
    (void)where;
#endif
}

static void check_callers(void) {
    pthread_t threads[CALLERS];
    size_t numbers[CALLERS];
    atomic_store(&callers_left, CALLERS);
    for (size_t i = 0; i < CALLERS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, call, &numbers[i]) != 0) fail("no thread");
    }
    for (size_t n = 1; atomic_load(&callers_left); n = n % 4 + 1) {
        MUST(nn_set_threads(n));
        if (n == 3) check_child("from a program that trains");
        usleep(3000);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        void *trouble;
        if (pthread_join(threads[i], &trouble) != 0 || trouble) fail("caller %zu got other bits", i);
    }
}

/* With an argument, whatever it is, nothing is forked: an emulator may not be able to. */
int main(int n, char **arguments) {
    (void)arguments;
    forks = n == 1;
    if (nn_threads() < 1 || nn_threads() > 16) fail("%zu threads by default", nn_threads());
    EXPECT(NN_BAD_SIZE, nn_set_threads(NN_MOST_THREADS + 1));
    MUST(nn_set_threads(1));
    for (size_t net = 0; net < NETS; net++) {
        for (int bits = 32; bits <= 64; bits += 32) expected[net][bits == 64] = everything(&nets[net], bits);
    }
    check_child("before any thread");
    static const size_t threads[] = {2, 3, 4, 7};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        MUST(nn_set_threads(threads[i]));
        for (size_t net = 0; net < NETS; net++) {
            for (int bits = 32; bits <= 64; bits += 32) {
                if (!is_expected(net, bits, "on several threads")) fail("%zu threads", threads[i]);
            }
        }
    }
    check_child("from a program with threads");
    check_callers();
    MUST(nn_set_threads(0));
    fprintf(stderr, "threads: %d failures\n", failures);
    return failures != 0;
}
