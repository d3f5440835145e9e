#define _DEFAULT_SOURCE /* clock_gettime, and all of getrusage */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "cpu.h"
#include "environment.h"

enum {
    DEFAULT_MOST = 16, /* threads that nobody asked for */
    CAUTION = 16,      /* how many times as long as it was found busy a machine is taken for busy, at most: twice as long each time in a row */
};

#define PATIENCE 1e-4 /* seconds a thread waits awake before it goes to sleep */

#define PART_MASK ((uint64_t)NN_MOST_PARTS - 1)

/* What one thread waits for: the number of a job, and in the low bits how many parts of this thread's share in it nobody has taken. */
typedef struct seat {
    _Alignas(64) _Atomic uint64_t share;
    atomic_int asleep;
    pthread_cond_t bell;
} seat;

static struct {
    atomic_size_t allowed; /* threads a call may use; 0 = as many as there are processors */
    atomic_int lent;
    double since, used;    /* when it was lent, and the processor time of the leader until then, seconds */
    long displaced;        /* how often until then a thread of this process had to leave its processor to another */
    double caution;        /* of the next time it is found busy */
    _Atomic double busy_until; /* it is not lent again before */

    pthread_mutex_t lock;  /* of the two below, and of going to sleep */
    size_t helpers;        /* started: those of seats 1 ... helpers */
    int watches_fork;

    /* the job under way; who has taken a part of it may read this */
    nn_part *routine;
    void *context;
    size_t parts;
    atomic_size_t threads;
    _Atomic double patience;
    uint64_t job;

    _Alignas(64) atomic_size_t undone; /* parts of the job */
    atomic_int leader_asleep;
    pthread_cond_t done;
    seat seats[NN_MOST_THREADS];
} pool = {.caution = 1, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

size_t nn_threads(void) {
    const size_t allowed = atomic_load(&pool.allowed), processors = nn_cpu_count();
    return allowed ? allowed : processors < DEFAULT_MOST ? processors : DEFAULT_MOST;
}

nn_status nn_set_threads(size_t threads) {
    if (threads > NN_MOST_THREADS) return NN_BAD_SIZE;
    atomic_store(&pool.allowed, threads);
    atomic_store(&pool.busy_until, 0);
    return NN_OK;
}

static inline void look_again(void) {
#if defined(__x86_64__)
    _mm_pause();
#else
    __asm__ volatile("yield");
#endif
}

/* ---- parts ---- */

static size_t share_start(size_t thread) { return thread * pool.parts / atomic_load_explicit(&pool.threads, memory_order_relaxed); }

/* Takes the next part of a seat's share in that job. From then on the job cannot end before the part is reported done. */
static int take(size_t thread, uint64_t job, size_t *part) {
    _Atomic uint64_t *share = &pool.seats[thread].share;
    uint64_t now = atomic_load_explicit(share, memory_order_acquire);
    do {
        if (now / NN_MOST_PARTS != job || (now & PART_MASK) == 0) return 0;
    } while (!atomic_compare_exchange_weak_explicit(share, &now, now - 1, memory_order_acq_rel, memory_order_acquire));
    *part = share_start(thread + 1) - (size_t)(now & PART_MASK);
    return 1;
}

/* Does what there is to do of that job, the thread's own share first. */
static void work(size_t thread, uint64_t job) {
    const size_t threads = atomic_load_explicit(&pool.threads, memory_order_relaxed);
    size_t done = 0, part;
    for (size_t i = 0; i < threads; i++) {
        while (take((thread + i) % threads, job, &part)) {
            pool.routine(pool.context, part, thread);
            done++;
        }
    }
    if (done && atomic_fetch_sub(&pool.undone, done) == done && atomic_load(&pool.leader_asleep)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
}

/* ---- waiting: a while awake, then asleep. Who sleeps says so before a last look, who wakes looks for sleepers after the change. ---- */

/* Whether to look once more. The clock is asked at every 64th look. */
static int is_patient(unsigned looks, double *end) {
    if (looks % 64) return 1;
    if (looks == 64) *end = nn_clock() + atomic_load_explicit(&pool.patience, memory_order_relaxed);
    return nn_clock() < *end;
}

static uint64_t job_at(seat *s) { return atomic_load(&s->share) / NN_MOST_PARTS; }

static uint64_t await_job(seat *s, uint64_t last) {
    double end = 0;
    for (unsigned looks = 1; is_patient(looks, &end); looks++) {
        const uint64_t job = atomic_load_explicit(&s->share, memory_order_acquire) / NN_MOST_PARTS;
        if (job != last) return job;
        look_again();
    }
    pthread_mutex_lock(&pool.lock);
    uint64_t job;
    for (;;) {
        atomic_store(&s->asleep, 1);
        if ((job = job_at(s)) != last) break;
        pthread_cond_wait(&s->bell, &pool.lock);
    }
    atomic_store(&s->asleep, 0);
    pthread_mutex_unlock(&pool.lock);
    return job;
}

static void wake(seat *s) {
    if (!atomic_load(&s->asleep)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&s->asleep, 0); /* once is enough */
    pthread_cond_signal(&s->bell);
    pthread_mutex_unlock(&pool.lock);
}

static void await_done(void) {
    double end = 0;
    for (unsigned looks = 1; is_patient(looks, &end); looks++) {
        if (atomic_load_explicit(&pool.undone, memory_order_acquire) == 0) return;
        look_again();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.leader_asleep, 1);
    while (atomic_load(&pool.undone)) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.leader_asleep, 0);
    pthread_mutex_unlock(&pool.lock);
}

void nn_pool_do(size_t threads, nn_part *routine, void *context, size_t parts) {
    const size_t needed = threads < parts ? threads : parts;
    if (needed < 2) {
        for (size_t part = 0; part < parts; part++) routine(context, part, 0);
        return;
    }
    pool.routine = routine;
    pool.context = context;
    pool.parts = parts;
    atomic_store_explicit(&pool.threads, needed, memory_order_relaxed);
    atomic_store_explicit(&pool.undone, parts, memory_order_relaxed);
    const uint64_t job = ++pool.job;
    for (size_t t = needed; t-- > 0;) atomic_store(&pool.seats[t].share, job * NN_MOST_PARTS + (share_start(t + 1) - share_start(t)));
    for (size_t t = 1; t < needed; t++) wake(&pool.seats[t]);
    work(0, job);
    await_done();
}

/* ---- helpers ---- */

static void *help(void *its_seat) {
    seat *const s = its_seat;
    uint64_t job = 0;
    (void)environment_enter();
    for (;;) {
        job = await_job(s, job);
        work((size_t)(s - pool.seats), job);
    }
    return NULL;
}

/* A child has the thread that forked and no other. Whatever the pool was doing in the parent, in the child it has yet to start. */
static void before_fork(void) { pthread_mutex_lock(&pool.lock); }
static void parent_after_fork(void) { pthread_mutex_unlock(&pool.lock); }
static void child_after_fork(void) {
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.done, NULL);
    pool.helpers = 0;
    atomic_store(&pool.leader_asleep, 0);
    for (size_t t = 0; t < NN_MOST_THREADS; t++) atomic_store(&pool.seats[t].share, 0);
    atomic_store(&pool.lent, 0);
}

static int start_helper(seat *s) {
    pthread_t thread;
    sigset_t all, mask;
    if (pthread_cond_init(&s->bell, NULL) != 0) return 0;
    atomic_store(&s->asleep, 0);
    sigfillset(&all); /* signals are for the threads of the program */
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    const int failed = pthread_create(&thread, NULL, help, s);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (failed) return 0;
    pthread_detach(thread);
    return 1;
}

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long times_displaced(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

size_t nn_pool_borrow(size_t wanted) {
    int lent = 0;
    if (wanted < 2 || !atomic_compare_exchange_strong(&pool.lent, &lent, 1)) return 1;
    pool.since = nn_clock();
    if (pool.since < atomic_load(&pool.busy_until)) {
        atomic_store(&pool.lent, 0);
        return 1;
    }
    pthread_mutex_lock(&pool.lock);
    if (!pool.watches_fork) pool.watches_fork = pthread_atfork(before_fork, parent_after_fork, child_after_fork) == 0;
    while (pool.watches_fork && pool.helpers < wanted - 1 && start_helper(&pool.seats[pool.helpers + 1])) pool.helpers++;
    const size_t threads = pool.helpers < wanted - 1 ? pool.helpers + 1 : wanted;
    pthread_mutex_unlock(&pool.lock);
    if (threads < 2) {
        atomic_store(&pool.lent, 0);
        return 1;
    }
    pool.used = processor_time();
    pool.displaced = times_displaced();
    /* Where threads share processors, one that waits awake would keep another from its work. */
    atomic_store_explicit(&pool.patience, threads <= nn_cpu_count() ? PATIENCE : 0, memory_order_relaxed);
    return threads;
}

/* A leader that had no processor for a quarter of the time, or slept waiting for a helper that had none, while threads had to leave theirs to others, is on a
 * machine where others compute too. There threads take turns, each waiting for the next, and are slower than one: so the next calls do without them. It may
 * have been a moment only: the first time they do so for no longer than was lost. A virtual machine that loses processors to its host for a while is none of
 * that: nobody in it takes turns, and one thread would lose as much. */
void nn_pool_return(void) {
    const double now = nn_clock(), time = now - pool.since;
    if (processor_time() - pool.used < 0.75 * time && times_displaced() > pool.displaced) {
        atomic_store(&pool.busy_until, now + pool.caution * time);
        pool.caution = pool.caution < CAUTION ? 2 * pool.caution : CAUTION;
    } else {
        pool.caution = 1;
    }
    atomic_store(&pool.lent, 0);
}
