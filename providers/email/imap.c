/* SPDX-License-Identifier: Apache-2.0 */
#include "imap_private.h"

#include "imap_link.h"
#include "imap_wire.h"
#include "mime.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/retry.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND_MS 60000 /* an answer must have come */
#define RENEW_MS \
	540000 /* an IDLE: routers forget a silent connection, servers after 29 min */
#define POLL_MS 60000 /* between two looks at a server without IDLE */
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000
#define REFUSED_MS 600000 /* a login that was refused is tried again so seldom */
#define DEAF_MS 90000 /* without a mailbox */
#define STORE_RETRY_MS 3000
#define DENIED_MAX 5 /* a mail that is not given is asked for so often, within a minute */
#define LITERAL_EXTRA (1u << 20) /* text and headers beside attachments */
#define RECEIVE 16384
#define BUFFER_SLACK (512u << 10)
#define COMMAND_MAX 512

static void connect_later(struct imap *imap, int64_t delay_ms);
static void look_for_news(struct imap *imap);
static void fetch_next(struct imap *imap);

static const struct cg_host *host_of(const struct imap *imap)
{
	return imap->email->host;
}

static int64_t now_ms(const struct imap *imap)
{
	return host_of(imap)->mono_ms(host_of(imap));
}

/* ---- When ---- */

static void stop_waiting(struct imap *imap)
{
	host_of(imap)->timer_cancel(host_of(imap), imap->timer);
	imap->timer = NULL;
}

static void wait_for(struct imap *imap, int64_t delay_ms, cg_callback then)
{
	stop_waiting(imap);
	imap->timer = host_of(imap)->timer_start(host_of(imap), delay_ms, then, imap);
	/* Without a timer nothing would ever happen: the daemon starts us again. */
	if (imap->timer == NULL)
		email_health_inbound(imap->email, CG_HEALTH_DOWN, "out of memory");
}

/* ---- The end of a connection ---- */

static void hang_up(struct imap *imap)
{
	stop_waiting(imap);
	if (imap->link != NULL) {
		host_of(imap)->watch(host_of(imap), imap_link_fd(imap->link), NULL, NULL);
		imap_link_close(imap->link);
	}
	imap->link = NULL;
	/* A mail that is being stored ends by itself. */
	if (imap->state != STORING && imap->state != STORING_BEGIN)
		imap->state = OFF;
}

static void lost(struct imap *imap, const char *why)
{
	uint64_t random;

	hang_up(imap);
	if (!imap->started)
		return;
	/* Deaf, whatever sending does meanwhile. */
	email_health_inbound(imap->email,
		now_ms(imap) - imap->heard_ms >= DEAF_MS ? CG_HEALTH_DOWN
							 : CG_HEALTH_DEGRADED,
		why);
	host_of(imap)->random(host_of(imap), &random, sizeof(random));
	if (imap->failures < 16)
		imap->failures++;
	connect_later(imap,
		cg_retry_reconnect(RETRY_BASE_MS, RETRY_CAP_MS, imap->failures, random));
}

static void timed_out(void *arg)
{
	struct imap *imap = arg;

	imap->timer = NULL;
	lost(imap, "the mailbox's server did not answer in time");
}

static void heard(struct imap *imap)
{
	imap->failures = 0;
	imap->heard_ms = now_ms(imap);
	email_health_inbound(imap->email, CG_HEALTH_UP, NULL);
}

/* ---- Commands ---- */

static void say(struct imap *imap, enum imap_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct imap *imap, enum imap_state state, const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list arguments;
	int used = 0, length;

	if (imap->link == NULL)
		return;
	if (state != LEAVING) /* DONE has no tag: it ends the command before it */
		used = snprintf(command, sizeof(command), "c%u ", ++imap->tag);
	va_start(arguments, format);
	length = vsnprintf(
		command + used, sizeof(command) - (size_t)used, format, arguments);
	va_end(arguments);
	imap->state = state;
	wait_for(imap, COMMAND_MS, timed_out);
	if (length < 0 || (size_t)(used + length) >= sizeof(command) ||
		imap_link_send(imap->link, command, (size_t)(used + length)) !=
			IMAP_LINK_OK)
		lost(imap, "the mailbox's server ended the connection");
}

/* Is there a connection, and nothing of ours under way on it? */
static bool is_ready(const struct imap *imap)
{
	return imap->started && imap->link != NULL;
}

/* ---- How far it was read ---- */

static void begin_stored(void *arg, enum cg_verdict verdict)
{
	struct imap *imap = arg;

	imap->state = OFF;
	if (!is_ready(imap))
		return;
	if (verdict == CG_VERDICT_COMMITTED || verdict == CG_VERDICT_DUPLICATE)
		look_for_news(imap);
	else
		lost(imap, "the mailbox's place could not be stored");
}

static void store_begin(struct imap *imap)
{
	char value[32];
	const struct cg_checkpoint checkpoint = {.key = imap->key, .value = value};

	imap_place_write(imap, imap->last, value);
	stop_waiting(imap);
	imap->state = STORING_BEGIN;
	host_of(imap)->checkpoint(host_of(imap), &checkpoint, begin_stored, imap);
}

static void selected(struct imap *imap)
{
	uint32_t validity = 0, last = 0;

	heard(imap);
	imap->renumbered = false;
	if (!imap_place_load(imap, &validity, &last)) {
		imap->last = imap->next > 0 ? imap->next - 1 : 0;
		host_of(imap)->log(host_of(imap), CG_LOG_INFO,
			"the mailbox is read for the first time, from its end");
		store_begin(imap);
		return;
	}
	imap->last = last;
	if (validity != imap->validity) {
		host_of(imap)->log(host_of(imap), CG_LOG_WARN,
			"the mailbox has numbered its mail anew; the last days are read "
			"again");
		imap->renumbered = true;
		imap->last = 0;
	}
	look_for_news(imap);
}

/* ---- Searching ---- */

static void look_for_news(struct imap *imap)
{
	char what[64];

	imap->uid_count = imap->uid_at = 0;
	imap->news = false;
	imap_place_search(imap, what);
	say(imap, SEARCHING, "UID SEARCH %s\r\n", what);
}

static void polled(void *arg)
{
	struct imap *imap = arg;

	imap->timer = NULL;
	look_for_news(imap);
}

static void searched(struct imap *imap)
{
	if (imap->uid_count > 0) {
		fetch_next(imap);
		return;
	}
	if (imap_place_go_on(imap)) {
		look_for_news(imap);
		return;
	}
	/* The whole of the new numbering was looked at. */
	if (imap->renumbered) {
		imap->renumbered = false;
		if (imap->next > 0 && imap->last < imap->next - 1)
			imap->last = imap->next - 1;
		store_begin(imap);
		return;
	}
	if (imap->can_idle) {
		say(imap, ENTERING, "IDLE\r\n");
		return;
	}
	imap->state = POLLING;
	wait_for(imap, POLL_MS, polled);
}

/* ---- Fetching ---- */

static void fetch_next(struct imap *imap)
{
	if (imap->uid_at == imap->uid_count) {
		look_for_news(imap);
		return;
	}
	imap->fetched = false;
	say(imap, FETCHING,
		"UID FETCH %" PRIu32 " (UID RFC822.SIZE BODY.PEEK[]<0.%zu>)\r\n",
		imap->uids[imap->uid_at], imap->literal_max);
}

static void held(void *arg)
{
	struct imap *imap = arg;

	imap->timer = NULL;
	if (is_ready(imap))
		fetch_next(imap);
}

/* What became of the current mail. */
static void stored(void *arg, enum arrival_end end, const char *why)
{
	struct imap *imap = arg;
	uint32_t uid = imap->uids[imap->uid_at];
	char text[CG_ERROR_TEXT];

	imap->state = OFF;
	if (end == ARRIVAL_UNAVAILABLE) {
		if (!is_ready(imap))
			return;
		imap->state = HOLDING;
		wait_for(imap, STORE_RETRY_MS, held);
		return;
	}
	imap->last = uid;
	imap->uid_at++;
	if (end == ARRIVAL_BAD || end == ARRIVAL_CONFLICT) {
		snprintf(text, sizeof(text), "mail %" PRIu32 " is passed over: %.180s",
			uid,
			why == NULL ? "its Message-ID belongs to another mail" : why);
		host_of(imap)->log(host_of(imap), CG_LOG_WARN, text);
	}
	if (end != ARRIVAL_STORED)
		imap_place_pass(imap, uid);
	if (!is_ready(imap))
		return;
	if (end == ARRIVAL_STORED && !imap->read_only)
		say(imap, MARKING, "UID STORE %" PRIu32 " +FLAGS.SILENT (\\Seen)\r\n",
			uid);
	else
		fetch_next(imap);
}

/* The mail itself.  It is on its way before the server's "OK" behind it is read. */
static void take_mail(struct imap *imap, const struct imap_response *response)
{
	char value[32], *bytes;
	struct arrival_origin origin = {
		.checkpoint_key = imap->key,
		.checkpoint_value = value,
		.done = stored,
		.arg = imap,
	};
	uint32_t uid = 0, size = 0;

	if (imap->state != FETCHING || imap->fetched || response->literal.bytes == NULL ||
		!imap_response_number(response, "UID", &uid) ||
		uid != imap->uids[imap->uid_at])
		return;
	imap->fetched = true;
	imap->denied = 0;
	imap_response_number(response, "RFC822.SIZE", &size);
	origin.truncated = size > response->literal.length &&
			   response->literal.length >= imap->literal_max;
	imap_place_write(imap, uid, value);
	bytes = malloc(response->literal.length + 1);
	if (bytes != NULL)
		memcpy(bytes, response->literal.bytes, response->literal.length);
	if (bytes == NULL || !arrival_begin_raw(&imap->email->arrivals, bytes,
				     response->literal.length, &origin)) {
		imap->fetched = false;
		imap->state = HOLDING;
		wait_for(imap, STORE_RETRY_MS, held);
		return;
	}
	imap->state = STORING;
	stop_waiting(imap);
}

/* ---- What the server says ---- */

static void leave_idle(struct imap *imap)
{
	if (imap->state == IDLING)
		say(imap, LEAVING, "DONE\r\n");
}

static void renew(void *arg)
{
	struct imap *imap = arg;

	imap->timer = NULL;
	leave_idle(imap);
}

static void take_untagged(struct imap *imap, const struct imap_response *response)
{
	if (imap_response_has(response, "CAPABILITY"))
		imap->can_idle = imap_response_has(response, "IDLE");
	imap_response_number(response, "UIDVALIDITY", &imap->validity);
	imap_response_number(response, "UIDNEXT", &imap->next);
	if (imap_response_counts(response, "EXISTS")) {
		imap->news = true;
		leave_idle(imap);
	}
	if (imap->state == SEARCHING)
		imap->uid_count = imap_response_uids(
			response, imap->last, imap->uids, imap->uid_count, IMAP_BATCH);
	if (imap_response_has(response, "FETCH"))
		take_mail(imap, response);
	if (strncasecmp(response->line.bytes, "* BYE", 5) == 0)
		lost(imap, "the mailbox's server ended the connection");
}

/* A FETCH has ended without the mail: it was taken away meanwhile, or the server cannot give it. */
static void take_nothing(struct imap *imap, bool ok)
{
	char text[80];

	if (!ok && ++imap->denied < DENIED_MAX) {
		email_health_inbound(imap->email, CG_HEALTH_DEGRADED,
			"the mailbox's server does not give a mail");
		imap->state = HOLDING;
		wait_for(imap, STORE_RETRY_MS << (imap->denied - 1), held);
		return;
	}
	imap->last = imap->uids[imap->uid_at];
	if (!ok) {
		snprintf(text, sizeof(text),
			"mail %" PRIu32 " cannot be read there and is passed over",
			imap->last);
		host_of(imap)->log(host_of(imap), CG_LOG_ERROR, text);
	}
	imap->denied = 0;
	imap_place_pass(imap, imap->last);
	imap->uid_at++;
	fetch_next(imap);
}

static void take_tagged(struct imap *imap, const struct imap_response *response)
{
	if (response->tag != imap->tag)
		return;
	switch (imap->state) {
	case ASKING:
		say(imap, SELECTING, "SELECT \"%s\"\r\n",
			imap->email->settings.imap_folder);
		break;
	case SELECTING:
		imap->read_only = imap_response_has(response, "READ-ONLY");
		if (response->ok && imap->validity != 0)
			selected(imap);
		else
			lost(imap, "the mailbox's folder cannot be opened");
		break;
	case SEARCHING:
		heard(imap);
		if (response->ok)
			searched(imap);
		else
			lost(imap, "the mailbox cannot be searched");
		break;
	case FETCHING:
		if (!imap->fetched)
			take_nothing(imap, response->ok);
		break;
	case MARKING: /* a flag that cannot be set is no reason to stop */
		fetch_next(imap);
		break;
	case ENTERING: /* IDLE was refused after all */
	case LEAVING:
		heard(imap);
		if (imap->state == ENTERING)
			imap->can_idle = false;
		look_for_news(imap);
		break;
	default:
		break;
	}
}

static void take(struct imap *imap, const struct imap_response *response)
{
	if (response->kind == IMAP_UNTAGGED) {
		take_untagged(imap, response);
	} else if (response->kind == IMAP_TAGGED) {
		take_tagged(imap, response);
	} else if (imap->state == ENTERING) {
		heard(imap);
		imap->state = IDLING;
		wait_for(imap, RENEW_MS, renew);
		if (imap->news) /* it came between the search and now */
			leave_idle(imap);
	}
}

static void understand(struct imap *imap)
{
	struct imap_response response;

	while (imap->link != NULL && imap->in.length > 0 &&
		imap_wire_read(imap->in.bytes, imap->in.length, imap->literal_max,
			&response) != IMAP_MORE) {
		if (response.kind == IMAP_BROKEN) {
			lost(imap, "the mailbox's server says what is no IMAP");
			return;
		}
		take(imap, &response);
		if (imap->link != NULL)
			cg_buffer_drop(&imap->in, response.consumed);
	}
}

static void readable(void *arg)
{
	struct imap *imap = arg;
	enum imap_link_result result = IMAP_LINK_OK;
	char room[RECEIVE];
	size_t length;

	while (imap->link != NULL && result == IMAP_LINK_OK) {
		length = 0;
		result = imap_link_receive(imap->link, room, sizeof(room), &length);
		if (result == IMAP_LINK_OK &&
			cg_buffer_add(&imap->in, room, length) != CG_OK)
			result = IMAP_LINK_GONE;
		if (result == IMAP_LINK_GONE)
			lost(imap, "the mailbox's server ended the connection");
		else if (result == IMAP_LINK_OK)
			understand(imap);
	}
}

/* ---- Connecting ---- */

static void open_link(void *arg)
{
	struct imap *imap = arg;

	imap->result = imap_link_open(&imap->email->settings, &imap->opened);
}

static void say_why(struct imap *imap)
{
	switch (imap->result) {
	case IMAP_LINK_REFUSED:
		hang_up(imap);
		email_health_inbound(imap->email, CG_HEALTH_REFUSED,
			"the mailbox refused the login; check imapUsername and "
			"imapPassword");
		connect_later(imap, REFUSED_MS);
		break;
	case IMAP_LINK_BAD_TLS:
		lost(imap,
			"the mailbox's server offers no TLS, or its certificate is not "
			"valid for its name");
		break;
	default:
		lost(imap, "the mailbox's server cannot be reached");
		break;
	}
}

static void opened(void *arg)
{
	struct imap *imap = arg;
	struct imap_link *link = imap->opened;

	imap->connecting = false;
	imap->opened = NULL;
	/* Stopped meanwhile; or stopped and started, then this one will do. */
	if (!imap->started) {
		imap_link_close(link);
		return;
	}
	if (imap->result != IMAP_LINK_OK) {
		say_why(imap);
		return;
	}
	imap->link = link;
	/* Not sooner: whoever hung up may still have been reading in it. */
	cg_buffer_clear(&imap->in);
	if (host_of(imap)->watch(host_of(imap), imap_link_fd(link), readable, imap) !=
		CG_OK) {
		lost(imap, "the mailbox's connection cannot be watched");
		return;
	}
	imap->validity = imap->next = 0;
	imap->can_idle = imap->news = false;
	say(imap, ASKING, "CAPABILITY\r\n");
	readable(imap); /* what came with the login */
}

static void connect_now(void *arg)
{
	struct imap *imap = arg;

	imap->timer = NULL;
	/* A mail of the last connection is still on its way into the journal. */
	if (imap->state == STORING || imap->state == STORING_BEGIN) {
		connect_later(imap, RETRY_BASE_MS);
		return;
	}
	if (!imap->started || imap->connecting || imap->link != NULL)
		return;
	if (host_of(imap)->offload(host_of(imap), open_link, opened, imap) != CG_OK) {
		connect_later(imap, RETRY_BASE_MS);
		return;
	}
	imap->connecting = true;
}

static void connect_later(struct imap *imap, int64_t delay_ms)
{
	wait_for(imap, delay_ms, connect_now);
}

/* ---- Life ---- */

enum cg_status imap_create(struct email *email, struct imap **ret, struct cg_error *err)
{
	struct imap *imap = calloc(1, sizeof(*imap));
	size_t limit = 2 * email->settings.max_attachment + LITERAL_EXTRA;

	if (imap == NULL)
		return cg_error_nomem(err);
	imap->email = email;
	imap->literal_max = limit < MIME_MESSAGE_MAX ? limit : MIME_MESSAGE_MAX;
	cg_buffer_init(&imap->in, imap->literal_max + BUFFER_SLACK);
	imap_place_init(imap);
	*ret = imap;
	return CG_OK;
}

void imap_destroy(struct imap *imap)
{
	if (imap == NULL)
		return;
	imap_link_close(imap->opened);
	imap_link_close(imap->link);
	cg_buffer_finish(&imap->in);
	free(imap);
}

void imap_start(struct imap *imap)
{
	imap->started = true;
	imap->failures = 0;
	imap->heard_ms = now_ms(imap);
	connect_later(imap, 0);
}

void imap_stop(struct imap *imap)
{
	static const char goodbye[] = "DONE\r\nz LOGOUT\r\n";
	size_t skipped = imap->state == IDLING ? 0 : 6;

	imap->started = false;
	/* Whatever else is under way ends with the connection. */
	if (imap->link != NULL && imap->state != ENTERING)
		imap_link_send(imap->link, goodbye + skipped, strlen(goodbye) - skipped);
	hang_up(imap);
}
