/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a stream, for the files that are parts of it. */
#ifndef COWGATE_GATEWAY_STREAM_INSIDE_H
#define COWGATE_GATEWAY_STREAM_INSIDE_H

#include "cloud-client/subscription.h"
#include "gateway/conversation/render.h"
#include "gateway/conversation/stream.h"

/* What the agent is doing, as one line that is edited in place. */
struct stream_work {
	char key[RENDER_ID_MAX]; /* of the tool call that the line began with; "" none */
	char line[400]; /* "bash: ls -l" */
	unsigned steps, minutes;
	unsigned done, todos; /* of the agent's own list; 0 todos: it has none */
	bool has_slot; /* the slot was made for the line and shows no text yet */
};

#define STREAM_RETRY_MS 1000 /* before a store that failed is tried again … */
#define STREAM_RETRY_MAX_MS 30000 /* … and at most, before the Cloud is asked again */

struct stream {
	TAILQ_ENTRY(stream) link;
	LIST_ENTRY(stream) bucket;
	struct conversation *conversation;
	struct draft_route route; /* owned */
	struct cloud_subscription *subscription;
	struct cloud_call *call; /* snapshot or status */
	struct cloud_call *fetch; /* of the file that is waited for */
	struct artifact_file *saving; /* it has come, and is being written */
	char *artifact_id, *artifact_name; /* owned; NULL: no file is waited for */
	char artifact_mime[128]; /* while it is being written */
	int64_t artifact_sequence; /* of the event that told it */
	int64_t artifact_bytes; /* as the event told; -1: it did not */
	unsigned artifact_tries; /* that were answered, and failed */
	bool has_place; /* among the few that are fetched at a time */
	unsigned failures; /* of fetching a snapshot or a file, since one succeeded */
	struct render render;
	char *slot_id; /* owned; of the open text, NULL: none */
	struct drafts drafts; /* to be stored, or being stored */
	char answer_id[DRAFT_ID_MAX]; /* the last that this turn said; "" nothing yet */
	bool turn_failed; /* it ended with an error, or was stopped */
	bool turn_over; /* with what is being stored */
	int64_t store_sequence; /* the cursor that moves with them */
	int64_t cursor; /* stored */
	int64_t opened_ms; /* monotonic */
	struct loop_timer retry;
	struct stream_work work;
	struct loop_timer slow; /* then a text that is still open gets its slot */
	struct loop_timer silence; /* then a turn that says nothing says that it works */
	struct loop_timer quiet; /* then it is asked whether more is to come */
	bool storing;
	bool abandons; /* a turn has ended: what it asked ends with the next store */
	bool missing; /* events were missed: the snapshot is still to be rendered */
	bool midway; /* the open text began in a snapshot: no event tells its beginning */
	bool joined; /* the next connection goes on from a snapshot */
	bool idle; /* the turn is over, as far as the events tell */
	bool open; /* as the journal knows it */
	unsigned expected; /* messages that are becoming prompts */
	unsigned news; /* prompts and events: tells a stale reply */
	unsigned asked; /* news when it was asked */
	int64_t seen; /* sequence of the last event */
	bool gone; /* the session is no more: it ends when nobody expects anything */
	bool dying, buried;
	struct loop_task burial;
};

/* stream.c: store the drafts, and move the cursor to store_sequence with them. */
void stream_store(struct stream *stream);
/* The turn is over and stored; @all: nothing waits for its turn either. */
void stream_end_turn(struct stream *stream, bool all);

/* stream.c: fetch what is missing once more, later each time. */
void stream_retry_later(struct stream *stream, int64_t at_least_ms);

/* stream_rest.c: the turn is over; ask, after a while of quiet, whether more is to come. */
void stream_watch_quiet(struct stream *stream);
void stream_quiet_came(void *stream);
bool stream_is_running(const struct cloud_session_snapshot *snapshot);

/* stream_snapshot.c: render what was missed from the projection. */
void stream_fetch_snapshot(struct stream *stream);

/* stream_artifact.c: fetch a file, then store it.  False: it is none.  While one is fetched the
 * stream has no credit. */
bool stream_begin_artifact(
	struct stream *stream, struct json_object *payload, int64_t sequence);
void stream_fetch_artifact(struct stream *stream);
void stream_end_artifact(struct stream *stream);

/* stream_work.c: what the agent is doing while it says nothing. */
enum cg_status stream_work_init(struct stream *stream);
void stream_work_finish(struct stream *stream);
void stream_work_tool(struct stream *stream, struct json_object *payload);
/* The agent's list of what is to be done: how much of it is, and what is in hand. */
void stream_work_todos(struct stream *stream, struct json_object *payload);
/* A text that is open has its slot after RENDER_SLOT_MS, also if nothing more comes. */
void stream_work_watch(struct stream *stream);
/* Something was said or done: silence begins anew. */
void stream_work_heard(struct stream *stream);
/* A text of its own ends it; @over: so does the end of the turn, and the line says so. */
void stream_work_end(struct stream *stream, bool over);

/* stream_show.c: what the chat gets to see.  All but previews and typing are drafts. */

/* Ids that a replay of the same events makes again.  @ret has DRAFT_ID_MAX bytes. */
void stream_make_id(const struct stream *stream, const char *message_id,
	const char *suffix, char *ret);
enum cg_status stream_add_text(struct stream *stream, const char *message_id,
	const char *suffix, const char *source, enum outbox_purpose purpose);
/* A final text, with what of its code goes as files. */
void stream_add_answer(struct stream *stream, const char *message_id, const char *source);
/* The text that became final with the last event. */
void stream_add_final(struct stream *stream);
void stream_add_error(struct stream *stream, int64_t sequence);
/* What the agent asks, as a card; @sequence of the event that asked, as it may ask the same
 * again.  And the end of it when nobody here has decided it. */
void stream_add_card(struct stream *stream, enum inquiry_kind kind,
	struct json_object *payload, int64_t sequence);
void stream_close_card(
	struct stream *stream, enum inquiry_kind kind, struct json_object *payload);
/* Store a slot, beside the drafts. */
void stream_store_slot(struct stream *stream, const char *message_id, const char *suffix,
	const char *source);
/* What one message shows of the open text; the caller's, NULL: nothing. */
char *stream_first_part(const struct stream *stream);
/* The slot of the open text, stored at once; and its later versions. */
void stream_make_slot(struct stream *stream);
void stream_show_preview(struct stream *stream);
void stream_forget_slot(struct stream *stream);
void stream_typing(struct stream *stream, bool on);

#endif
