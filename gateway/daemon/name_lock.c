/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cloud knows a gateway by its instance id alone, and lets two of one name acknowledge for each
 * other.  On one host a locked file tells.
 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>

enum cg_status name_lock_take(struct cg_host_lock *lock, const char *cloud_url,
	const char *instance_id, struct cg_error *err)
{
	uint8_t hash[CG_SHA256];
	char name[2 * 16 + 1];

	cg_sha256_joined((const char *const[]){cloud_url, instance_id}, 2, hash);
	cg_hex(hash, 16, name);
	if (cg_host_lock_take(lock, "", name, NULL) == CG_OK)
		return CG_OK;
	return cg_error_set(err, CG_BUSY,
		"another gateway on this host has the instance id %s: give each its own "
		"OPEN_COWORK_GATEWAY_INSTANCE_ID",
		instance_id);
}
