#if 1
#if 0
#else
#define F(x,y) x y
void k(int*a){a[F(0,