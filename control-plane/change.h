/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change: what one job does to the store, and what must follow once it is committed.
 *
 * The functions of the tables (identity, session, event, …) run on the writer thread
 * inside a job and take a struct change.  They write rows and note consequences here:
 * events to publish, sessions to wake.  The loop acts on the consequences after the
 * commit, never before.
 */
#ifndef COWGATE_CONTROL_PLANE_CHANGE_H
#define COWGATE_CONTROL_PLANE_CHANGE_H

#include "runtime/database.h"

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct file_store;

#define PLANE_ORG "default" /* one plane serves one organisation */
#define PLANE_ACCOUNT "local-user" /* … and one account owns its sessions */
#define PLANE_PROFILE "default"

/* A frame for streams: an event of a session, or a claimed delivery. */
struct published {
	struct published *next;
	int64_t session; /* row of the session, 0 for a delivery */
	int64_t sequence; /* -1: none */
	char *type; /* owned */
	struct json_object *data; /* owned; belongs to whichever thread holds the list */
};

/* A person's answer on its way to the turn that asked. */
struct answer {
	int64_t session;
	char command_id[64];
	bool question; /* else a permission */
	char *target_id; /* owned */
	char reply[8]; /* permission: once, always, reject */
	char *message; /* owned; with a refusal, may be NULL */
	struct json_object *answers; /* owned; question: NULL means rejected */
};

/* A message for the turn that is running. */
struct steer {
	int64_t session;
	char command_id[64];
	char *text; /* owned */
};

struct change {
	struct transaction *tx;
	int64_t now; /* wall clock when the job was submitted */
	const char *epoch; /* borrowed: the store's */
	const struct file_store *files; /* borrowed */
	struct cg_error *err;
	/* What follows from the commit. */
	struct published *first; /* owned list, in order */
	struct published *last;
	int64_t wake; /* session with a new command, 0: none */
	int64_t abort; /* session whose turn shall stop, 0: none */
	bool deliveries; /* a delivery became due */
	char revoked[24]; /* id of a token whose streams shall end, "": none */
	int64_t *ended; /* owned: sessions that are no more, whose streams shall end */
	size_t ended_count;
	struct answer answer; /* session 0: none */
	struct steer steer; /* session 0: none */
	const char *notice; /* event name, static; NULL: none */
	char notice_value[80];
};

/* Free what the change holds; the struct may be zero. */
void change_finish(struct change *change);
void answer_finish(struct answer *answer);

void steer_finish(struct steer *steer);

/* Offer a message to the running turn. */
enum cg_status change_steer(
	struct change *change, int64_t session, const char *command_id, const char *text);
/* The session has been deleted. */
enum cg_status change_end_session(struct change *change, int64_t session);
/* Append a frame.  Adopts @data. */
enum cg_status change_publish(struct change *change, int64_t session, int64_t sequence,
	const char *type, struct json_object *data);
/* Move the frames out. */
struct published *change_take_published(struct change *change);
void published_free(struct published *frame);

/* A value bound to a statement. */
struct sql_value {
	enum { SQL_VALUE_INT, SQL_VALUE_TEXT } kind;
	int64_t number;
	const char *text; /* borrowed until the statement is finished; NULL: NULL */
	size_t length; /* SIZE_MAX: until NUL */
};

#define INT(value) ((struct sql_value){SQL_VALUE_INT, (value), NULL, 0})
#define TEXT(value) ((struct sql_value){SQL_VALUE_TEXT, 0, (value), SIZE_MAX})
#define BYTES(value, size) ((struct sql_value){SQL_VALUE_TEXT, 0, (value), (size)})
/* The two arguments "values, count" of the functions below. */
#define BIND(...) \
	(const struct sql_value[]){__VA_ARGS__}, \
		sizeof((const struct sql_value[]){__VA_ARGS__}) / \
			sizeof(struct sql_value)
#define NO_VALUES NULL, 0

/* Prepare and bind; the caller steps and finishes *@ret.  @sql is a literal. */
enum cg_status change_query(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, struct statement **ret);
/* As change_query(), and step once.  With a row the caller reads it and finishes *@ret;
 * without one *@ret is NULL. */
enum cg_status change_first(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, struct statement **ret);
/* Run a statement that gives no rows. */
enum cg_status change_run(struct change *change, const char *sql,
	const struct sql_value *values, size_t count);
/* One integer of the first row, @fallback without a row. */
enum cg_status change_number(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, int64_t *ret);
/* Rows changed by the last change_run(). */
bool change_touched(struct change *change);

/* "<prefix><first 32 hex of SHA-256 over the parts joined by NUL>".  @ret holds 96
 * bytes. */
#define HASHED_ID 96
void hashed_id(
	const char *prefix, const char *const *parts, size_t count, char ret[HASHED_ID]);
/* A random UUID, version 4; 37 bytes. */
#define RANDOM_ID 37
void random_id(char ret[RANDOM_ID]);

/* Put the JSON text of a column; @text is trusted, NULL gives null. */
void put_stored(struct json_object *object, const char *key, const char *text);
/* "" becomes null. */
void put_optional(struct json_object *object, const char *key, const char *text);

#endif
