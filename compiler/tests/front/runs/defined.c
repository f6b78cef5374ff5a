// What C leaves undefined and parloop defines: overflow, shifts, conversions, locals without a value, order of evaluation.
static int next(int *i) { return (*i)++; }
static int digits(int a, int b, int c) { return a * 100 + b * 10 + c; }

void k(double *x, int *n) {
  int big = 2147483647, i = 0, zero;
  double none, array[2];
  n[0] = big + n[1];
  n[1] = n[1] << (n[1] + 32);
  n[2] = -5 >> (n[2] + 31);
  n[3] = (int)(x[3] * 1e30);
  n[4] = (int)(x[4] * -1e30);
  n[5] = (int)(x[5] * INFINITY - x[5] * INFINITY);
  n[6] = (unsigned char)(x[6] * 100);
  n[7] = zero;
  x[0] = none;
  x[1] = array[1];
  n[8] = digits(next(&i), next(&i), next(&i));
  n[9] = next(&i) * 10 + next(&i);
  n[10] = (-big - 1) / -n[1];
  x[2] = (float)(x[2] * 1e300);
  x[3] = 1 / (x[3] - x[3]);
  n[11] = (int)(unsigned)(x[4] * -1.0);
  n[12] = (signed char)(n[12] + 200);
  for (int j = 0; j < 2; j++) {
    int fresh;
    fresh += 1;
    n[13] = fresh;
  }
  char c = (char)(n[14] + 200);
  n[14] = c;
  i = 3;
  n[15] = i + (i = 5) + i;
}
// status 0 0.0 0.0 inf inf 3.0 3.5 4.0 4.5 5.0 5.5 6.0 6.5 7.0 7.5 8.0 8.5 -2147483648 2 -3 2147483647 -2147483648 0 255 0 12 34 1073741824 0 -44 1 -42 13
