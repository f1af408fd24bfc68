/* SPDX-License-Identifier: Apache-2.0 */
/* Answering ops->capabilities() across versions. */
#ifndef COWGATE_SDK_CAPABILITIES_H
#define COWGATE_SDK_CAPABILITIES_H

#include <cowgate/capability.h>
#include <string.h>

/* Copy as much as the daemon has room for: an older one has a shorter struct. */
static inline void cg_capabilities_give(
	const struct cg_capabilities *from, struct cg_capabilities *ret)
{
	uint32_t room = ret->size < from->size ? ret->size : from->size;

	memcpy(ret, from, room);
	ret->size = room;
}

#endif
