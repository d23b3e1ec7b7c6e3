/* SPDX-License-Identifier: Apache-2.0 */
#include "vector.h"
#include "base/hex.h"
#include "crypto/aes.h"

#include <string.h>

#define SLOTS 16

static json_t *root;

json_t *vector_of(const char *id)
{
	json_error_t why;
	json_t *entry;
	size_t i;

	if (!root)
		root = json_load_file(VECTORS "/lorawan/vectors.json", JSON_REJECT_DUPLICATES,
			&why);
	if (!root)
		fail_msg("vectors.json: %s", why.text);
	json_array_foreach(json_object_get(root, "vectors"), i,
		entry) if (strcmp(json_string_value(json_object_get(entry, "id")), id) ==
		0) return entry;
	fail_msg("no vector '%s'", id);
	return NULL;
}

struct span vector_hex(const json_t *object, const char *name)
{
	static uint8_t octets[SLOTS][256];
	static unsigned int next;
	uint8_t *out = octets[next++ % SLOTS];
	const json_t *member = json_object_get(object, name);
	size_t n = 0;

	if (!json_is_string(member))
		fail_msg("no hex member '%s'", name);
	if (hex_read((struct span){ (const uint8_t *)json_string_value(member),
			     json_string_length(member) },
		    out, sizeof(octets[0]), &n))
		fail_msg("'%s' is not hex", name);
	return (struct span){ out, n };
}

uint64_t vector_id(const json_t *object, const char *name)
{
	struct span s = vector_hex(object, name);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint32_t vector_number(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	if (!json_is_integer(member))
		fail_msg("no number '%s'", name);
	return (uint32_t)json_integer_value(member);
}

struct block vector_cipher_of(const uint8_t key[16])
{
	static struct aes *ciphers[SLOTS];
	static unsigned int next;
	struct aes **slot = &ciphers[next++ % SLOTS];
	struct err err;

	aes_free(*slot);
	*slot = NULL;
	if (aes_new(key, slot, &err))
		fail_msg("%s", err.msg);
	return aes_block(*slot);
}

struct block vector_cipher(const json_t *object, const char *name)
{
	struct span key = vector_hex(object, name);

	assert_int_equal(key.n, 16);
	return vector_cipher_of(key.p);
}

void assert_octets(const uint8_t *octets, size_t n, struct span wanted)
{
	assert_int_equal(n, wanted.n);
	assert_memory_equal(octets, wanted.p, n);
}
