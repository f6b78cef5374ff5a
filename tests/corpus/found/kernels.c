// == a table is not read before its index is checked
// args: rw f64 1; max i8 3 at ends 0 of p1; read i8 4 through wide; inc i16 3 global
// function: k
// folded: g0 u8 27 34
void k(double *p0, int8_t *const p1, const signed char *p2, int16_t *const p3) {
  for (uint32_t i1 = 0; i1 <= 2; ++i1) {
    for (unsigned char i2 = 0; i2 < ((((*(p0 + (0))) * 2147483647) || (-((g0[0] % (g0[i1 % 2])))))) % 9; i2++) {
    }
    for (uint64_t i3 = 0; i3 < ((int)(fabs(((*(g0 + (1))) - g0[(int)(p0[0])])))) % 9; i3++) {
    }
  }
  int16_t t9[2][2][2] = {{{1}, {2, ((~((int)(0.1))) || p2[9])}}, {{3}}};
  do {
    while (('a' * (2)[p1])) {
    }
  } while ((((int)(p0[0]) << (t9[1][0][1])) ? 0.1f : 2147483647));
}
// == an index that is shifted by more than its bits
// args: read i32 1; rw f64 8
void k(const int *n, double *x) { x[0] = x[(n[0] & 0x7fff) >> 40] + x[(n[0] & 3) << 36]; }
// == zero minus an integer that is zero is zero, not minus zero
// args: read u8 1; write f64 1
void k(const unsigned char *n, double *x) { x[0] = 0.0 - (n[0] & 1); }
// == two products are added to each entry of an array that stays in memory
// args: inc f64 16; read f64 40
void k(double *A, const double *b) {
  double B[16] = {0};
  for (int q = 0; q < 32; ++q)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) {
        B[4 * i + j] += b[i] * b[8 + j];
        B[4 * i + j] += b[q] * b[12 + j];
      }
  for (int n = 0; n < 16; ++n) A[n] += B[n];
}
// == a sum over a coefficient does not start from zero where the loop is entered again
// args: rw f64 2; read f64 16
void k(double *A, const double *b) {
  static const double T[48][9] = {{1, 2, 3}, {4, 5, 6, 7}, {8.5, 0.25}};
  double s = A[1];
  for (int q = 0; q < 48; ++q) {
    for (int k = 0; k < 9; ++k) s += b[k + 3] * T[q][k];
    A[0] += s * T[q][1];
  }
}
// == rows that are read in the nest that adds to them are not added to before
// args: inc f64 64; read f64 40
void k(double *A, const double *b) {
  static const double X[9][8] = {{1, 2, 3, 4, 5, 6, 7, 8}, {2, 0.5, 3}}, T[9][8] = {{8, 7, 6, 5, 4, 3, 2, 1}, {1, 1, 2}};
  double t[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (int q = 0; q < 9; ++q) {
    double w = b[q];
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) {
        A[8 * i + j] += X[q][i] * t[j];
        t[j] += X[q][i] * T[q][j];
      }
    A[0] += w;
  }
}
// == lanes of two vectors in any order, where bytes are not moved by tables
// args: read f32 6 global; inc f32 4 through wide
void k(const float *a0, float *x0) {
  float t0 = a0[5] + a0[5];
  float t1 = t0; if (a0[0] < t0) t1 = sqrtf(fabsf(t0)) * -100 - a0[0];
  float t2 = t1 + t1;
  float t3 = t2; if (a0[0] < t2) t3 = sqrtf(fabsf(t2)) * -100 - a0[0];
  float t4 = t3 + t3;
  float t5 = t4; if (a0[0] < t4) t5 = sqrtf(fabsf(t4)) * -100 - a0[0];
  float t6 = t4 - t3 * t2;
  float t7 = t6 + t6;
  x0[0] += a0[4];
  x0[1] += t3;
  x0[2] += a0[0];
  x0[3] += a0[5];
  x0[4] += t4;
  x0[5] += a0[1];
  x0[6] += t0;
  x0[7] += t5;
  x0[8] += a0[2];
  x0[9] += t1;
  x0[10] += t6;
  x0[11] += t1;
}
// == a row that is read where the element before tells, and stored to afterwards
// args: read f64 2; rw f64 2; rw i32 1 global; inc f64 1 global
void k(const double *q, double *x, int *g, double *s) {
  double v = x[*g & 1];
  *g = *g + 1;
  double a = 0;
  for (int i = 0; i < 40; i++) a = a * 0.5 + q[0] * i;
  double b = 0;
  for (int i = 0; i < 40; i++) b = b * 0.25 + q[1] * a;
  x[0] = a;
  x[1] = b;
  *s += v;
}
// == the same behind a map
// args: read f64 2 at ends 0; rw f64 2; rw i32 1 global; inc f64 1 global
void k(const double *q, double *x, int *g, double *s) {
  double v = x[*g & 1];
  *g = *g + 1;
  double a = sqrt(q[0] * q[0] + 1), b = a / (1 + q[1] * q[1]);
  x[0] = a;
  x[1] = b;
  *s += v;
}
// == a global that elements index by another stays one that goes from element to element
// args: read f64 2; read i32 1 global; rw f64 4 global; write f64 2
void k(const double *a, const int *n, double *g, double *x) {
  double s = sqrt(a[0] * a[0] + 1), t = sqrt(a[1] * a[1] + s) / (1 + s * s), u = sqrt(1 + t * t) / (2 + s * s);
  g[*n & 3] = g[*n & 3] * 0.5 + s / (1 + t * t);
  x[0] = u;
  x[1] = t;
}
// == the same behind a map, where one block runs for the rest of a range too
// args: read f64 2 at ends 0; read i32 1 global; max f64 4 global; write f64 2
void k(const double *a, const int *n, double *g, double *x) {
  double s = sqrt(a[0] * a[0] + 1), t = sqrt(a[1] * a[1] + s) / (1 + s * s), u = sqrt(1 + t * t) / (2 + s * s);
  g[*n & 3] = fmax(g[*n & 3], s);
  x[0] = u;
  x[1] = t;
}
// == a global that a loop goes through, too long to be unrolled
// args: read f64 2 at ends 0; rw f64 40 global; write f64 2
void k(const double *a, double *g, double *x) {
  double s = sqrt(a[0] * a[0] + 1), t = sqrt(a[1] * a[1] + s) / (1 + s * s);
  for (int i = 0; i < 40; i++) g[i] = g[i] * 0.5 + s;
  x[0] = s / t;
  x[1] = t;
}
// == rows of one dat that two arguments write keep the order of their stores
// args: read f32 4; write f32 2 of x; write f32 2 of x
void k(const float *a, float *x, float *y) {
  y[0] = a[0];
  y[1] = a[1];
  x[0] = a[2];
  x[1] = a[3];
}
