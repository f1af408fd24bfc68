/* SPDX-License-Identifier: Apache-2.0 */
/* The doors: the port, which a service manager may hold for us, and the operator's socket. */
#include "gateway/daemon/house.h"
#include "runtime/tls.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

#define DAEMON_FOREIGN_STREAMS 512 /* of all gateways together */

/* A socket of the service manager counts only where the settings, which all rules of safety were
 * held against, say the same of who can reach it. */
static enum cg_status listen_adopted(
	struct daemon *daemon, int fd, int *ret_port, struct cg_error *err)
{
	const char *host = daemon->config->host;
	char bound[46];
	enum cg_status status = http_server_listen_fd(
		daemon->server, fd, daemon->tls, bound, ret_port, err);

	if (status == CG_OK && cg_host_is_loopback(host) && !cg_host_is_loopback(bound))
		status = cg_error_set(err, CG_DENIED,
			"the service manager's socket is open on %s, but "
			"OPEN_COWORK_GATEWAY_HOST is %s: make them agree",
			bound, host);
	return status;
}

static enum cg_status make_tls(struct daemon *daemon, struct cg_error *err)
{
	const struct config *config = daemon->config;

	if (config->tls_certificate_file == NULL)
		return CG_OK;
	return http_tls_create(
		config->tls_certificate_file, config->tls_key_file, &daemon->tls, err);
}

static enum cg_status listen_tcp(
	struct daemon *daemon, int *ret_port, struct cg_error *err)
{
	const struct config *config = daemon->config;
	int fd = notify_socket_take();
	enum cg_status status;

	if (fd >= 0)
		return listen_adopted(daemon, fd, ret_port, err);
	status = http_server_listen(daemon->server, config->host, (int)config->port,
		daemon->tls, ret_port, err);
	return status == CG_OK ? CG_OK
			       : cg_error_prefix(err, "listening on %s port %d",
					 config->host, (int)config->port);
}

static enum cg_status listen_everywhere(struct daemon *daemon, struct cg_error *err)
{
	const struct config *config = daemon->config;
	bool ipv6 = strchr(config->host, ':') != NULL && config->host[0] != '[';
	char path[CONFIG_PATH + 16];
	enum cg_status status;
	int port;

	status = listen_tcp(daemon, &port, err);
	if (status != CG_OK)
		return status;
	if (daemon_socket_path(config->data_dir, path, sizeof(path)) != CG_OK)
		return cg_error_set(err, CG_LIMIT,
			"the data directory's path is too long for a socket; "
			"set OPEN_COWORK_GATEWAY_DATA_DIR to a shorter one");
	status = http_server_listen_unix(daemon->server, path, err);
	snprintf(daemon->url, sizeof(daemon->url),
		ipv6 ? "http%s://[%s]:%d" : "http%s://%s:%d",
		daemon->tls != NULL ? "s" : "", config->host, port);
	return status;
}

enum cg_status daemon_make_doors(struct daemon *daemon, struct cg_error *err)
{
	struct http_server_limits limits = http_server_defaults;
	struct operator_options options = {
		.config = daemon->config,
		.admin_token = &daemon->admin_token,
		.version = daemon->options.version,
		.journal = daemon->journal,
		.meter = daemon->meter,
		.seed = daemon_random(NULL),
	};
	enum cg_status status =
		admin_token_load(daemon->config, &daemon->admin_token, err);

	if (status != CG_OK)
		return status;
	showing(daemon, &options.host);
	limits.body = (size_t)daemon->config->max_request_body_bytes;
	/* Other gateways hold streams here, one for each chat that is talking. */
	if (daemon->config->plane_channels.count > 0)
		limits.streams = DAEMON_FOREIGN_STREAMS;
	status = operator_create(daemon->loop, &options, &daemon->operator, err);
	if (status == CG_OK)
		status = http_server_create(daemon->loop, &limits, operator_handle,
			daemon->operator, & daemon->server, err);
	if (status == CG_OK)
		status = make_tls(daemon, err);
	if (status == CG_OK)
		status = listen_everywhere(daemon, err);
	return status;
}
