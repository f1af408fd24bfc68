/* SPDX-License-Identifier: Apache-2.0 */
/* A Telegram bot as tests have it: its settings, and the platform's first answers to it. */
#ifndef COWGATE_TESTS_TELEGRAM_BOT_H
#define COWGATE_TESTS_TELEGRAM_BOT_H

#include "tests/support/host_fake.h"

#include <cowgate/sdk/json.h>

#define TELEGRAM_TOKEN "123456:ABC-secret-def"

/* Updates: of a text, a file, a picture of an album; @more members begin with a comma. */
#define UPDATES(updates) "{\"ok\":true,\"result\":[" updates "]}"
#define UPDATE_FROM "\"from\":{\"id\":9,\"first_name\":\"A\"}"
#define UPDATE_CHAT(chat) \
	"\"message_id\":5,\"chat\":{\"id\":" #chat ",\"type\":\"private\"}," UPDATE_FROM
#define UPDATE_TEXT(update, chat, text) \
	"{\"update_id\":" #update ",\"message\":{" UPDATE_CHAT(chat) ",\"text\":\"" text \
								     "\"}}"
#define UPDATE_DOCUMENT(update, chat, more) \
	"{\"update_id\":" #update \
	",\"message\":{" UPDATE_CHAT(chat) ",\"document\":{\"file_id\":\"F" #update \
					   "\",\"file_name\":\"a.txt\"}" more "}}"
#define UPDATE_PICTURE(update, album, more) \
	"{\"update_id\":" #update \
	",\"message\":{" UPDATE_CHAT(9) ",\"media_group_id\":\"" album \
					"\",\"photo\":[{\"file_id\":\"P" #update \
					"\"}]" more "}}"
#define UPDATE_GROUP(update, chat, more) \
	"{\"update_id\":" #update \
	",\"message\":{\"message_id\":5,\"chat\":{\"id\":" #chat \
	",\"type\":\"group\"}," UPDATE_FROM more "}}"

extern const struct settings_pair telegram_bot_settings[]; /* of one that polls */

/* Answer what it asks when it starts, up to a long poll that waits.  It is 42, @CowBot. */
void telegram_bot_settle(struct host_fake *host);

/* @json, which must be such; to be freed with cg_json_free(). */
struct json_object *telegram_bot_parse(const char *json);

#endif
