/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slack's own marks in a text: & < > are escaped, and <...> holds mentions, channels and links.
 * Pure.
 */
#ifndef PROVIDERS_SLACK_MRKDWN_H
#define PROVIDERS_SLACK_MRKDWN_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Append @text so that it is read as it stands: no mention, no link, no control characters. */
void slack_escape(struct cg_buffer *ret, const char *text, size_t length);

/* Length of the escaped text in UTF-16 units. */
uint32_t slack_escaped_units(const char *text, size_t length);

/* Bytes of the longest prefix whose escaped form has at most @limit bytes; whole characters. */
size_t slack_escaped_prefix(const char *text, size_t length, size_t limit);

/* The name that a person goes by, NULL when it is not known. */
typedef const char *(*slack_name)(const void *arg, const char *user_id);

/*
 * Append what a person reads: escapes undone, mentions as @name, channels as #name, links as
 * "label (url)".  @name may be NULL.
 */
void slack_unescape(
	struct cg_buffer *ret, const char *text, slack_name name, const void *arg);

/* Does the text mention this person?  False for an empty id. */
bool slack_mentions(const char *text, const char *user_id);
/* Does it mention anybody? */
bool slack_mentions_anyone(const char *text);
/* What follows when the text begins by mentioning @user_id; else the text itself. */
const char *slack_after_mention(const char *text, const char *user_id);

#endif
