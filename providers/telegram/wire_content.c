/* SPDX-License-Identifier: Apache-2.0 */
/* What a message holds beside its text: files to fetch, and things that are said in words. */
#include "wire.h"

#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Files by the member that holds them; the first that is there counts. */
static const struct {
	const char *member;
	const char *fallback_name;
	const char *mime_type; /* when the platform says none */
} files[] = {
	/* An animation also comes as a document, for those who do not know better. */
	{"animation", "animation.mp4", "video/mp4"},
	{"document", "document", NULL},
	{"audio", "audio.mp3", "audio/mpeg"},
	{"voice", "voice.ogg", "audio/ogg"},
	{"video", "video.mp4", "video/mp4"},
	{"video_note", "video-note.mp4", "video/mp4"},
};

static const char *text_of(struct json_object *object, const char *key)
{
	const char *text = cg_json_string(object, key);

	return cg_text_blank(text) ? NULL : text;
}

/* A type as the sender's program claims it: taken when it could be one. */
static const char *mime_type_of(struct json_object *file, const char *fallback)
{
	const char *type = text_of(file, "mime_type");

	return type != NULL && strlen(type) < 128 &&
			       cg_text_clean(type, strlen(type), 128) &&
			       strchr(type, '/') != NULL
		       ? type
		       : fallback;
}

static bool read_file(struct json_object *file, const char *name, const char *mime_type,
	struct telegram_message *ret)
{
	const char *id = text_of(file, "file_id");

	if (id == NULL || strlen(id) > 512)
		return false;
	cg_text_copy(ret->filename, sizeof(ret->filename), name);
	ret->attachment = (struct cg_attachment){
		.size = sizeof(ret->attachment),
		.file_id = id,
		.filename = ret->filename,
		.mime_type = mime_type,
		.bytes = cg_json_int(file, "file_size", -1),
	};
	return true;
}

static bool read_photo(struct json_object *message, struct telegram_message *ret)
{
	struct json_object *sizes = cg_json_array(message, "photo");
	struct json_object *largest = NULL;
	char name[128];
	int64_t most = -1;

	for (size_t i = 0; i < cg_json_count(sizes); i++) {
		struct json_object *size = cg_json_at(sizes, i);
		int64_t area = cg_json_int(size, "width", 0) & 0xFFFF;

		area *= cg_json_int(size, "height", 0) & 0xFFFF;
		if (area >= most) { /* they come in rising order */
			most = area;
			largest = size;
		}
	}
	snprintf(name, sizeof(name), "photo-%.100s.jpg",
		cg_json_string_or(largest, "file_unique_id", "1"));
	return read_file(largest, name, "image/jpeg", ret);
}

static void read_files(struct json_object *message, struct telegram_message *ret)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct json_object *file = cg_json_object(message, files[i].member);
		const char *name = text_of(file, "file_name");

		if (name != NULL && !cg_text_clean(name, strlen(name), 255))
			name = NULL;
		if (read_file(file, name != NULL ? name : files[i].fallback_name,
			    mime_type_of(file, files[i].mime_type), ret))
			return;
	}
	read_photo(message, ret);
}

/* ---- In words ---- */

#define NAMED(ret, ...) snprintf((ret)->named, sizeof((ret)->named), __VA_ARGS__)

static void name_sticker(struct json_object *sticker, struct telegram_message *ret)
{
	const char *emoji = cg_json_string_or(sticker, "emoji", "");

	NAMED(ret, "[sticker%s%.64s]", emoji[0] == '\0' ? "" : " ", emoji);
}

static void name_location(struct json_object *location, struct telegram_message *ret)
{
	NAMED(ret, "[location: %.6f, %.6f]", cg_json_double(location, "latitude", 0),
		cg_json_double(location, "longitude", 0));
}

static void name_venue(struct json_object *venue, struct telegram_message *ret)
{
	struct json_object *location = cg_json_object(venue, "location");

	NAMED(ret, "[place: %.200s, %.200s (%.6f, %.6f)]",
		cg_json_string_or(venue, "title", "?"),
		cg_json_string_or(venue, "address", "?"),
		cg_json_double(location, "latitude", 0),
		cg_json_double(location, "longitude", 0));
}

static void name_contact(struct json_object *contact, struct telegram_message *ret)
{
	const char *last = cg_json_string_or(contact, "last_name", "");

	NAMED(ret, "[contact: %.100s%s%.100s, %.64s]",
		cg_json_string_or(contact, "first_name", "?"), last[0] == '\0' ? "" : " ",
		last, cg_json_string_or(contact, "phone_number", "?"));
}

static void name_poll(struct json_object *poll, struct telegram_message *ret)
{
	struct json_object *options = cg_json_array(poll, "options");
	size_t at;

	NAMED(ret, "[poll: %.300s", cg_json_string_or(poll, "question", "?"));
	for (size_t i = 0; i < cg_json_count(options) && i < 12; i++) {
		at = strlen(ret->named);
		snprintf(ret->named + at, sizeof(ret->named) - at, "%s%.50s",
			i == 0 ? " – " : " / ",
			cg_json_string_or(cg_json_at(options, i), "text", "?"));
	}
	at = strlen(ret->named);
	snprintf(ret->named + at, sizeof(ret->named) - at, "]");
}

static void name_dice(struct json_object *dice, struct telegram_message *ret)
{
	NAMED(ret, "[dice %.32s: %" PRId64 "]", cg_json_string_or(dice, "emoji", ""),
		cg_json_int(dice, "value", 0));
}

static void name_game(struct json_object *game, struct telegram_message *ret)
{
	NAMED(ret, "[game: %.200s]", cg_json_string_or(game, "title", "?"));
}

static void name_story(struct json_object *story, struct telegram_message *ret)
{
	(void)story;
	NAMED(ret, "[a story]");
}

static const struct {
	const char *member;
	void (*name)(struct json_object *, struct telegram_message *);
} words[] = {
	{"sticker", name_sticker},
	{"venue", name_venue}, /* which is a location too */
	{"location", name_location},
	{"contact", name_contact},
	{"poll", name_poll},
	{"dice", name_dice},
	{"game", name_game},
	{"story", name_story},
};

/* A cut by bytes may have torn characters. */
static void mend(char *text, size_t size)
{
	struct cg_buffer whole;

	if (cg_utf8_valid(text, strlen(text)))
		return;
	cg_buffer_init(&whole, 4 * size);
	if (cg_utf8_repair(&whole, text, strlen(text)) == CG_OK)
		cg_text_copy(text, size, cg_buffer_string(&whole));
	cg_buffer_finish(&whole);
}

void telegram_content_read(struct json_object *message, struct telegram_message *ret)
{
	ret->attachment.file_id = NULL;
	ret->named[0] = '\0';
	read_files(message, ret);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct json_object *thing = cg_json_object(message, words[i].member);

		if (thing == NULL)
			continue;
		words[i].name(thing, ret);
		mend(ret->named, sizeof(ret->named));
		return;
	}
}
