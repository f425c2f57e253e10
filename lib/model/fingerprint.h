/* SPDX-License-Identifier: MIT
 * fingerprint.h - the names of a model and of a vocabulary by their contents. */
#ifndef MO_MODEL_FINGERPRINT_H
#define MO_MODEL_FINGERPRINT_H

#include "clip/config.h"
#include "clip/weights.h"
#include "token/tokenizer.h"

/* 64 hexadecimal digits over the configuration and a fixed sample of every parameter's values as floats: the
 * same for a model and its packed f32 file.  Touches few pages. */
mopd_status mo_fingerprint_model(char hex[65], const mo_config *config, const mo_weights *weights);

/* 64 hexadecimal digits over what every token id means: another vocabulary of the same size has others.
 * Milliseconds for 49,408 tokens. */
void mo_fingerprint_vocabulary(char hex[65], const mo_tokenizer *tokenizer);

#endif
