/* SPDX-License-Identifier: Apache-2.0 */
#include "mail.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RESULTS_MAX 4096 /* bytes of a header that are looked at */
#define BLANKS " \t\r\n"

void mail_finish(struct mail *mail)
{
	if (mail == NULL)
		return;
	free(mail->text);
	mail->text = NULL;
	for (size_t i = 0; i < mail->file_count; i++)
		free(mail->files[i].bytes);
	mail->file_count = 0;
}

void mail_find_thread(struct mail *mail, const char *references, const char *in_reply_to,
	const char *domain)
{
	const char *headers[] = {references, in_reply_to};
	char id[EMAIL_ID], key[EMAIL_KEY];

	mail->root[0] = '\0';
	for (size_t i = 0; i < 2; i++) {
		const char *at = headers[i] == NULL ? "" : headers[i];

		while (email_id_next(&at, id)) {
			if (mail->root[0] == '\0')
				memcpy(mail->root, id, sizeof(id));
			if (email_id_is_ours(id, domain, key)) {
				cg_text_copy(mail->thread, sizeof(mail->thread), key);
				return;
			}
		}
	}
	if (mail->root[0] == '\0')
		memcpy(mail->root, mail->id, sizeof(mail->root));
	email_thread_key(mail->root, key);
	cg_text_copy(mail->thread, sizeof(mail->thread), key);
}

void mail_filename(const char *name, char ret[MAIL_FILENAME])
{
	size_t used = 0;

	if (name == NULL)
		name = "";
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '/' || *at == '\\')
			name = at + 1;
	}
	while (*name == '.')
		name++;
	while (*name != '\0') {
		size_t left = strlen(name);
		uint32_t point;
		size_t step = cg_utf8_decode(name, left, &point);

		if (step == 0) {
			name++;
			continue;
		}
		if (used + step >= MAIL_FILENAME)
			break;
		if (!cg_text_is_control(point) && !(point >= 0x200E && point <= 0x202E)) {
			memcpy(ret + used, name, step);
			used += step;
		}
		name += step;
	}
	ret[used] = '\0';
	if (cg_text_blank(ret))
		cg_text_copy(ret, MAIL_FILENAME, "attachment");
}

void mail_clean(char *ret, size_t size, const char *text)
{
	size_t used = 0, length = text == NULL ? 0 : strlen(text);

	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step > 0 && used + step < size) {
			if (cg_text_is_control(point))
				ret[used++] = ' ';
			else
				memcpy(ret + used, text + at, step), used += step;
		} else if (step > 0) {
			break;
		}
		at += step == 0 ? 1 : step;
	}
	ret[used] = '\0';
}

/* ---- Machines ---- */

static bool begins(const char *value, const char *const *words)
{
	if (value == NULL)
		return false;
	value += strspn(value, BLANKS);
	for (; *words != NULL; words++) {
		if (strncasecmp(value, *words, strlen(*words)) == 0)
			return true;
	}
	return false;
}

const char *mail_automatic(const struct mail *mail,
	const char *(*header)(void *arg, const char *name), void *arg, const char *domain,
	const char *own_address)
{
	static const char *const no[] = {"no", NULL};
	static const char *const precedences[] = {
		"bulk", "list", "junk", "auto_reply", NULL};
	static const char *const suppressed[] = {
		"all", "dr", "rn", "nrn", "oof", "autoreply", NULL};
	static const char *const empty[] = {"<>", NULL};
	static const char *const reports[] = {"multipart/report", NULL};
	static const char *const machines[] = {"X-Autoreply", "X-Autorespond", "X-Loop"};
	static const char *const daemons[] = {"mailer-daemon@", "postmaster@", "noreply@",
		"no-reply@", "donotreply@", "do-not-reply@", "bounce@", "bounces@", NULL};
	const char *submitted = header(arg, "Auto-Submitted");

	if (submitted != NULL && !begins(submitted, no))
		return "a program sent it (Auto-Submitted)";
	if (begins(header(arg, "Precedence"), precedences))
		return "it is bulk mail (Precedence)";
	if (header(arg, "List-Id") != NULL || header(arg, "List-Unsubscribe") != NULL)
		return "it came through a mailing list";
	if (begins(header(arg, "X-Auto-Response-Suppress"), suppressed))
		return "it asks for no automatic answer";
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (header(arg, machines[i]) != NULL)
			return "an answering machine sent it";
	}
	if (begins(header(arg, "Return-Path"), empty) ||
		begins(header(arg, "Content-Type"), reports))
		return "it is a report about another mail";
	if (email_id_is_ours(mail->id, domain, NULL) ||
		strcmp(mail->from, own_address) == 0)
		return "it is one of our own";
	if (begins(mail->from, daemons))
		return "its sender reads no answers";
	return NULL;
}

/* ---- Authentication-Results ---- */

/* Copy a header in lower case without its comments, so that no comment speaks for anybody. */
static void strip(const char *value, char ret[RESULTS_MAX])
{
	size_t used = 0;
	unsigned depth = 0;
	bool quoted = false;

	for (; *value != '\0' && used < RESULTS_MAX - 1; value++) {
		if (*value == '\\' && value[1] != '\0' && (quoted || depth > 0)) {
			value++;
			continue;
		}
		if (*value == '"' && depth == 0)
			quoted = !quoted;
		else if (*value == '(' && !quoted)
			depth++;
		else if (*value == ')' && !quoted && depth > 0)
			depth--;
		/* What stands in quotes is one word, and never a result of its own. */
		else if (depth == 0 && quoted && strchr("; \t\r\n=", *value) != NULL)
			ret[used++] = '_';
		else if (depth == 0)
			ret[used++] = *value >= 'A' && *value <= 'Z' ? (char)(*value + 32)
								     : *value;
	}
	ret[used] = '\0';
}

/* The value of " name=value" within one result; "" when it is not there. */
static void property(const char *result, const char *name, char ret[EMAIL_ADDRESS])
{
	size_t size = strlen(name);

	ret[0] = '\0';
	for (const char *at = result; *at != '\0';) {
		size_t length;

		at += strspn(at, BLANKS);
		length = strcspn(at, BLANKS);
		if (length > size + 1 && strncmp(at, name, size) == 0 &&
			at[size] == '=') {
			snprintf(ret, EMAIL_ADDRESS, "%.*s", (int)(length - size - 1),
				at + size + 1);
			return;
		}
		at += length;
	}
}

/* Is @domain that of @address, or one above it that somebody can own? */
static bool is_aligned(const char *address, const char *domain)
{
	const char *own = email_address_domain(address);
	size_t length = strlen(own), wanted = strlen(domain);

	if (strcmp(own, domain) == 0)
		return true;
	return wanted >= 3 && wanted < length && strchr(domain, '.') != NULL &&
	       own[length - wanted - 1] == '.' &&
	       strcmp(own + length - wanted, domain) == 0;
}

static bool result_passes(const char *result, const char *address)
{
	char value[EMAIL_ADDRESS];
	const char *domain;

	property(result, "dmarc", value);
	if (strcmp(value, "pass") == 0) {
		property(result, "header.from", value);
		return strcmp(value, email_address_domain(address)) == 0;
	}
	property(result, "dkim", value);
	if (strcmp(value, "pass") != 0)
		return false;
	property(result, "header.d", value);
	if (value[0] != '\0')
		return is_aligned(address, value);
	property(result, "header.i", value);
	domain = strrchr(value, '@');
	return domain != NULL && is_aligned(address, domain + 1);
}

bool mail_results_trusted(const char *value, const struct mail_trust *trust)
{
	char text[RESULTS_MAX];
	const char *at = text;

	if (trust->authserv_id == NULL)
		return trust->any;
	strip(value, text);
	at += strspn(at, BLANKS);
	return strlen(trust->authserv_id) == strcspn(at, BLANKS ";") &&
	       strncasecmp(at, trust->authserv_id, strlen(trust->authserv_id)) == 0;
}

bool mail_results_pass(
	const char *value, const struct mail_trust *trust, const char *address)
{
	char text[RESULTS_MAX];
	char *at, *end;

	if (!mail_results_trusted(value, trust) || !email_address_valid(address))
		return false;
	strip(value, text);
	/* A bare list of results, as some relays report it, has no host in front. */
	at = text + strcspn(text, ";");
	at = *at == '\0' || strcspn(text, "=") < strcspn(text, ";") ? text : at + 1;
	for (; at != NULL; at = end) {
		end = strchr(at, ';');
		if (end != NULL)
			*end++ = '\0';
		if (result_passes(at, address))
			return true;
	}
	return false;
}
