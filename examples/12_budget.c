/* SPDX-License-Identifier: MIT
 * 12_budget.c - the twelfth lesson: a host that gives the library so much memory and no more.
 *
 *     12_budget 80 photo.jpg cat dog "cup of coffee"          80 megabytes
 *
 * All memory of the library comes from three functions of the host's.  These count, and refuse what goes beyond the
 * budget: the call that needed it then ends with MOPD_E_NOMEM, gives back what it had taken, and the host goes on.
 * They are called from any thread, so the count is atomic.  A mapped model file is no memory of the library's;
 * what else the system keeps is listed in mopd/runtime.h. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <mopd/mopd.h>

typedef struct budget {
    size_t limit;
    atomic_size_t used, most; /* bytes */
} budget;

/* Stands before each block: an allocator is not told the size of what it frees. */
typedef union head {
    size_t n_bytes;
    max_align_t align;
} head;

/* Takes n_bytes from the budget; 0: there are not so many left. */
static int take(budget *b, size_t n_bytes)
{
    size_t used = atomic_load(&b->used), most = atomic_load(&b->most);
    do {
        if (n_bytes > b->limit - used) return 0;
    } while (!atomic_compare_exchange_weak(&b->used, &used, used + n_bytes));
    used += n_bytes;
    while (used > most && !atomic_compare_exchange_weak(&b->most, &most, used)) continue;
    return 1;
}

static void *get(size_t n_bytes, void *context)
{
    budget *b = context;
    if (!take(b, n_bytes)) return NULL;
    head *h = n_bytes <= SIZE_MAX - sizeof *h ? malloc(sizeof *h + n_bytes) : NULL;
    if (!h) return atomic_fetch_sub(&b->used, n_bytes), NULL;
    h->n_bytes = n_bytes;
    return h + 1;
}

static void give_back(void *block, void *context)
{
    if (!block) return;
    head *h = (head *)block - 1;
    atomic_fetch_sub(&((budget *)context)->used, h->n_bytes);
    free(h);
}

/* The old block stays as it is where there is no room for the new one. */
static void *resize(void *block, size_t n_bytes, void *context)
{
    char *to = get(n_bytes, context), *from = block;
    if (!to || !block) return to;
    size_t old = ((head *)block - 1)->n_bytes;
    for (size_t i = 0; i < old && i < n_bytes; i++) to[i] = from[i];
    give_back(block, context);
    return to;
}

static mopd_status classify(const char *picture, const char *const *classes, size_t n_classes)
{
    mopd_encoder *encoder = NULL;
    mopd_bank *bank = NULL;
    mopd_image *image = NULL;
    float feature[4096]; /* D floats; models have 192 to 1280 */
    mopd_match best;
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK) st = mopd_bank_create(&bank, encoder, classes, n_classes, NULL, 0);
    if (st == MOPD_OK) st = mopd_image_open(&image, picture, NULL);
    if (st == MOPD_OK)
        st = mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature);
    if (st == MOPD_OK) st = mopd_bank_top(bank, feature, 1, 1, &best);
    if (st == MOPD_OK) printf("%s %.2f\n", classes[best.index], (double)best.probability);
    mopd_image_close(image);
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    return st;
}

int main(int argc, char **argv)
{
    double megabytes = argc > 3 ? strtod(argv[1], NULL) : 0;
    if (!(megabytes > 0 && megabytes < 1e9))
        return fprintf(stderr, "usage: %s MEGABYTES PICTURE CLASS...\n", argv[0]), 2;
    budget b = {.limit = (size_t)(megabytes * 1e6)};
    mopd_allocator allocator = {get, resize, give_back, &b};
    mopd_status st = mopd_runtime_set_allocator(&allocator); /* before anything else */
    if (st == MOPD_OK) st = classify(argv[2], (const char *const *)argv + 3, (size_t)argc - 3);
    if (st != MOPD_OK) fprintf(stderr, "%s: %s\n", mopd_status_name(st), mopd_last_error());
    printf(
        "at most %.3f MB, %zu bytes left over\n", (double)atomic_load(&b.most) / 1e6, atomic_load(&b.used));
    return st == MOPD_OK ? 0 : 1;
}
