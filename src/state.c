#include "src/bytes.h"
#include "src/sandbox.h"
#include "src/seal.h"
#include "src/state_parts.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Limits of the child that reads the file's texts. */
enum { PROBE_SECONDS = 60, PROBE_MEMORY = 1 << 30 };

void scs_state_destroy(scs_state **state)
{
    scs_state *s = *state;

    if (!s)
        return;
    free(s->path);
    free(s->config);
    free(s->data);
    free(s->program);
    free(s);
    *state = NULL;
}

/* ---- as one block of bytes ---- */

static scs_status put_all(scs_state *s, scs_bytes *b)
{
    scs_state_text texts[SCS_STATE_TEXTS];

    SCS_TRY(scs_bytes_put(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_put_int(b, s->n_shard));
    SCS_TRY(scs_bytes_put_int(b, s->n_param));
    SCS_TRY(scs_bytes_put_int(b, s->n_running));
    SCS_TRY(scs_bytes_put_text(b, s->path));
    scs_state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(scs_bytes_put_text(b, *texts[i].value));
    return SCS_OK;
}

scs_status scs_state_pack(const scs_state *state, uint8_t **blob, int64_t *size)
{
    scs_state s = *state;
    scs_bytes b = {0};

    return scs_bytes_take(&b, put_all(&s, &b), blob, size);
}

static scs_status check_numbers(scs_state *s)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];

    scs_state_ints(s, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_REQUIRE(*ints[i].value >= ints[i].least, SCS_EDATA, "%s: %s is %lld", s->path,
                    ints[i].name, (long long)*ints[i].value);
    scs_state_numbers(s, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_REQUIRE(isfinite(*numbers[i].value), SCS_EDATA, "%s: %s is not finite", s->path,
                    numbers[i].name);
    return SCS_OK;
}

static scs_status get_all(scs_bytes *b, scs_state *s)
{
    scs_state_text texts[SCS_STATE_TEXTS];

    SCS_TRY(scs_bytes_get(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_get_int(b, &s->n_shard));
    SCS_TRY(scs_bytes_get_int(b, &s->n_param));
    SCS_TRY(scs_bytes_get_int(b, &s->n_running));
    SCS_TRY(scs_bytes_get_text(b, &s->path));
    scs_state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++) {
        SCS_TRY(scs_bytes_get_text(b, texts[i].value));
        SCS_REQUIRE(*texts[i].value, SCS_EDATA, "a training state lacks its %s", texts[i].name);
    }
    SCS_REQUIRE(s->path, SCS_EDATA, "a training state lacks its path");
    SCS_REQUIRE(b->at == b->size, SCS_EDATA, "a training state is %lld bytes too long",
                (long long)(b->size - b->at));
    return check_numbers(s);
}

scs_status scs_state_unpack(const uint8_t *blob, int64_t size, scs_state **state)
{
    scs_bytes b = {.data = (uint8_t *)blob, .size = size}; /* only read */
    scs_status st;

    SCS_TRY(SCS_ALLOC(*state, 1));
    SCS_GO(st, get_all(&b, *state));
done:
    if (st != SCS_OK)
        scs_state_destroy(state);
    return st;
}

/* ---- probe ---- */

static scs_status read_text(const scs_h5 *h5, const scs_state_text *text)
{
    scs_names names = {0};
    scs_status st;

    SCS_TRY(scs_h5_read_strings(h5, text->name, &names));
    st = names.n == 1 ? scs_text_copy(names.name[0], text->value)
                      : SCS_FAIL(SCS_EDATA, "%s: %s is not one text", h5->path, text->name);
    scs_names_clear(&names);
    return st;
}

static scs_status read_words(const scs_h5 *h5, scs_state *s)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];
    scs_state_text texts[SCS_STATE_TEXTS];

    scs_state_ints(s, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_TRY(scs_h5_read_int64(h5, ints[i].name, 0, 1, ints[i].value));
    scs_state_numbers(s, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_TRY(scs_h5_read_double(h5, numbers[i].name, 0, 1, numbers[i].value));
    scs_state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(read_text(h5, &texts[i]));
    return scs_text_copy(h5->path, &s->path);
}

/* In the child. @param arg the path */
static scs_status probe_in_child(void *arg, scs_bytes *out)
{
    scs_state *s = NULL;
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(arg, 0, &h5));
    SCS_GO(st, SCS_ALLOC(s, 1));
    SCS_GO(st, read_words(&h5, s));
    SCS_GO(st, put_all(s, out));
done:
    scs_state_destroy(&s);
    scs_h5_close(&h5);
    return st;
}

scs_status scs_state_probe(const char *path, scs_state **state)
{
    scs_bytes out = {0};
    char *arg = NULL;
    scs_status st;

    *state = NULL;
    SCS_GO(st, scs_text_copy(path, &arg));
    SCS_GO(st, scs_seal_check(path, true));
    SCS_GO(st, scs_sandbox_run(path, probe_in_child, arg, PROBE_MEMORY, PROBE_SECONDS, &out));
    SCS_GO(st, scs_state_unpack(out.data, out.size, state));
done:
    scs_bytes_clear(&out);
    free(arg);
    return st;
}
