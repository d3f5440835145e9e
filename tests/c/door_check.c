/* Checks what the engine's door, nnlite.h, does with bad arguments and when memory runs out. tests/c/run.sh builds and runs it; on its own, with GNU's linker:
 *
 *   cc -std=gnu11 -O2 -ffp-contract=off -Icsrc tests/c/door_check.c csrc/[a-z]*.c csrc/targets/[a-z]*.c -lm -o door_check \
 *      -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
 *
 * Exits 1 if a bad argument is not refused, or if a call that cannot have its n-th allocation does not say so, leaks, or leaves a trace. */
#include "trainee.h"

/* ---- memory that runs out: the linker sends the engine's allocations here ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static size_t until_failure; /* the allocation that fails, counted from 1; 0 = none */
static long blocks;          /* allocated and not freed */

static int runs_out(void) { return until_failure && --until_failure == 0; }
static void *counted(void *block) {
    blocks += block != NULL;
    return block;
}
void *__wrap_malloc(size_t size) { return runs_out() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return runs_out() ? NULL : counted(__real_calloc(n, size)); }
void *__wrap_realloc(void *block, size_t size) {
    if (runs_out()) return NULL;
    void *moved = __real_realloc(block, size);
    return block ? moved : counted(moved);
}
void __wrap_free(void *block) {
    blocks -= block != NULL;
    __real_free(block);
}

/* ---- refusals ---- */

static const task plain = {.layers = {{"dense", 4}, {"softmax", 0}}, .loss = "sparse_categorical_crossentropy", .optimizer = "adam", .shuffle = NN_SHUFFLE_ROWS};

static nn_status try_model(nn_layer_record layer, size_t layers, size_t inputs, int bits, const char *target) {
    nn_model *model;
    const nn_layer_record records[] = {layer, layer};
    const nn_status status = nn_model_new(records, layers, inputs, bits, target, &model);
    if (status == NN_OK) nn_model_free(model);
    return status;
}

static void check_model_refusals(void) {
    const nn_layer_record dense = {.kind = row_named(NN_LAYERS, "dense"), .units = 4};
    nn_layer_record bad = dense;
    MUST(try_model(dense, 2, 3, 32, NULL));
    EXPECT(NN_BAD_SIZE, try_model(dense, 0, 3, 32, NULL));
    EXPECT(NN_BAD_SIZE, try_model(dense, 2, 0, 32, NULL));
    EXPECT(NN_BAD_SIZE, try_model(dense, 2, 3, 16, NULL));
    EXPECT(NN_UNKNOWN_TARGET, try_model(dense, 2, 3, 32, "abacus"));
    for (size_t i = 0; i < nn_target_count(); i++)
        EXPECT(nn_target_available(i) ? NN_OK : NN_TARGET_UNAVAILABLE, try_model(dense, 2, 3, 64, nn_target_name(i)));
    EXPECT(NN_TOO_LARGE, try_model(dense, 2, SIZE_MAX, 32, NULL));
    EXPECT(NN_TOO_LARGE, try_model(dense, 2, SIZE_MAX / 4, 32, NULL));
    for (size_t units = SIZE_MAX; units > SIZE_MAX >> 32; units /= 2) {
        bad.units = units;
        EXPECT(NN_TOO_LARGE, try_model(bad, 2, (size_t)1 << 31, 64, NULL));
    }
    bad = dense;
    bad.kind.row = (uint32_t)nn_row_count(NN_LAYERS);
    EXPECT(NN_UNKNOWN_ROW, try_model(bad, 2, 3, 32, NULL));
    bad = dense;
    bad.tensors[1].constraint.row = (uint32_t)nn_row_count(NN_CONSTRAINTS);
    EXPECT(NN_UNKNOWN_ROW, try_model(bad, 2, 3, 32, NULL));
    if (nn_row_name(NN_FAMILIES, 0) || nn_row_count(NN_FAMILIES) || nn_target_name(nn_target_count())) fail("a name beyond the last");
}

static void check_call_refusals(int bits) {
    static trainee s;
    s = (trainee){.bits = bits};
    nn_row row = row_named(NN_ACTIVATIONS, "relu");
    nn_run *run;
    double number;
    MUST(make_model(&s, &plain, NULL));
    fill_model(&s);
    EXPECT(NN_BAD_SIZE, nn_run_new(s.model, 0, &run));
    EXPECT(NN_TOO_LARGE, nn_run_new(s.model, SIZE_MAX, &run));
    EXPECT(NN_TOO_LARGE, nn_run_new(s.model, SIZE_MAX / 2, &run));
    MUST(nn_run_new(s.model, BATCH, &s.run));
    fill_data(&s, &plain);
    EXPECT(NN_NOT_COMPILED, nn_run_bind(s.run, &s.data, NULL, NN_KEEP));
    EXPECT(NN_NOT_COMPILED, nn_run_advance(s.run, 1, 1, s.means, NULL, NULL, NULL, &s.progress));
    EXPECT(NN_NOT_COMPILED, nn_evaluate(s.run, &s.data, 0, s.partial, s.means));
    EXPECT(NN_NOT_COMPILED, nn_update(s.model, &number));
    MUST(compile_model(&s, &plain));
    EXPECT(NN_NO_DATA, nn_run_advance(s.run, 1, 1, s.means, NULL, NULL, NULL, &s.progress));
    hash before = {0, 1}, after = {0, 1};
    hash_model(&before, &s);

    nn_loss_record loss = {.kind = row_named(NN_LOSSES, "hinge"), .weight = 1};
    nn_optimizer_record optimizer = {.kind = row_named(NN_OPTIMIZERS, "rmsprop"), .learning_rate = 1};
    optimizer.learning_rate = INFINITY;
    EXPECT(NN_BAD_NUMBER, nn_model_compile(s.model, &loss, NULL, 0, &optimizer));
    optimizer.learning_rate = 1;
    optimizer.kind.row = (uint32_t)nn_row_count(NN_OPTIMIZERS);
    EXPECT(NN_UNKNOWN_ROW, nn_model_compile(s.model, &loss, NULL, 0, &optimizer));
    optimizer.kind.row = 0;
    loss.kind.row = (uint32_t)nn_row_count(NN_LOSSES);
    EXPECT(NN_UNKNOWN_ROW, nn_model_compile(s.model, &loss, NULL, 0, &optimizer));
    loss.kind.row = 0;
    row.row = (uint32_t)nn_row_count(NN_METRICS);
    EXPECT(NN_UNKNOWN_ROW, nn_model_compile(s.model, &loss, &row, 1, &optimizer));
    nn_data bad[] = {s.data, s.data, s.data, s.data};
    bad[0].rows = 0;
    bad[1].target_units = 3;
    bad[2].x = NULL;
    bad[3].rows = UINT32_MAX;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT(NN_BAD_SIZE, nn_run_bind(s.run, &bad[i], NULL, NN_KEEP));
        EXPECT(NN_BAD_SIZE, nn_run_bind(s.run, &s.data, &bad[i], NN_KEEP));
        EXPECT(NN_BAD_SIZE, nn_evaluate(s.run, &bad[i], 0, s.partial, s.means));
    }
    EXPECT(NN_BAD_SIZE, nn_forward(s.run, &s.x, BATCH + 1, 1, &s.out));
    EXPECT(NN_BAD_SIZE, nn_forward(s.run, &s.x, 0, 1, &s.out));
    EXPECT(NN_BAD_SIZE, nn_backward(s.run, &s.x, BATCH + 1));
    EXPECT(NN_BAD_SIZE, nn_predict(s.run, &s.x, 0, &s.out));
    nn_tensor_facts facts;
    EXPECT(NN_BAD_SIZE, nn_tensor_describe(s.model, 2, &facts));
    EXPECT(NN_BAD_SIZE, nn_tensor_read(s.model, 0, 2, &s.out));
    EXPECT(NN_BAD_SIZE, nn_tensor_read(s.model, 4, 0, &s.out));
    EXPECT(NN_BAD_SIZE, nn_tensor_write(s.model, SIZE_MAX, 0, &s.x));
    EXPECT(NN_BAD_SIZE, nn_tensor_set_trainable(s.model, 2, 0));
    row.row = (uint32_t)nn_row_count(NN_ACTIVATIONS);
    EXPECT(NN_UNKNOWN_ROW, nn_activate(&row, &s.x, 1, 1, bits, &s.out));
    row.row = 0;
    EXPECT(NN_BAD_SIZE, nn_activate(&row, &s.x, 1, SIZE_MAX, bits, &s.out));
    EXPECT(NN_BAD_NUMBER, nn_random(NN_UNIFORM, 0, NAN, 1, 1, 1, bits, &s.out));
    EXPECT(NN_NO_DATA, nn_run_seek(s.run, 0, NULL));
    EXPECT(NN_BAD_SIZE, nn_order(4, 0, NN_SHUFFLE_ROWS, 1, 1, NULL));
    hash_model(&after, &s);
    if (after.value != before.value) fail("a refused call left a trace");
    nn_run_free(s.run);
    nn_model_free(s.model);
}

/* ---- memory runs out ---- */

/* Everything from nothing, or as far as memory goes when its n-th allocation fails. */
static nn_status build(trainee *s, size_t n) {
    nn_row relu = row_named(NN_ACTIVATIONS, "relu");
    *s = (trainee){.bits = 32};
    until_failure = n;
    nn_status status = make_model(s, &plain, NULL);
    if (status == NN_OK) status = compile_model(s, &plain);
    if (status == NN_OK) status = nn_run_new(s->model, BATCH, &s->run);
    if (status == NN_OK) fill_data(s, &plain);
    if (status == NN_OK) status = nn_run_bind(s->run, &s->data, NULL, plain.shuffle);
    if (status == NN_OK) status = nn_activate(&relu, &s->x, ROWS, INPUTS, s->bits, &s->out);
    return status;
}

/* Rows that are worth several threads. */
enum { MANY = 20000 };
static float many_x[MANY * INPUTS], many_y[MANY * 4];
static const nn_data many = {many_x, many_y, NULL, MANY, 4};

/* A training of 3 and 4 steps, and between them call number `call`, whose n-th allocation fails; n = 0: without that call. */
static nn_status interrupted(int call, size_t n, hash *h) {
    static trainee s;
    double means[1 + METRICS];
    MUST(build(&s, 0));
    fill_model(&s);
    advance(&s, 3);
    nn_data data = s.data;
    data.target_units = 4; /* wider targets want another workspace */
    MUST(nn_set_threads(3)); /* forgets that the machine was busy */
    until_failure = n;
    const task other = {.loss = "mean_squared_error", .optimizer = "rmsprop_centered"};
    const size_t width = s.width;
    nn_status status = NN_OUT_OF_MEMORY;
    if (n && call == 0) status = compile_model(&s, &other);
    if (n && call == 1) status = nn_run_bind(s.run, &data, NULL, NN_SHUFFLE_BATCHES);
    if (n && call == 2) status = nn_evaluate(s.run, &data, 0, s.partial, means);
    if (n && call == 3) status = nn_evaluate(s.run, &many, 0, s.partial, means);
    if (n && call == 4) status = nn_predict(s.run, many_x, MANY, many_y);
    s.width = width;
    until_failure = 0;
    if (status == NN_OUT_OF_MEMORY) {
        advance(&s, 4);
        hash_model(h, &s);
    }
    nn_run_free(s.run);
    nn_model_free(s.model);
    return status;
}

static void check_memory(void) {
    static trainee s;
    nn_status status = NN_OUT_OF_MEMORY;
    size_t sites = 0;
    for (size_t n = 1; status == NN_OUT_OF_MEMORY; n++) {
        status = build(&s, n);
        until_failure = 0;
        nn_run_free(s.run);
        nn_model_free(s.model);
        if (blocks) fail("%ld blocks leaked when allocation %zu failed", blocks, n);
        sites = n;
    }
    MUST(status);
    for (int call = 0; call < 5; call++) {
        hash expected = {0, 1};
        (void)interrupted(call, 0, &expected);
        for (size_t n = 1;; n++) {
            hash h = {0, 1};
            status = interrupted(call, n, &h);
            if (status != NN_OUT_OF_MEMORY) break;
            if (h.value != expected.value) fail("call %d left a trace when its allocation %zu failed", call, n);
            sites++;
        }
        MUST(status);
    }
    if (blocks) fail("%ld blocks leaked", blocks);
    fprintf(stderr, "memory ran out in %zu places\n", sites - 1);
}

int main(void) {
    hash started = {0, 1};
    (void)interrupted(4, SIZE_MAX, &started);
    blocks = 0; /* a static C library allocates some of its own, before and to start threads */
    check_model_refusals();
    for (int bits = 32; bits <= 64; bits += 32) check_call_refusals(bits);
    if (blocks) fail("%ld blocks leaked", blocks);
    check_memory();
    fprintf(stderr, "%d failures\n", failures);
    return failures != 0;
}
