static int grade(int v) { switch (v) { case 0: return 5; case 1: case 2: return 6; default: break; case 7: v = 3; } return v; }
void k(double *x, int *n) {
  int i, j = 0; for (;;) { if (++j > 5) break; else continue; } do { j--; } while (j > 0); while (j < 3) j++;
  for (i = 10; i > 0; i -= 3) { for (unsigned u = 0; u != 6; u += 2) x[u] += i; switch (i) { case 4: continue; case 1 ... 3: break; default: { n[0] = grade(i); } } }
  for (size_t z = 2; z < 5; z++) n[z] += z; for (i = 3; i-- > 0;) n[i] = i ? x[i] > 0 && n[1] || !x[2] : (j++, j);
  if (n[0]) if (n[1]) return; else n[2] = 1; else { ; } for (i = 0; i < n[3]; i++) { x[i & 3] += 1.0; if (x[0] > 1e3) goto out; }
out: return;
}
