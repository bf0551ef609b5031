/** Products by integer tiles (src/kernels/gemm_int8.h has the arithmetic): digits of both
 *  factors, then blocks of 16 x 16 outputs.
 *
 *  The layout of the digits is what the instruction wants: dpbssd multiplies a tile of 16 rows
 *  by 64 bytes with one that holds, in each of its 16 rows, four columns of 16 rows of the other
 *  factor. Everything is laid out in triples, so that a step along the columns is one address
 *  further in both factors.
 */
#include "src/kernels/gemm_int8.h"

#include "src/base/instrument.h"

#include <stdlib.h>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && __GNUC__ >= 11 &&            \
    !defined(__clang__) && !defined(SCS_DOUBLE)
#define SCS_AMX 1
#else
#define SCS_AMX 0
#endif

/* A tile is a register of 16 rows of 64 bytes, and of sums 16 rows of 16 int32. Three tiles, a
 * digit each, the highest first, lie one after the other: a triple. */
enum { ROWS = 16, WIDTH = 64, TILE = ROWS * WIDTH, DIGITS = 3, TRIPLE = DIGITS * TILE };

/* How many blocks of this size hold n rows or columns. */
static int32_t blocks_of(int64_t n, int32_t size)
{
    return (int32_t)((n + size - 1) / size);
}

/* Room to round the address up to WIDTH; digits of whole blocks of rows; a scale for each row of
 * them. */
int64_t scs_gemm_int8_scratch(int32_t n_in, int32_t n)
{
    int64_t blocks = blocks_of(n, ROWS);

    return WIDTH + blocks * blocks_of(n_in, WIDTH) * TRIPLE +
           blocks * ROWS * (int64_t)sizeof(float);
}

#if SCS_AMX

#include <immintrin.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Only these functions are compiled for the instructions; all others run everywhere. */
#define WITH_TILES __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512vl")))

/* A right factor. A panel is ROWS of its rows. */
struct scs_gemm_int8 {
    int32_t n_out, n_in, n_step; /* n_step tiles side by side hold n_in columns */
    int8_t *digit; /* [n_out / ROWS, n_step, DIGITS, TILE], in the layout of the instruction */
    float *scale;  /* [n_out, rounded up to ROWS] */
};

void scs_gemm_int8_destroy(scs_gemm_int8 **gemm)
{
    if (*gemm) {
        free((*gemm)->digit);
        free((*gemm)->scale);
    }
    free(*gemm);
    *gemm = NULL;
}

/* The largest integer: a little less than 127 in each digit, so that rounding leads nowhere.
 * Rows whose numbers are all below `smallest` are taken for zeros: their scale would not be a
 * normal number. */
static const float largest = 8355000, smallest = 1e-30F;

/* Linux gives a process the tiles' registers when it asks for them. */
bool scs_gemm_int8_available(void)
{
    enum { REQUEST = 0x1023, TILE_DATA = 18 };

    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("amx-tile") &&
           __builtin_cpu_supports("amx-int8") && syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

/* ---- digits ---- */

/* Columns [k, k + ROWS) of a row, 0 past its end. */
WITH_TILES static inline __m512 load(const float *row, int32_t k, int32_t n)
{
    int32_t left = n - k;

    return left >= ROWS ? _mm512_loadu_ps(row + k)
           : left > 0   ? _mm512_maskz_loadu_ps((__mmask16)((1U << left) - 1), row + k)
                        : _mm512_setzero_ps();
}

/* The largest absolute value of a row. Compared by the bits, where infinity is larger than all
 * numbers and NaN larger still: neither can hide behind a comparison that is false. */
WITH_TILES static float largest_size(const float *row, int32_t n)
{
    __m512i most = _mm512_setzero_si512();
    uint32_t bits;
    float size;

    for (int32_t k = 0; k < n; k += ROWS)
        most = _mm512_max_epu32(most, _mm512_castps_si512(_mm512_abs_ps(load(row, k, n))));
    bits = _mm512_reduce_max_epu32(most);
    memcpy(&size, &bits, sizeof size);
    return size;
}

/* Sixteen integers' lowest digits, from -128 to 127. @return the integers without them, over 256 */
WITH_TILES static inline __m512i split(__m512i x, int8_t *digit)
{
    __m128i low = _mm512_cvtepi32_epi8(x);

    _mm_storeu_si128((__m128i *)digit, low);
    return _mm512_srai_epi32(_mm512_sub_epi32(x, _mm512_cvtepi8_epi32(low)), 8);
}

/* A row's digits, the lowest last. Without a finite size the scale is NaN, and so are all
 * products.
 * @param[out] to the row's place in the first of n_step triples
 * @return the scale */
WITH_TILES static float split_row(const float *row, int32_t n, int32_t n_step, int8_t *to)
{
    float size = largest_size(row, n);
    __m512 up = _mm512_set1_ps(size > smallest ? largest / size : 0);

    for (int32_t s = 0; s < n_step; s++, to += TRIPLE)
        for (int32_t k = 0; k < WIDTH; k += ROWS) {
            __m512i x = _mm512_cvtps_epi32(_mm512_mul_ps(load(row, s * WIDTH + k, n), up));

            x = split(x, to + 2 * TILE + k);
            x = split(x, to + TILE + k);
            (void)split(x, to + k);
        }
    return isfinite(size) ? size / largest : NAN;
}

/* The right factor's tiles hold four columns of each of sixteen weights' rows in one of theirs:
 * what the instruction multiplies with one row of the left.
 * @param[out] to [n_step] triples
 * @param row [n_step] triples of which only the first row is used
 * @param place of the row within its panel */
static void interleave(const int8_t *row, int32_t n_step, int32_t place, int8_t *to)
{
    for (int32_t t = 0; t < n_step * DIGITS; t++)
        for (int k = 0; k < WIDTH; k++)
            to[t * TILE + k / 4 * WIDTH + place * 4 + k % 4] = row[t * TILE + k];
}

/* Digits and scales of all rows. Rows that fill up the last panel stay zero. */
static scs_status prepare_weight(const float *weight, scs_gemm_int8 *t)
{
    int32_t n_panel = blocks_of(t->n_out, ROWS);
    int64_t panel = (int64_t)t->n_step * TRIPLE;
    int8_t *row;

    SCS_TRY(SCS_ALLOC(t->digit, n_panel * panel));
    SCS_TRY(SCS_ALLOC(t->scale, n_panel * ROWS));
    SCS_TRY(SCS_ALLOC(row, panel));
    for (int32_t j = 0; j < t->n_out; j++) {
        t->scale[j] = split_row(weight + (int64_t)j * t->n_in, t->n_in, t->n_step, row);
        interleave(row, t->n_step, j % ROWS, t->digit + j / ROWS * panel);
    }
    free(row);
    return SCS_OK;
}

scs_status scs_gemm_int8_create(const scs_real *weight, int32_t n_out, int32_t n_in,
                                scs_gemm_int8 **gemm)
{
    scs_status st;

    *gemm = NULL;
    if (n_in < SCS_GEMM_INT8_LEAST || n_in > SCS_GEMM_INT8_MOST || !scs_gemm_int8_available())
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(*gemm, 1));
    (*gemm)->n_out = n_out;
    (*gemm)->n_in = n_in;
    (*gemm)->n_step = blocks_of(n_in, WIDTH);
    st = prepare_weight(weight, *gemm);
    if (st != SCS_OK)
        scs_gemm_int8_destroy(gemm);
    return st;
}

/* ---- products ---- */

/* Where the left factor's digits and scales are. */
typedef struct left {
    int8_t *digit; /* [rows / ROWS, n_step] triples */
    float *scale;  /* [rows] */
} left;

/* The same for every call with the same n: nothing is kept but the caller's address. */
static left scratch_of(const scs_gemm_int8 *t, int32_t n, void *scratch)
{
    int8_t *at = (int8_t *)(((uintptr_t)scratch + WIDTH - 1) / WIDTH * WIDTH);
    int64_t size = (int64_t)blocks_of(n, ROWS) * t->n_step * TRIPLE;

    return (left){at, (float *)(void *)(at + size)};
}

void scs_gemm_int8_put_row(const scs_gemm_int8 *t, const scs_real *x, int32_t i, int32_t n,
                           void *scratch)
{
    left a = scratch_of(t, n, scratch);

    a.scale[i] =
        split_row(x, t->n_in, t->n_step,
                  a.digit + (int64_t)(i / ROWS) * t->n_step * TRIPLE + (int64_t)(i % ROWS) * WIDTH);
}

/* All eight registers at full size. Part of a thread's state, so set by each call. */
WITH_TILES static void configure_tiles(void)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};

    for (int i = 0; i < 8; i++) {
        shape.bytes[i] = WIDTH;
        shape.rows[i] = ROWS;
    }
    __asm__ volatile("" : : "r"(&shape) : "memory"); /* all of it is read */
    _tile_loadconfig(&shape);
}

/* Sums of products whose digits' places add up to 0, to 1 and to 2: one register each, six
 * multiplications a triple. The other five registers hold digits of both factors. Order of the
 * instructions: a load well before its use.
 * @param[out] sum [DIGITS, ROWS, ROWS] */
WITH_TILES static void multiply_block(const int8_t *a, const int8_t *b, int32_t n_step,
                                      int32_t *sum)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    for (int32_t s = 0; s < n_step; s++, a += TRIPLE, b += TRIPLE) {
        _tile_loadd(3, a, WIDTH);
        _tile_loadd(6, b, WIDTH);
        _tile_dpbssd(0, 3, 6);
        _tile_loadd(4, a + TILE, WIDTH);
        _tile_dpbssd(1, 4, 6);
        _tile_loadd(7, b + TILE, WIDTH);
        _tile_dpbssd(1, 3, 7);
        _tile_loadd(5, a + 2 * TILE, WIDTH);
        _tile_dpbssd(2, 5, 6);
        _tile_loadd(6, b + 2 * TILE, WIDTH);
        _tile_dpbssd(2, 4, 7);
        _tile_dpbssd(2, 3, 6);
    }
    _tile_stored(0, sum, WIDTH);
    _tile_stored(1, sum + ROWS * ROWS, WIDTH);
    _tile_stored(2, sum + 2 * ROWS * ROWS, WIDTH);
}

/* (sum0 256 + sum1) 256 + sum2, times both scales: float32, in which the last of the three sums
 * is rounded like any float sum.
 * @param n, width what there is of the block's rows and columns
 * @param[out] y a row every n_out */
WITH_TILES static void add_up(const int32_t *sum, const float *row_scale, __m512 scale, int32_t n,
                              int32_t width, int64_t n_out, float *y)
{
    const __m512 place = _mm512_set1_ps(256);
    __mmask16 there = (__mmask16)((1U << width) - 1);

    for (int32_t i = 0; i < n; i++, sum += ROWS, y += n_out) {
        __m512 x = _mm512_cvtepi32_ps(_mm512_loadu_si512(sum));

        x = _mm512_fmadd_ps(x, place, _mm512_cvtepi32_ps(_mm512_loadu_si512(sum + ROWS * ROWS)));
        x = _mm512_fmadd_ps(x, place,
                            _mm512_cvtepi32_ps(_mm512_loadu_si512(sum + 2 * ROWS * ROWS)));
        x = _mm512_mul_ps(x, _mm512_mul_ps(scale, _mm512_set1_ps(row_scale[i] * 65536)));
        _mm512_mask_storeu_ps(y, there, x);
    }
}

/* Rows of a block of which there are n in all: the last one may have fewer. */
static int32_t size_of_block(int32_t n, int32_t block)
{
    return n - block * ROWS < ROWS ? n - block * ROWS : ROWS;
}

/* Panels outside: a panel's digits stay in the cache while all rows pass. Rows of a block that
 * nobody has put are multiplied as well, and dropped. */
WITH_TILES void scs_gemm_int8_multiply(const scs_gemm_int8 *t, int32_t n, void *scratch,
                                       scs_real *y)
{
    left a = scratch_of(t, n, scratch);
    int64_t block = (int64_t)t->n_step * TRIPLE;
    int32_t sum[DIGITS * ROWS * ROWS] __attribute__((aligned(WIDTH)));

    configure_tiles();
    for (int32_t p = 0; p < blocks_of(t->n_out, ROWS); p++) {
        __m512 scale = _mm512_loadu_ps(t->scale + p * ROWS);

        for (int32_t r = 0; r < blocks_of(n, ROWS); r++) {
            multiply_block(a.digit + r * block, t->digit + p * block, t->n_step, sum);
            add_up(sum, a.scale + r * ROWS, scale, size_of_block(n, r), size_of_block(t->n_out, p),
                   t->n_out, y + (int64_t)r * ROWS * t->n_out + (int64_t)p * ROWS);
        }
    }
    _tile_release();
}

#else /* no tiles: nothing is ever made ready, so the last two are never called */

bool scs_gemm_int8_available(void)
{
    return false;
}

scs_status scs_gemm_int8_create(const scs_real *weight, int32_t n_out, int32_t n_in,
                                scs_gemm_int8 **gemm)
{
    (void)weight, (void)n_out, (void)n_in;
    *gemm = NULL;
    return SCS_OK;
}

void scs_gemm_int8_destroy(scs_gemm_int8 **gemm)
{
    *gemm = NULL;
}

void scs_gemm_int8_put_row(const scs_gemm_int8 *gemm, const scs_real *x, int32_t i, int32_t n,
                           void *scratch)
{
    (void)gemm, (void)x, (void)i, (void)n, (void)scratch;
}

void scs_gemm_int8_multiply(const scs_gemm_int8 *gemm, int32_t n, void *scratch, scs_real *y)
{
    (void)gemm, (void)n, (void)scratch, (void)y;
}

#endif
