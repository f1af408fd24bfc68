/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose request is it?  The socket's address, or what trusted proxies say in Forwarded
 * (RFC 7239) and X-Forwarded-For.
 */
#ifndef COWGATE_GATEWAY_ORIGIN_H
#define COWGATE_GATEWAY_ORIGIN_H

#include <cowgate/sdk/address.h>

#define ORIGIN_TEXT 46
#define ORIGIN_HOPS 32 /* a longer chain is not believed */

struct origin_trust {
	bool enabled;
	const struct cg_cidr *cidrs;
	size_t count;
};

/*
 * A chain is walked from the right to the first address that is no trusted proxy.  A chain with
 * an entry that is no address is discarded; when both headers speak they must agree; in doubt
 * it is the socket's address.
 */
void origin_find(const struct origin_trust *trust, const char *peer,
	const char *forwarded, const char *x_forwarded_for, char ret[ORIGIN_TEXT]);

#endif
