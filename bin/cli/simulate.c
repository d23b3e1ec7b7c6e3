/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate - "sardane simulate": gateways and devices, and a verdict on the server's answers.
 */
#include "base/hex.h"
#include "cli/option.h"
#include "cli/simulate_run.h"
#include "core/secret.h"
#include "crypto/random.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATEWAYS_MAX 256
#define GATEWAY_EUI  0xb827ebfffe000000u
#define DEV_EUI      0x70b3d57ed0000001u
#define COPIES       3
#define INTERVAL_MS  2500
#define TIMEOUT_MS   7000

enum {
	OPT_SERVER = 1,
	OPT_GATEWAYS,
	OPT_COPIES,
	OPT_GATEWAY_EUI,
	OPT_DEVICES,
	OPT_DEVICE_FILE,
	OPT_WRITE_DEVICES,
	OPT_DEV_EUI,
	OPT_JOIN_EUI,
	OPT_LORAWAN_VERSION,
	OPT_APP_KEY,
	OPT_NWK_KEY,
	OPT_DEV_ADDR,
	OPT_NWK_S_KEY,
	OPT_APP_S_KEY,
	OPT_F_CNT_UP,
	OPT_STATE,
	OPT_SEED,
	OPT_RATE,
	OPT_DATA_RATE,
	OPT_UPLINKS,
	OPT_PAYLOAD,
	OPT_PORT,
	OPT_CONFIRMED,
	OPT_LINK_CHECK,
	OPT_DEVICE_TIME,
	OPT_REJOIN,
	OPT_INTERVAL,
	OPT_TIMEOUT,
	OPT_RETRIES,
	OPT_DURATION,
	OPT_NET_ID,
	OPT_FAULT,
	OPT_JSON,
	OPT_PROGRESS,
};

const char simulate_help[] =
	"usage: sardane simulate --server HOST:PORT [OPTIONS]\n\n"
	"Plays gateways (Semtech UDP, version 2) and devices (LoRaWAN 1.0.x and 1.1, EU868) that\n"
	"join and speak, and checks every answer of the network server. Exit 0 when all went as\n"
	"it should, 1 when a device failed.\n\n"
	"  --server HOST:PORT      the network server's UDP socket\n"
	"  --gateways N            gateways (default 1, at most 256)\n"
	"  --copies N              gateways that hear each frame (default all, at most 3)\n"
	"  --gateway-eui HEX       EUI of the first gateway; the others count up\n"
	"\nDevices: from a file, one with keys given, or derived from the seed.\n"
	"  --device-file FILE      CSV: dev_eui, join_eui, lorawan_version, app_key, nwk_key\n"
	"  --devices N             devices to derive, or to take from the file (default 1, or all)\n"
	"  --dev-eui HEX           DevEUI of the first derived device; the others count up\n"
	"  --join-eui HEX          JoinEUI of derived devices\n"
	"  --lorawan-version V     1.0.0 to 1.0.4 or 1.1.0 (default 1.0.3)\n"
	"  --app-key HEX           AppKey of a single device\n"
	"  --nwk-key HEX           its NwkKey (1.1)\n"
	"  --dev-addr HEX          no join: a device of LoRaWAN 1.0.x with this address,\n"
	"  --nwk-s-key HEX         this NwkSKey\n"
	"  --app-s-key HEX         and this AppSKey\n"
	"  --f-cnt-up N            its next frame counter (default 0)\n"
	"  --write-devices FILE    write the devices as CSV (mode 0600; - for standard output);\n"
	"                          without --server nothing else is done\n"
	"  --state FILE            keep DevNonces and JoinNonces there between runs\n"
	"  --seed N                same keys, nonces and channels each time (keys: default 1)\n"
	"\nTraffic:\n"
	"  --rate N                joins a second (default 10; 0 all at once)\n"
	"  --data-rate N           data rate index, 0 to 6 (default 5)\n"
	"  --uplinks N             data frames of each device after its join (default 1)\n"
	"  --payload HEX           their payload (default 48656c6c6f)\n"
	"  --port N                their FPort, 1 to 224 (default 1)\n"
	"  --confirmed             ask for acknowledgement\n"
	"  --link-check            LinkCheckReq in the first\n"
	"  --device-time           DeviceTimeReq in the first\n"
	"  --rejoin TYPE           then a rejoin-request of type 0, 1 or 2, and one uplink more (1.1)\n"
	"  --interval MS           from one uplink to the next (default 2500)\n"
	"  --timeout MS            wait for join-accept, acknowledgement, PULL_ACK (default 7000)\n"
	"  --retries N             of a join-request or a confirmed uplink (default 0)\n"
	"  --duration S            stop then, counting unfinished devices as failed\n"
	"  --net-id HEX            the NetID that join-accepts must carry\n"
	"  --fault NAME            do wrong on purpose and demand to be refused: bad-mic,\n"
	"                          wrong-key, unknown-device, replay-devnonce, reuse-devnonce,\n"
	"                          old-devnonce, bad-uplink-mic, replay-uplink, malformed\n"
	"\nOutput:\n"
	"  --json                  one JSON object instead of text\n"
	"  --progress              progress lines though standard error is no terminal\n"
	"  --help                  this text\n";

static const struct option table[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "gateways", required_argument, NULL, OPT_GATEWAYS },
	{ "copies", required_argument, NULL, OPT_COPIES },
	{ "gateway-eui", required_argument, NULL, OPT_GATEWAY_EUI },
	{ "devices", required_argument, NULL, OPT_DEVICES },
	{ "device-file", required_argument, NULL, OPT_DEVICE_FILE },
	{ "write-devices", required_argument, NULL, OPT_WRITE_DEVICES },
	{ "dev-eui", required_argument, NULL, OPT_DEV_EUI },
	{ "join-eui", required_argument, NULL, OPT_JOIN_EUI },
	{ "lorawan-version", required_argument, NULL, OPT_LORAWAN_VERSION },
	{ "app-key", required_argument, NULL, OPT_APP_KEY },
	{ "nwk-key", required_argument, NULL, OPT_NWK_KEY },
	{ "dev-addr", required_argument, NULL, OPT_DEV_ADDR },
	{ "nwk-s-key", required_argument, NULL, OPT_NWK_S_KEY },
	{ "app-s-key", required_argument, NULL, OPT_APP_S_KEY },
	{ "f-cnt-up", required_argument, NULL, OPT_F_CNT_UP },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "data-rate", required_argument, NULL, OPT_DATA_RATE },
	{ "uplinks", required_argument, NULL, OPT_UPLINKS },
	{ "payload", required_argument, NULL, OPT_PAYLOAD },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "confirmed", no_argument, NULL, OPT_CONFIRMED },
	{ "link-check", no_argument, NULL, OPT_LINK_CHECK },
	{ "device-time", no_argument, NULL, OPT_DEVICE_TIME },
	{ "rejoin", required_argument, NULL, OPT_REJOIN },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "retries", required_argument, NULL, OPT_RETRIES },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "net-id", required_argument, NULL, OPT_NET_ID },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "progress", no_argument, NULL, OPT_PROGRESS },
	{ 0 },
};

struct request {
	struct simulate_options o;
	const char *server, *device_file, *write_devices, *state;
	unsigned int devices, seed, f_cnt_up;
	uint64_t dev_eui, join_eui, dev_addr;
	enum version version;
	uint8_t app_key[16], nwk_key[16];
	struct keys_session session;
	bool has_seed, has_join_eui, has_app_key, has_nwk_key, has_nwk_s_key, has_app_s_key;
	bool json;
	uint8_t payload[LORAWAN_FRM_MAX];
};

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static int read_key(const struct command *self, const char *option, uint8_t out[16], bool *has)
{
	if (hex_read_exact(text(optarg), out, LORAWAN_KEY_OCTETS))
		return command_fail(self, "%s: not 32 hexadecimal digits", option);
	*has = true;
	return 0;
}

static int read_hex(const struct command *self, const char *option, unsigned int octets,
	uint64_t *out)
{
	uint8_t p[8];

	if (hex_read_exact(text(optarg), p, octets))
		return command_fail(self, "%s '%s': not %u hexadecimal digits", option, optarg,
			octets * 2);
	*out = 0;
	for (unsigned int i = 0; i < octets; i++)
		*out = *out << 8 | p[i];
	return 0;
}

static int read_payload(const struct command *self, struct request *r)
{
	size_t n;

	if (hex_read(text(optarg), r->payload, sizeof(r->payload), &n))
		return command_fail(self, "--payload: not hexadecimal, or above %d octets",
			LORAWAN_FRM_MAX);
	r->o.message.payload = (struct span){ r->payload, n };
	return 0;
}

static int read_device_option(const struct command *self, int c, struct request *r)
{
	uint64_t id = 0;

	switch (c) {
	case OPT_DEVICES:
		return option_number(self, "--devices", optarg, 1, SIMULATE_DEVICES_MAX,
			&r->devices);
	case OPT_DEVICE_FILE: r->device_file = optarg; return 0;
	case OPT_WRITE_DEVICES: r->write_devices = optarg; return 0;
	case OPT_DEV_EUI: return read_hex(self, "--dev-eui", 8, &r->dev_eui);
	case OPT_JOIN_EUI:
		r->has_join_eui = true;
		return read_hex(self, "--join-eui", 8, &r->join_eui);
	case OPT_LORAWAN_VERSION:
		if (version_read(text(optarg), &r->version))
			return command_fail(self, "--lorawan-version '%s': not known", optarg);
		return 0;
	case OPT_APP_KEY: return read_key(self, "--app-key", r->app_key, &r->has_app_key);
	case OPT_NWK_KEY: return read_key(self, "--nwk-key", r->nwk_key, &r->has_nwk_key);
	case OPT_DEV_ADDR:
		r->o.personalised = true;
		return read_hex(self, "--dev-addr", 4, &r->dev_addr);
	case OPT_NWK_S_KEY:
		return read_key(self, "--nwk-s-key", r->session.f_nwk_s_int, &r->has_nwk_s_key);
	case OPT_APP_S_KEY:
		return read_key(self, "--app-s-key", r->session.app_s, &r->has_app_s_key);
	case OPT_F_CNT_UP:
		return option_number(self, "--f-cnt-up", optarg, 0, 0xfffffff0u, &r->f_cnt_up);
	case OPT_STATE: r->state = optarg; return 0;
	case OPT_NET_ID:
		if (read_hex(self, "--net-id", 3, &id))
			return 2;
		r->o.net_id = (int32_t)id;
		return 0;
	}
	return -1;
}

static int read_traffic_option(const struct command *self, int c, struct request *r)
{
	struct simulate_options *o = &r->o;
	unsigned int n;

	switch (c) {
	case OPT_RATE: return option_number(self, "--rate", optarg, 0, 100000, &o->rate);
	case OPT_DATA_RATE: return option_number(self, "--data-rate", optarg, 0, 6, &o->data_rate);
	case OPT_UPLINKS: return option_number(self, "--uplinks", optarg, 0, 1000000, &o->uplinks);
	case OPT_PAYLOAD: return read_payload(self, r);
	case OPT_PORT:
		if (option_number(self, "--port", optarg, 1, 224, &n))
			return 2;
		o->message.port = (uint8_t)n;
		return 0;
	case OPT_CONFIRMED: o->message.confirmed = true; return 0;
	case OPT_LINK_CHECK: o->link_check = true; return 0;
	case OPT_DEVICE_TIME: o->device_time = true; return 0;
	case OPT_REJOIN:
		o->rejoins = true;
		return option_number(self, "--rejoin", optarg, 0, 2, &o->rejoin);
	case OPT_INTERVAL:
		return option_number(self, "--interval", optarg, 1, 86400000, &o->interval_ms);
	case OPT_TIMEOUT:
		return option_number(self, "--timeout", optarg, 1, 86400000, &o->timeout_ms);
	case OPT_RETRIES: return option_number(self, "--retries", optarg, 0, 200, &o->retries);
	case OPT_DURATION:
		return option_number(self, "--duration", optarg, 1, 1000000, &o->duration_s);
	case OPT_FAULT:
		if (simulate_fault_read(optarg, &o->fault))
			return command_fail(self, "--fault '%s': not known; see --help", optarg);
		return 0;
	}
	return -1;
}

static int read_option(const struct command *self, int c, void *arg)
{
	struct request *r = arg;
	int rc;

	switch (c) {
	case OPT_SERVER: r->server = optarg; return 0;
	case OPT_GATEWAYS:
		return option_number(self, "--gateways", optarg, 1, GATEWAYS_MAX, &r->o.gateways);
	case OPT_COPIES:
		return option_number(self, "--copies", optarg, 1, GATEWAYS_MAX, &r->o.copies);
	case OPT_GATEWAY_EUI: return read_hex(self, "--gateway-eui", 8, &r->o.gateway_eui);
	case OPT_SEED:
		r->has_seed = true;
		return option_number(self, "--seed", optarg, 0, 0xffffffffu, &r->seed);
	case OPT_JSON: r->json = true; return 0;
	case OPT_PROGRESS: r->o.progress = true; return 0;
	}
	rc = read_device_option(self, c, r);
	return rc >= 0 ? rc : read_traffic_option(self, c, r);
}

/* "192.0.2.1:1700", "[::1]:1700", "localhost:1700": the first address of the system's answer. */
static int find_server(const struct command *self, const char *given, struct sockaddr_storage *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
	const char *colon = strrchr(given, ':');
	char host[256];
	size_t n = colon ? (size_t)(colon - given) : 0;
	int rc;

	if (n == 0 || n >= sizeof(host) || colon[1] == '\0')
		return command_fail(self, "--server '%s': not HOST:PORT", given);
	if (given[0] == '[' && given[n - 1] == ']') {
		given++;
		n -= 2;
	}
	memcpy(host, given, n);
	host[n] = '\0';
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc)
		return command_fail(self, "--server '%s': %s", host, gai_strerror(rc));
	memcpy(out, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

/* Keys of one device, given by hand. */
static int check_keys(const struct command *self, const struct request *r, bool derived)
{
	if (r->has_app_key && (!derived || r->devices > 1))
		return command_fail(self, "--app-key: for one device, without --device-file");
	if (r->has_app_key && version_has_two_keys(r->version) && !r->has_nwk_key)
		return command_fail(self, "--nwk-key: LoRaWAN 1.1 needs it beside --app-key");
	if (r->has_nwk_key && (!r->has_app_key || !version_has_two_keys(r->version)))
		return command_fail(self, "--nwk-key: goes with --app-key and LoRaWAN 1.1");
	return 0;
}

static int check_personalised(const struct command *self, const struct request *r)
{
	if (!r->has_nwk_s_key || !r->has_app_s_key || r->device_file)
		return command_fail(self, "--dev-addr: goes with --nwk-s-key and --app-s-key");
	if (version_has_two_keys(r->version))
		return command_fail(self, "--dev-addr: LoRaWAN 1.0.x only");
	return 0;
}

/* What contradicts what; 0, or 2 after saying so. */
static int check_request(const struct command *self, struct request *r)
{
	struct simulate_options *o = &r->o;
	bool derived = !r->device_file && !o->personalised;

	if (!r->server && !r->write_devices)
		return command_fail(self, "--server: missing");
	if (derived && !r->has_join_eui)
		return command_fail(self, "--join-eui: missing, or give --device-file");
	if (check_keys(self, r, derived) || (o->personalised && check_personalised(self, r)))
		return 2;
	if (o->fault == SIMULATE_OLD_NONCE && !r->device_file &&
		!version_counts_dev_nonce(r->version))
		return command_fail(self, "--fault old-devnonce: DevNonce counts from 1.0.4 on");
	if (o->rejoins && !r->device_file && !version_has_two_keys(r->version))
		return command_fail(self, "--rejoin: needs LoRaWAN 1.1");
	if (o->copies == 0)
		o->copies = o->gateways < COPIES ? o->gateways : COPIES;
	if (o->copies > o->gateways)
		o->copies = o->gateways;
	return 0;
}

static int read_request(const struct command *self, int argc, char **argv, struct request *r)
{
	if (option_all(self, argc, argv, table, read_option, r) != 0)
		return 2;
	if (argc != optind)
		return command_fail(self, "'%s': only options; see --help", argv[optind]);
	return check_request(self, r);
}

static int make_fleet(const struct request *r, struct simulate_fleet *out, struct err *err)
{
	unsigned int count = r->devices ? r->devices : 1;
	int rc;

	if (r->device_file)
		return simulate_fleet_read(r->device_file, r->devices, out, err);
	rc = simulate_fleet_derive(count, r->dev_eui, r->join_eui, r->version,
		r->has_seed ? r->seed : 1, out, err);
	if (!rc && r->has_app_key) {
		memcpy(out->device[0].app_key, r->app_key, sizeof(r->app_key));
		memcpy(out->device[0].nwk_key, r->nwk_key, sizeof(r->nwk_key));
	}
	return rc;
}

static void personalise(const struct request *r, struct simulate_device *d)
{
	struct keys_session keys = r->session;

	memcpy(keys.s_nwk_s_int, keys.f_nwk_s_int, LORAWAN_KEY_OCTETS);
	memcpy(keys.nwk_s_enc, keys.f_nwk_s_int, LORAWAN_KEY_OCTETS);
	simulate_device_personalise(d, r->o.region, (uint8_t)r->o.data_rate, (uint32_t)r->dev_addr,
		&keys);
	d->fcnt_up = r->f_cnt_up;
	secret_wipe_octets(&keys, sizeof(keys));
}

static int run_fleet(const struct request *r, struct simulate_fleet *fleet, bool *good,
	struct err *err)
{
	struct simulate_seen *seen = calloc(fleet->count, sizeof(*seen));
	struct simulate_report report = { 0 };
	int rc;

	if (!seen)
		return err_set(err, ERR_NOMEM, "simulation: out of memory");
	rc = simulate_run(&r->o, fleet, seen, &report, err);
	if (!rc && r->state)
		rc = simulate_fleet_save_state(fleet, r->state, err);
	if (!rc && r->json)
		simulate_report_json(stdout, &report, fleet, seen);
	else if (!rc)
		simulate_report_text(stdout, &report);
	*good = simulate_report_is_good(&report);
	simulate_report_free(&report);
	free(seen);
	return rc;
}

/* Devices, their file, their nonces, the run. */
static int simulate_all(struct request *r, bool *good, struct err *err)
{
	struct simulate_fleet fleet = { 0 };
	int rc = make_fleet(r, &fleet, err);

	if (!rc && r->write_devices)
		rc = simulate_fleet_write(&fleet, r->write_devices, err);
	if (!rc && r->state)
		rc = simulate_fleet_load_state(&fleet, r->state, err);
	if (!rc && r->o.personalised)
		personalise(r, &fleet.device[0]);
	if (!rc && r->server)
		rc = run_fleet(r, &fleet, good, err);
	simulate_fleet_free(&fleet);
	return rc;
}

int simulate(const struct command *self, int argc, char **argv)
{
	struct request r = {
		.o = { .region = region_eu868(),
			.gateways = 1,
			.gateway_eui = GATEWAY_EUI,
			.rate = 10,
			.data_rate = 5,
			.uplinks = 1,
			.message = { .has_port = true, .port = 1, .adr = true },
			.interval_ms = INTERVAL_MS,
			.timeout_ms = TIMEOUT_MS,
			.net_id = -1,
			.progress = isatty(STDERR_FILENO) },
		.dev_eui = DEV_EUI,
		.version = VERSION_1_0_3,
		.payload = "Hello",
	};
	bool good = true;
	struct err err;
	int rc;

	r.o.message.payload = (struct span){ r.payload, 5 };
	if (command_helped(self, argc, argv))
		return 0;
	rc = read_request(self, argc, argv, &r);
	if (!rc && r.server)
		rc = find_server(self, r.server, &r.o.server);
	if (!rc) {
		/* Without a seed, 1.0.x nonces are of this run alone. */
		r.o.seed = r.seed;
		if (!r.has_seed && random_octets(&r.o.seed, sizeof(r.o.seed), &err))
			rc = command_fail(self, "%s", err.msg);
		else if (simulate_all(&r, &good, &err))
			rc = command_fail(self, "%s", err.msg);
		else
			rc = good ? 0 : 1;
	}
	secret_wipe_octets(&r, sizeof(r));
	return rc;
}
