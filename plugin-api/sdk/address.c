/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an address or a host name stands for.  IPv4 hidden inside IPv6 is found first, so that
 * no notation reaches further than the address it ends at.
 */
#include <arpa/inet.h>
#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PORT_MAX 65535

struct block4 {
	uint32_t prefix;
	uint8_t bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (c) << 8 | (d))

/* Everything in IPv4 that is not a public unicast address (IANA's special-purpose registry). */
static const struct block4 reserved4[] = {
	{V4(0, 0, 0, 0), 8}, /* this network */
	{V4(10, 0, 0, 0), 8}, /* private */
	{V4(100, 64, 0, 0), 10}, /* carrier NAT */
	{V4(127, 0, 0, 0), 8}, /* loopback */
	{V4(169, 254, 0, 0), 16}, /* link-local */
	{V4(172, 16, 0, 0), 12}, /* private */
	{V4(192, 0, 0, 0), 24}, /* protocol assignments */
	{V4(192, 0, 2, 0), 24}, /* documentation */
	{V4(192, 168, 0, 0), 16}, /* private */
	{V4(198, 18, 0, 0), 15}, /* benchmarks */
	{V4(198, 51, 100, 0), 24}, /* documentation */
	{V4(203, 0, 113, 0), 24}, /* documentation */
	{V4(224, 0, 0, 0), 3}, /* multicast, future use, broadcast */
};

/* Where clouds answer their guests with credentials. */
static const uint32_t metadata4[] = {
	V4(169, 254, 169, 254), /* most of them */
	V4(169, 254, 170, 2), /* container credentials */
	V4(169, 254, 170, 23), /* pod credentials */
	V4(100, 100, 100, 200), /* Alibaba */
};

struct block6 {
	uint8_t prefix[16];
	uint8_t bits;
};

static const struct block6 reserved6[] = {
	{{0}, 127}, /* :: and ::1 */
	{{0x00, 0x64, 0xFF, 0x9B, 0, 1}, 48}, /* NAT64 of a local network */
	{{0x01, 0x00}, 64}, /* discard */
	{{0x20, 0x01, 0x0D, 0xB8}, 32}, /* documentation */
	{{0xFC}, 7}, /* unique local */
	{{0xFE, 0x80}, 10}, /* link-local */
	{{0xFE, 0xC0}, 10}, /* site-local */
	{{0xFF}, 8}, /* multicast */
};

static const struct block6 metadata6[] = {
	{{0xFD, 0, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54}, 128},
	{{0xFD, 0, 0x0E, 0xC2, [15] = 0x23}, 128},
};

static const uint8_t mapped_prefix[12] = {[10] = 0xFF, [11] = 0xFF};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;
	uint8_t mask = (uint8_t)(0xFF00 >> rest);

	return memcmp(a, b, bits / 8) == 0 &&
	       (rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

static uint32_t read4(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The IPv4 address that @address leads to, if it leads to one. */
static bool inner4(const struct cg_address *address, uint32_t *ret)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
	static const uint8_t compatible[12] = {0};
	static const uint8_t six_to_four[2] = {0x20, 0x02};
	static const uint8_t teredo[4] = {0x20, 0x01};
	const uint8_t *bytes = address->bytes;

	if (same_bits(bytes, mapped_prefix, 96) || same_bits(bytes, nat64, 96)) {
		*ret = read4(bytes + 12);
		return true;
	}
	if (same_bits(bytes, compatible, 96) && read4(bytes + 12) > 1) {
		*ret = read4(bytes + 12);
		return true;
	}
	if (same_bits(bytes, six_to_four, 16)) {
		*ret = read4(bytes + 2);
		return true;
	}
	if (same_bits(bytes, teredo, 32)) {
		*ret = ~read4(
			bytes + 12); /* the client's address, inverted on the wire */
		return true;
	}
	return false;
}

/* Cut @text to the bare address: no brackets, port or zone. */
static bool bare_address(const char *text, char ret[INET6_ADDRSTRLEN])
{
	const char *start = text;
	const char *port = NULL;
	size_t length;
	int64_t number;

	if (*text == '[') {
		start = text + 1;
		length = strcspn(start, "]");
		if (start[length] != ']')
			return false;
		if (start[length + 1] != '\0' && start[length + 1] != ':')
			return false;
		if (start[length + 1] == ':')
			port = start + length + 2;
	} else {
		const char *colon = strchr(text, ':');

		length = strlen(start);
		if (colon != NULL && strchr(colon + 1, ':') == NULL) {
			length = (size_t)(colon - start);
			port = colon + 1;
		}
	}
	if (port != NULL &&
		(!cg_parse_int(port, &number) || *port == '-' || number > PORT_MAX))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (start[i] == '%' && memchr(start, ':', i) != NULL)
			length = i;
	}
	if (length == 0 || length >= INET6_ADDRSTRLEN)
		return false;
	memcpy(ret, start, length);
	ret[length] = '\0';
	return *text != '[' || strchr(ret, ':') != NULL;
}

static bool parse_bare(const char *bare, struct cg_address *ret)
{
	struct cg_address address;

	memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
	if (inet_pton(AF_INET, bare, address.bytes + sizeof(mapped_prefix)) != 1 &&
		inet_pton(AF_INET6, bare, address.bytes) != 1)
		return false;
	*ret = address;
	return true;
}

bool cg_address_parse(const char *text, struct cg_address *ret)
{
	char bare[INET6_ADDRSTRLEN];

	return text != NULL && bare_address(text, bare) && parse_bare(bare, ret);
}

void cg_address_format(const struct cg_address *address, char ret[46])
{
	const uint8_t *bytes = address->bytes;

	ret[0] = '\0';
	if (same_bits(bytes, mapped_prefix, 96))
		inet_ntop(AF_INET, bytes + sizeof(mapped_prefix), ret, 46);
	else
		inet_ntop(AF_INET6, bytes, ret, 46);
}

bool cg_address_is_loopback(const struct cg_address *address)
{
	static const uint8_t loopback[16] = {[15] = 1};
	uint32_t v4;

	if (inner4(address, &v4))
		return v4 >> 24 == 127;
	return memcmp(address->bytes, loopback, sizeof(loopback)) == 0;
}

bool cg_address_is_private(const struct cg_address *address)
{
	uint32_t v4;

	if (inner4(address, &v4)) {
		for (size_t i = 0; i < COUNT(reserved4); i++) {
			if ((v4 ^ reserved4[i].prefix) >> (32 - reserved4[i].bits) == 0)
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < COUNT(reserved6); i++) {
		if (same_bits(address->bytes, reserved6[i].prefix, reserved6[i].bits))
			return true;
	}
	return false;
}

bool cg_address_is_metadata(const struct cg_address *address)
{
	uint32_t v4;

	if (inner4(address, &v4)) {
		for (size_t i = 0; i < COUNT(metadata4); i++) {
			if (v4 == metadata4[i])
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < COUNT(metadata6); i++) {
		if (same_bits(address->bytes, metadata6[i].prefix, metadata6[i].bits))
			return true;
	}
	return false;
}

bool cg_address_reachable(const struct cg_address *address, enum cg_http_reach reach)
{
	switch (reach) {
	case CG_REACH_ANY:
		return true;
	case CG_REACH_PUBLIC:
		return !cg_address_is_private(address) &&
		       !cg_address_is_metadata(address);
	case CG_REACH_LOOPBACK:
		return cg_address_is_loopback(address);
	case CG_REACH_PRIVATE:
		return !cg_address_is_metadata(address);
	}
	return false;
}

bool cg_cidr_parse(const char *text, struct cg_cidr *ret)
{
	size_t length = strcspn(text, "/");
	char bare[INET6_ADDRSTRLEN];
	struct cg_cidr cidr;
	int64_t bits;
	unsigned width;

	if (length >= sizeof(bare))
		return false;
	memcpy(bare, text, length);
	bare[length] = '\0';
	if (!parse_bare(bare, &cidr.address))
		return false;
	width = strchr(bare, ':') != NULL ? 128 : 32;
	bits = width;
	if (text[length] == '/') {
		const char *number = text + length + 1;

		if (!cg_parse_int(number, &bits) || *number == '-' || bits > width)
			return false;
	}
	cidr.bits = (uint8_t)(128 - width + (unsigned)bits);
	*ret = cidr;
	return true;
}

bool cg_cidr_contains(const struct cg_cidr *cidr, const struct cg_address *address)
{
	return same_bits(cidr->address.bytes, address->bytes, cidr->bits);
}

bool cg_host_is_loopback(const char *host)
{
	struct cg_address address;

	if (host == NULL)
		return false;
	if (cg_address_parse(host, &address))
		return cg_address_is_loopback(&address);
	return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

bool cg_host_is_metadata(const char *host)
{
	struct cg_address address;

	if (host == NULL)
		return false;
	if (cg_address_parse(host, &address))
		return cg_address_is_metadata(&address);
	return cg_host_matches(host, "metadata") ||
	       cg_host_matches(host, "metadata.google.internal");
}

/* What libcurl lets through but no honest URL contains; other parsers read it differently. */
static bool plain_url(const char *text)
{
	bool http = strncasecmp(text, "http://", 7) == 0;
	bool https = strncasecmp(text, "https://", 8) == 0;
	const char *host = text + (https ? 8 : 7);

	return (http || https) && *host != '/' && *host != '\\' &&
	       cg_text_clean(text, strlen(text), SIZE_MAX) &&
	       strpbrk(text, " \\") == NULL;
}

static enum cg_status copy_host(CURLU *handle, struct cg_url *url)
{
	char *host = NULL;
	const char *start;
	size_t length;
	enum cg_status status = CG_INVALID;

	if (curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return CG_INVALID;
	start = *host == '[' ? host + 1 : host;
	length = strcspn(start, "]");
	if (length > 0 && start[length - 1] == '.')
		length--;
	if (length == 0 || length >= sizeof(url->host))
		goto out;
	for (size_t i = 0; i < length; i++) {
		char c = start[i];

		url->host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	url->host[length] = '\0';
	status = CG_OK;

out:
	curl_free(host);
	return status;
}

static enum cg_status copy_port(CURLU *handle, struct cg_url *url)
{
	char *port = NULL;
	int64_t number = 0;
	bool valid;

	if (curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return CG_INVALID;
	valid = cg_parse_int(port, &number) && number > 0 && number <= PORT_MAX;
	curl_free(port);
	url->port = (int)number;
	return valid ? CG_OK : CG_INVALID;
}

static bool has_part(CURLU *handle, CURLUPart part)
{
	char *text = NULL;
	bool present = curl_url_get(handle, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return present;
}

enum cg_status cg_url_parse(const char *text, struct cg_url *ret, struct cg_error *err)
{
	struct cg_url url = {0};
	enum cg_status status = CG_INVALID;
	CURLUcode code;
	CURLU *handle;

	/* The text itself stays out of every sentence: a URL may carry a secret. */
	if (text == NULL || !plain_url(text))
		return cg_error_set(err, CG_INVALID,
			"a URL must begin with http:// or https:// and hold no blanks, "
			"backslashes or control characters");
	handle = curl_url();
	if (handle == NULL)
		return cg_error_nomem(err);
	code = curl_url_set(handle, CURLUPART_URL, text, 0);
	if (code != CURLUE_OK) {
		cg_error_set(err, CG_INVALID, "not a URL: %s", curl_url_strerror(code));
		goto out;
	}
	url.https = strncasecmp(text, "https:", 6) == 0;
	url.has_userinfo =
		has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
	status = copy_host(handle, &url);
	if (status == CG_OK)
		status = copy_port(handle, &url);
	if (status != CG_OK) {
		cg_error_set(err, status, "the URL's host or port is not usable");
		goto out;
	}
	*ret = url;

out:
	curl_url_cleanup(handle);
	return status;
}

enum cg_status cg_proxy_check(const char *text, struct cg_error *err)
{
	static const char *const schemes[] = {"http://", "https://", "socks5h://"};
	bool ok = false;
	CURLU *handle;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		ok = ok || strncasecmp(text, schemes[i], strlen(schemes[i])) == 0;
	for (const char *at = text; *at != '\0' && ok; at++)
		ok = (unsigned char)*at > ' ' && *at != 0x7f;
	if (ok) {
		handle = curl_url();
		if (handle == NULL)
			return cg_error_nomem(err);
		ok = curl_url_set(handle, CURLUPART_URL, text,
			     CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		     has_part(handle, CURLUPART_HOST);
		curl_url_cleanup(handle);
	}
	return ok ? CG_OK
		  : cg_error_set(err, CG_INVALID,
			    "a proxy is written http://, https:// or "
			    "socks5h://[user:password@]host:port");
}

/* Length without the final dot of a fully qualified name. */
static size_t name_length(const char *host)
{
	size_t length = strlen(host);

	return length > 1 && host[length - 1] == '.' ? length - 1 : length;
}

bool cg_host_matches(const char *host, const char *pattern)
{
	size_t length = name_length(host);
	size_t suffix = name_length(pattern);

	if (strncmp(pattern, "*.", 2) != 0)
		return length > 0 && length == suffix &&
		       strncasecmp(host, pattern, length) == 0;
	pattern++; /* the dot stays: "*.a.org" is no match for "ba.org" */
	suffix--;
	return suffix > 1 && length > suffix &&
	       strncasecmp(host + length - suffix, pattern, suffix) == 0;
}
