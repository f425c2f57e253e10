/* SPDX-License-Identifier: MIT
 * naming.h - what a layout calls the parameters of params.h, as a table of patterns.
 *
 *     {"text_model.encoder.layers.*.mlp.fc1.bias", "transformer.resblocks.*.mlp.c_fc.bias"}
 *
 * A pattern holds at most one *, which stands for any text: the number of a layer, or all of a name.  A table
 * is read from the top, and a parameter that no rule fits is stored under its own name. */
#ifndef MO_CLIP_NAMING_H
#define MO_CLIP_NAMING_H

#include <stdbool.h>
#include <stddef.h>

#define MO_NAMING_LONGEST 128

typedef struct mo_naming_rule {
    const char *name;   /* of the parameter */
    const char *stored; /* in the file; its * is the text that the name's * stood for */
    int part,
        parts; /* parts 0: the whole tensor; else number `part`, from 0, of equal ones, one below the other */
    bool in_out; /* a matrix stored [inputs][outputs] */
} mo_naming_rule;

typedef struct mo_naming_led {
    const char *stored;
    int ones;
} mo_naming_led;

typedef struct mo_naming {
    const mo_naming_rule *rule;
    size_t n_rules;
    const mo_naming_led *led; /* stored tensors with dimensions of 1 before those of their parameter */
    size_t n_led;
    const char *const *ignored; /* patterns of tensors that decide nothing; a file may hold them or not */
    size_t n_ignored;
    size_t
        panels; /* g, or 0: matrices may lie in panels, tensors [outputs / 16][inputs / g][16][g], without the last one if
                      g is 1 */
    bool strict; /* a tensor that is neither asked for nor ignored is refused, wherever it stands */
    bool scaled; /* tensors may be I8, with scales beside them (MO_WEIGHTS_SCALE) */
} mo_naming;

/* Where a parameter is stored. */
typedef struct mo_naming_place {
    char name[MO_NAMING_LONGEST];
    int part, parts;
    bool in_out;
    size_t panels; /* as in mo_naming */
    int led;       /* dimensions of 1 in front */
} mo_naming_place;

void mo_naming_find(mo_naming_place *out, const mo_naming *naming, const char *name);

/* Whether a stored tensor is one of the ignored. */
bool mo_naming_ignores(const mo_naming *naming, const char *stored);

#endif
