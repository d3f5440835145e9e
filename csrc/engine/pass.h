/* The way of a batch through the layers of a plan, forward and back. */

static inline real *run_real(void *p) { return (real *)p; }

/* The run a thread works in. */
static nn_run *run_of(nn_run *run, size_t thread) { return thread ? run->helpers[thread - 1] : run; }

static real *fixed_of_run(const nn_run *run) {
    const nn_plan *plan = &run->model->plan;
    return (real *)run->workspace + nn_room(plan->narrow, run->batch_size) * plan->row_reals;
}

/* input: of the run's own, or, staged, where it lies. */
static NN_APART nn_pass pass_of(nn_run *run, nn_site_set set, void *staged, size_t rows, int training) {
    nn_model *m = run->model;
    real *fixed = fixed_of_run(run);
    const nn_pass p = {.plan = &m->plan, .sites = nn_sites_of(run, set),
                       .workspace = run->workspace, .fixed = fixed, .lanes = fixed + m->plan.lanes, .input = staged ? staged : run->input,
                       .staged = staged != NULL, .rows = rows, .pitch = nn_pitch(m->plan.narrow, rows),
                       .room = nn_room(m->plan.narrow, run->batch_size), .training = training, .seed = m->state.seed,
                       .iteration = m->state.iterations, .outside = &m->outside};
    find_sites(&p);
    return p;
}

static const nn_site *last_site(const nn_pass *p) { return &p->sites[p->plan->n_layers - 1]; }

NN_INLINE void pass_forward(nn_pass *p) {
    for (const nn_site *s = p->sites, *const end = s + p->plan->n_layers; s < end; s++) {
        if (s->forward) s->forward(p, s);
    }
}

/* From the gradient in the output of the last layer but `skip` to the gradients of all tensors. begins, ends: see nn_pass. */
NN_INLINE void pass_backward(nn_pass *p, size_t skip, int begins, int ends) {
    const nn_site *const first = p->sites, *const end = first + p->plan->n_layers - skip;
    p->begins = begins;
    p->ends = ends;
    for (const nn_site *s = end; s > first;) {
        s--;
        if (s->backward) s->backward(p, s);
    }
    for (const nn_site *s = first; s < end; s++) {
        if (s->weights) s->weights(p, s);
    }
}
