/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl makes the connection and logs in; the commands behind that are ours. */
#include "imap_link.h"

#include <curl/curl.h>
#include <stdlib.h>

struct imap_link {
	CURL *easy;
	curl_socket_t fd;
};

static enum imap_link_result result_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return IMAP_LINK_OK;
	case CURLE_LOGIN_DENIED:
		return IMAP_LINK_REFUSED;
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return IMAP_LINK_BAD_TLS;
	default:
		return IMAP_LINK_UNREACHABLE;
	}
}

static bool prepare(CURL *easy, const struct email_settings *settings)
{
#define SET(option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)
	return SET(URL, settings->imap_url) && SET(PROTOCOLS_STR, "imap,imaps") &&
	       SET(USE_SSL, (long)CURLUSESSL_ALL) && SET(PROXY, "") &&
	       SET(NOSIGNAL, 1L) && SET(USERNAME, settings->imap_username) &&
	       SET(PASSWORD, settings->imap_password.bytes) &&
	       (settings->ca_file == NULL || SET(CAINFO, settings->ca_file)) &&
	       SET(TCP_KEEPALIVE, 1L) && SET(TCP_KEEPIDLE, 120L) &&
	       SET(TCP_KEEPINTVL, 30L) &&
	       SET(CONNECTTIMEOUT_MS, (long)IMAP_LINK_CONNECT_MS) &&
	       SET(TIMEOUT_MS, (long)IMAP_LINK_CONNECT_MS) && SET(CONNECT_ONLY, 1L);
#undef SET
}

enum imap_link_result imap_link_open(
	const struct email_settings *settings, struct imap_link **ret)
{
	struct imap_link *link = calloc(1, sizeof(*link));
	enum imap_link_result result = IMAP_LINK_UNREACHABLE;

	if (link == NULL)
		return result;
	link->easy = curl_easy_init();
	if (link->easy == NULL || !prepare(link->easy, settings))
		goto fail;
	result = result_of(curl_easy_perform(link->easy));
	if (result != IMAP_LINK_OK)
		goto fail;
	if (curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &link->fd) != CURLE_OK ||
		link->fd == CURL_SOCKET_BAD) {
		result = IMAP_LINK_UNREACHABLE;
		goto fail;
	}
	*ret = link;
	return IMAP_LINK_OK;

fail:
	imap_link_close(link);
	return result;
}

void imap_link_close(struct imap_link *link)
{
	if (link == NULL)
		return;
	curl_easy_cleanup(link->easy);
	free(link);
}

int imap_link_fd(const struct imap_link *link)
{
	return link->fd;
}

enum imap_link_result imap_link_send(
	struct imap_link *link, const char *bytes, size_t length)
{
	size_t sent = 0;

	/* A server that does not take a line this short is not listening. */
	return curl_easy_send(link->easy, bytes, length, &sent) == CURLE_OK &&
			       sent == length
		       ? IMAP_LINK_OK
		       : IMAP_LINK_GONE;
}

enum imap_link_result imap_link_receive(
	struct imap_link *link, char *room, size_t size, size_t *ret_length)
{
	CURLcode code = curl_easy_recv(link->easy, room, size, ret_length);

	if (code == CURLE_AGAIN)
		return IMAP_LINK_WAIT;
	return code == CURLE_OK && *ret_length > 0 ? IMAP_LINK_OK : IMAP_LINK_GONE;
}
