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
