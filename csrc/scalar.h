/* exp, log and powers of single doubles, from IEEE basic operations only: libm's last bit differs between platforms.
 * For rates, schedules and initial weights; arrays use engine/vmath.h. */
#ifndef NN_SCALAR_H
#define NN_SCALAR_H

#include <stdint.h>
#include <string.h>

static inline double nn_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* e^x for |x| < 700: x = k ln 2 + r, Taylor to r^13; below 2 ulp. */
static inline double nn_exp(double x) {
    const double scaled = x * 1.4426950408889634;
    const int64_t k = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    const double r = (x - (double)k * 0x1.62e42fefa3800p-1) - (double)k * 0x1.ef35793c76730p-45;
    double sum = 1;
    for (int i = 13; i > 0; i--) sum = 1 + sum * r / i;
    return sum * nn_from_bits((uint64_t)(k + 1023) << 52);
}

/* log x for normal x > 0: x = m 2^k, m in [sqrt 1/2, sqrt 2), log m = 2 atanh((m - 1) / (m + 1)); below 2 ulp. */
static inline double nn_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t k = (int64_t)(bits >> 52) - 1023;
    double m = nn_from_bits((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k++;
    }
    const double s = (m - 1) / (m + 1), s2 = s * s;
    double sum = 0;
    for (int i = 21; i >= 1; i -= 2) sum = sum * s2 + 1.0 / i;
    return (double)k * 0x1.ef35793c76730p-45 + 2 * s * sum + (double)k * 0x1.62e42fefa3800p-1;
}

static inline double nn_power(double base, double exponent) { return nn_exp(exponent * nn_log(base)); }

/* x with a normal distribution function of p, 0 < p < 1, to about 16 digits: algorithm AS 241, Wichura, 1988. */
static inline double nn_normal_quantile(double p) {
    static const double near_top[] = {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                                      13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608};
    static const double near_bottom[] = {5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
                                         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0};
    static const double middle_top[] = {7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
                                        3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734};
    static const double middle_bottom[] = {1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
                                           0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0};
    static const double far_top[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
                                     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772};
    static const double far_bottom[] = {2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
                                        0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0};
    const double q = p - 0.5;
    const double *top = near_top, *bottom = near_bottom;
    double r = 0.180625 - q * q;
    const int tail = r < 0;
    if (tail) {
        const double s = -nn_log(q < 0 ? p : 1 - p);
        r = __builtin_sqrt(s);
        top = r <= 5 ? middle_top : far_top;
        bottom = r <= 5 ? middle_bottom : far_bottom;
        r -= r <= 5 ? 1.6 : 5;
    }
    double a = 0, b = 0;
    for (int i = 0; i < 8; i++) {
        a = a * r + top[i];
        b = b * r + bottom[i];
    }
    return tail ? (q < 0 ? -a / b : a / b) : q * a / b;
}

#endif
