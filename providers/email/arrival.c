/* SPDX-License-Identifier: Apache-2.0 */
#include "arrival.h"

#include "email.h"
#include "letter.h"
#include "quote.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/spool.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNVERIFIED "unverified:"

struct arrival {
	LIST_ENTRY(arrival) link;
	struct arrivals *arrivals;
	struct arrival_origin origin;
	char key[65], value[257]; /* the checkpoint's copy */
	char *raw; /* owned; NULL once it was read, or never */
	size_t raw_length;
	char hash[2 * CG_SHA256 + 1]; /* of the raw mail; "" none */
	struct mail mail;
	enum cg_status status; /* of the work on the thread */
	struct cg_error err;
	int fds[MAIL_FILES]; /* spool files while they are written; -1: closed */
	char paths[MAIL_FILES][CG_SPOOL_PATH]; /* "": none */
	bool submitted;
};

static const struct cg_host *host_of(const struct arrival *arrival)
{
	return arrival->arrivals->email->host;
}

static void arrival_free(struct arrival *arrival)
{
	arrival->arrivals->count--;
	arrival->arrivals->bytes -= arrival->raw_length;
	LIST_REMOVE(arrival, link);
	for (size_t i = 0; i < MAIL_FILES; i++) {
		if (arrival->fds[i] >= 0)
			close(arrival->fds[i]);
		/* What no message refers to need not wait for the daemon's broom. */
		if (arrival->paths[i][0] != '\0' && !arrival->submitted)
			unlink(arrival->paths[i]);
	}
	mail_finish(&arrival->mail);
	free(arrival->raw);
	free(arrival);
}

static void end(struct arrival *arrival, enum arrival_end how, const char *why)
{
	arrival_done done = arrival->origin.done;
	void *arg = arrival->origin.arg;
	char sentence[CG_ERROR_TEXT];

	cg_text_copy(sentence, sizeof(sentence), why == NULL ? "" : why);
	arrival_free(arrival);
	done(arg, how, why == NULL ? NULL : sentence);
}

static void note(struct arrival *arrival, enum cg_log_level level, const char *why)
{
	const struct mail *mail = &arrival->mail;
	char text[CG_ERROR_TEXT + EMAIL_ADDRESS];

	snprintf(text, sizeof(text), "a mail from %s is passed over: %s",
		mail->from[0] == '\0' ? "nobody" : mail->from, why);
	host_of(arrival)->log(host_of(arrival), level, text);
}

/* ---- The message ---- */

static void submitted(void *arg, enum cg_verdict verdict)
{
	static const enum arrival_end ends[] = {
		[CG_VERDICT_COMMITTED] = ARRIVAL_STORED,
		[CG_VERDICT_DUPLICATE] = ARRIVAL_STORED,
		[CG_VERDICT_CONFLICT] = ARRIVAL_CONFLICT,
		[CG_VERDICT_INVALID] = ARRIVAL_BAD,
		[CG_VERDICT_UNAVAILABLE] = ARRIVAL_UNAVAILABLE,
	};
	struct arrival *arrival = arg;

	arrival->submitted = verdict == CG_VERDICT_COMMITTED;
	end(arrival, ends[verdict],
		verdict == CG_VERDICT_INVALID ? "the mail is too large to be stored"
					      : NULL);
}

/*
 * A command is the first paragraph alone, in one line: clients wrap what is long, and people close
 * with a greeting.
 */
static void cut_command(char *text)
{
	char *end = text;

	while (*end != '\0' && !(end[0] == '\n' && (end[1] == '\n' || end[1] == '\0')))
		end++;
	*end = '\0';
	for (char *at = text; *at != '\0'; at++) {
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	}
}

/* What is missing is said where the agent reads it. */
static void note_left_out(struct mail *mail, size_t limit)
{
	size_t size = strlen(mail->text) + 128;
	char *text = realloc(mail->text, size);

	if (text == NULL)
		return;
	mail->text = text;
	snprintf(text + strlen(text), 128,
		"%s[%zu attachment(s) were left out: more than %d, or larger than %zu "
		"bytes]",
		text[0] == '\0' ? "" : "\n\n", mail->left_out, MAIL_FILES, limit);
}

static void fill_files(const struct arrival *arrival, struct cg_attachment *files)
{
	for (size_t i = 0; i < arrival->mail.file_count; i++) {
		const struct mail_file *file = &arrival->mail.files[i];
		bool stored = arrival->paths[i][0] != '\0';

		files[i] = (struct cg_attachment){
			.size = sizeof(files[i]),
			.filename = file->filename,
			.mime_type = file->mime_type[0] == '\0' ? NULL : file->mime_type,
			.spool_path = stored ? arrival->paths[i] : NULL,
			.bytes = stored ? (int64_t)file->length : file->told,
		};
	}
}

static void submit(struct arrival *arrival)
{
	const struct cg_host *host = host_of(arrival);
	struct mail *mail = &arrival->mail;
	struct cg_attachment files[MAIL_FILES];
	struct cg_command command;
	char user[sizeof(UNVERIFIED) + EMAIL_ADDRESS], context[LETTER_CONTEXT + 1];
	const struct cg_checkpoint checkpoint = {arrival->key, arrival->value};
	struct cg_inbound inbound = {
		.size = sizeof(inbound),
		.type = CG_EVENT_MESSAGE,
		.message_id = mail->id[0] == '\0' ? NULL : mail->id,
		.target = {.chat_id = mail->from,
			.thread_id = mail->thread,
			.user_id = user,
			.message_id = mail->id[0] == '\0' ? NULL : mail->id,
			.is_direct = true,
			.context = context},
		.sender = {.user_id = user,
			.username = mail->from,
			.display_name = mail->name[0] == '\0' ? NULL : mail->name},
		.text = mail->text,
		.attachments = files,
		.attachment_count = mail->file_count,
		.received_at_ms = arrival->origin.received_at_ms,
		.raw = mail->text,
		.raw_length = strlen(mail->text),
		.checkpoint = arrival->key[0] == '\0' ? NULL : &checkpoint,
	};

	/* A name that nobody has signed for is another name. */
	snprintf(user, sizeof(user), "%s%s", mail->authenticated ? "" : UNVERIFIED,
		mail->from);
	letter_context_write(mail->root, mail->id, mail->subject, context);
	if (mail->id[0] == '\0')
		inbound.fallback_key = arrival->hash;
	else if (strlen(mail->id) <= CG_INBOUND_EVENT_ID)
		inbound.event_id = mail->id;
	else
		inbound.event_id = arrival->hash;
	if (mail->text[0] == '/')
		cut_command(mail->text);
	if (cg_command_parse(mail->text, &command)) {
		inbound.type = CG_EVENT_COMMAND;
		inbound.command = command.name;
		inbound.command_args = command.args;
		inbound.raw_length = strlen(mail->text);
	}
	fill_files(arrival, files);
	host->submit(host, &inbound, submitted, arrival);
}

/* ---- Files ---- */

static void write_files(void *arg)
{
	struct arrival *arrival = arg;

	for (size_t i = 0; i < arrival->mail.file_count; i++) {
		const struct mail_file *file = &arrival->mail.files[i];
		size_t at = 0;

		while (arrival->fds[i] >= 0 && at < file->length) {
			ssize_t wrote = write(
				arrival->fds[i], file->bytes + at, file->length - at);

			if (wrote < 0 && errno == EINTR)
				continue;
			if (wrote <= 0) {
				arrival->status = CG_IO;
				return;
			}
			at += (size_t)wrote;
		}
		/* The message that refers to it is durable: so is the file. */
		if (arrival->fds[i] >= 0)
			arrival->status =
				cg_spool_sync(arrival->fds[i], arrival->paths[i]);
		if (arrival->status != CG_OK)
			return;
	}
}

static void files_written(void *arg)
{
	struct arrival *arrival = arg;

	if (arrival->status != CG_OK)
		end(arrival, ARRIVAL_UNAVAILABLE, NULL);
	else
		submit(arrival);
}

static bool store_files(struct arrival *arrival)
{
	const struct cg_host *host = host_of(arrival);

	for (size_t i = 0; i < arrival->mail.file_count; i++) {
		if (arrival->mail.files[i].bytes == NULL)
			continue;
		if (host->spool_create(host, arrival->mail.files[i].length,
			    &arrival->fds[i], arrival->paths[i], CG_SPOOL_PATH,
			    NULL) != CG_OK) {
			arrival->paths[i][0] = '\0';
			arrival->fds[i] = -1;
			return false;
		}
	}
	return host->offload(host, write_files, files_written, arrival) == CG_OK;
}

/* ---- The judgement ---- */

static bool has_bytes(const struct mail *mail)
{
	for (size_t i = 0; i < mail->file_count; i++) {
		if (mail->files[i].bytes != NULL)
			return true;
	}
	return false;
}

/* A mail that says nothing in its body may say it in its subject. */
static void use_subject(struct mail *mail)
{
	const char *subject = quote_bare_subject(mail->subject);

	if (!cg_text_blank(mail->text) || subject[0] == '\0')
		return;
	free(mail->text);
	mail->text = strdup(subject);
}

static void judge(struct arrival *arrival)
{
	struct email *email = arrival->arrivals->email;
	struct mail *mail = &arrival->mail;

	if (mail->from[0] == '\0') {
		note(arrival, CG_LOG_INFO, "it has no sender, or more than one");
		end(arrival, ARRIVAL_IGNORED, NULL);
		return;
	}
	if (mail->automatic != NULL) {
		note(arrival, CG_LOG_INFO, mail->automatic);
		end(arrival, ARRIVAL_IGNORED, NULL);
		return;
	}
	use_subject(mail);
	if (mail->text != NULL && mail->left_out > 0)
		note_left_out(mail, email->settings.max_attachment);
	if (mail->text == NULL) {
		end(arrival, ARRIVAL_UNAVAILABLE, NULL);
		return;
	}
	if (cg_text_blank(mail->text) && mail->file_count == 0) {
		note(arrival, CG_LOG_INFO, "it is empty");
		end(arrival, ARRIVAL_IGNORED, NULL);
		return;
	}
	if (!guard_allow(&email->guard, mail->from, mail->thread,
		    email->host->mono_ms(email->host))) {
		note(arrival, CG_LOG_WARN,
			"its conversation is too fast for people; it may come again "
			"later");
		end(arrival, ARRIVAL_TOO_FAST, NULL);
		return;
	}
	mail->authenticated = mail->authenticated || email->settings.trust_from;
	if (!has_bytes(mail))
		submit(arrival);
	else if (!store_files(arrival))
		end(arrival, ARRIVAL_UNAVAILABLE, NULL);
}

static void judge_later(void *arg)
{
	judge(arg);
}

/* ---- Reading ---- */

static void read_raw(void *arg)
{
	struct arrival *arrival = arg;
	const struct email_settings *settings = &arrival->arrivals->email->settings;
	const struct mime_reading reading = {
		.domain = settings->domain,
		.own_address = settings->from,
		.trust = {.authserv_id = settings->authserv_id},
		.max_file = settings->max_attachment,
		.truncated = arrival->origin.truncated,
	};
	uint8_t hash[CG_SHA256];

	cg_sha256(arrival->raw, arrival->raw_length, hash);
	cg_hex(hash, sizeof(hash), arrival->hash);
	arrival->status = mime_read(arrival->raw, arrival->raw_length, &reading,
		&arrival->mail, &arrival->err);
}

static void raw_was_read(void *arg)
{
	struct arrival *arrival = arg;

	free(arrival->raw);
	arrival->raw = NULL;
	if (arrival->status == CG_NOMEM)
		end(arrival, ARRIVAL_UNAVAILABLE, NULL);
	else if (arrival->status != CG_OK)
		end(arrival, ARRIVAL_BAD, arrival->err.text);
	else
		judge(arrival);
}

/* ---- From outside ---- */

static struct arrival *arrival_new(
	struct arrivals *arrivals, size_t bytes, const struct arrival_origin *origin)
{
	struct arrival *arrival;

	if (arrivals->count == ARRIVALS_MAX || bytes > ARRIVALS_BYTES - arrivals->bytes)
		return NULL;
	arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL)
		return NULL;
	arrival->arrivals = arrivals;
	arrival->origin = *origin;
	arrival->raw_length = bytes;
	if (origin->checkpoint_key != NULL) {
		cg_text_copy(arrival->key, sizeof(arrival->key), origin->checkpoint_key);
		cg_text_copy(
			arrival->value, sizeof(arrival->value), origin->checkpoint_value);
	}
	for (size_t i = 0; i < MAIL_FILES; i++)
		arrival->fds[i] = -1;
	arrivals->count++;
	arrivals->bytes += bytes;
	LIST_INSERT_HEAD(&arrivals->open, arrival, link);
	return arrival;
}

bool arrival_begin_raw(struct arrivals *arrivals, char *bytes, size_t length,
	const struct arrival_origin *origin)
{
	const struct cg_host *host = arrivals->email->host;
	struct arrival *arrival = arrival_new(arrivals, length, origin);

	if (arrival == NULL) {
		free(bytes);
		return false;
	}
	arrival->raw = bytes;
	if (host->offload(host, read_raw, raw_was_read, arrival) != CG_OK) {
		arrival_free(arrival);
		return false;
	}
	return true;
}

bool arrival_begin_mail(
	struct arrivals *arrivals, struct mail *mail, const struct arrival_origin *origin)
{
	const struct cg_host *host = arrivals->email->host;
	struct arrival *arrival = arrival_new(arrivals, 0, origin);
	uint8_t hash[CG_SHA256];

	if (arrival == NULL) {
		mail_finish(mail);
		return false;
	}
	arrival->mail = *mail;
	cg_sha256(mail->id, strlen(mail->id), hash);
	cg_hex(hash, sizeof(hash), arrival->hash);
	if (host->timer_start(host, 0, judge_later, arrival) == NULL) {
		arrival_free(arrival);
		return false;
	}
	return true;
}

void arrivals_init(struct arrivals *arrivals, struct email *email)
{
	*arrivals = (struct arrivals){.email = email};
}

void arrivals_finish(struct arrivals *arrivals)
{
	struct arrival *arrival;

	while ((arrival = LIST_FIRST(&arrivals->open)) != NULL) {
		/* It may be in a commit: the daemon's broom knows better. */
		arrival->submitted = true;
		arrival_free(arrival);
	}
}
