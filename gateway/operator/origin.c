/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct chain {
	struct cg_address hops[ORIGIN_HOPS];
	size_t count;
	bool usable;
};

static bool is_trusted(const struct origin_trust *trust, const struct cg_address *address)
{
	for (size_t i = 0; i < trust->count; i++) {
		if (cg_cidr_contains(&trust->cidrs[i], address))
			return true;
	}
	return false;
}

static void add_hop(struct chain *chain, const char *text, size_t length)
{
	char hop[80];

	while (length > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		length--;
	}
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(hop) || chain->count == ORIGIN_HOPS) {
		chain->usable = false;
		return;
	}
	memcpy(hop, text, length);
	hop[length] = '\0';
	if (!cg_address_parse(hop, &chain->hops[chain->count++]))
		chain->usable = false;
}

static void parse_list(const char *header, struct chain *chain)
{
	while (chain->usable) {
		size_t length = strcspn(header, ",");

		add_hop(chain, header, length);
		if (header[length] == '\0')
			return;
		header += length + 1;
	}
}

/* The for= parameter of one element of Forwarded; every element must have one. */
static void parse_element(const char *element, size_t length, struct chain *chain)
{
	const char *end = element + length;

	while (element < end) {
		const char *stop = memchr(element, ';', (size_t)(end - element));

		stop = stop == NULL ? end : stop;
		while (element < stop && *element == ' ')
			element++;
		if (stop - element > 4 && strncasecmp(element, "for=", 4) == 0) {
			add_hop(chain, element + 4, (size_t)(stop - element - 4));
			return;
		}
		element = stop + 1;
	}
	chain->usable = false;
}

static void parse_forwarded(const char *header, struct chain *chain)
{
	while (chain->usable) {
		size_t length = strcspn(header, ",");

		parse_element(header, length, chain);
		if (header[length] == '\0')
			return;
		header += length + 1;
	}
}

/* From the right: the first that is not trusted; if all are, the leftmost. */
static const struct cg_address *client_of(
	const struct origin_trust *trust, const struct chain *chain)
{
	size_t i = chain->count;

	if (!chain->usable || chain->count == 0)
		return NULL;
	while (i > 1 && is_trusted(trust, &chain->hops[i - 1]))
		i--;
	return &chain->hops[i - 1];
}

void origin_find(const struct origin_trust *trust, const char *peer,
	const char *forwarded, const char *x_forwarded_for, char ret[ORIGIN_TEXT])
{
	struct chain standard = {.usable = true}, common = {.usable = true};
	const struct cg_address *first = NULL, *second = NULL;
	struct cg_address socket;

	snprintf(ret, ORIGIN_TEXT, "%s", peer);
	if (!cg_address_parse(peer, &socket))
		return;
	cg_address_format(&socket, ret);
	if (!trust->enabled || trust->count == 0 || !is_trusted(trust, &socket))
		return;
	if (forwarded != NULL) {
		parse_forwarded(forwarded, &standard);
		first = client_of(trust, &standard);
	}
	if (x_forwarded_for != NULL) {
		parse_list(x_forwarded_for, &common);
		second = client_of(trust, &common);
	}
	if (first != NULL && second != NULL && memcmp(first, second, sizeof(*first)) != 0)
		return;
	if (first != NULL || second != NULL)
		cg_address_format(first != NULL ? first : second, ret);
}
