/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel that writes what it is given to the end of a file: the smallest provider that does
 * everything right.  It is built against the installed headers and library alone; copy it.
 *
 * Writing and syncing may take long, so they run on the host's pool, never on its loop.
 */
#include <cowgate/plugin.h>
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/capabilities.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/send.h>
#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NOTE_MAX 65536 /* bytes of one note */

static const struct cg_option notes_options[] = {
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_STRING,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES,
		.name = "path",
		.env = "NOTES_PATH",
		.help = "The file that notes are appended to"},
};

static const struct cg_capabilities notes_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_BYTES,
	.text_form = CG_FORM_PLAIN,
	.reconcile = CG_RECONCILE_NONE,
	.max_text = 16384,
};

struct notes {
	const struct cg_host *host; /* borrowed: outlives the instance */
	const char *path; /* borrowed from the settings */
	struct cg_sends sends;
	LIST_HEAD(notes_list, note)
	notes; /* on the pool; one a send, so bounded with them */
};

/* One note on its way.  The pool's thread leaves link and send alone. */
struct note {
	LIST_ENTRY(note) link;
	struct cg_send *send; /* NULL once the daemon has stopped waiting */
	const char *path;
	struct cg_buffer text;
	bool begun; /* bytes may be in the file */
	bool failed;
};

static void note_free(struct note *note)
{
	LIST_REMOVE(note, link);
	cg_buffer_finish(&note->text);
	free(note);
}

/* On a thread of the pool. */
static void note_write(void *arg)
{
	struct note *note = arg;
	int fd = open(note->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	note->begun = fd >= 0;
	note->failed = fd < 0 ||
		       write(fd, note->text.bytes, note->text.length) !=
			       (ssize_t)note->text.length ||
		       fsync(fd) != 0;
	if (fd >= 0)
		close(fd);
}

/* Back on the loop. */
static void note_written(void *arg)
{
	struct note *note = arg;
	struct cg_send *send = note->send;
	struct cg_outcome outcome = {
		.size = sizeof(outcome), .class = CG_OUTCOME_SENT, .retry_after_ms = -1};

	if (note->failed) {
		/* Once it has begun, some of it may be there: say so, rather than "not sent". */
		outcome.class =
			note->begun ? CG_OUTCOME_AMBIGUOUS : CG_OUTCOME_NOT_DISPATCHED;
		outcome.scope = CG_SCOPE_DESTINATION;
		outcome.detail = "the note could not be written and synced";
	}
	note_free(note);
	if (send != NULL)
		cg_send_end(send, &outcome);
}

/* A send that ends before it began. */
static void not_dispatched(struct cg_send *send, const char *detail)
{
	cg_send_end_later(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
					.class = CG_OUTCOME_NOT_DISPATCHED,
					.retry_after_ms = -1,
					.detail = detail});
}

static void notes_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct notes *notes = self;
	struct cg_send *send = cg_send_open(&notes->sends, outbound, done, arg);
	struct note *note;

	if (outbound->kind != CG_OUTBOUND_TEXT) {
		cg_send_refuse(send, "notes are plain texts");
		return;
	}
	if (outbound->text_length > notes_capabilities.max_text) {
		cg_send_refuse(send, "the text is longer than 16384 bytes");
		return;
	}
	note = calloc(1, sizeof(*note));
	if (note == NULL) {
		not_dispatched(send, "out of memory");
		return;
	}
	note->send = send;
	note->path = notes->path;
	cg_buffer_init(&note->text, NOTE_MAX);
	LIST_INSERT_HEAD(&notes->notes, note, link);
	cg_buffer_add(&note->text, outbound->text, outbound->text_length);
	cg_buffer_text(&note->text, "\n\n");
	if (cg_buffer_status(&note->text) != CG_OK ||
		notes->host->offload(notes->host, note_write, note_written, note) !=
			CG_OK) {
		note_free(note);
		not_dispatched(send, "there is no room on the pool");
	}
}

/* The thread cannot be called back, but nobody waits for it any more. */
static void notes_cancel(void *self, void *arg)
{
	struct notes *notes = self;
	struct note *note;

	LIST_FOREACH (note, &notes->notes, link) {
		if (note->send != NULL && note->send->arg == arg)
			note->send = NULL;
	}
	cg_sends_cancel(&notes->sends, arg);
}

static void notes_destroy(void *self)
{
	struct notes *notes = self;
	struct note *note;

	if (notes == NULL)
		return;
	/* The host has waited for the pool: whatever is left here is not in use. */
	while ((note = LIST_FIRST(&notes->notes)) != NULL)
		note_free(note);
	cg_sends_finish(&notes->sends);
	free(notes);
}

static enum cg_status notes_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	const char *path = settings->string(settings, "path");
	struct notes *notes;

	if (path == NULL || path[0] != '/')
		return cg_error_set(err, CG_INVALID, "path must begin with /");
	notes = calloc(1, sizeof(*notes));
	if (notes == NULL)
		return cg_error_nomem(err);
	notes->host = host;
	notes->path = path;
	cg_sends_init(&notes->sends, host, notes);
	LIST_INIT(&notes->notes);
	*ret_self = notes;
	return CG_OK;
}

static enum cg_status notes_start(void *self, struct cg_error *err)
{
	struct notes *notes = self;

	(void)err;
	notes->host->health(notes->host, &(struct cg_health){
						 .size = sizeof(struct cg_health),
						 .inbound = CG_HEALTH_UP,
						 .outbound = CG_HEALTH_UP,
					 });
	return CG_OK;
}

static void notes_stop(void *self)
{
	(void)self; /* nothing comes in, and sends may still be asked for */
}

static void notes_describe(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	cg_capabilities_give(&notes_capabilities, ret);
}

static uint32_t notes_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	return (uint32_t)cg_text_measure(text, length, notes_capabilities.text_unit);
}

static const struct cg_provider_ops notes_ops = {
	.size = sizeof(struct cg_provider_ops),
	.create = notes_create,
	.destroy = notes_destroy,
	.start = notes_start,
	.stop = notes_stop,
	.capabilities = notes_describe,
	.measure = notes_measure,
	.send = notes_send,
	.cancel = notes_cancel,
};

static const struct cg_provider notes_provider = {
	.size = sizeof(struct cg_provider),
	.kind = "notes",
	.title = "Notes",
	.version = "1.0.0",
	.options = notes_options,
	.option_count = sizeof(notes_options) / sizeof(*notes_options),
	.ops = &notes_ops,
};

static const struct cg_provider *const notes_providers[] = {&notes_provider};

CG_PLUGIN_DECLARE(.name = "notes", .version = "1.0.0", .license = "Apache-2.0",
	.providers = notes_providers, .provider_count = 1);
