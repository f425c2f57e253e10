/* SPDX-License-Identifier: MIT
 * sysmacros.h - Apple's systems have makedev here. */
#include <sys/types.h>
