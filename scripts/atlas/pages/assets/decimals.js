/** Numbers kept as significant digits and a power of ten: shown to the digit as the tables have them. */

export const NOT_COMPARED = 0;
export const IDENTICAL = 1;
export const ZERO = 2;
export const SHARED = 3;
export const ABSENT = 4;
export const UNDEFINED = 5;

const LEAST_DIGITS = 100;
const PLAIN_FROM = -4;
const PLAIN_TO = 7;
const FIRST_POWER = -400;
const POWERS = Float64Array.from({ length: 801 }, (_, at) => Number(`1e${at + FIRST_POWER}`));
const SAID = ["not compared", "identical", "0", "identical as far as compared", "not there", "undefined, as one is all zero"];

/** An array of numbers, each of which may be one of the codes above instead. */
export class Numbers {
  constructor({ count, low, high, powers }, arrays) {
    this.count = count;
    const [lows, highs] = [arrays.get(low), arrays.get(high)];
    this.digits = new Uint16Array(lows.length);
    for (let at = 0; at < lows.length; at += 1) this.digits[at] = lows[at] | (highs[at] << 8);
    this.powers = arrays.get(powers);
  }

  /** Return the code in the place of a number, or -1. */
  code(at) {
    return this.digits[at] < LEAST_DIGITS ? this.digits[at] : -1;
  }

  /** Return a number: 0 where identical, NaN where there is none. */
  value(at) {
    const digits = this.digits[at];
    if (digits >= LEAST_DIGITS) return digits * POWERS[this.powers[at] - this.count + 1 - FIRST_POWER];
    return digits === IDENTICAL || digits === ZERO ? 0 : NaN;
  }

  /** Return what is written of a number, or of the code in its place. */
  text(at) {
    const digits = this.digits[at];
    return digits < LEAST_DIGITS ? SAID[digits] : written(String(digits), this.powers[at]);
  }

  /** Return the same for tables that other programs read: empty where there is no number. */
  plain(at) {
    const digits = this.digits[at];
    if (digits >= LEAST_DIGITS) return `${digits}e${this.powers[at] - this.count + 1}`;
    return digits === IDENTICAL || digits === ZERO ? "0" : "";
  }
}

/** Return digits, of which the first stands at a power of ten, as a decimal number. */
export function written(digits, power) {
  if (power < PLAIN_FROM || power >= PLAIN_TO) {
    return minus(`${trimmed(`${digits[0]}.${digits.slice(1)}`)}e${power}`);
  }
  if (power < 0) return trimmed(`0.${"0".repeat(-power - 1)}${digits}`);
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  const rest = digits.slice(power + 1);
  return trimmed(`${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest ? `.${rest}` : ""}`);
}

/** Return a number with so many significant digits, written in the same way. */
export function significant(value, count = 3) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const [digits, power] = Math.abs(value).toExponential(count - 1).split("e");
  return minus(`${value < 0 ? "-" : ""}${written(digits.replace(".", ""), Number(power))}`);
}

function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function minus(text) {
  return text.replaceAll("-", "−");
}

/** Colours for distances: where the quantiles lie, as in the static pictures. */
export class Scale {
  /** @param {?object} knots `logs` and `shares`, both rising; null where there is no number */
  constructor(knots) {
    this.knots = knots;
  }

  /** Return a place from 0, the nearest, to 1. */
  place(value) {
    return this.knots ? between(Math.log(value), this.knots.logs, this.knots.shares) : 0;
  }

  /** Return the number at a place. */
  value(share) {
    return this.knots ? Math.exp(between(share, this.knots.shares, this.knots.logs)) : NaN;
  }
}

function between(x, from, to) {
  if (x <= from[0]) return to[0];
  for (let at = 1; at < from.length; at += 1) {
    if (x <= from[at]) {
      const width = from[at] - from[at - 1];
      return to[at - 1] + ((x - from[at - 1]) / (width || 1)) * (to[at] - to[at - 1]);
    }
  }
  return to[to.length - 1];
}
