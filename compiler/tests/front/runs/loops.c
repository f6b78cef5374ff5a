void k(double *x, int *n) {
  int i, j, last;
  for (i = 0; i < 4; i++) x[i] += i;
  n[0] = i;
  for (i = 10; i > 3; i -= 3) x[4] += i;
  n[1] = i;
  for (i = 0; i <= n[3]; ++i) { if (i == 2) continue; x[5] += i; }
  n[2] = i;
  for (unsigned char c = 0; c != 6; c += 2) x[6] += c;
  for (j = 0; j < 100; j++) { if (j == 7) break; if (j % 2) continue; x[7] += j; }
  n[4] = j;
  for (i = 5; i < 3; i++) x[8] = 99;
  n[5] = i;
  for (long q = 3, w = 2; q >= 0; q--) x[9] += q * w;
  last = 6;
  for (i = 0; i < last; i++) { if (x[10] > 8) last = 4; x[10] += 1; }
  n[6] = i; n[7] = last;
  while (n[8] > 0) n[8] -= 3;
  do { n[9]--; if (n[9] == 5) break; } while (n[9]);
  do x[11]++; while (0);
  do { if (n[9] == 5) break; x[11] = -1; } while (0);
  for (;;) { if (++n[10] > 12) break; }
  for (i = 0; i < 3; i++) { double acc; for (j = i; j < 3; j++) acc += j; x[12 + i] = acc; int t[2]; t[i % 2] += i; x[15] += t[0] + 10 * t[1]; }
  for (i = 0; i < 10; i += 4) { if (x[0] < 0) break; }
  n[11] = i;
  for (n[12] = 0; n[12] < 3; n[12]++) ;
  for (i = 3; i-- > 0; ) n[13] += i;
  for (size_t z = 2; z < 5; z++) n[14] += z;
  n[15] = i;
}
// status 0 1.0 2.5 4.0 5.5 24.0 7.5 10.0 16.5 5.0 17.5 10.0 7.5 3.0 3.0 2.0 20.5 4 1 4 3 7 5 4 4 -1 5 13 12 3 16 23 -1
