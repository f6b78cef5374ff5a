static const double T[2][3] = {{1, 2}, {4, 5.5f, -6}};
const int F[] = {1, 2, 3};
static double unused[] = {1, 2};
enum { ZERO, FIVE = 5, SIX };
void k(double *x, int *n) {
  double a[2][3] = {1, 2, 3, 4}, b[2][2][2] = {{{1}, {2, 3}}, 4, 5, 6, 7}, c[SIX - 3] = {0};
  const double d[3] = {x[0], x[1]};
  static const int S[3] = {FIVE, ZERO == 0 ? 1 : 2};
  int i;
  for (i = 0; i < 3; i++) { x[i] = a[1][i] + T[1][i] * b[0][1][0] + c[i] + d[i % 2]; n[i] = F[i] + S[i]; }
  const double *row = T[1]; double *p = &a[0][1]; double *q = p + 1;
  *q += 10; p[-1] = 7; *(p + 2) = 8;
  x[3] = a[0][0]; x[4] = a[0][2]; x[5] = a[1][0]; x[6] = row[2]; x[7] = 1[row]; x[8] = *T[0]; x[9] = b[1][1][1];
  n[3] = sizeof(a) / sizeof(a[0]); n[4] = sizeof(F) / sizeof(int); n[5]++; n[6] += n[7]--; n[8] = n[9]++ + ++n[10];
}
// status 0 13.0 12.5 -11.0 7.0 13.0 8.0 -6.0 5.5 1.0 7.0 6.0 6.5 7.0 7.5 8.0 8.5 6 3 3 2 3 6 13 6 20 10 11 11 12 13 14 15
