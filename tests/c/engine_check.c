/* Checks that the engine gives the same bits everywhere, through its door, nnlite.h, without Python. tests/c/run.sh builds and runs it; on its own:
 *
 *   cc -std=gnu11 -O2 -ffp-contract=off -Icsrc tests/c/engine_check.c csrc/[a-z]*.c csrc/targets/[a-z]*.c -lm -o engine_check
 *
 * Trains nets that together use every row of the engine, 50 steps each, and prints a hash of all that they end in: parameters, slots, history, predictions
 * and evaluation. The hashes must not depend on the target, on how the 50 steps are cut into calls, on compiler, processor or sanitizer.
 * Exits 1 if two targets, or a cut and an uncut run, differ in a bit, or if anything is not finite. */
#include "trainee.h"

/* The hash of a whole training in calls of at most `cut` steps, one more each time. */
static uint64_t train(const task *t, int bits, const char *target, size_t cut) {
    static trainee s;
    hash h = {0xCBF29CE484222325u, 1};
    s = (trainee){.bits = bits};
    MUST(make_model(&s, t, target));
    if (!s.model) return 0;
    fill_model(&s);
    MUST(compile_model(&s, t));
    MUST(nn_run_new(s.model, BATCH, &s.run));
    fill_data(&s, t);
    MUST(nn_run_bind(s.run, &s.data, &s.validation, t->shuffle));
    for (size_t done = 0, n; done < STEPS; done += n, cut++) {
        n = STEPS - done < cut ? STEPS - done : cut;
        advance(&s, n);
    }
    if (s.progress.epochs != EPOCHS || s.progress.batch) fail("%s: %zu epochs and %zu batches", t->name, s.progress.epochs, s.progress.batch);
    hash_model(&h, &s);
    if (!h.finite) fail("%s, f%d, %s: a number is not finite", t->name, bits, target);
    nn_run_free(s.run);
    nn_model_free(s.model);
    return h.value;
}

static void check_task(const task *t, int bits) {
    const uint64_t expected = train(t, bits, "scalar", STEPS);
    printf("%-52s f%d %016llx\n", t->name, bits, (unsigned long long)expected);
    for (size_t i = 0; i < nn_target_count(); i++) {
        if (!nn_target_available(i)) continue;
        const char *target = nn_target_name(i);
        if (strcmp(target, "scalar") && train(t, bits, target, STEPS) != expected) fail("%s, f%d: %s and scalar differ", t->name, bits, target);
        if (train(t, bits, target, 1) != expected) fail("%s, f%d, %s: a cut run differs", t->name, bits, target);
    }
}

/* Every row of every list once in a narrow and once in a wide net, widths around 16, and a net with everything in it. */
static void check_tasks(int bits, size_t width) {
    const char *name;
    for (uint32_t i = 0; (name = nn_row_name(NN_LAYERS, i)); i++) {
        task t = {.layers = {{"dense", width}, {name, strcmp(name, "dense") ? 0 : width}, {"dense", 3}}, .loss = "mean_squared_error", .optimizer = "adam"};
        snprintf(t.name, sizeof t.name, "layer %s, %zu", name, width);
        check_task(&t, bits);
    }
    for (uint32_t i = 0; (name = nn_row_name(NN_LOSSES, i)); i++) {
        task t = {.layers = {{"dense", width}, {"tanh", 0}, {"dense", 3}, {"sigmoid", 0}}, .loss = name, .optimizer = "momentum", .shuffle = NN_SHUFFLE_ROWS};
        snprintf(t.name, sizeof t.name, "loss %s, %zu", name, width);
        check_task(&t, bits);
    }
    for (uint32_t i = 0; (name = nn_row_name(NN_OPTIMIZERS, i)); i++) {
        task t = {.layers = {{"dense", width}, {"tanh", 0}, {"dropout", 0}, {"dense", 3}, {"softmax", 0}},
                  .loss = "categorical_crossentropy", .optimizer = name, .weighted = 1, .shuffle = NN_SHUFFLE_ROWS};
        snprintf(t.name, sizeof t.name, "optimizer %s, %zu", name, width);
        check_task(&t, bits);
    }
    for (uint32_t i = 0; (name = nn_row_name(NN_CONSTRAINTS, i)); i++) {
        task t = {.layers = {{"dense", width}, {"elu", 0}, {"dense", 2}},
                  .loss = "mean_squared_error", .optimizer = "sgd", .constraint = name, .penalty = 0.015625};
        snprintf(t.name, sizeof t.name, "constraint %s, %zu", name, width);
        check_task(&t, bits);
    }
    static const size_t widths[] = {1, 2, 15, 16, 17, 33};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const size_t units = widths[i];
        task t = {.layers = {{"dense", units}, {"tanh", 0}, {"dense", 34 - units}, {"dense", width}}, .loss = "log_cosh", .optimizer = "sgd"};
        snprintf(t.name, sizeof t.name, "widths %zu, %zu, %zu", units, 34 - units, width);
        check_task(&t, bits);
    }
    task all = {.layers = {{"batch_normalization", 0}, {"dense", width}, {"batch_normalization", 0}, {"relu", 0}, {"activity_regularization", 0},
                           {"dropout", 0}, {"dense", 3}, {"softmax", 0}},
                .loss = "sparse_categorical_crossentropy", .optimizer = "amsgrad", .constraint = "max_norm", .penalty = 0.015625, .limits = 0.25,
                .weighted = 1, .frozen = 1, .shuffle = NN_SHUFFLE_BATCHES};
    snprintf(all.name, sizeof all.name, "all together, %zu", width);
    check_task(&all, bits);
}

int main(void) {
    for (int bits = 32; bits <= 64; bits += 32) {
        check_tasks(bits, 17);
        check_tasks(bits, WIDE);
    }
    fprintf(stderr, "targets:");
    for (size_t i = 0; i < nn_target_count(); i++) fprintf(stderr, nn_target_available(i) ? " %s" : " (no %s)", nn_target_name(i));
    fprintf(stderr, "; %d failures\n", failures);
    return failures != 0;
}
