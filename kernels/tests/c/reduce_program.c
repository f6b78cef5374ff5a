
static void show(const T *values, int count) {
  for (int n = 0; n < count; n++) {
    double value = (double)values[n];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf("%016llx\n", (unsigned long long)bits);
  }
}

int main(void) {
  static T sums[NNODE], lows[NNODE], highs[NNODE], width[NEDGE];
  T sum = 0, low = v[0], high = v[0], widest = 0;
  memcpy(sums, start, sizeof start);
  memcpy(lows, start, sizeof start);
  memcpy(highs, start, sizeof start);

  for (int e = 0; e < NEDGE; e++) {
    const int n1 = edges[2 * e], n2 = edges[2 * e + 1];
    T packed[2];
    globals(&v[e], &sum, &low, &high);
    sum_ends(&v[e], &sums[n1], &sums[n2]);
    low_ends(&v[e], &lows[n1], &lows[n2]);
    packed[0] = highs[n1];
    packed[1] = highs[n2];
    high_ends(&v[e], packed);
    highs[n1] = packed[0];
    highs[n2] = packed[1];
    packed[0] = start[n1];
    packed[1] = start[n2];
    gap(packed, &width[e], &widest);
  }

  show(&sum, 1);
  show(&low, 1);
  show(&high, 1);
  show(&widest, 1);
  show(sums, NNODE);
  show(lows, NNODE);
  show(highs, NNODE);
  show(width, NEDGE);
  return 0;
}
