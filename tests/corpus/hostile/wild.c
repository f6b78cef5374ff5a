void k(double *x, int *n, const int64_t *l) {
  int t[3][2]; double d[5]; t[n[0]][n[1]] = n[2]; d[t[0][1]] = x[n[3] * 2 - 1]; x[l[0]] = d[n[0] % n[1]] / n[2] / (n[3] / n[0]);
  for (int i = n[0]; i < n[1]; i += n[2]) { x[i] = t[i][0]; n[i - 1] <<= i; } for (int64_t j = l[0]; j != l[1]; j++) d[j] += 1;
  while (x[0] < x[1]) { x[0] += d[n[0]]; n[0]++; if (n[0] == l[1]) break; } x[2] = x[(int)x[3]] + x[(int)(x[0] * 1e30)];
}
