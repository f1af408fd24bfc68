/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: their bytes are overwritten before the memory is given back. */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/secret.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void cg_wipe(void *bytes, size_t length)
{
	if (bytes != NULL)
		OPENSSL_cleanse(bytes, length);
}

void cg_secret_wipe(struct cg_secret *secret)
{
	if (secret == NULL)
		return;
	cg_wipe(secret->bytes, secret->length);
	free(secret->bytes);
	*secret = (struct cg_secret){0};
}

enum cg_status cg_secret_set(struct cg_secret *secret, const char *bytes, size_t length)
{
	struct cg_secret fresh = {0};

	if (length > CG_SECRET_MAX)
		return CG_LIMIT;
	if (bytes != NULL && length > 0) {
		fresh.bytes = malloc(length + 1);
		if (fresh.bytes == NULL)
			return CG_NOMEM;
		memcpy(fresh.bytes, bytes, length);
		fresh.bytes[length] = '\0';
		fresh.length = length;
	}
	cg_secret_take(secret, &fresh);
	return CG_OK;
}

void cg_secret_take(struct cg_secret *to, struct cg_secret *from)
{
	struct cg_secret moved = *from;

	if (to == from)
		return;
	*from = (struct cg_secret){0};
	cg_secret_wipe(to);
	*to = moved;
}

bool cg_secret_equals(const struct cg_secret *secret, const char *bytes, size_t length)
{
	return cg_secret_is_set(secret) && bytes != NULL && secret->length == length &&
	       cg_equal(secret->bytes, bytes, length);
}
