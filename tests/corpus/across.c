// == arithmetic on rows of one double
// args: read f64 1; read f64 1; write f64 1; rw f64 1
void k(const double *a, const double *b, double *c, double *d) { c[0] = (a[0] - b[0]) / (1 + a[0] * a[0]) + sqrt(fabs(b[0])); d[0] = d[0] * c[0] - a[0]; }
// == arithmetic on rows of five doubles, some stored before others are loaded
// args: read f64 5; rw f64 5; read f64 1
void k(const double *a, double *b, const double *s) { double f = s[0] / (2 + s[0] * s[0]), g = sqrt(1 + f * f) / (3 + f); b[0] = a[1] * f + b[0] / (1 + g * g); b[1] = g * a[0] - b[1]; b[4] = b[3] * g / (1 + f * f) + a[4] * f; b[2] = a[3] / (1 + g) - a[2] * f; b[3] = b[4] * f; }
// == what two elements add to one row is added in order
// args: read f64 2; inc f64 2 at ends 0 of r; inc f64 2 at ends 1 of r
void k(const double *w, double *x, double *y) { double s = w[0] * w[1] + 1, t = w[0] / (1 + w[1] * w[1]), u = (s - t) / (2 + s * s), v = sqrt(1 + u * u) / (1 + t * t); x[0] += u * v; y[0] -= u / (1 + v); x[1] += s * v - t; y[1] += u * u + v; }
// == what elements add to the rows of a map, packed
// args: read f64 2; inc f64 1 through wide
void k(const double *w, double *x) { double s = w[0] / (1 + w[1] * w[1]), t = sqrt(1 + s * s) / (2 + w[0] * w[0]); for (int i = 0; i < 3; i++) x[i] += s / (1 + t * t) + i * t; }
// == the last of two elements that write one row wins
// args: read f64 2; write f64 2 at ends 1
void k(const double *w, double *x) { double s = w[0] / (1 + w[1] * w[1]); x[0] = s / (2 + s * s); x[1] = sqrt(1 + s * s) / (1 + w[0] * w[0]); }
// == minima and maxima through a map
// args: read f64 2; min f64 1 at ends 0; max f64 1 at ends 1
void k(const double *w, double *lo, double *hi) { double s = w[0] / (1 + w[1] * w[1]), t = sqrt(1 + s * s) / (1 + w[0] * w[0]); lo[0] = fmin(lo[0], s - t); hi[0] = fmax(hi[0], s + t / (2 + s * s)); }
// == sums, least and greatest over elements
// args: read f64 2; inc f64 1 global; min f64 1 global; max f64 1 global
void k(const double *w, double *sum, double *lo, double *hi) { double s = w[0] / (1 + w[1] * w[1]), t = sqrt(1 + s * s) / (2 + w[1] * w[1]); sum[0] += s * t; lo[0] = fmin(lo[0], s); hi[0] = fmax(hi[0], t / (1 + s * s)); }
// == rows through a map of dimension three, and a global that is read
// args: read f64 3 at ends 0 of x; read f64 3 at ends 1 of x; read f64 2 global; write f64 3
void k(const double *p, const double *q, const double *g, double *r) { double l = sqrt((p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]) + (p[2] - q[2]) * (p[2] - q[2])) + 1; for (int i = 0; i < 3; i++) r[i] = (p[i] - g[0] * q[i]) / (l * l) + g[1] / (1 + p[i] * p[i]); }
// == choices between doubles
// args: read f64 2; write f64 2
void k(const double *w, double *r) { double s = w[0] / (1 + w[1] * w[1]); double v = w[1]; double t = s > v ? s / (1 + s * s) : v - s; r[0] = (t < 0 ? -t : t / (2 + t * t)); r[1] = fmax(s, t) + fmin(w[0], sqrt(1 + t * t)); }
// == choices by integers, and integers among doubles
// args: read i32 2; read f64 2; write f64 2; write i32 1
void k(const int *n, const double *w, double *r, int *m) { double s = w[0] / (1 + w[1] * w[1]); int j = n[0] * 3 + n[1]; r[0] = (n[0] > n[1] ? s / (1 + s * s) : sqrt(1 + s * s)) + j; r[1] = s * j / (1 + s * s); m[0] = j ^ (s > 0); }
// == functions of both elements' values
// args: read f64 2; write f64 2
void k(const double *w, double *r) { double s = sin(w[0]) / (1 + w[1] * w[1]); r[0] = exp(-s * s) / (2 + s * s); r[1] = floor(s * 10) + rint(w[1]) / (1 + s * s) + sqrt(1 + s * s) / (3 + s); }
// == the element's number
// args: index; read f64 1; write f64 1
void k(int e, const double *w, double *r) { double s = w[0] / (1 + w[0] * w[0]); r[0] = e * s / (1 + s * s) + sqrt(1 + s * s) / (1.0 + e); }
// == floats are left one element at a time among doubles
// args: read f32 2; read f64 1; write f32 1; write f64 1
void k(const float *f, const double *w, float *g, double *r) { double s = w[0] / (1 + w[0] * w[0]) + f[0]; g[0] = f[1] * (float)s; r[0] = sqrt(1 + s * s) / (1 + (double)f[1] * f[1]); }
// == rows that the loop reads and writes in place are its own
// args: rw f64 2; read f64 2 at ends 0 of x; read f64 2
void k(double *r, const double *p, const double *w) { double s = (r[0] - p[1]) / (1 + r[1] * r[1]); r[0] = s / (1 + s * s) + w[0]; r[1] = sqrt(1 + r[0] * r[0]) / (1 + s * s) + w[1] * p[0]; }
// == branches that only compute
// args: read f64 2; write f64 2
void k(const double *w, double *r) { double s = w[0] / (1 + w[1] * w[1]), u = w[1], t = 1; if (s > u) { t = u / (1 + s * s); u = s - t; } else if (s < 0) u = -s * t; r[0] = u / (2 + t * t); r[1] = sqrt(1 + u * u) * t / (1 + s * s); }
// == a limiter
// args: read f64 3; write f64 1
void k(const double *w, double *r) { double a = (w[1] - w[0]) / (1 + w[0] * w[0]), b = (w[2] - w[1]) / (1 + w[2] * w[2]), m = 0; if (a * b > 0) { if (fabs(a) < fabs(b)) m = a; else m = b; } r[0] = m / sqrt(1 + a * a + b * b); }
// == a branch that changes what is carried round the loop
// args: read f64 2; inc f64 1 global; write f64 1
void k(const double *w, double *sum, double *r) { double s = w[0] / (1 + w[1] * w[1]), t = sqrt(1 + s * s) / (2 + s * s); if (s > 0.25) { sum[0] += s; t = t / (1 + t * t); } r[0] = t * s / (1 + t); }
// == choices that elements have in common
// args: read f64 2 global; read f64 1; write f64 1
void k(const double *g, const double *w, double *r) { double s = w[0] / (1 + w[0] * w[0]), h = g[0], l = g[1], t = h < l ? s : l; r[0] = t / (2 + s * t) + (h > 0.5 ? h : l) / (3 + s * s); }
// == branches that load
// args: read f64 2; read f64 2 at ends 1; write f64 2
void k(const double *w, const double *y, double *r) { double s = w[0] / (1 + w[1] * w[1]), t; if (s > 0.1) t = y[0] / (1 + y[1] * y[1]); else { t = y[1] - s; s = sqrt(1 + t * t); } r[0] = t / (2 + s * t); r[1] = s; }
// == a branch that adds to the rows of a map
// args: read f64 2; read i32 1; inc f64 2 at ends 0
void k(const double *w, const int *b, double *x) { double s = w[0] / (1 + w[1] * w[1]), t = sqrt(1 + s * s) / (2 + s); if (*b == 1) { x[0] += s * t; } else { x[0] += s / (1 + t); x[1] -= t / (1 + s * s); } }
// == a limiter that divides on two paths
// args: read f64 3; write f64 2
void k(const double *w, double *r) { double d = w[1] - w[0], m = 1, n = 2; if (d > 0) { m = fmin(m, (w[2] - w[0]) / d); n = sqrt(d); } else if (d < 0) { m = fmin(m, (w[2] + w[0]) / d); n = sqrt(-d); } r[0] = m / (1 + d * d); r[1] = n; }
// == floats that are divided on two paths, and a third that only one of them has
// args: read f32 4; write f32 1
void k(const float *w, float *r) { float d = w[1] - w[0], m = 1; if (d > 0) { float t = (w[2] - w[0]) / d; m = t < m ? t : m; } else { float t = (w[3] - w[0]) / (d - 1); m = t < w[0] / 3 ? t : m; } r[0] = m / (1 + d * d); }
// == loops that all elements go round together, with tables and local arrays
// args: read f64 3 at ends 0; read f64 2; inc f64 2 through ends
void k(const double *x, const double *w, double **b) { static const double t[20][4] = {{1, 0.5, 0.25, 2}, {0.5, 3, 1, 0.125}, {2, 2, 0, 1}, {0, 1, 5, 0.5}, {1.5, 1, 1, 1}, {0.25, 0.5, 2, 3}, {1, 2, 3, 4}, {4, 3, 2, 1}, {0.5, 0.5, 0.5, 1}, {7, 0, 1, 0.25}, {1, 1, 2, 2}, {3, 3, 1, 1}, {0.75, 1, 0, 2}, {2, 0.25, 1, 1}, {1, 5, 0.5, 1}, {0, 0, 1, 1}, {6, 1, 1, 0.5}, {1, 0.125, 2, 2}, {2, 1, 1, 3}, {0.5, 2, 0.5, 2}}; double d = fabs(x[0] * w[1] - x[1] * w[0]) / (1 + w[0] * w[0]), a[4] = {0}; for (int q = 0; q < 20; q++) { double s = 0; for (int i = 0; i < 4; i++) s += t[q][i] * x[i % 3]; s = s * d / (1 + s * s); for (int i = 0; i < 4; i++) a[i] += s * t[q][i]; } b[0][0] += a[0]; b[0][1] += a[1]; b[1][0] += a[2]; b[1][1] += a[3]; }
// == loops of floats, four elements together
// args: read f32 2; read f32 3 at wide 1; inc f32 1 at ends 1; write f32 2
void k(const float *w, const float *x, float *b, float *r) { float a[40], s = w[0] / (1 + w[1] * w[1]); for (int i = 0; i < 40; i++) a[i] = s * (x[i % 3] + i) / (2 + s * s); for (int i = 1; i < 40; i++) s += a[i] * a[i - 1] - x[1] * s; b[0] += s; r[0] = sqrtf(1 + s * s); r[1] = a[7] - a[39]; }
// == a sum over elements of what loops compute
// args: read f64 2; inc f64 2 global; max f64 1 global; inc i32 1 global
void k(const double *w, double *sum, double *most, int *n) { double s = w[0], t = w[1]; for (int i = 0; i < 32; i++) { double u = s / (1 + t * t); t = t * 0.5 + u * w[0]; s = u - t; } sum[0] += s; sum[1] += t * s; most[0] = fmax(most[0], s); n[0] += s > t; }
// == own rows that are read before loops and stored after them
// args: rw f64 3; read f64 30; inc f64 1
void k(double *r, const double *w, double *x) { double s = r[0] / (1 + r[1] * r[1]), t = r[2]; for (int i = 0; i < 30; i++) { s += w[i] * t / (1 + w[i] * w[i]); t = s * w[29 - i] - t; } r[0] = s; r[2] = t; x[0] += s * t; }
// == the element's number in loops
// args: index; read f64 1; inc f64 1 at ends 0
void k(int e, const double *w, double *b) { double s = w[0]; for (int i = 0; i < 25; i++) { s = (s + e * i) / (2 + s * s) + sqrt(1 + w[0] * w[0]) * i; } b[0] += s; }
// == entries of a row of a table that each element has its own of
// args: read i32 1; read f64 1; inc f64 1 at wide 2
void k(const int *n, const double *w, double *b) { static const double t[4][3] = {{1, 0.5, 0.25}, {0.5, 3, 1}, {2, 2, 0.125}, {0.75, 1, 5}}; double s = 0; for (int q = 0; q < 20; q++) for (int i = 0; i < 3; i++) s = (s + t[n[0] & 3][i] * w[0]) / (1 + s * s); b[0] += s; }
// == an array that begins as zeros in each element
// args: read f64 2; write f64 1
void k(const double *w, double *r) { double a[50] = {w[0]}, s = 0; for (int i = 0; i < 49; i++) { s += a[i] / (1 + s * s); a[i + 1] += s * w[1]; } r[0] = s + a[49]; }
// == a loop that changes what is carried round the elements
// args: read f64 1; inc f64 1 global; write f64 1
void k(const double *w, double *sum, double *r) { double s = w[0]; for (int i = 0; i < 20; i++) { s = s / (1 + s * s); sum[0] += s; } r[0] = s; }
// == integers of each element that loops change
// args: read f64 2; read i32 1; write f64 1; write i32 1
void k(const double *w, const int *n, double *r, int *m) { double s = w[0] / (1 + w[1] * w[1]); int j = n[0]; for (int i = 0; i < 24; i++) { j = j * 3 + i; s = sqrt(1 + s * s) / (2 + s * s) + s / (3 + w[1] * s) + s / (1 + w[0] * w[0]); } r[0] = s + j; m[0] = j; }
// == more dats and maps than there are registers for their addresses
// args: read f64 2 at ends 0 of x; read f64 2 at ends 1 of x; read f64 2 at wide 1; read f64 1; read f64 2 global; inc f64 1 global; inc f64 2 at ends 0 of r; inc f64 2 at ends 1 of r
void k(const double *p, const double *q, const double *w, const double *s, const double *g, double *sum, double *a, double *b) { double u = (p[0] - q[0]) / (1 + p[1] * p[1]), v = (q[1] - w[0]) / (2 + w[1] * w[1]), t = sqrt(1 + u * u) / (1 + v * v) + g[0] * s[0]; sum[0] += t * g[1]; a[0] += t * u; a[1] += t / (3 + v * v); b[0] -= t * u; b[1] -= v / (1 + t * t); }
// == the same with floats, four at once
// args: read f32 2 at ends 0 of x; read f32 2 at ends 1 of x; read f32 2 at wide 1; read f32 1; read f32 2 global; inc f32 1 global; inc f32 2 at ends 0 of r; inc f32 2 at ends 1 of r
void k(const float *p, const float *q, const float *w, const float *s, const float *g, float *sum, float *a, float *b) { float u = (p[0] - q[0]) / (1 + p[1] * p[1]), v = (q[1] - w[0]) / (2 + w[1] * w[1]), t = sqrtf(1 + u * u) / (1 + v * v) + g[0] * s[0]; sum[0] += t * g[1]; a[0] += t * u; a[1] += t / (3 + v * v); b[0] -= t * u; b[1] -= v / (1 + t * t); }
// == rows that are only combined, and combined again
// args: read f64 2 at ends 0 of x; read f64 2 at ends 1 of x; read f64 2; write f64 2
void k(const double *p, const double *q, const double *r, double *y) {
  double u = p[0] - q[0], v = p[1] - q[1], s = u * r[0], t = v * r[1];
  y[0] = sqrt(1 + s * s) / (2 + t * t); y[1] = s / (1 + t * t);
}
// == one lane of rows combined otherwise than the other
// args: read f64 2 at ends 0 of x; read f64 2 at ends 1 of x; write f64 2
void k(const double *p, const double *q, double *y) {
  double u = p[0] - q[0], v = q[1] - p[1];
  y[0] = sqrt(1 + u * u) / (2 + v * v); y[1] = v / (3 + u * u);
}
