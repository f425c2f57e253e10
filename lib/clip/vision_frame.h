/* SPDX-License-Identifier: MIT
 * vision_frame.h - what all vision towers do alike: weights packed once by whoever asks first, and one block of memory
 * for the work of a call.
 *
 * A tower is a struct that begins with mo_vision_frame, and its packed weights one that begins with
 * mo_vision_packs.  What only it does stands in its mo_vision_own. */
#ifndef MO_CLIP_VISION_FRAME_H
#define MO_CLIP_VISION_FRAME_H

#include "base/arena.h"
#include "base/once.h"
#include "clip/vision.h"

typedef struct mo_vision_packs {
    mo_once once;
    mo_buffer_pool pool; /* of calls' working memory */
} mo_vision_packs;

/* One call's work for n pictures at once; it lies in its arena. */
typedef struct mo_vision_call {
    struct mo_vision_call *self;
    const void *tower;
    void *work; /* the tower's own buffers */
    const mo_pool *pool;
    size_t n;
    mo_arena arena;
} mo_vision_call;

typedef struct mo_vision_own {
    size_t tower_size, packs_size;
    /* Fills the packs but for mo_vision_packs.  Where it fails, `unpack` clears up. */
    mopd_status (*pack)(const void *tower);
    /* Frees what pack has made, all or a part, and leaves it empty. */
    void (*unpack)(const void *tower);
    /* Takes the buffers of c->n pictures, c->work among them. */
    void (*take)(mo_arena *arena, mo_vision_call *c);
    void (*run)(const mo_vision_call *c, mo_pool *pool, const float *pixels, size_t n, float *out);
} mo_vision_own;

typedef struct mo_vision_frame {
    mo_vision base;
    const mo_vision_own *own;
    const mo_weights *weights;
    mo_precision precision;
    void *packs;
} mo_vision_frame;

/* *out: own->tower_size zeros but for the frame.  chunk is 4 pictures, lane one; the tower may set others.  NOMEM. */
mopd_status mo_vision_frame_create(mo_vision_frame **out, const mo_vision_own *own, const mo_config *config,
    const mo_weights *weights, mo_precision precision);

#endif
