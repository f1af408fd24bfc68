/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_page(char *ret, size_t size, unsigned page)
{
	snprintf(ret, size, "threads:%u", page);
}

/* The number in front; 0: it is no page. */
static uint64_t page_number(const char *page)
{
	char *end;
	uint64_t number = strtoull(page, &end, 10);

	return *end == ' ' ? number : 0;
}

static void begin_page(struct slack_threads *threads, unsigned page)
{
	threads->page = page;
	threads->number++;
	snprintf(threads->pages[page], sizeof(threads->pages[page]), "%" PRIu64 " ",
		threads->number);
}

void slack_threads_load(struct slack_threads *threads, const struct cg_host *host)
{
	*threads = (struct slack_threads){.number = 0};
	for (unsigned i = 0; i < SLACK_THREAD_PAGES; i++) {
		char key[sizeof(threads->key)];
		uint64_t number;

		name_page(key, sizeof(key), i);
		if (!host->checkpoint_load(
			    host, key, threads->pages[i], sizeof(threads->pages[i])))
			continue;
		number = page_number(threads->pages[i]);
		if (number == 0) {
			threads->pages[i][0] = '\0';
		} else if (number > threads->number) {
			threads->number = number;
			threads->page = i;
		}
	}
	if (threads->number == 0)
		begin_page(threads, 0);
}

/* " <channel>:<thread> ", as it stands between two blanks.  False: too long, or not a word. */
static bool name_thread(
	const char *channel, const char *thread, char ret[SLACK_THREAD_NAME])
{
	if (strpbrk(channel, " \n") != NULL || strpbrk(thread, " \n") != NULL)
		return false;
	return snprintf(ret, SLACK_THREAD_NAME, " %s:%s ", channel, thread) <
	       SLACK_THREAD_NAME;
}

bool slack_threads_know(
	const struct slack_threads *threads, const char *channel, const char *thread)
{
	char name[SLACK_THREAD_NAME];

	if (!name_thread(channel, thread, name))
		return false;
	for (size_t i = 0; i < SLACK_THREAD_PAGES; i++) {
		if (strstr(threads->pages[i], name) != NULL)
			return true;
	}
	return false;
}

void slack_threads_add(
	struct slack_threads *threads, const char *channel, const char *thread)
{
	char name[SLACK_THREAD_NAME];
	char *page;
	size_t length;

	if (slack_threads_know(threads, channel, thread) ||
		!name_thread(channel, thread, name))
		return;
	page = threads->pages[threads->page];
	length = strlen(page);
	if (length + strlen(name) > SLACK_THREAD_PAGE) {
		begin_page(threads, (threads->page + 1) % SLACK_THREAD_PAGES);
		page = threads->pages[threads->page];
		length = strlen(page);
	}
	/* The blank in front is there already. */
	memcpy(page + length, name + 1, strlen(name + 1) + 1);
	threads->unsaved = true;
}

bool slack_threads_save(struct slack_threads *threads, struct cg_checkpoint *ret)
{
	if (!threads->unsaved)
		return false;
	name_page(threads->key, sizeof(threads->key), threads->page);
	*ret = (struct cg_checkpoint){
		.key = threads->key, .value = threads->pages[threads->page]};
	return true;
}

void slack_threads_saved(struct slack_threads *threads)
{
	threads->unsaved = false;
}
