void k(double A[8][8], const double *restrict w, const double **rows) {
  static const double B[8][8] = {{1, 2, 3, 4, 5, 6, 7, 8}, {0}, {1}}; double t[8][8] = {{0}}, s = 0;
  for (int q = 0; q < 8; q++) for (int i = 0; i < 8; i++) { double f = w[q] * B[q][i]; for (int j = 0; j < 8; j++) t[i][j] += f * B[q][j]; }
  for (int i = 0; i < 8; i++) { for (int j = i; j < 8; j++) s += t[i][j] * rows[i % 2][0]; A[i][7 - i] += pow(s, 2) + pow(s, 3.0) + t[i][i]; }
}
