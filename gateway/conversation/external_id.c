/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/external_id.h"

#include "cloud-client/client.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define PREFIX "sha256-"

void external_id(const char *id, char ret[EXTERNAL_ID])
{
	size_t length = strlen(id);
	uint8_t digest[CG_SHA256];

	if (length < EXTERNAL_ID &&
		cg_text_measure(id, length, CG_UNIT_UTF16) <= CLOUD_ID_MAX &&
		!cg_text_blank(id) && strcmp(id, ".") != 0 && strcmp(id, "..") != 0) {
		memcpy(ret, id, length + 1);
		return;
	}
	cg_sha256(id, length, digest);
	memcpy(ret, PREFIX, sizeof(PREFIX) - 1);
	cg_hex(digest, sizeof(digest), ret + sizeof(PREFIX) - 1);
}
