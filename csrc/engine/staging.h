/* Staged data of a narrow plan. Its rows lie side by side once, inputs, a 1, targets and weight together, and from there an epoch is gathered in one go: batch
 * after batch, each [stride][rows padded], so that a step finds its data where the gather left them.
 * Rows of padding repeat the last row of their batch: finite where it is, so that 0 times what comes of them is 0. */

/* Where the batch, or block of a batch, from row `start` on lies. */
NN_INLINE real *staged_batch(const nn_staging *s, size_t batch_size, size_t start) {
    return (real *)s->batches + start / batch_size * s->batch_reals + start % batch_size * s->stride;
}

/* How many rows lie together from row `start` on. */
NN_INLINE size_t staged_together(const nn_staging *s, size_t rows, size_t batch_size, size_t start) {
    const size_t of_batch = batch_size - start % batch_size, left = of_batch < rows - start ? of_batch : rows - start;
    return left < s->block_rows ? left : s->block_rows;
}

/* to[stride][pitch] from 16 rows. stride may be a constant. */
NN_INLINE void stage_rows(real *to, size_t pitch, const real *rows, const uint32_t *index, const size_t stride) {
    const real *row[NN_LANES];
    for (size_t i = 0; i < NN_LANES; i++) row[i] = rows + index[i] * stride;
    for (size_t c = 0, n; c < stride; c += n) {
        vec column[8];
        n = stride - c < 8 ? NN_COLUMNS : 8;
        if (n == 8) v_eight_columns(column, row, c);
        else v_columns(column, row, c);
        for (size_t i = 0; i < n; i++) v_store(to + (c + i) * pitch, column[i]);
    }
}

/* Rows r ... of those that lie together from row `start` on, where fewer than 16 are left or there is no order. */
static NN_APART void stage_rest(real *batch, const nn_staging *s, const uint32_t *order, size_t start, size_t r, size_t count) {
    for (; r < count; r += NN_LANES) {
        uint32_t index[NN_LANES];
        for (size_t i = 0; i < NN_LANES; i++) {
            const size_t at = start + (r + i < count ? r + i : count - 1);
            index[i] = order ? order[at] : (uint32_t)at;
        }
        stage_rows(batch + r, nn_pad(count), s->rows, index, s->stride);
    }
}

/* Batches anew from rows in the given order, or as they come. */
NN_INLINE void stage_batches_of(const nn_staging *s, size_t rows, size_t batch_size, const uint32_t *order, const size_t stride) {
    for (size_t start = 0, count; start < rows; start += count) {
        count = staged_together(s, rows, batch_size, start);
        real *batch = staged_batch(s, batch_size, start);
        size_t r = 0;
        for (; order && r + NN_LANES <= count; r += NN_LANES) stage_rows(batch + r, nn_pad(count), s->rows, order + start + r, stride);
        if (r < count) stage_rest(batch, s, order, start, r, count);
    }
}

static void stage_batches(const nn_staging *s, size_t rows, size_t batch_size, const uint32_t *order) {
    switch (s->stride) { /* a known one saves more than a short row costs */
    case 4: stage_batches_of(s, rows, batch_size, order, 4); return;
    case 8: stage_batches_of(s, rows, batch_size, order, 8); return;
    default: stage_batches_of(s, rows, batch_size, order, s->stride); return;
    }
}

/* batches: 0 if each epoch makes its own. */
static void stage(const nn_staging *s, const nn_data *data, size_t inputs, size_t batch_size, int batches) {
    const real *x = data->x, *y = data->y, *weights = data->weights;
    const size_t targets = inputs + 1;
    for (size_t r = 0; r < data->rows; r++) {
        real *row = (real *)s->rows + r * s->stride;
        for (size_t c = 0; c < inputs; c++) row[c] = x[r * inputs + c];
        for (size_t c = 0; c < data->target_units; c++) row[targets + c] = y[r * data->target_units + c];
        row[inputs] = 1; /* see narrow_layer */
        if (weights) row[targets + data->target_units] = weights[r];
    }
    if (batches) stage_batches(s, data->rows, batch_size, NULL);
}

static void run_stage(nn_run *run) {
    const size_t inputs = run->model->plan.inputs;
    if (run->staged.rows) stage(&run->staged, &run->train, inputs, run->batch_size, run->shuffle == NN_KEEP);
    if (run->staged_validation.rows) stage(&run->staged_validation, &run->validation, inputs, run->batch_size, 1);
}
