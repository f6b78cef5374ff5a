// == arithmetic of doubles
// args: read f64 3; write f64 8
void k(const double *a, double *b) { b[0] = a[0] + a[1]; b[1] = a[0] - a[1]; b[2] = a[0] * a[1] + a[2]; b[3] = a[0] / a[1]; b[4] = -a[0]; b[5] = +a[1]; b[6] = a[0] - a[1] * a[2]; b[7] = 0.0 - a[0]; }
// == arithmetic of floats
// args: read f32 3; write f32 6
void k(const float *a, float *b) { b[0] = a[0] + a[1]; b[1] = a[0] - a[1] * a[2]; b[2] = a[0] * a[1]; b[3] = a[0] / a[1]; b[4] = -a[0]; b[5] = a[0] * 2.0f - 1.0f; }
// == comparisons of doubles, with NaN
// args: read f64 2; write i32 8
void k(const double *a, int *b) { b[0] = a[0] < a[1]; b[1] = a[0] <= a[1]; b[2] = a[0] > a[1]; b[3] = a[0] >= a[1]; b[4] = a[0] == a[1]; b[5] = a[0] != a[1]; b[6] = !a[0]; b[7] = !(a[0] < a[1]); }
// == comparisons that choose doubles, with NaN and zeroes of both signs
// args: read f64 2; write f64 6
void k(const double *a, double *b) { b[0] = a[0] < a[1] ? a[0] : a[1]; b[1] = a[0] > a[1] ? a[0] : a[1]; b[2] = a[0] <= a[1] ? a[1] : a[0]; b[3] = a[0] == a[1] ? a[0] : 0.0; b[4] = a[0] ? a[1] : 1.0; b[5] = a[0] != a[0] ? 5.0 : a[0]; }
// == integer arithmetic wraps
// args: read i32 2; write i32 8
void k(const int *a, int *b) { b[0] = a[0] + a[1]; b[1] = a[0] - a[1]; b[2] = a[0] * a[1]; b[3] = -a[0]; b[4] = ~a[0]; b[5] = a[0] * 31 + 7; b[6] = a[0] << 3; b[7] = a[0] >> 2; }
// == divisions and remainders by constants
// args: read i32 1; read u32 1; write i32 5; write u32 4
void k(const int *a, const unsigned *u, int *b, unsigned *c) { b[0] = a[0] / 3; b[1] = a[0] % 3; b[2] = a[0] / -4; b[3] = a[0] % 8; b[4] = a[0] / 1; c[0] = u[0] / 7; c[1] = u[0] % 7; c[2] = u[0] / 16; c[3] = u[0] % 16; }
// == divisions by what is never zero
// args: read i64 2; read u64 2; write i64 2; write u64 2
void k(const int64_t *a, const uint64_t *u, int64_t *b, uint64_t *c) { int64_t d = (a[1] & 15) + 1; uint64_t e = (u[1] & 255) + 1; b[0] = a[0] / d; b[1] = a[0] % d; c[0] = u[0] / e; c[1] = u[0] % e; }
// == bits of unsigned numbers
// args: read u32 2; write u32 8
void k(const unsigned *a, unsigned *b) { b[0] = a[0] & a[1]; b[1] = a[0] | a[1]; b[2] = a[0] ^ a[1]; b[3] = ~a[0]; b[4] = a[0] << (a[1] & 31); b[5] = a[0] >> (a[1] & 31); b[6] = -a[0]; b[7] = a[0] - a[1]; }
// == shifts of wide numbers
// args: read i64 2; read u64 1; write i64 2; write u64 2
void k(const int64_t *a, const uint64_t *u, int64_t *b, uint64_t *c) { b[0] = a[0] << (a[1] & 63); b[1] = a[0] >> (a[1] & 63); c[0] = u[0] << (a[1] & 63); c[1] = u[0] >> (a[1] & 63); }
// == logic takes only what it must
// args: read i32 2; write i32 5
void k(const int *a, int *b) { int n = 0; b[0] = a[0] > 0 && (n = a[1]) > 0; b[1] = a[0] > 0 || (n += 3) > 4; b[2] = n; b[3] = !a[0] || !!a[1]; b[4] = (a[0] && a[1]) + 1; }
// == compound assignments
// args: read i32 1; read f64 1; rw i32 10; rw f64 4
void k(const int *a, const double *x, int *b, double *y) { b[0] += a[0]; b[1] -= a[0]; b[2] *= a[0]; b[3] /= 3; b[4] %= 5; b[5] &= a[0]; b[6] |= a[0]; b[7] ^= a[0]; b[8] <<= 2; b[9] >>= 1; y[0] += *x; y[1] -= *x; y[2] *= *x; y[3] /= *x; }
// == a compound assignment converts both ways
// args: read f64 1; rw f32 2; rw i32 2
void k(const double *a, float *f, int *n) { f[0] += 0.1; f[1] *= 1.0 / 3.0; n[0] += 2.5f > 1; n[1] = n[1] / 2 * 0.5 > 0; }
// == conditional expressions take the common type
// args: read i32 1; read f32 1; write f64 4
void k(const int *a, const float *f, double *b) { b[0] = a[0] > 0 ? a[0] : f[0]; b[1] = a[0] > 2 ? 1 : 2.5; b[2] = (a[0] ? 1u : -1) > 0; b[3] = a[0] > 0 ? a[0] > 5 ? 1 : 2 : 3; }
// == precedence, and integer division inside of floating point
// args: read i32 2; read f64 1; write f64 4
void k(const int *a, const double *x, double *b) { b[0] = a[0] / 2 * x[0]; b[1] = x[0] * a[0] / 2; b[2] = 1 / 2 + 1.0 / 2; b[3] = a[0] + a[1] << 1 & 7; }
// == unsigned and signed meet
// args: read i32 1; read u32 1; write i32 4
void k(const int *a, const unsigned *u, int *b) { b[0] = a[0] < u[0]; b[1] = a[0] + u[0] > 3000000000u; b[2] = (a[0] - 5) / 2 < u[0] / 2; b[3] = -1 > 0u; }
// == signs of zero survive
// args: read f64 2; write f64 6
void k(const double *a, double *b) { b[0] = a[0] * 0.0; b[1] = -a[0] + 0.0; b[2] = 0.0 - a[0]; b[3] = -(a[0] - a[1]); b[4] = a[0] * -1.0; b[5] = a[0] - 0.0; }
// == nothing is folded that rounding would show
// args: read f64 2; write f64 6
void k(const double *a, double *b) { b[0] = a[0] * 2.0 / 2.0; b[1] = (a[0] + a[1]) - a[1]; b[2] = a[0] / 3.0 * 3.0; b[3] = a[0] + 1e16 - 1e16; b[4] = a[0] / a[0]; b[5] = a[0] - a[0]; }
// == conditions of the preprocessor are unsigned where C's are
// args: write i32 12
#define IS(n, c) r[n] = c
void k(int *r) {
#if -1 > 0u
  r[0] = 1;
#else
  r[0] = 2;
#endif
#if (1 ? -1 : 0u) > 0
  r[1] = 1;
#else
  r[1] = 2;
#endif
#if 18446744073709551615u / 2 > 1 && -1 / 2 == 0 && -7 / 2 == -3 && -7 % 4 == -3
  r[2] = 1;
#else
  r[2] = 2;
#endif
#if (-1 >> 1) == -1 && 0x8000000000000000 > 0 && (0xffffffffffffffff >> 63) == 1
  r[3] = 1;
#else
  r[3] = 2;
#endif
#if (-1 | 0u) > 1 && (-1 << 0u) < 0 && ~0u > 0 && -1u > 0 && !(-1u < 0)
  r[4] = 1;
#else
  r[4] = 2;
#endif
#if (-1 && 0u) >= 0 && (0u == 0) - 1 >= 0 && (0u == 0) - 2 < 0
  r[5] = 1;
#else
  r[5] = 2;
#endif
  for (int i = 6; i < 12; i++) IS(i, i);
}

// == integers of 64 bits divided by constants
// args: read i64 2; read u64 2; write i64 10; write u64 8
void k(const int64_t *a, const uint64_t *u, int64_t *b, uint64_t *c) {
  b[0] = a[0] / 3; b[1] = a[0] % 10; b[2] = a[1] / -7; b[3] = a[1] % -7; b[4] = a[0] / 641; b[5] = a[0] / (-9223372036854775807 - 1);
  b[6] = a[1] % 16; b[7] = a[1] / -32; b[8] = a[0] / 6148914691236517205; b[9] = a[0] / -1;
  c[0] = u[0] / 3; c[1] = u[0] % 7; c[2] = u[1] / 641; c[3] = u[1] / 18446744073709551615u; c[4] = u[0] / 9223372036854775809u;
  c[5] = u[0] % 1000000007; c[6] = u[1] / 4294967297; c[7] = u[1] % 1024;
}

// == narrow integers divided by constants
// args: read i32 2; read u32 2; write i32 6; write u32 6
void k(const int *a, const unsigned *u, int *b, unsigned *c) {
  b[0] = a[0] / 7 - a[1] / -10; b[1] = a[0] % 1000; b[2] = a[1] / 2147483647; b[3] = a[1] / (-2147483647 - 1); b[4] = a[0] % -3; b[5] = a[0] / -1;
  c[0] = u[0] / 3u + u[0] % 3u; c[1] = u[0] / 4294967295u; c[2] = u[1] % 641u; c[3] = u[1] / 2147483649u; c[4] = u[0] % 10u; c[5] = u[1] / 1u;
}
