/* The engine's threads: one pool for the process, of a *leader*, the thread that called the engine, and *helpers*, which sleep between calls.
 *
 * A *job* is a routine and a number of *parts*. Parts may be done in any order, at the same time and by any thread with the same result, and cannot
 * fail. Each thread begins with its own share of the parts, the same in every job of that size, so that what it wrote last time is still in its cache;
 * then it takes what others have left. So a helper that does not get a processor holds nobody up: its share is done by the rest.
 *
 * One leader at a time has the pool. A second one, in another thread of the process, is told so at once and works alone. */
#ifndef NN_POOL_H
#define NN_POOL_H

#include "nnlite.h"

/* `thread` is below the number of threads that do the job, the leader 0: two parts never run at once with the same one. */
typedef void nn_part(void *context, size_t part, size_t thread);

enum { NN_MOST_PARTS = 1 << 20 };

/* Lends the pool to the caller until nn_pool_return. Returns how many threads there are for its jobs, at most `wanted`, itself included;
 * 1: the pool is not lent, and nothing is to be returned. */
size_t nn_pool_borrow(size_t wanted);
void nn_pool_return(void);

/* Does parts 0 ... parts - 1, fewer than NN_MOST_PARTS, on that many threads, and comes back when all are done. What the leader wrote before is seen by
 * all of them, what they wrote by the leader. Jobs of one thread need no pool. */
void nn_pool_do(size_t threads, nn_part *routine, void *context, size_t parts);

#endif
