/* SPDX-License-Identifier: MIT
 * towers.h - weights and the towers over them, one for all encoders of the same files. */
#ifndef MO_MODEL_TOWERS_H
#define MO_MODEL_TOWERS_H

#include "clip/text.h"
#include "clip/vision.h"

typedef struct mo_towers {
    mo_weights *weights;
    mo_vision *vision;
    mo_text *text;
    char fingerprint[65]; /* of configuration and weights */
    mo_precision precision;
    size_t users; /* this and `next`: the list's lock is held */
    struct mo_towers *next;
} mo_towers;

/* Those that another encoder has already, of the same files in the same state, with the same configuration and precision;
 * else new ones.  Takes the weights, on success.  Any thread.  Free with mo_towers_release. */
mopd_status mo_towers_get(mo_towers **out, mo_weights *weights, const mo_config *config,
    mo_precision precision, const char fingerprint[65]);
void mo_towers_release(mo_towers *towers);

#endif
