// == reads at entries of a map, one dat many times
// args: read f64 2 at ends 0 of x; read f64 2 at ends 1 of x; read f64 2 at wide 2 of x; write f64 2
void k(const double *p, const double *q, const double *r, double *b) { b[0] = p[0] - q[0] * r[1]; b[1] = p[1] * q[1] + r[0]; }
// == reads through a map, packed
// args: read f64 2 through wide; write f64 2
void k(const double *x, double *b) { b[0] = x[0] + x[2] + x[4]; b[1] = x[1] * x[3] - x[5]; }
// == reads through a map with two extents
// args: read f64 2 through wide; write f64 2
void k(const double x[3][2], double b[2]) { for (int i = 0; i < 3; i++) for (int j = 0; j < 2; j++) b[j] += x[i][j] * (i + 1); }
// == rows by pointers, with an index that data gives
// args: read f64 2 through wide; read i32 1; write f64 2
void k(double **x, const int *n, double *b) { int i = n[0] & 1; b[0] = x[i][0] + x[2][1]; b[1] = x[i + 1][i]; }
// == increments of one dat by two entries of one map
// args: read f64 1; inc f64 2 at ends 0 of r; inc f64 2 at ends 1 of r
void k(const double *w, double *a, double *b) { a[0] += w[0]; b[0] -= w[0]; if (w[0] > 0) b[1] += 1; a[1] = a[1] + 0.25; }
// == increments of one dat by entries of three maps
// args: read f64 1; inc f64 1 at ends 0 of r; inc f64 1 at wide 1 of r; inc f64 1 at gaps 2 of r
void k(const double *w, double *a, double *b, double *c) { *a += w[0]; *b += 2 * w[0]; *c -= w[0]; }
// == increments through a map
// args: read f64 1; inc f64 2 through wide
void k(const double *w, double *x) { for (int i = 0; i < 6; i++) x[i] += w[0] * i; }
// == an increment that the kernel overwrites or reads
// args: read f64 1; inc f64 2 at ends 1
void k(const double *w, double *x) { x[0] = w[0]; x[1] += x[0]; x[0] = x[0] * 2; }
// == writes through maps leave zero where the kernel writes nothing
// args: read f64 1; write f64 2 at ends 0; write f64 1 through wide
void k(const double *w, double *x, double *y) { if (w[0] > 0) x[1] = w[0]; y[1] = 3; }
// == reads and writes in place through maps
// args: read f64 1; rw f64 1 at ends 0; rw f64 2 through wide
void k(const double *w, double *x, double *y) { x[0] = x[0] * 0.5 + w[0]; y[3] = y[0] + x[0]; y[4] -= 1; }
// == a partial map reads zero and writes nothing
// args: read f64 2 at gaps 0; read f64 1 through holes; inc f64 1 at gaps 1; write f64 1 at holes 0; write f64 2
void k(const double *p, const double *q, double *r, double *s, double *b) { b[0] = p[0] + q[0]; b[1] = p[1] - q[1]; *r += 1; *s = 4; }
// == a partial map combines nothing where there is nothing
// args: read i32 1; min i32 1 at gaps 0; max i32 1 through holes; rw i32 1 at gaps 2
void k(const int *w, int *p, int *q, int *r) { if (w[0] < *p) *p = w[0]; for (int i = 0; i < 2; i++) if (w[0] > q[i]) q[i] = w[0]; *r += 1; }
// == minima and maxima through maps start from the data
// args: read f64 1; min f64 1 at ends 0; max f64 1 through wide
void k(const double *w, double *lo, double *hi) { lo[0] = w[0] * 0.5; for (int i = 0; i < 3; i++) if (hi[i] < w[0]) hi[i] = w[0]; }
// == a reduction of every kind on globals of many types
// args: read f64 1; read i32 1; inc f64 2 global; min f64 1 global; max f64 1 global; inc i64 1 global; min i32 1 global; max i32 1 global
void k(const double *x, const int *n, double *s, double *lo, double *hi, int64_t *c, int *nlo, int *nhi) { s[0] += x[0]; s[1] += x[0] * x[0]; if (x[0] < *lo) *lo = x[0]; *hi = fmax(*hi, x[0]); *c += n[0]; if (*n < *nlo) *nlo = *n; if (*n > *nhi) *nhi = *n; }
// == one global in several arguments, to which each adds
// args: read f64 1; inc f64 2 global of g; inc f64 2 global of g; inc i32 1 global of n; inc i32 1 global of n
void k(const double *w, double *a, double *b, int *n, int *m) { a[0] += w[0]; b[0] += 1; b[1] -= w[0]; *n += 2; *m += w[0] > 0; }
// == one global in several arguments, of which one is not used
// args: read f64 1; inc f64 1 global of g; inc f64 1 global of g; max f64 1 global of h; max f64 1 global of h
void k(const double *w, double *a, double *b, double *c, double *d) { *b += w[0]; if (w[0] > *d) *d = w[0]; }
// == the least and the greatest of two values by one global each
// args: read f64 2; min f64 1 global of l; min f64 1 global of l; max f64 2 global of h; max f64 2 global of h
void k(const double *w, double *a, double *b, double *c, double *d) {
  if (w[0] < *a) *a = w[0]; if (w[1] < *b) *b = w[1]; c[0] = c[0] > w[0] ? c[0] : w[0]; d[0] = d[0] > w[1] ? d[0] : w[1]; d[1] = d[1] > -w[0] ? d[1] : -w[0];
}
// == a global that is written: the last element wins
// args: read f64 1; index; write f64 2 global; write i32 1 global
void k(const double *x, int e, double *g, int *n) { g[0] = x[0]; if (e == 2) g[1] = 5; *n = e + 1; }
// == a global that is read and written in order
// args: read f64 1; rw f64 2 global; write f64 1
void k(const double *x, double *g, double *b) { b[0] = g[0]; g[0] = g[0] * 0.5 + x[0]; g[1] += b[0]; }
// == one dat in several direct arguments of any access
// args: read f64 2 of a; rw f64 2 of a; inc f64 2 of a; write f64 1
void k(const double *a, double *b, double *c, double *d) { double t = a[0]; b[0] = t * 0.5; c[1] += b[0]; d[0] = a[0] + a[1]; }
// == one dat read directly and through a map into itself is a conflict that may be taken
// args: inc f64 1 at ends 0 of r; read f64 1 at ends 1 of r; rw f64 1 at wide 0 of r
// conflicts
void k(double *a, const double *b, double *c) { *a += *b * 0.5; *c = *b + 1; }
// == an unused pointer takes anything
// args: read f32 3; read f64 1; write f64 1
void k(void *nothing, const double *a, double *b) { b[0] = a[0] + 1; }
// == a wide row, and one of a single byte
// args: read f64 17; read u8 1; write f64 17
void k(const double *a, const uint8_t *p, double *b) { for (int i = 0; i < 17; i++) b[16 - i] = a[i] * p[0]; }
// == a direct write that the kernel leaves out keeps the old value
// args: read f64 1; write f64 2
void k(const double *a, double *b) { if (a[0] > 0) b[0] = a[0]; }
// == a row read at an index that data gives
// args: read i32 2; read f64 4 at ends 0; read f64 2 through wide; inc f64 4 at ends 1
void k(const int *n, const double *a, const double *b, double *c) { c[n[0] & 3] += a[n[1] & 3] * b[(n[0] + n[1]) & 3]; }
// == rows of a table that data choose, some of which are not there, in loops that are not unrolled
// args: read i32 2; read f64 20; inc f64 20; inc f64 1 global
static const double t[3][20] = {{1, 2, 3, 4, 5, 6, 7}, {-1, 0.5, 0.25}, {8, 9, 10, 11}};
void k(const int *n, const double *x, double *y, double *s) { for (int i = 0; i < 20; i++) { y[i] += t[n[0] & 3][i] * x[19 - i]; y[19 - i] -= t[n[1] & 3][i] / (1 + x[i] * x[i]); } for (int i = 18; i >= 0; i--) s[0] += t[n[1] & 1][i + 1] * x[i]; }
// == rows that data choose in nests, and an entry that data choose of each
// args: read i32 2; read f64 20; write f64 40
static const double t[4][20] = {{1, 2, 3}, {-1, 0.5}, {8, 9, 10, 11}, {0.125}};
void k(const int *n, const double *x, double *y) { int f = n[0] % 4, g = n[1] % 4; for (int q = 0; q < 20; q++) { double a = 0, b = 0; for (int i = 0; i < 20; i++) { a += t[f][i] * x[(i + q) % 20]; b += t[g][19 - i] * x[i]; } y[q] = a * t[g][q]; y[20 + q] = b - t[f][19 - q]; } }
// == a window that data place in a table, past its ends as well
// args: read i32 1; read f64 17; write f64 17
static const double t[40] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
void k(const int *n, const double *x, double *y) { int at = (n[0] & 15) - 2; for (int i = 0; i < 17; i++) y[i] = t[at + i] * x[i] + t[at + 2 * i]; }
// == checks behind a division that may fail, in branches, and behind a way out
// args: read i32 2; read f64 20; write f64 20; write f64 20
static const double t[3][20] = {{1, 2, 3}, {4, 5}, {6, 7}};
void k(const int *n, const double *x, double *y, double *z) { for (int i = 0; i < 20; i++) y[i] = t[n[0] & 3][i] * (7 / (n[1] & 7)); for (int i = 0; i < 20; i++) { z[i] = i; if (x[i] > 2) z[i] = t[n[1] & 3][i]; if (x[i] < -2) break; z[i] += t[n[0] & 3][i]; } }
// == signs, and quotients by powers of two
// args: read f64 4; read f32 2; write f64 6; write f32 3
void k(const double *x, const float *f, double *y, float *g) { double d = -x[1], e = -x[3], j = x[0] * x[3] - x[1] * x[2]; double p = d / j, q = e / (x[0] + x[2] * x[2]); y[0] = x[0] + p * x[1]; y[1] = q * d - p / e; y[2] = fabs(d) / 2; y[3] = d / -0.25 + x[2] / 1024; y[4] = d * 3 - d; y[5] = -(d * e) / 8.0; float h = -f[0]; g[0] = h / 2.0f + f[1]; g[1] = h * f[1] / 0.0625f; g[2] = f[1] - h * h / f[1]; }
// == rows of other types than double are copied as doubles
// args: read f32 4; write f32 4
void k(const float *in, float *out) { for (int n = 0; n < 4; n++) out[n] = in[n]; }
// == an odd number of floats is not
// args: read f32 3; write f32 3
void k(const float *in, float *out) { for (int n = 0; n < 3; n++) out[n] = in[n]; }
// == nor are floats that change places, or are written twice
// args: read f32 4; write f32 4; write f32 2
void k(const float *in, float *out, float *two) {
  out[0] = in[1]; out[1] = in[0]; out[2] = in[2]; out[3] = in[3];
  two[0] = in[0]; two[1] = in[1];
}
// == whole doubles of a row change places
// args: read i32 4; write i32 4
void k(const int *in, int *out) { out[0] = in[2]; out[1] = in[3]; out[2] = in[0]; out[3] = in[1]; }
// == bytes and long integers are copied
// args: read u8 8; write u8 8; read i64 1; write i64 1
void k(const unsigned char *in, unsigned char *out, const long *a, long *b) {
  for (int n = 0; n < 8; n++) out[n] = in[n];
  b[0] = a[0];
}
// == what is read is written in place
// args: rw f32 2; read f32 2
void k(float *x, const float *y) { float t = x[0]; x[0] = x[1]; x[1] = t; }
