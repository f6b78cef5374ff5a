// == small integers are promoted and cut again
// args: read i8 2; read u8 2; write i8 4; write u8 4
void k(const int8_t *a, const uint8_t *u, int8_t *b, uint8_t *c) { b[0] = a[0] + a[1]; b[1] = a[0] * a[1]; b[2] = -a[0]; b[3] = a[0] >> 1; c[0] = u[0] + u[1]; c[1] = u[0] - u[1]; c[2] = ~u[0]; c[3] = u[0] << 1; }
// == sixteen bits
// args: read i16 2; read u16 2; write i16 3; write u16 3; write i32 2
void k(const int16_t *a, const uint16_t *u, int16_t *b, uint16_t *c, int *d) { b[0] = a[0] * a[1]; b[1] = a[0] - u[0]; b[2] = a[0] / 3; c[0] = u[0] * u[1]; c[1] = u[0] >> 3; c[2] = a[0]; d[0] = u[0] - u[1] < 0; d[1] = a[0] * 70000; }
// == integers are widened by their sign
// args: read i8 1; read u8 1; read i32 1; read u32 1; write i64 6
void k(const int8_t *a, const uint8_t *b, const int *c, const unsigned *d, int64_t *o) { o[0] = a[0]; o[1] = b[0]; o[2] = c[0]; o[3] = d[0]; o[4] = (int64_t)c[0] * d[0]; o[5] = c[0] + 1L; }
// == integers become floating point
// args: read i64 1; read u64 1; read i32 1; read u32 1; write f64 4; write f32 4
void k(const int64_t *a, const uint64_t *b, const int *c, const unsigned *d, double *x, float *y) { x[0] = a[0]; x[1] = b[0]; x[2] = c[0]; x[3] = d[0]; y[0] = a[0]; y[1] = b[0]; y[2] = c[0]; y[3] = d[0]; }
// == small integers become floating point
// args: read i8 1; read u8 1; read i16 1; read u16 1; write f64 4; write f32 4
void k(const int8_t *a, const uint8_t *b, const int16_t *c, const uint16_t *d, double *x, float *y) { x[0] = a[0]; x[1] = b[0]; x[2] = c[0]; x[3] = d[0]; y[0] = a[0]; y[1] = b[0]; y[2] = c[0]; y[3] = d[0]; }
// == floating point becomes integers where C says what it is
// args: read f64 1; read f32 1; write i32 2; write u32 2; write i64 2; write u64 1
void k(const double *a, const float *f, int *b, unsigned *c, int64_t *d, uint64_t *e) {
  double x = fmin(fmax(a[0], -100.0), 100.0); float y = fminf(fmaxf(f[0], -100.0f), 100.0f);
  b[0] = x; b[1] = (int)y; c[0] = fabs(x); c[1] = (unsigned)fabsf(y); d[0] = x * 1e9; d[1] = (int64_t)y; e[0] = fabs(x) * 1e10;
}
// == floats and doubles turn into one another
// args: read f64 1; read f32 1; write f64 3; write f32 3
void k(const double *a, const float *f, double *x, float *y) { x[0] = f[0]; x[1] = f[0] * 0.1; x[2] = (float)a[0]; y[0] = a[0]; y[1] = a[0] * f[0]; y[2] = (float)(a[0] * 3) * f[0]; }
// == float literals in double code, and double literals in float code
// args: read f64 1; read f32 1; write f64 2; write f32 2
void k(const double *a, const float *f, double *x, float *y) { x[0] = a[0] * 0.1f; x[1] = 1.0f / 3.0f; y[0] = f[0] * 0.1; y[1] = f[0] * 0.1f; }
// == casts cut, saturate nothing and round to nearest
// args: read i32 1; read f64 1; write i32 4; write f64 2
void k(const int *a, const double *x, int *b, double *y) { b[0] = (int8_t)a[0]; b[1] = (uint8_t)a[0]; b[2] = (int16_t)(a[0] * 1000); b[3] = (uint16_t)a[0]; y[0] = (double)(float)x[0]; y[1] = (float)x[0] * (double)(float)x[0]; }
// == literals of every form
// args: write f64 6; write i64 6; write u32 3
void k(double *x, int64_t *n, unsigned *u) { x[0] = 1e-3; x[1] = .5; x[2] = 0x1.8p3; x[3] = 1.e+2; x[4] = 6.02214076e23; x[5] = 1; n[0] = 0x7fffffff; n[1] = 0777; n[2] = 10L; n[3] = 0xffffffff; n[4] = 'A'; n[5] = 4294967296; u[0] = 0xFFu; u[1] = 3000000000; u[2] = 1U << 31; }
// == bool holds nought or one
// args: read f64 1; read i32 1; write i32 4
void k(const double *a, const int *n, int *b) { bool p = a[0]; bool q = n[0]; _Bool r = n[0] > 3; b[0] = p; b[1] = q; b[2] = r + p; b[3] = (bool)(a[0] - a[0]); }
// == sizes by many names
// args: read i32 1; write i64 4
void k(const int *a, int64_t *b) { long int x = a[0]; unsigned long y = a[0]; short z = a[0] * 3; unsigned char c = a[0]; size_t s = 3; b[0] = x; b[1] = y; b[2] = z; b[3] = c + s + sizeof(double); }
// == const, static, restrict, volatile-free qualifiers in every place
// args: read f64 2; write f64 2
static const double weight[2] = {0.25, 0.75};
void k(double const *__restrict__ a, double *restrict b) { const double w = weight[1]; static double const v[2] = {1.5, -2.5}; register double r = a[0]; b[0] = w * r + v[0]; b[1] = weight[0] * a[1] + v[1]; }
// == kernel constants of every kind
// args: read f64 2; write f64 4; write i32 2
// constant: gam f64 1.4
// constant: table f64 1.0 2.0 -4.5
// constant: count i32 -3
// constant: small f32 0.1
void k(const double *a, double *b, int *n) { b[0] = gam * a[0]; b[1] = table[2] * a[1]; double s = 0; for (int i = 0; i < 3; i++) s += table[i]; b[2] = s; b[3] = small * a[0]; n[0] = count; n[1] = count * 2 + (gam > 1); }
// == kernel constants folded into the code
// args: read f64 2; write f64 3; write i32 1
// folded: gam f64 1.4
// folded: table f64 1.0 2.0 -4.5
// constant: count i32 2
void k(const double *a, double *b, int *n) { b[0] = gam * a[0]; b[1] = table[1] * a[1] + table[count]; b[2] = gam - 1; n[0] = count + (table[2] < 0); }
// == globals by value and by pointer
// args: read f64 1; read f64 1 global; read i32 1 global; read f64 3 global; write f64 2
void k(const double *a, double alpha, const int *n, const double *v, double *b) { b[0] = alpha * a[0] + v[*n & 1]; b[1] = v[2] - alpha; }
