/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and host names: which are loopback, private, metadata; CIDR lists; URL parts. */
#ifndef COWGATE_SDK_ADDRESS_H
#define COWGATE_SDK_ADDRESS_H

#include <cowgate/http.h>
#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IPv4 is kept as v4-mapped IPv6. */
struct cg_address {
	uint8_t bytes[16];
};

struct cg_cidr {
	struct cg_address address;
	uint8_t bits; /* over 128 */
};

/* Textual IP, with brackets, port or zone id allowed and dropped.  False: not an IP. */
bool cg_address_parse(const char *text, struct cg_address *ret);
void cg_address_format(const struct cg_address *address, char ret[46]);

/* v4-mapped, v4-compatible, NAT64, 6to4 and Teredo are judged by the v4 address inside. */
bool cg_address_is_loopback(const struct cg_address *address);
bool cg_address_is_private(
	const struct cg_address *address); /* loopback and reserved included */
bool cg_address_is_metadata(
	const struct cg_address *address); /* cloud metadata services */
bool cg_address_reachable(const struct cg_address *address, enum cg_http_reach reach);

bool cg_cidr_parse(const char *text, struct cg_cidr *ret); /* CIDR or bare IP */
bool cg_cidr_contains(const struct cg_cidr *cidr, const struct cg_address *address);

/* localhost, ::1, [::1], 127.x.x.x */
bool cg_host_is_loopback(const char *host);

/* An address of a cloud metadata service, or one of the names they are known under. */
bool cg_host_is_metadata(const char *host);

/* Parts of an absolute http(s) URL as libcurl's own parser sees them, fragment dropped. */
struct cg_url {
	bool https;
	bool has_userinfo;
	char host
		[256]; /* lower case, no brackets, zone or final dot; IPv4 in dotted form */
	int port;
};
enum cg_status cg_url_parse(const char *text, struct cg_url *ret, struct cg_error *err);

/*
 * Can @text be the proxy of a request: an http, https or socks5h URL, a user and password
 * allowed?  The sentence of a refusal names no part of it.
 */
enum cg_status cg_proxy_check(const char *text, struct cg_error *err);

/* Host matches an entry exactly, or "*.suffix" as a strict subdomain; case-insensitive. */
bool cg_host_matches(const char *host, const char *pattern);

#endif
