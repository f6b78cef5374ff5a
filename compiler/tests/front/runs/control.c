static int grade(int v) { switch (v) { case 0: return 5; case 1: case 2: return 6; default: break; case 7: v = 3; } return v; }
void k(double *x, int *n) {
  int i, evals = 0;
  for (i = 0; i < 9; i++) n[i] = grade(i);
  for (i = 0; i < 5; i++) { switch (i * 2) { default: x[0] += 1; case 4: x[1] += 1; break; case 6: { continue; } case 2: x[2] += 1; } x[3] += 1; }
  if (x[4] > 0 && x[5] > 100 || ++evals) x[4] = -1;
  if (x[4] > 0 && ++evals) x[5] = -1; else x[5] = -2;
  if (!(x[6] > 1) || n[10] == 10) x[6] = evals;
  x[7] = x[7] > 2 ? x[8] : x[9]; x[8] = n[1] ? 1 : 2.5f; x[9] = (evals++, evals + 1);
  n[11] = n[12] = n[13]; n[14] <<= 3; n[14] ^= 5; n[15] %= 4; n[13] = -n[13] >> 2; n[12] |= 64; n[10] &= 6;
  { double x = 3; n[9] = x; } ;
  x[10] = evals; if (n[0]) ; else x[11] = 0;
  int neg = -1; unsigned big = neg; x[12] = big; x[13] = (unsigned char)neg; x[14] = (int)3.99 + (int)-3.99; n[9] = n[9] > 2 ? n[9] < 4 : 7;
  if (x[15] < 100) return;
  x[0] = 1e9;
}
// status 0 3.0 4.5 3.0 6.5 -1.0 -2.0 1.0 5.0 1.0 3.0 2.0 6.5 4294967295.0 255.0 0.0 8.5 5 6 6 3 4 5 6 3 8 1 2 13 77 -4 117 3
