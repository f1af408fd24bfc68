/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCANNED 1024 /* bytes of a header in which an address is looked for */
#define HEX "0123456789abcdef"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool domain_valid(const char *domain)
{
	size_t labels = 0, length = strlen(domain);

	if (length > 255)
		return false;
	while (*domain != '\0') {
		size_t label = strcspn(domain, ".");

		if (label == 0 || label > 63 || domain[0] == '-' ||
			domain[label - 1] == '-')
			return false;
		for (size_t i = 0; i < label; i++) {
			if (!is_alnum(domain[i]) && domain[i] != '-')
				return false;
		}
		labels++;
		/* The last label is no number and no single letter. */
		if (domain[label] == '\0')
			return labels >= 2 && label >= 2 &&
			       strspn(domain, "0123456789") != label;
		domain += label + 1;
	}
	return false; /* empty, or ends with a dot */
}

bool email_address_valid(const char *address)
{
	const char *at = strrchr(address, '@');
	size_t local = at == NULL ? 0 : (size_t)(at - address);

	if (local == 0 || local > 64 || address[0] == '.' || address[local - 1] == '.' ||
		address[0] == '-')
		return false;
	for (size_t i = 0; i < local; i++) {
		if (!is_alnum(address[i]) &&
			strchr("!#$%&'*+/=?^_`{|}~.-", address[i]) == NULL)
			return false;
		if (address[i] == '.' && address[i + 1] == '.')
			return false;
	}
	return domain_valid(at + 1);
}

const char *email_address_domain(const char *address)
{
	return strrchr(address, '@') + 1;
}

/* One candidate of @length bytes, trimmed of what may surround it. */
static bool take_address(const char *text, size_t length, char ret[EMAIL_ADDRESS])
{
	char address[EMAIL_ADDRESS];

	while (length > 0 && strchr(" \t\r\n\"'", text[0]) != NULL)
		text++, length--;
	while (length > 0 && strchr(" \t\r\n\"'", text[length - 1]) != NULL)
		length--;
	if (length >= 7 && strncasecmp(text, "mailto:", 7) == 0)
		text += 7, length -= 7;
	if (length == 0 || length >= sizeof(address))
		return false;
	for (size_t i = 0; i < length; i++)
		address[i] =
			text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
	address[length] = '\0';
	if (strlen(address) != length || !email_address_valid(address))
		return false;
	memcpy(ret, address, length + 1);
	return true;
}

/* What stands before the bracket, without quotes; "" when it would not be clean. */
static void take_name(const char *text, size_t length, char ret[EMAIL_NAME])
{
	char name[SCANNED + 1];

	while (length > 0 && strchr(" \t\r\n\"", text[0]) != NULL)
		text++, length--;
	while (length > 0 && strchr(" \t\r\n\"", text[length - 1]) != NULL)
		length--;
	snprintf(name, sizeof(name), "%.*s", (int)length, text);
	if (cg_text_clean(name, strlen(name), SCANNED))
		cg_text_copy(ret, EMAIL_NAME, name);
}

bool email_address_read(
	const char *text, char ret[EMAIL_ADDRESS], char ret_name[EMAIL_NAME])
{
	char head[SCANNED + 1], name[EMAIL_NAME] = "";
	char *open, *close;

	cg_text_copy(head, sizeof(head), text);
	if (ret_name == NULL)
		ret_name = name;
	ret_name[0] = '\0';
	open = strrchr(head, '<');
	close = open == NULL ? NULL : strchr(open, '>');
	if (close != NULL && take_address(open + 1, (size_t)(close - open - 1), ret)) {
		take_name(head, (size_t)(open - head), ret_name);
		return true;
	}
	for (const char *at = head; *at != '\0';) {
		size_t length = strcspn(at, ",; \t\r\n");

		if (length > 0 && take_address(at, length, ret))
			return true;
		at += length + (at[length] != '\0');
	}
	return false;
}

static bool id_clean(const char *text, size_t length)
{
	if (length < 3 || length >= EMAIL_ID || memchr(text, '@', length) == NULL)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~' ||
			strchr("<>()\\\"", text[i]) != NULL)
			return false;
	}
	return true;
}

bool email_id_next(const char **at, char ret[EMAIL_ID])
{
	const char *text = *at;

	while (*text != '\0') {
		size_t length;

		text += strspn(text, " \t\r\n,;<");
		length = strcspn(text, " \t\r\n,;<>");
		if (length > 0 && id_clean(text, length)) {
			snprintf(ret, EMAIL_ID, "%.*s", (int)length, text);
			*at = text + length + (text[length] == '>');
			return true;
		}
		text += length + (text[length] != '\0');
	}
	*at = text;
	return false;
}

static bool is_key(const char *text)
{
	return strspn(text, HEX) == EMAIL_KEY - 1;
}

static void hash_key(const char *text, char ret[EMAIL_KEY])
{
	uint8_t hash[CG_SHA256];

	cg_sha256(text, strlen(text), hash);
	cg_hex(hash, (EMAIL_KEY - 1) / 2, ret);
}

void email_thread_key(const char *root, char ret[EMAIL_KEY])
{
	if (strlen(root) == EMAIL_KEY - 1 && is_key(root))
		memcpy(ret, root, EMAIL_KEY);
	else
		hash_key(root, ret);
}

void email_id_make(const char *thread, const char *delivery_id, const char *domain,
	char ret[EMAIL_ID])
{
	char thread_key[EMAIL_KEY], delivery_key[EMAIL_KEY];

	email_thread_key(thread == NULL ? "" : thread, thread_key);
	hash_key(delivery_id, delivery_key);
	snprintf(ret, EMAIL_ID, "cg.%s.%s@%.255s", thread_key, delivery_key, domain);
}

bool email_id_is_ours(const char *id, const char *domain, char ret_thread[EMAIL_KEY])
{
	const char *second = id + 3 + EMAIL_KEY;

	if (strncmp(id, "cg.", 3) != 0 || !is_key(id + 3) ||
		id[3 + EMAIL_KEY - 1] != '.' || !is_key(second) ||
		second[EMAIL_KEY - 1] != '@' ||
		strcasecmp(second + EMAIL_KEY, domain) != 0)
		return false;
	if (ret_thread != NULL)
		snprintf(ret_thread, EMAIL_KEY, "%.32s", id + 3);
	return true;
}
