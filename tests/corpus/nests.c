// == a matrix filled column by column
// args: inc f64 399; read f64 19; read f64 21
void k(double *A, const double *u, const double *v) { for (int j = 0; j < 19; j++) for (int i = 0; i < 21; i++) A[19 * i + j] += u[j] * v[i]; }
// == a matrix filled row by row
// args: inc f64 399; read f64 19; read f64 21
void k(double *A, const double *u, const double *v) { for (int i = 0; i < 21; i++) for (int j = 0; j < 19; j++) A[19 * i + j] += u[j] * v[i]; }
// == columns that overlap, whose order matters
// args: rw f64 60; read f64 40
void k(double *A, const double *u) { for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) A[2 * i + j] = A[2 * i + j] * 0.5 + u[i + j]; }
// == a nest that reads where another trip writes
// args: rw f64 441
void k(double *A) { for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) A[21 * i + j] += 0.5 * A[21 * i + j + 1]; }
// == a nest with work between its loops
// args: inc f64 420; read f64 20; read f64 21
void k(double *A, const double *u, const double *v) { double t[20]; for (int j = 0; j < 20; j++) t[j] = 2 * u[j]; for (int j = 0; j < 20; j++) { double f = t[j] * 3; for (int i = 0; i < 21; i++) { A[20 * i + j] += f * v[i]; A[20 * i + j] += v[i] * v[i]; } } }
// == several stores to one entry, the last of which counts
// args: write f64 37; read f64 37
void k(double *a, const double *b) { for (int i = 0; i < 37; i++) { a[i] = b[i]; a[i] = a[i] + 1; a[i] *= b[i]; } }
// == an overwritten store that is read in between by another index
// args: rw f64 40; read i32 1
void k(double *a, const int *n) { int m = n[0] & 31; a[3] = 1; a[m] += 2; a[3] = a[m] + 1; a[m + 1] = 5; a[3] += a[m + 1]; }
// == a sum over many trips, and what is left of them
// args: read f64 43; read f32 43; write f64 2
void k(const double *a, const float *b, double *s) { double x = 0; float y = 0; for (int i = 0; i < 43; i++) { x += a[i] * b[i]; y += b[i]; } s[0] = x; s[1] = y; }
// == a recurrence over memory
// args: rw f64 50
void k(double *a) { for (int i = 1; i < 50; i++) a[i] = a[i - 1] * 0.5 + a[i]; }
// == a recurrence over a local array, downwards in steps of three
// args: read f64 50; write f64 50
void k(const double *a, double *b) { double t[50]; for (int i = 0; i < 50; i++) t[i] = a[i]; for (int i = 49; i >= 3; i -= 3) t[i - 3] += t[i] * 0.25; for (int i = 0; i < 50; i++) b[i] = t[i]; }
// == neighbours in a local array and a table
// args: read f64 24; inc f64 24
void k(const double *a, double *b) { static const double T[3][24] = {{1, 2, 3, 4, 5}, {0.5, 0.25, -1, -2, -3, -4, -5, -6, 7, 8, 9}, {1e3, 1e-3, 1e30, -1e30}}; double t[24] = {0}; for (int q = 0; q < 3; q++) for (int i = 0; i < 24; i++) t[i] += T[q][i] * a[i]; for (int q = 0; q < 3; q++) for (int i = 0; i < 24; i++) b[i] += t[23 - i] * T[q][i]; }
// == indices that wrap in int
// args: read i32 2; rw f64 40
void k(const int *n, double *a) { unsigned u = n[0]; for (int i = 0; i < 20; i++) { unsigned w = (u * 4294967291u + i) & 31u; a[w] += i; int v = (n[1] * 65537 + i * 3) & 31; a[v] -= w; } }
// == indices of narrow types
// args: read u8 2; read i64 1; rw f64 64
void k(const uint8_t *p, const int64_t *n, double *a) { for (int i = 0; i < 18; i++) { uint8_t s = p[0] + i; int8_t d = (int8_t)(p[1] - i); a[s & 63] += 1; a[d & 31] *= 2; a[(n[0] + i * 4) & 63] -= 3; } }
// == rows of float
// args: inc f32 35; read f32 35
void k(float *a, const float *b) { for (int i = 0; i < 35; i++) { a[i] += b[i] * 2; a[i] -= b[34 - i]; } }
// == a copy that overlaps itself
// args: rw f64 48
void k(double *a) { for (int i = 0; i < 40; i++) a[i + 1] = a[i]; for (int i = 0; i < 40; i++) a[i] = a[i + 8]; }
// == three loops deep
// args: read f64 90; read f64 80; inc f64 72
void k(const double *x, const double *y, double *A) { for (int q = 0; q < 10; q++) for (int j = 0; j < 8; j++) for (int i = 0; i < 9; i++) A[8 * i + j] += x[9 * q + i] * y[8 * q + j]; }
// == a loop with a branch in a nest
// args: inc f64 400; read f64 20
void k(double *A, const double *u) { for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) { if (u[i] > u[j]) A[20 * i + j] += u[i]; else A[20 * i + j] -= 1; } }
// == a nest that goes on from another's variable
// args: inc f64 400; read f64 20
void k(double *A, const double *u) { double s = 1; for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) { s = s * 0.5 + u[i]; A[20 * i + j] += s; } }
// == a map's rows, one of them twice
// args: read f64 2 through wide; inc f64 20
void k(const double x[3][2], double *A) { for (int i = 0; i < 20; i++) { A[i] += x[0][0] * i + x[1][1]; A[i] += x[2][i & 1]; } }
// == nests whose entries do not stay apart
// args: rw f64 420; read i64 20; read f64 20
static const long back[20] = {0, -19, -38, -57, -76, -95, -114, -133, -152, -171, -190, -209, -228, -247, -266, -285, -304, -323, -342, -361};
void k(double *a, const int64_t *m, const double *b) {
  for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) a[j + 20 * i + back[i]] = 100.0 * i + j;
  for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) a[j + 20 * i - 19 * (i & 31)] += b[i] * j;
  for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++) a[20 * i + j + (i & 3)] = a[20 * i + j + (i & 3)] * 0.5 + b[i];
  for (int j = 0; j < 18; j++) for (int i = 0; i < 20; i++) a[20 * i + j + 2 * (m[i] & 1)] = a[20 * i + j + 2 * (m[i] & 1)] * 0.5 + b[i] * (j + 1);
}
// == loads between stores to their neighbours
// args: read f64 60; write f64 120; rw f64 100
void k(const double *x, double *b, double *c) {
  double a[128] = {0};
  for (int i = 0; i < 30; i++) {
    int j = 3 * i;
    a[j + 1] = x[2 * i] * 2; double p = a[j]; a[j + 2] = x[2 * i + 1] * 2; double q = a[j + 1];
    b[2 * i] = p * 3; b[2 * i + 1] = q * 3;
  }
  for (int i = 0; i < 30; i++) {
    int j = 3 * i;
    c[j + 2] = x[2 * i] * 2; double p = c[j + 3], q = c[j + 2]; c[j + 1] = x[2 * i + 1] * 2; double r = c[j + 1], s = c[j];
    b[60 + 2 * i] = p * 3 + r; b[60 + 2 * i + 1] = q * 3 + s;
  }
}
// == integers and truths of each element that loops change
// args: read f64 2; read i32 1; write f64 1; write i32 1
void k(const double *w, const int *n, double *r, int *m) { double s = w[0] / (1 + w[1] * w[1]); int j = n[0]; bool p = false; for (int i = 0; i < 24; i++) { j = j * 3 + i; s = (p ? s + w[1] : s * 0.5) / (1 + s * s); p = s > w[0] * 0.25; } r[0] = s + p; m[0] = j; }
// == own rows that are read again after they were stored
// args: rw f64 2; read f64 1; write f64 1
void k(double *r, const double *w, double *x) { double s = w[0]; r[0] = s; for (int i = 0; i < 20; i++) s = (s + i) / (1 + s * s + r[1]); r[1] = s; s = r[0] + s; x[0] = s / (1 + r[1] * r[1]); }
// == more floats from outside of loops than registers hold, in either branch and behind it
// args: read i32 1; read f64 20; write f64 20; inc f64 1 global
void k(const int *n, const double *x, double *y, double *s) { double c0 = x[0] / (1 + x[1] * x[1]); double c1 = x[1] / (1 + x[2] * x[2]); double c2 = x[2] / (1 + x[3] * x[3]); double c3 = x[3] / (1 + x[4] * x[4]); double c4 = x[4] / (1 + x[5] * x[5]); double c5 = x[5] / (1 + x[6] * x[6]); double c6 = x[6] / (1 + x[7] * x[7]); double c7 = x[7] / (1 + x[8] * x[8]); double c8 = x[8] / (1 + x[9] * x[9]); double c9 = x[9] / (1 + x[10] * x[10]); double c10 = x[10] / (1 + x[11] * x[11]); double c11 = x[11] / (1 + x[12] * x[12]); double c12 = x[12] / (1 + x[13] * x[13]); double c13 = x[13] / (1 + x[14] * x[14]); double c14 = x[14] / (1 + x[15] * x[15]); double c15 = x[15] / (1 + x[16] * x[16]); double c16 = x[16] / (1 + x[17] * x[17]); double c17 = x[17] / (1 + x[18] * x[18]); if (n[0] & 1) { for (int i = 0; i < 20; i++) y[i] = c0 / (2 + x[i] * x[0]) + c1 / (2 + x[i] * x[1]) + c2 / (2 + x[i] * x[2]) + c3 / (2 + x[i] * x[3]) + c4 / (2 + x[i] * x[4]) + c5 / (2 + x[i] * x[5]) + c6 / (2 + x[i] * x[6]) + c7 / (2 + x[i] * x[7]) + c8 / (2 + x[i] * x[8]) + c9 / (2 + x[i] * x[9]) + c10 / (2 + x[i] * x[10]) + c11 / (2 + x[i] * x[11]) + c12 / (2 + x[i] * x[12]) + c13 / (2 + x[i] * x[13]) + c14 / (2 + x[i] * x[14]) + c15 / (2 + x[i] * x[15]) + c16 / (2 + x[i] * x[16]) + c17 / (2 + x[i] * x[17]); } else { for (int i = 0; i < 20; i++) y[i] = c0 * (x[i] + 0) - c1 * (x[i] + 1) - c2 * (x[i] + 2) - c3 * (x[i] + 3) - c4 * (x[i] + 4) - c5 * (x[i] + 5) - c6 * (x[i] + 6) - c7 * (x[i] + 7) - c8 * (x[i] + 8) - c9 * (x[i] + 9) - c10 * (x[i] + 10) - c11 * (x[i] + 11) - c12 * (x[i] + 12) - c13 * (x[i] + 13) - c14 * (x[i] + 14) - c15 * (x[i] + 15) - c16 * (x[i] + 16) - c17 * (x[i] + 17); } for (int i = 0; i < 20; i++) s[0] += y[i] / (c0 / (2 + x[i] * x[0]) + c1 / (2 + x[i] * x[1]) + c2 / (2 + x[i] * x[2]) + c3 / (2 + x[i] * x[3]) + c4 / (2 + x[i] * x[4]) + c5 / (2 + x[i] * x[5]) + c6 / (2 + x[i] * x[6]) + c7 / (2 + x[i] * x[7]) + c8 / (2 + x[i] * x[8]) + c9 / (2 + x[i] * x[9]) + c10 / (2 + x[i] * x[10]) + c11 / (2 + x[i] * x[11]) + c12 / (2 + x[i] * x[12]) + c13 / (2 + x[i] * x[13]) + c14 / (2 + x[i] * x[14]) + c15 / (2 + x[i] * x[15]) + c16 / (2 + x[i] * x[16]) + c17 / (2 + x[i] * x[17])); }
