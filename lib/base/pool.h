/* SPDX-License-Identifier: MIT
 * pool.h - worker threads that share out the tasks of one call.
 *
 * A call runs fn(ctx, 0 .. n_tasks-1), each once, in any order, and returns when all are done.  When the pool
 * is busy with another thread's call, or the process has forked, the caller runs its tasks alone: nobody waits,
 * nothing depends on who ran what.  pool may be NULL: all tasks run on the caller. */
#ifndef MO_BASE_POOL_H
#define MO_BASE_POOL_H

#include "base/mem.h"

typedef struct mo_pool mo_pool;
typedef void (*mo_task_fn)(void *ctx, size_t task);

mopd_status mo_pool_create(mo_pool **out, size_t n_threads);
void mo_pool_free(mo_pool *pool);
size_t mo_pool_threads(const mo_pool *pool); /* 1 for NULL */
void mo_pool_run(mo_pool *pool, size_t n_tasks, mo_task_fn fn, void *ctx);

/* The same for long tasks that call mo_pool_run themselves: a thread for which no lane is left helps with the
 * small tasks of the others. */
void mo_pool_run_lanes(mo_pool *pool, size_t n_lanes, mo_task_fn fn, void *ctx);

/* Threads that would share a run begun now: in a lane itself and those that are idle, elsewhere all. */
size_t mo_pool_now(const mo_pool *pool);

/* Processors this process may use: its affinity, of big and little ones the big, no more than its container's quota.  What
 * mopd_runtime_set_threads chose, else that. */
size_t mo_pool_processors(void);
size_t mo_pool_default_threads(void);
mopd_status mo_pool_set_default_threads(uint32_t n);

#endif
