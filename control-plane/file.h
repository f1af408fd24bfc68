/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the files that the plane keeps, see file_store.h: attachments, which belong
 * to the command of a prompt, and artifacts, which an agent made for a session.  Each is
 * kept for FILE_KEEP_MS.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_FILE_H
#define COWGATE_CONTROL_PLANE_FILE_H

#include "control-plane/change.h"
#include "control-plane/file_store.h"

#define FILE_KEEP_MS (30LL * 24 * 60 * 60 * 1000)
#define FILE_ROWS 10000 /* files kept … */
#define FILE_TOTAL (2LL << 30) /* … and bytes of all of them: then new ones are refused */
#define FILE_PROMPT 16 /* attachments of one prompt */
#define FILE_NAME 256 /* bytes of a name with its NUL */

struct file {
	int64_t id; /* row, 0: there is none */
	char file_id[HASHED_ID];
	char filename[FILE_NAME];
	char mime_type[FILE_NAME];
	int64_t bytes;
	int64_t created_at;
};

/* The name without directories, control characters and leading dots; never empty. */
void file_name(const char *name, char ret[FILE_NAME]);

/* Id of a prompt's attachment, the same for each attempt. */
void file_attachment_id(const char *command_id, size_t index, char ret[HASHED_ID]);
/* Id of an artifact, by the agent's own id; NULL: a new one. */
void file_artifact_id(const char *session_id, const char *agent_id, char ret[HASHED_ID]);

/*
 * Note a file that is in the store already.  @command_id NULL: an artifact.  *@ret_fresh:
 * false when it replaces an earlier one.  LIMIT: too much is kept.
 */
enum cg_status file_insert(struct change *change, int64_t session, const char *command_id,
	const struct file *file, bool *ret_fresh);
/* An artifact of the session. */
enum cg_status file_artifact(
	struct change *change, int64_t session, const char *file_id, struct file *ret);
/* The attachments of a command, at most FILE_PROMPT, in their order. */
enum cg_status file_attachments(struct change *change, const char *command_id,
	struct file ret[FILE_PROMPT], size_t *ret_count);

/* At the start: remove what no row names. */
enum cg_status file_sweep_orphans(struct change *change);

/* The artifact as events and routes show it. */
struct json_object *file_json(const struct file *file, const char *session_id);

#endif
