/* SPDX-License-Identifier: MIT
 * pack8.h - which parameters a packed file of 8-bit weights has in which type, and the 8-bit ones written. */
#ifndef MO_MODEL_PACK8_H
#define MO_MODEL_PACK8_H

#include "format/safetensors.h"
#include "layer/block.h"
#include "model/calibrate.h"
#include "model/encoder.h"

/* Begin with zeros but for encoder, writer and calibration; end with mo_pack8_end. */
typedef struct mo_pack8 {
    const mopd_encoder *encoder;
    mo_safetensors_writer *writer;
    const mo_calibrate *calibration; /* of the image tower, or NULL */
    mo_block block;                  /* the one at work: balanced (layer/balance.h), its matrices in 8 bits */
    const char *tower;
    unsigned long layer;
} mo_pack8;

/* I8 for what MO_PRECISION_8 multiplies in 8 bits and for the token embedding, F16 for other matrices, F32 for vectors. */
mo_dtype mo_pack8_type(const mo_weight *param);

/* Into how many parts with a scale each a row of an I8 tensor is cut. */
size_t mo_pack8_groups(const mo_weight *param);

/* Inputs side by side in panels of 8 bits. */
#define MO_PACK8_GROUP 4

/* Is a parameter in a block whose matrices can be panels, and are two in one block? */
bool mo_pack8_has_panels(const mopd_encoder *encoder, const mo_weight *param);
bool mo_pack8_same_block(const mo_weight *a, const mo_weight *b);

/* A matrix of a block in panels, and its scales and sums.  NOMEM. */
mopd_status mo_pack8_panels(mo_pack8 *pack, const mo_weight *param);
mopd_status mo_pack8_beside(mo_pack8 *pack, const mo_weight *param);

/* What stands in the file for a parameter of a block, or one of type I8: *done.  An I8 tensor's scales follow it.  NOMEM. */
mopd_status mo_pack8_write(mo_pack8 *pack, const mo_weight *param, bool *done);
void mo_pack8_end(mo_pack8 *pack);

#endif
