/* SPDX-License-Identifier: MIT
 * onednn.c - the only file that sees oneDNN: its library is loaded by name, never linked.
 *
 * oneDNN shares its work out by OpenMP.  Here it must not: OpenMP's number of threads, which each thread has
 * its own of, is one while oneDNN is in charge, and then what it was.  No call allocates once its plan and its
 * room are made: the scratchpad is ours.  The library stays loaded, as OpenMP's threads may not lose theirs. */
#if defined(MOPD_ONEDNN) && defined(__x86_64__)
#include "math/onednn.h"

#include <dlfcn.h>
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

#define FUNCTIONS(X)                                                                                         \
    X(dnnl_version)                                                                                          \
    X(dnnl_get_effective_cpu_isa)                                                                            \
    X(dnnl_engine_create)                                                                                    \
    X(dnnl_stream_create)                                                                                    \
    X(dnnl_stream_destroy)                                                                                   \
    X(dnnl_memory_desc_init_by_tag)                                                                          \
    X(dnnl_memory_desc_get_size)                                                                             \
    X(dnnl_memory_create)                                                                                    \
    X(dnnl_memory_set_data_handle)                                                                           \
    X(dnnl_memory_destroy)                                                                                   \
    X(dnnl_matmul_desc_init)                                                                                 \
    X(dnnl_primitive_attr_create)                                                                            \
    X(dnnl_primitive_attr_set_scratchpad_mode)                                                               \
    X(dnnl_primitive_attr_destroy)                                                                           \
    X(dnnl_primitive_desc_create)                                                                            \
    X(dnnl_primitive_desc_query)                                                                             \
    X(dnnl_primitive_desc_query_md)                                                                          \
    X(dnnl_primitive_desc_destroy)                                                                           \
    X(dnnl_reorder_primitive_desc_create)                                                                    \
    X(dnnl_primitive_create)                                                                                 \
    X(dnnl_primitive_execute)                                                                                \
    X(dnnl_primitive_destroy)

static struct {
#define MEMBER(name) __typeof__(&name) name;
    FUNCTIONS(MEMBER)
    void (*omp_set_num_threads)(int);
    int (*omp_get_max_threads)(void);
} api;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows, and over plans */
static const char *library = MOPD_ONEDNN;
static dnnl_engine_t engine;
static mo_onednn_kind kind;
static atomic_bool tried;

static bool find(void *handle, const char *name, void *pointer)
{
    void *found = dlsym(handle, name);
    memcpy(pointer, &found, sizeof found);
    return found;
}

static mo_onednn_kind load(void)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return MO_ONEDNN_NONE;
#define FIND(name)                                                                                           \
    if (!find(handle, #name, &api.name)) return MO_ONEDNN_NONE;
    FUNCTIONS(FIND)
    FIND(omp_set_num_threads)
    FIND(omp_get_max_threads)
    const dnnl_version_t *v = api.dnnl_version();
    if (v->major != DNNL_VERSION_MAJOR || v->minor < 6 || v->cpu_runtime != DNNL_RUNTIME_OMP)
        return MO_ONEDNN_NONE;
    const dnnl_cpu_isa_t isa = api.dnnl_get_effective_cpu_isa();
    const bool amx = isa == dnnl_cpu_isa_avx512_core_amx;
    if (!amx && isa != dnnl_cpu_isa_avx512_core_bf16) return MO_ONEDNN_NONE;
    if (!engine && api.dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return MO_ONEDNN_NONE;
    return amx ? MO_ONEDNN_AMX : MO_ONEDNN_AVX512;
}

mo_onednn_kind mo_onednn_load(void)
{
    if (atomic_load(&tried)) return kind;
    pthread_mutex_lock(&lock);
    if (!atomic_load(&tried)) {
        kind = load();
        atomic_store(&tried, true);
    }
    pthread_mutex_unlock(&lock);
    return kind;
}

void mo_onednn_set_library(const char *name)
{
    library = name ? name : MOPD_ONEDNN;
    atomic_store(&tried, false);
}

/* oneDNN keeps to this thread until leave(enter()). */
static int enter(void)
{
    const int before = api.omp_get_max_threads();
    if (before != 1) api.omp_set_num_threads(1);
    return before;
}

static void leave(int before)
{
    if (before != 1) api.omp_set_num_threads(before);
}

/* Room for one thread and oneDNN's views of it. */
typedef struct work {
    mo_onednn_work room; /* first: what users see */
    dnnl_stream_t stream;
    dnnl_memory_t a, w, c, scratch;
} work;

#define SLOTS 64

typedef struct plan {
    mo_onednn_plan shape; /* first: what users see */
    dnnl_memory_desc_t a, plain, w, c, scratch;
    dnnl_primitive_t multiply, pack;
    _Atomic(work *) idle[SLOTS];
    size_t users;
    struct plan *next;
} plan;

static plan *plans;

static void free_work(work *r)
{
    if (!r) return;
    dnnl_memory_t all[] = {r->a, r->w, r->c, r->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]) api.dnnl_memory_destroy(all[i]);
    if (r->stream) api.dnnl_stream_destroy(r->stream);
    mo_mem_free(r);
}

/* NOMEM, also where it is oneDNN that has none. */
static mopd_status make_work(work **out, const plan *p)
{
    const mo_onednn_plan *s = &p->shape;
    const size_t head = mo_round_up(sizeof(work), 64),
                 a = s->blocks * MO_ONEDNN_ROWS * s->depth * sizeof(uint16_t);
    const size_t c = MO_ONEDNN_ROWS * s->width * sizeof(float),
                 scratch = api.dnnl_memory_desc_get_size(&p->scratch);
    char *block = mo_mem_alloc(head + a + c + scratch, 1);
    if (!block) return MOPD_E_NOMEM;
    work *r = (work *)(void *)block;
    *r = (work){.room = {.a = (uint16_t *)(void *)(block + head), .c = (float *)(void *)(block + head + a)}};
    memset(block + head, 0, a + c + scratch);
    if (api.dnnl_stream_create(&r->stream, engine, dnnl_stream_default_flags) != dnnl_success ||
        api.dnnl_memory_create(&r->a, &p->a, engine, r->room.a) != dnnl_success ||
        api.dnnl_memory_create(&r->w, &p->w, engine, NULL) != dnnl_success ||
        api.dnnl_memory_create(&r->c, &p->c, engine, r->room.c) != dnnl_success ||
        api.dnnl_memory_create(&r->scratch, &p->scratch, engine, block + head + a + c) != dnnl_success) {
        free_work(r);
        return mo_fail(MOPD_E_NOMEM, "oneDNN has no memory");
    }
    *out = r;
    return MOPD_OK;
}

mo_onednn_work *mo_onednn_take(const mo_onednn_plan *shape)
{
    plan *p = (plan *)(uintptr_t)shape;
    for (;; sched_yield()) {
        for (size_t i = 0; i < SLOTS; i++) {
            work *r = atomic_load(&p->idle[i]) ? atomic_exchange(&p->idle[i], NULL) : NULL;
            if (r) return &r->room;
        }
        work *r;
        if (make_work(&r, p) == MOPD_OK) return &r->room;
    }
}

void mo_onednn_give(const mo_onednn_plan *shape, mo_onednn_work *room)
{
    plan *p = (plan *)(uintptr_t)shape;
    work *r = (work *)(void *)room;
    for (size_t i = 0; i < SLOTS; i++) {
        work *none = NULL;
        if (atomic_compare_exchange_strong(&p->idle[i], &none, r)) return;
    }
    free_work(r);
}

void mo_onednn_multiply(const mo_onednn_plan *shape, mo_onednn_work *room, size_t block, const void *packed)
{
    const plan *p = (const plan *)(const void *)shape;
    const work *r = (const work *)(void *)room;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, r->a}, {DNNL_ARG_WEIGHTS, r->w}, {DNNL_ARG_DST, r->c},
        {DNNL_ARG_SCRATCHPAD, r->scratch}};
    const int before = enter();
    const bool done = api.dnnl_memory_set_data_handle(
                          r->a, room->a + block * MO_ONEDNN_ROWS * shape->depth) == dnnl_success &&
                      api.dnnl_memory_set_data_handle(r->w, (void *)(uintptr_t)packed) == dnnl_success &&
                      api.dnnl_primitive_execute(p->multiply, r->stream, 4, args) == dnnl_success;
    leave(before);
    for (size_t i = 0; !done && i < MO_ONEDNN_ROWS * shape->width; i++) room->c[i] = NAN;
}

bool mo_onednn_pack(const mo_onednn_plan *shape, void *packed, const float *w)
{
    const plan *p = (const plan *)(const void *)shape;
    mo_onednn_work *room = mo_onednn_take(shape);
    const work *r = (const work *)(void *)room;
    dnnl_memory_t from;
    const int before = enter();
    bool done = api.dnnl_memory_create(&from, &p->plain, engine, (void *)(uintptr_t)w) == dnnl_success;
    if (done) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, r->w}};
        done = api.dnnl_memory_set_data_handle(r->w, packed) == dnnl_success &&
               api.dnnl_primitive_execute(p->pack, r->stream, 2, args) == dnnl_success;
        api.dnnl_memory_destroy(from);
    }
    leave(before);
    mo_onednn_give(shape, room);
    return done;
}

static bool init_descs(plan *p, dnnl_matmul_desc_t *desc)
{
    const dnnl_dim_t k = (dnnl_dim_t)p->shape.depth, n = (dnnl_dim_t)p->shape.width;
    const dnnl_dims_t a = {MO_ONEDNN_ROWS, k}, w = {k, n}, c = {MO_ONEDNN_ROWS, n};
    return api.dnnl_memory_desc_init_by_tag(&p->a, 2, a, dnnl_bf16, dnnl_ab) == dnnl_success &&
           api.dnnl_memory_desc_init_by_tag(&p->plain, 2, w, dnnl_f32, dnnl_ab) == dnnl_success &&
           api.dnnl_memory_desc_init_by_tag(&p->w, 2, w, dnnl_bf16, dnnl_format_tag_any) == dnnl_success &&
           api.dnnl_memory_desc_init_by_tag(&p->c, 2, c, dnnl_f32, dnnl_ab) == dnnl_success &&
           api.dnnl_matmul_desc_init(desc, &p->a, &p->w, NULL, &p->c) == dnnl_success;
}

/* Blocked kernels for this CPU alone: others allocate, or are slower than integers. */
static bool is_wanted(const_dnnl_primitive_desc_t desc)
{
    const char *name = NULL;
    return api.dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name) == dnnl_success && name &&
           !strncmp(name, "brg:", 4) && (kind != MO_ONEDNN_AMX || strstr(name, "amx"));
}

static bool init_pack(plan *p)
{
    dnnl_primitive_desc_t desc;
    if (api.dnnl_reorder_primitive_desc_create(&desc, &p->plain, engine, &p->w, engine, NULL) != dnnl_success)
        return false;
    const bool done = api.dnnl_primitive_create(&p->pack, desc) == dnnl_success;
    api.dnnl_primitive_desc_destroy(desc);
    return done;
}

static bool init_multiply(plan *p)
{
    dnnl_matmul_desc_t product;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t desc = NULL;
    if (!init_descs(p, &product) || api.dnnl_primitive_attr_create(&attr) != dnnl_success) return false;
    bool done =
        api.dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
        api.dnnl_primitive_desc_create(&desc, &product, attr, engine, NULL) == dnnl_success &&
        is_wanted(desc) && api.dnnl_primitive_create(&p->multiply, desc) == dnnl_success;
    if (done) {
        p->w = *api.dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        p->scratch = *api.dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
        p->shape.bytes = mo_round_up(api.dnnl_memory_desc_get_size(&p->w), 64);
    }
    if (desc) api.dnnl_primitive_desc_destroy(desc);
    api.dnnl_primitive_attr_destroy(attr);
    return done;
}

static void free_plan(plan *p)
{
    if (!p) return;
    for (size_t i = 0; i < SLOTS; i++) free_work(atomic_load(&p->idle[i]));
    if (p->multiply) api.dnnl_primitive_destroy(p->multiply);
    if (p->pack) api.dnnl_primitive_destroy(p->pack);
    mo_mem_free(p);
}

/* Small multiples of powers of two, so that every product and sum is exact. */
static float try_a(size_t i)
{
    return ((float)(i * 5 % 13) - 6) / 4;
}

static float try_w(size_t i, size_t o)
{
    return ((float)((i * 7 + o * 3) % 17) - 8) / 8;
}

/* One product of 64 same rows, all of them to be exactly what it must be. */
static bool try_product(plan *p, float *w, void *packed)
{
    const mo_onednn_plan *s = &p->shape;
    for (size_t i = 0; i < s->depth * s->width; i++) w[i] = try_w(i / s->width, i % s->width);
    if (!mo_onednn_pack(s, packed, w)) return false;
    mo_onednn_work *room = mo_onednn_take(s);
    for (size_t i = 0; i < MO_ONEDNN_ROWS * s->depth; i++) {
        const float x = try_a(i % s->depth);
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        room->a[i] = (uint16_t)(bits >> 16);
    }
    mo_onednn_multiply(s, room, 0, packed);
    bool same = true;
    for (size_t o = 0; o < s->width; o++) {
        float want = 0;
        for (size_t i = 0; i < s->depth; i++) want += try_a(i) * w[i * s->width + o];
        for (size_t r = 0; r < MO_ONEDNN_ROWS; r++) same = same && room->c[r * s->width + o] == want;
    }
    mo_onednn_give(s, room);
    return same;
}

static mopd_status try_plan(plan *p, bool *good)
{
    mopd_status st;
    work *r;
    if ((st = make_work(&r, p)) != MOPD_OK) return st;
    atomic_store(&p->idle[0], r);
    float *w = mo_mem_alloc(p->shape.depth * p->shape.width, sizeof *w);
    void *packed = w ? mo_mem_alloc(p->shape.bytes, 1) : NULL;
    if (packed) *good = try_product(p, w, packed);
    mo_mem_free(w);
    mo_mem_free(packed);
    return packed ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status make_plan(plan **out, size_t k, size_t width)
{
    *out = NULL;
    plan *p = mo_mem_calloc(1, sizeof *p);
    if (!p) return MOPD_E_NOMEM;
    const size_t depth = mo_round_up(k, 32), fit = (1u << 18) / (MO_ONEDNN_ROWS * depth);
    p->shape = (mo_onednn_plan){
        .k = k, .depth = depth, .width = width, .blocks = mo_max(1, mo_min(fit, MO_ONEDNN_BLOCKS))};
    p->users = 1;
    bool good = false;
    const int before = enter();
    mopd_status st = init_multiply(p) && init_pack(p) ? try_plan(p, &good) : MOPD_OK;
    leave(before);
    if (good)
        *out = p;
    else
        free_plan(p);
    return st;
}

mopd_status mo_onednn_plan_get(const mo_onednn_plan **out, size_t k, size_t width)
{
    mopd_status st = MOPD_OK;
    pthread_mutex_lock(&lock);
    plan *p = plans;
    while (p && (p->shape.k != k || p->shape.width != width)) p = p->next;
    if (p) {
        p->users++;
    } else if ((st = make_plan(&p, k, width)) == MOPD_OK && p) {
        p->next = plans;
        plans = p;
    }
    *out = p ? &p->shape : NULL;
    pthread_mutex_unlock(&lock);
    return st;
}

void mo_onednn_plan_release(const mo_onednn_plan *shape)
{
    if (!shape) return;
    pthread_mutex_lock(&lock);
    plan **at = &plans;
    while (&(*at)->shape != shape) at = &(*at)->next;
    plan *p = *at;
    if (!--p->users) {
        *at = p->next;
        free_plan(p);
    }
    pthread_mutex_unlock(&lock);
}
#endif
