/* SPDX-License-Identifier: Apache-2.0 */
#include "letter.h"

#include "page.h"
#include "quote.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HTML_MAX (2u << 20)

void letter_context_write(const char *root, const char *parent, const char *subject,
	char ret[LETTER_CONTEXT + 1])
{
	char text[2 * EMAIL_ID + MAIL_SUBJECT + 8];
	/* Ids beyond reason are left out rather than cut. */
	bool both = parent[0] != '\0' &&
		    strlen(root) + strlen(parent) < LETTER_CONTEXT - MAIL_SUBJECT;

	snprintf(text, sizeof(text), "<%s>%s%s%s %s", root, both ? " <" : "",
		both ? parent : "", both ? ">" : "", quote_bare_subject(subject));
	cg_text_copy(ret, LETTER_CONTEXT + 1, text);
}

/* The "<id>" at *@at, which goes behind it. */
static void read_bracketed(const char **at, char ret[EMAIL_ID])
{
	const char *end = **at == '<' ? strchr(*at, '>') : NULL;

	ret[0] = '\0';
	if (end == NULL || end - *at - 1 >= EMAIL_ID)
		return;
	snprintf(ret, EMAIL_ID, "%.*s", (int)(end - *at - 1), *at + 1);
	*at = end + 1 + (end[1] == ' ');
}

void letter_context_read(const char *context, struct letter_context *ret)
{
	const char *at = context == NULL ? "" : context;

	*ret = (struct letter_context){.root = ""};
	read_bracketed(&at, ret->root);
	if (ret->root[0] == '\0')
		return;
	read_bracketed(&at, ret->parent);
	mail_clean(ret->subject, sizeof(ret->subject), at);
}

void letter_finish(struct letter *letter)
{
	free(letter->text);
	free(letter->html);
	letter->text = letter->html = NULL;
	if (letter->fd > 0)
		close(letter->fd);
	letter->fd = -1;
}

/* Links are written out where nothing can be clicked. */
static enum cg_status make_text(struct letter *letter, const struct cg_outbound *outbound)
{
	struct cg_markdown plain = {.text = NULL};
	enum cg_status status;

	if (outbound->source != NULL && outbound->source_length > 0) {
		status = cg_markdown_render(
			outbound->source, outbound->source_length, false, &plain);
		if (status == CG_OK && plain.length > 0) {
			letter->text = plain.text;
			plain.text = NULL;
			cg_markdown_finish(&plain);
			return CG_OK;
		}
		cg_markdown_finish(&plain);
		if (status == CG_NOMEM)
			return status;
	}
	letter->text = strndup(outbound->text == NULL ? "" : outbound->text,
		outbound->text == NULL ? 0 : outbound->text_length);
	return letter->text == NULL ? CG_NOMEM : CG_OK;
}

static enum cg_status make_html(struct letter *letter, const struct cg_outbound *outbound)
{
	struct cg_buffer html;
	enum cg_status status;

	if (outbound->text == NULL || outbound->text_length == 0)
		return CG_OK;
	cg_buffer_init(&html, HTML_MAX);
	status = page_write(&html, outbound->text, outbound->text_length, outbound->spans,
		outbound->span_count);
	if (status == CG_OK) {
		letter->html = cg_buffer_take(&html, NULL);
		status = letter->html == NULL ? CG_NOMEM : CG_OK;
	} else if (status == CG_LIMIT) {
		status = CG_OK; /* plain text says it as well */
	}
	cg_buffer_finish(&html);
	return status;
}

static enum cg_status open_file(struct letter *letter, const struct cg_file *file,
	const struct email_settings *settings, struct cg_error *err)
{
	if (file == NULL || file->path == NULL)
		return cg_error_set(err, CG_INVALID, "a file is sent without a file");
	if (file->bytes > settings->max_attachment)
		return cg_error_set(err, CG_INVALID, "the file is larger than %zu bytes",
			settings->max_attachment);
	letter->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (letter->fd < 0)
		return cg_error_set(
			err, CG_IO, "the file cannot be read: %s", strerror(errno));
	mail_filename(file->filename, letter->filename);
	mail_clean(letter->mime_type, sizeof(letter->mime_type), file->mime_type);
	return CG_OK;
}

static void address(struct letter *letter, const struct email_settings *settings,
	const struct cg_outbound *outbound)
{
	const struct cg_target *target = &outbound->target;
	const char *at = target->message_id == NULL ? "" : target->message_id;
	struct letter_context context;

	letter_context_read(target->context, &context);
	memcpy(letter->root, context.root, sizeof(letter->root));
	/* A relay's own name of a thread may be an id as well. */
	if (letter->root[0] == '\0' && target->thread_id != NULL &&
		strchr(target->thread_id, '@') != NULL)
		cg_text_copy(letter->root, sizeof(letter->root), target->thread_id);
	if (!email_id_next(&at, letter->parent))
		memcpy(letter->parent,
			context.parent[0] == '\0' ? letter->root : context.parent,
			sizeof(letter->parent));
	if (context.subject[0] != '\0')
		snprintf(letter->subject, sizeof(letter->subject), "Re: %s",
			quote_bare_subject(context.subject));
	else
		snprintf(letter->subject, sizeof(letter->subject), "%s",
			settings->subject);
	email_id_make(
		target->thread_id, outbound->delivery_id, settings->domain, letter->id);
}

static enum cg_status check(const struct cg_outbound *outbound, struct cg_error *err)
{
	if (outbound->kind != CG_OUTBOUND_TEXT && outbound->kind != CG_OUTBOUND_FILE)
		return cg_error_set(err, CG_UNSUPPORTED,
			"mail carries texts and files, nothing else");
	if (outbound->delivery_id == NULL)
		return cg_error_set(err, CG_INVALID, "a mail has no delivery id");
	if (outbound->kind == CG_OUTBOUND_TEXT && cg_text_blank(outbound->text))
		return cg_error_set(err, CG_INVALID, "the text is empty");
	if (outbound->text != NULL &&
		cg_text_measure(outbound->text, outbound->text_length, CG_UNIT_UTF16) >
			LETTER_TEXT_MAX)
		return cg_error_set(
			err, CG_INVALID, "the text is longer than %d", LETTER_TEXT_MAX);
	return CG_OK;
}

static enum cg_status fill(struct letter *letter, const struct email_settings *settings,
	const struct cg_outbound *outbound, struct cg_error *err)
{
	enum cg_status status = check(outbound, err);

	if (status != CG_OK)
		return status;
	if (outbound->target.chat_id == NULL ||
		!email_address_read(outbound->target.chat_id, letter->to, NULL))
		return cg_error_set(err, CG_INVALID, "the chat is no mail address");
	address(letter, settings, outbound);
	if (outbound->kind == CG_OUTBOUND_FILE)
		status = open_file(letter, outbound->file, settings, err);
	if (status == CG_OK)
		status = make_text(letter, outbound);
	if (status == CG_OK)
		status = make_html(letter, outbound);
	return status == CG_NOMEM ? cg_error_nomem(err) : status;
}

enum cg_status letter_init(struct letter *ret, const struct email_settings *settings,
	const struct cg_outbound *outbound, int64_t now_ms, struct cg_error *err)
{
	enum cg_status status;

	*ret = (struct letter){.fd = -1};
	status = fill(ret, settings, outbound, err);
	if (status != CG_OK) {
		letter_finish(ret);
		return status;
	}
	ret->draft = (struct mime_draft){
		.from = settings->from,
		.from_name = settings->from_name,
		.to = ret->to,
		.subject = ret->subject,
		.id = ret->id,
		.in_reply_to = ret->parent,
		.references = {ret->root, ret->parent},
		.at_ms = now_ms,
		.text = ret->text,
		.html = ret->html,
		.fd = ret->fd,
		.filename = ret->filename,
		.mime_type = ret->mime_type,
	};
	return CG_OK;
}
