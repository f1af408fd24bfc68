/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform's id as the Cloud takes it.  The Cloud fails on ids that are longer than it allows;
 * what is too long, or otherwise no id to the Cloud, is known there by its hash, always the same.
 */
#ifndef COWGATE_GATEWAY_EXTERNAL_ID_H
#define COWGATE_GATEWAY_EXTERNAL_ID_H

#define EXTERNAL_ID 1025 /* bytes: as many units as the Cloud takes, in UTF-8, and NUL */

void external_id(const char *id, char ret[EXTERNAL_ID]);

#endif
