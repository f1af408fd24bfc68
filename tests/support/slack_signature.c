/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/slack_signature.h"

#include <cowgate/sdk/crypto.h>
#include <stdlib.h>
#include <string.h>

void slack_signature(const char *secret, const char *timestamp, const char *body,
	char ret[SLACK_SIGNATURE])
{
	const struct cg_hmac_part parts[] = {
		{"v0:", 3},
		{timestamp, strlen(timestamp)},
		{":", 1},
		{body, strlen(body)},
	};
	struct cg_hmac *hmac = NULL;
	uint8_t mac[CG_SHA256];

	if (cg_hmac_create(secret, strlen(secret), &hmac) != CG_OK)
		abort();
	cg_hmac_sign(hmac, parts, 4, mac);
	cg_hmac_destroy(hmac);
	memcpy(ret, "v0=", 3);
	cg_hex(mac, sizeof(mac), ret + 3);
}
