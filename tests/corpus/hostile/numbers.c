void k(double *x, int *n, const unsigned *u, int64_t *l, const uint8_t *c) {
  n[0] = 2147483647 + 1; n[1] = (-2147483647 - 1) / -1; n[2] = 1 << 31 >> 31; n[3] = n[0] % (n[1] | 1);
  l[0] = -9223372036854775807L - 1; l[1] = 18446744073709551615ul; l[2] = 0xffffffffffffffff >> 63; l[3] = 'a' + '\x7f' + '\n';
  x[0] = 1e308 * 10 + 0x1.fffffffffffffp1023; x[1] = 4.9e-324 / 2; x[2] = (int)1e300 + (uint8_t)-1.5 + (unsigned)-1; x[3] = 0.0 / 0.0 + 1 / 3.0f;
  x[4] = (double)(float)16777217 + (float)0.1; n[c[0] % 4] = u[0] / 3u - u[1] * 4000000000u; l[c[1] & 3] += (int8_t)u[2] >> 9;
}
