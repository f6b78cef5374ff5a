void k(float *a, const float *b, int8_t *c, uint16_t *d, bool *e) {
  float s = 0; for (int i = 0; i < 16; i++) s += b[i] * b[15 - i]; a[0] = sqrtf(s) + fabsf(b[1]) - fmaxf(b[2], 1e30f * 1e30f);
  c[0] = c[1] * c[2] + d[0]; d[1] = ~d[2] << 3; d[0] -= c[0]; e[0] = a[0]; e[1] = !e[0] + c[1] > 0; c[2] ^= e[1] ? d[1] : -1; a[1] = c[0] / (d[0] | 1);
}
