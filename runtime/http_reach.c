/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_reach.h"

#include <cowgate/sdk/address.h>
#include <netinet/in.h>
#include <string.h>

bool http_reach_allows(enum cg_http_reach reach, const struct sockaddr *address)
{
	struct cg_address judged = {0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		judged.bytes[10] = judged.bytes[11] = 0xff;
		memcpy(judged.bytes + 12, &v4.sin_addr, 4);
		break;
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		memcpy(judged.bytes, &v6.sin6_addr, 16);
		break;
	default:
		return false;
	}
	return cg_address_reachable(&judged, reach);
}

bool http_reach_allows_url(enum cg_http_reach reach, const char *url)
{
	struct cg_address address;
	struct cg_url parts;
	bool loopback, metadata;

	if (cg_url_parse(url, &parts, NULL) != CG_OK)
		return false;
	if (cg_address_parse(parts.host, &address))
		return cg_address_reachable(&address, reach);
	loopback = cg_host_is_loopback(parts.host);
	metadata = cg_host_is_metadata(parts.host);
	switch (reach) {
	case CG_REACH_PUBLIC:
		return !loopback && !metadata;
	case CG_REACH_LOOPBACK:
		return loopback;
	case CG_REACH_PRIVATE:
		return !metadata;
	case CG_REACH_ANY:
		break;
	}
	return true;
}
