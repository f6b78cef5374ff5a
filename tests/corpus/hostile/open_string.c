void k(double *a){a[0]="\
