/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a turn has reported and the store does not have yet, in order; and the job's
 * side of it: turning reports into events.
 */
#ifndef COWGATE_CONTROL_PLANE_RECORD_H
#define COWGATE_CONTROL_PLANE_RECORD_H

#include "control-plane/agents/agent.h"
#include "control-plane/change.h"
#include "control-plane/event.h"

#include <cowgate/sdk/buffer.h>

enum record_kind {
	RECORD_APPEND, /* text of the message @name */
	RECORD_REPLACE, /* the whole text of the message @name */
	RECORD_ARTIFACT, /* the file @name, see record_file */
	RECORD_EVENT, /* the event @name with its payload */
	RECORD_BOUND, /* the backend's session id is @name */
	RECORD_STEERED, /* the command @name was told to the turn: @text */
	RECORD_ACK, /* the command @name is done */
	RECORD_REFUSED, /* the command @name came to nothing */
	RECORD_RETURN, /* the command @name shall be tried again */
};

struct record {
	struct record *next;
	enum record_kind kind;
	char *name; /* owned */
	struct cg_buffer text; /* owned */
	struct json_object *payload; /* owned */
	struct record_file *file; /* owned */
};

/* A file that the agent made: its bytes are the record's text, or lie at @path. */
struct record_file {
	char id[HASHED_ID];
	char *mime_type; /* owned */
	char *path; /* owned, may be NULL */
	bool kept; /* it is in the store … */
	char problem[CG_ERROR_TEXT]; /* … or this is why not */
	uint64_t bytes;
};

struct record_list {
	struct record *first;
	struct record *last;
	size_t count;
	size_t bytes;
	size_t file_bytes; /* of files, at most AGENT_ARTIFACT */
	size_t files; /* how many */
	bool opened; /* a message was begun by appending */
	bool asked; /* a permission or an answer was asked for */
};

void record_list_finish(struct record_list *list);
/* Move: @to must be empty. */
void record_list_take(struct record_list *to, struct record_list *from);

/* Each adds one record, or changes the last if that is about the same message.  LIMIT
 * beyond TURN_BUFFER bytes or TURN_RECORDS. */
enum cg_status record_text(struct record_list *list, enum record_kind kind,
	const char *name, const char *text, size_t length);
/* Copies @payload; what is too large is cut down to what names it. */
enum cg_status record_event(
	struct record_list *list, const char *type, struct json_object *payload);
/* LIMIT also when the bytes of files that are not stored would be too many. */
enum cg_status record_artifact(struct record_list *list, const char *session_id,
	const struct agent_artifact *artifact);
enum cg_status record_command(
	struct record_list *list, enum record_kind kind, const char *name);

/* How a turn ended. */
struct record_end {
	enum agent_end end;
	const char *code; /* of the command when it failed */
	const char *message; /* for the person */
};

struct record_batch {
	struct record_list *list;
	int64_t session;
	const char *command_id;
	const char *agent; /* who reports, as the roster names it */
	const struct record_end *end; /* NULL: the turn goes on */
	bool opened; /* with an end: some message of the turn may still be open … */
	bool asked; /* … or some question */
};

/* Put the files of the list into the store, each once.  Blocks: offload or writer
 * thread. */
void record_keep_files(struct record_list *list, const struct file_store *files);

/* Writer thread. */
enum cg_status record_store(struct change *change, const struct record_batch *batch);

/* record_file.c: for record.c. */
enum cg_status record_add(struct record_list *list, enum record_kind kind,
	const char *name, size_t limit, struct record **ret);
void record_file_free(struct record_file *file);
enum cg_status record_store_file(struct event_log *log, struct record *record);

#endif
