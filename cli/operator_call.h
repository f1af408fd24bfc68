/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the running daemon over its Unix socket, and wait for the answer. */
#ifndef COWGATE_CLI_OPERATOR_CALL_H
#define COWGATE_CLI_OPERATOR_CALL_H

struct json_object;

/*
 * Ask the daemon.  @body may be NULL and is borrowed.  0 and *@ret (owned, may be NULL) when it
 * answered 2xx; else what went wrong was said on stderr under @word, and it is the exit code.
 */
int operator_call(const char *word, const char *method, const char *path,
	struct json_object *body, struct json_object **ret);

/* The same, patiently: as long as the daemon says that it is busy with it (429), half a minute at
 * most. */
int operator_insist(const char *word, const char *method, const char *path,
	struct json_object *body, struct json_object **ret);

/*
 * Ask without a word on stderr: HTTP status and *@ret (owned, may be NULL), 0: nobody runs here
 * or it does not answer, and @why says which.
 */
int operator_ask(
	const char *path, struct json_object **ret, char *why, unsigned long size);

/* Append @text to @path as one percent-encoded segment or value; false: too long. */
_Bool operator_path_add(char *path, unsigned long size, const char *text);

/* For `chat`: the socket's path, after saying so when there is none. */
int operator_socket(const char *word, char *ret, unsigned long size);

#endif
