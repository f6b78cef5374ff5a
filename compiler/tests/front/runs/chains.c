// Long chains of `else if` do not nest; returns, breaks and values from them go where they do in short ones.
static int kind(int v) {
  if (v < 0) return 0;
  else if (v < 3) return 1;
  else if (v < 6) return 2;
  else if (v < 9) return 3;
  else if (v < 12) return 4;
  else if (v < 15) return 5;
  else if (v < 18) return 6;
  else if (v < 21) return 7;
  else if (v < 24) return 8;
  else if (v < 27) return 9;
  else if (v < 30) return 10;
  else if (v < 33) return 11;
  else if (v < 36) return 12;
  else if (v < 39) return 13;
  else if (v < 42) return 14;
  else if (v < 45) return 15;
  else if (v < 48) return 16;
  else if (v < 51) return 17;
  else if (v < 54) return 18;
  else if (v < 57) return 19;
  else if (v < 60) return 20;
  else if (v < 63) return 21;
  else if (v < 66) return 22;
  else if (v < 69) return 23;
  else if (v < 72) return 24;
  else if (v < 75) return 25;
  else if (v < 78) return 26;
  else if (v < 81) return 27;
  else if (v < 84) return 28;
  else if (v < 87) return 29;
  else if (v < 90) return 30;
  else if (v < 93) return 31;
  else if (v < 96) return 32;
  else if (v < 99) return 33;
  else if (v < 102) return 34;
  else if (v < 105) return 35;
  else if (v < 108) return 36;
  else if (v < 111) return 37;
  else if (v < 114) return 38;
  else if (v < 117) return 39;
  else if (v < 120) return 40;
  else if (v < 123) return 41;
  else if (v < 126) return 42;
  else if (v < 129) return 43;
  else if (v < 132) return 44;
  else if (v < 135) return 45;
  else if (v < 138) return 46;
  else if (v < 141) return 47;
  else if (v < 144) return 48;
  else if (v < 147) return 49;
  else if (v < 150) return 50;
  else if (v < 153) return 51;
  else if (v < 156) return 52;
  else if (v < 159) return 53;
  else if (v < 162) return 54;
  else if (v < 165) return 55;
  else if (v < 168) return 56;
  else if (v < 171) return 57;
  else if (v < 174) return 58;
  else if (v < 177) return 59;
  else return -1;
}

static int count(int v) {
  int c = 0;
  for (int i = 0; i < v; i++) {
    if (i == 0) c += 0;
    else if (i == 2) continue;
    else if (i == 4) c += 2;
    else if (i == 6) c += 3;
    else if (i == 8) c += 4;
    else if (i == 10) c += 5;
    else if (i == 12) continue;
    else if (i == 14) c += 7;
    else if (i == 16) c += 8;
    else if (i == 18) c += 9;
    else if (i == 20) c += 10;
    else if (i == 22) continue;
    else if (i == 24) c += 12;
    else if (i == 26) c += 13;
    else if (i == 28) c += 14;
    else if (i == 30) c += 15;
    else if (i == 32) continue;
    else if (i == 34) c += 17;
    else if (i == 36) c += 18;
    else if (i == 38) c += 19;
    else if (i == 40) c += 20;
    else if (i == 42) continue;
    else if (i == 44) c += 22;
    else if (i == 46) c += 23;
    else if (i == 48) c += 24;
    else if (i == 50) c += 25;
    else if (i == 52) continue;
    else if (i == 54) c += 27;
    else if (i == 56) c += 28;
    else if (i == 58) c += 29;
    else if (i == 60) c += 30;
    else if (i == 62) continue;
    else if (i == 64) c += 32;
    else if (i == 66) c += 33;
    else if (i == 68) c += 34;
    else if (i == 70) c += 35;
    else if (i == 72) continue;
    else if (i == 74) c += 37;
    else if (i == 76) c += 38;
    else if (i == 78) c += 39;
    else if (i == 80) c += 40;
    else if (i == 82) continue;
    else if (i == 84) c += 42;
    else if (i == 86) c += 43;
    else if (i == 88) c += 44;
    else if (i == 90) break;
    else if (i == 92) continue;
    else if (i == 94) c += 47;
    else if (i == 96) c += 48;
    else if (i == 98) c += 49;
    else c += 1000;
    c += 1;
  }
  return c;
}

void k(double *x, int *n) {
  n[3] = kind(0) + kind(50) * 10;
  n[4] = kind(1000);
  n[5] = count(5);
  n[6] = count(200);
  for (n[0] = 99; n[0] < 150; n[0]++) {
    n[7]++;
    if (n[0] == 100) x[1] += 0;
    else if (n[0] == 101) x[1] += 1;
    else if (n[0] == 102) x[1] += 2;
    else if (n[0] == 103) x[1] += 3;
    else if (n[0] == 104) x[1] += 4;
    else if (n[0] == 105) x[1] += 5;
    else if (n[0] == 106) x[1] += 6;
    else if (n[0] == 107) x[1] += 7;
    else if (n[0] == 108) x[1] += 8;
    else if (n[0] == 109) x[1] += 9;
    else if (n[0] == 110) x[1] += 10;
    else if (n[0] == 111) x[1] += 11;
    else if (n[0] == 112) x[1] += 12;
    else if (n[0] == 113) x[1] += 13;
    else if (n[0] == 114) x[1] += 14;
    else if (n[0] == 115) x[1] += 15;
    else if (n[0] == 116) x[1] += 16;
    else if (n[0] == 117) x[1] += 17;
    else if (n[0] == 118) x[1] += 18;
    else if (n[0] == 119) x[1] += 19;
    else if (n[0] == 120) x[1] += 20;
    else if (n[0] == 121) x[1] += 21;
    else if (n[0] == 122) x[1] += 22;
    else if (n[0] == 123) x[1] += 23;
    else if (n[0] == 124) x[1] += 24;
    else if (n[0] == 125) x[1] += 25;
    else if (n[0] == 126) x[1] += 26;
    else if (n[0] == 127) x[1] += 27;
    else if (n[0] == 128) x[1] += 28;
    else if (n[0] == 129) x[1] += 29;
    else if (n[0] == 130) x[1] += 30;
    else if (n[0] == 131) x[1] += 31;
    else if (n[0] == 132) x[1] += 32;
    else if (n[0] == 133) x[1] += 33;
    else if (n[0] == 134) x[1] += 34;
    else if (n[0] == 135) x[1] += 35;
    else if (n[0] == 136) x[1] += 36;
    else if (n[0] == 137) x[1] += 37;
    else if (n[0] == 138) x[1] += 38;
    else if (n[0] == 139) x[1] += 39;
    else x[2] += 1;
  }
  n[0] = 103;
  if (n[0] == 100) { n[1] = 0;  x[1] += 0; }
  else if (n[0] == 101) { n[1] = 1;  x[1] += 1; }
  else if (n[0] == 102) { n[1] = 2;  x[1] += 2; }
  else if (n[0] == 103) { n[1] = 3; if (n[2] == 2) return; x[1] += 3; }
  else if (n[0] == 104) { n[1] = 4;  x[1] += 4; }
  else if (n[0] == 105) { n[1] = 5;  x[1] += 5; }
  else if (n[0] == 106) { n[1] = 6;  x[1] += 6; }
  else if (n[0] == 107) { n[1] = 7;  x[1] += 7; }
  else if (n[0] == 108) { n[1] = 8;  x[1] += 8; }
  else if (n[0] == 109) { n[1] = 9;  x[1] += 9; }
  else if (n[0] == 110) { n[1] = 10; if (n[2] == 2) return; x[1] += 10; }
  else if (n[0] == 111) { n[1] = 11;  x[1] += 11; }
  else if (n[0] == 112) { n[1] = 12;  x[1] += 12; }
  else if (n[0] == 113) { n[1] = 13;  x[1] += 13; }
  else if (n[0] == 114) { n[1] = 14;  x[1] += 14; }
  else if (n[0] == 115) { n[1] = 15;  x[1] += 15; }
  else if (n[0] == 116) { n[1] = 16;  x[1] += 16; }
  else if (n[0] == 117) { n[1] = 17; if (n[2] == 2) return; x[1] += 17; }
  else if (n[0] == 118) { n[1] = 18;  x[1] += 18; }
  else if (n[0] == 119) { n[1] = 19;  x[1] += 19; }
  else if (n[0] == 120) { n[1] = 20;  x[1] += 20; }
  else if (n[0] == 121) { n[1] = 21;  x[1] += 21; }
  else if (n[0] == 122) { n[1] = 22;  x[1] += 22; }
  else if (n[0] == 123) { n[1] = 23;  x[1] += 23; }
  else if (n[0] == 124) { n[1] = 24; if (n[2] == 2) return; x[1] += 24; }
  else if (n[0] == 125) { n[1] = 25;  x[1] += 25; }
  else if (n[0] == 126) { n[1] = 26;  x[1] += 26; }
  else if (n[0] == 127) { n[1] = 27;  x[1] += 27; }
  else if (n[0] == 128) { n[1] = 28;  x[1] += 28; }
  else if (n[0] == 129) { n[1] = 29;  x[1] += 29; }
  else if (n[0] == 130) { n[1] = 30;  x[1] += 30; }
  else if (n[0] == 131) { n[1] = 31; if (n[2] == 2) return; x[1] += 31; }
  else if (n[0] == 132) { n[1] = 32;  x[1] += 32; }
  else if (n[0] == 133) { n[1] = 33;  x[1] += 33; }
  else if (n[0] == 134) { n[1] = 34;  x[1] += 34; }
  else if (n[0] == 135) { n[1] = 35;  x[1] += 35; }
  else if (n[0] == 136) { n[1] = 36;  x[1] += 36; }
  else if (n[0] == 137) { n[1] = 37;  x[1] += 37; }
  else if (n[0] == 138) { n[1] = 38; if (n[2] == 2) return; x[1] += 38; }
  else if (n[0] == 139) { n[1] = 39;  x[1] += 39; }
  else n[1] = -1;
  x[3] = 77;
}
// status 0 1.0 781.5 13.0 2.5 3.0 3.5 4.0 4.5 5.0 5.5 6.0 6.5 7.0 7.5 8.0 8.5 103 3 2 171 -1 2006 45882 58 8 9 10 11 12 13 14 15
