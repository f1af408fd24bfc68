/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session's events on their way into its chat.
 *
 * The stream holds a subscription and a renderer.  What must be shown goes into the outbox in
 * the transaction that moves the cursor; while that is under way, or the outbox is full, the
 * subscription has no credit.  After a restart the same events make the same ids, so nothing
 * is shown twice.
 */
#ifndef COWGATE_GATEWAY_STREAM_H
#define COWGATE_GATEWAY_STREAM_H

#include "gateway/conversation/context.h"
#include "gateway/conversation/draft.h"
#include "gateway/journal/cursor.h"

/* Follow a session from @cursor; the open stream of that binding is found again.  LIMIT when
 * all streams are busy. */
enum cg_status stream_open(struct conversation *conversation, const struct cursor *cursor,
	struct stream **ret, struct cg_error *err);
struct stream *stream_find(struct conversation *conversation, const char *binding_id);
void stream_destroy(struct stream *stream);
/* Those of a chat thread, but for the one of @keep. */
void stream_destroy_thread(struct conversation *conversation, const char *instance,
	const char *chat_id, const char *thread_id, const char *keep);

/* A message is about to become a prompt of this session, and has become one or not: between the
 * two the stream does not settle. */
void stream_expect(struct stream *stream);
void stream_expected(struct stream *stream);
/* Is a turn running, as far as its events have told? */
bool stream_is_busy(const struct stream *stream);
/* Does the journal know that an answer is expected here, for whom and on which route?  Whoever
 * finds that it does not stores @cursor as open before the prompt, and says so: from then on
 * what the session says goes that way. */
bool stream_is_remembered(const struct stream *stream, const struct cursor *cursor);
void stream_remember(struct stream *stream, const struct cursor *cursor);

/* Whatever rests because it was refused is asked for anew. */
void stream_ask_again_all(struct conversation *conversation);

/* The outbox has room again. */
void stream_feed_all(struct conversation *conversation);

#endif
