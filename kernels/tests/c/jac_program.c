
static void show(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  printf("%016llx\n", (unsigned long long)bits);
}

int main(void) {
  static T u[NNODE], du[NNODE];
  const T beta = 1;
  for (int iteration = 0; iteration < 5; iteration++) {
    T u_sum = 0, u_max = 0;
    for (int e = 0; e < NEDGE; e++)
      res(&a[e], &u[edges[2 * e + 1]], &du[edges[2 * e]], &beta);
    for (int n = 0; n < NNODE; n++)
      update(&r[n], &du[n], &u[n], &u_sum, &u_max);
    show(u_sum);
    show(u_max);
  }
  for (int n = 0; n < NNODE; n++)
    show(u[n]);
  return 0;
}
