/* SPDX-License-Identifier: Apache-2.0 */
/* How far a mailbox was read: kept as "UIDVALIDITY UID" under a name of the mailbox. */
#include "imap_private.h"

#include <cowgate/sdk/crypto.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define RENUMBERED_DAYS 3

void imap_place_init(struct imap *imap)
{
	const struct email_settings *settings = &imap->email->settings;
	const char *parts[] = {
		settings->imap_url, settings->imap_username, settings->imap_folder};
	uint8_t hash[CG_SHA256];
	char hex[17];

	cg_sha256_joined(parts, 3, hash);
	cg_hex(hash, 8, hex);
	snprintf(imap->key, sizeof(imap->key), "imap:%s", hex);
}

void imap_place_write(const struct imap *imap, uint32_t last, char ret[IMAP_VALUE])
{
	snprintf(ret, IMAP_VALUE, "%" PRIu32 " %" PRIu32, imap->validity, last);
}

bool imap_place_load(const struct imap *imap, uint32_t *ret_validity, uint32_t *ret_last)
{
	char value[64];

	return imap->email->host->checkpoint_load(
		       imap->email->host, imap->key, value, sizeof(value)) &&
	       sscanf(value, "%" SCNu32 " %" SCNu32, ret_validity, ret_last) == 2;
}

void imap_place_pass(const struct imap *imap, uint32_t uid)
{
	char value[IMAP_VALUE];
	const struct cg_checkpoint checkpoint = {.key = imap->key, .value = value};

	imap_place_write(imap, uid, value);
	imap->email->host->checkpoint(imap->email->host, &checkpoint, NULL, NULL);
}

/* Last number of the search; 0: whatever comes. */
static uint32_t window_end(const struct imap *imap)
{
	uint64_t end = (uint64_t)imap->last + IMAP_WINDOW;

	return end + 1 < imap->next ? (uint32_t)end : 0;
}

bool imap_place_go_on(struct imap *imap)
{
	uint32_t end = window_end(imap);

	if (end != 0)
		imap->last = end;
	return end != 0;
}

void imap_place_search(const struct imap *imap, char ret[64])
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const struct cg_host *host = imap->email->host;
	time_t then = (time_t)(host->wall_ms(host) / 1000) - RENUMBERED_DAYS * 86400;
	char end[12] = "*";
	struct tm day;

	if (window_end(imap) != 0)
		snprintf(end, sizeof(end), "%" PRIu32, window_end(imap));
	if (imap->renumbered && gmtime_r(&then, &day) != NULL)
		snprintf(ret, 64, "UID %" PRIu32 ":%s SINCE %d-%s-%d", imap->last + 1,
			end, day.tm_mday, months[day.tm_mon], day.tm_year + 1900);
	else
		snprintf(ret, 64, "UID %" PRIu32 ":%s", imap->last + 1, end);
}
