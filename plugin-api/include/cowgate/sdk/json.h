/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out, through json-c's values and a stricter parser than json-c's: no single quotes,
 * NaN or Infinity, raw control characters, NUL in keys, duplicate keys, invalid or overlong
 * UTF-8, integers beyond 64 bits, and a cap on nesting and count.
 *
 * A value is a struct json_object as json-c has it; JSON null is NULL.  The readers check the
 * type and never coerce.
 */
#ifndef COWGATE_SDK_JSON_H
#define COWGATE_SDK_JSON_H

#include <cowgate/sdk/buffer.h>
#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

#define CG_JSON_DEPTH 32 /* nesting accepted by cg_json_parse */
#define CG_JSON_KEYS 65536 /* values in one document */

/*
 * Parse exactly one JSON document.  On CG_OK the caller owns *@ret (which is NULL for `null`).
 * INVALID (the sentence has the byte offset), LIMIT (depth, values), NOMEM.
 */
enum cg_status cg_json_parse(
	const char *bytes, size_t length, struct json_object **ret, struct cg_error *err);

/* As cg_json_parse, allowing // and block comments and trailing commas. */
enum cg_status cg_json_parse_relaxed(
	const char *bytes, size_t length, struct json_object **ret, struct cg_error *err);

/* Drop a reference; accepts NULL. */
void cg_json_free(struct json_object *value);
/* One more reference, returned; accepts NULL. */
struct json_object *cg_json_ref(struct json_object *value);

/* Compact text, slashes not escaped.  Borrowed from the value until it changes or is freed. */
const char *cg_json_text(struct json_object *value, size_t *ret_length);

/* Readers.  @object may be NULL or of any type; a missing or mistyped member gives the fallback. */
struct json_object *cg_json_member(
	struct json_object *object, const char *key); /* borrowed */
bool cg_json_has(struct json_object *object, const char *key); /* also true for null */
const char *cg_json_string(
	struct json_object *object, const char *key); /* borrowed or NULL */
const char *cg_json_string_or(
	struct json_object *object, const char *key, const char *fallback);
int64_t cg_json_int(struct json_object *object, const char *key, int64_t fallback);
bool cg_json_bool(struct json_object *object, const char *key, bool fallback);
double cg_json_double(struct json_object *object, const char *key, double fallback);
struct json_object *cg_json_object(
	struct json_object *object, const char *key); /* object or NULL */
struct json_object *cg_json_array(
	struct json_object *object, const char *key); /* array or NULL */
size_t cg_json_count(struct json_object *array);
struct json_object *cg_json_at(struct json_object *array, size_t index);
bool cg_json_is_object(struct json_object *value);
bool cg_json_is_array(struct json_object *value);
bool cg_json_is_string(struct json_object *value);
const char *cg_json_value_string(
	struct json_object *value, size_t *ret_length); /* NULL if no string */
bool cg_json_value_int(struct json_object *value, int64_t *ret);

/*
 * Builders.  Out of memory aborts the process: these values are small and bounded.  Bytes that
 * are no UTF-8 become U+FFFD, so that what is written is always JSON.
 */
struct json_object *cg_json_new_object(void);
struct json_object *cg_json_new_array(void);
struct json_object *cg_json_new_string(const char *text); /* NULL gives null */
struct json_object *cg_json_new_string_length(const char *text, size_t length);
/* A wall clock time as RFC 3339; null for 0 and before. */
void cg_json_put_time(struct json_object *object, const char *key, int64_t wall_ms);
void cg_json_put_string(
	struct json_object *object, const char *key, const char *text); /* NULL: null */
void cg_json_put_int(struct json_object *object, const char *key, int64_t value);
void cg_json_put_bool(struct json_object *object, const char *key, bool value);
/* In the shortest form that reads back as the same double; null for NaN and infinities. */
void cg_json_put_double(struct json_object *object, const char *key, double value);
void cg_json_put_null(struct json_object *object, const char *key);
/* Adopts @value. */
void cg_json_put(struct json_object *object, const char *key, struct json_object *value);
void cg_json_append(struct json_object *array, struct json_object *value);
/* A deep copy that the caller owns. */
struct json_object *cg_json_copy(struct json_object *value);

/* Append @text as a JSON string with its quotes, straight into a buffer (hot paths). */
enum cg_status cg_json_write_string(
	struct cg_buffer *buffer, const char *text, size_t length);

#endif
