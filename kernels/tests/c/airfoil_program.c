
static void show(const double *values, int count) {
  for (int n = 0; n < count; n++) {
    uint64_t bits;
    memcpy(&bits, &values[n], sizeof bits);
    printf("%016llx\n", (unsigned long long)bits);
  }
}

int main(void) {
  double a[4], b[4], one;

  save_soln(q1, a);
  show(a, 4);

  adt_calc(x[0], x[1], x[2], x[3], q1, &one);
  show(&one, 1);

  memcpy(a, start, sizeof a);
  memcpy(b, start, sizeof b);
  res_calc(x[0], x[1], q1, q2, &adt[0], &adt[1], a, b);
  show(a, 4);
  show(b, 4);

  for (int bound = 1; bound <= 2; bound++) {
    memcpy(a, start, sizeof a);
    bres_calc(x[0], x[1], q1, &adt[0], a, &bound);
    show(a, 4);
  }

  memcpy(a, q1, sizeof a);
  memcpy(b, start, sizeof b);
  one = 0.25;
  update(q2, a, b, &adt[0], &one);
  show(a, 4);
  show(b, 4);
  show(&one, 1);
  return 0;
}
