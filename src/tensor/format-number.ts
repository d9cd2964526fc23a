/** The decimal text of a double as Python's `format` writes it: exact, halves to even, `-0` kept, `e-05`. */
import { ValueError } from "../errors.ts";

/** The most digits that toFixed and toExponential take. */
const ENGINE_DIGITS = 100;

/** Python's `format(value, ".{precision}f")`: `formatFixed(-0.03125, 4)` is `-0.0312`. */
export function formatFixed(value: number, precision: number): string {
  checkPrecision(precision, "f");
  if (!Number.isFinite(value)) return nonFinite(value);
  const x = Math.abs(value);
  // toFixed is exact, but writes large numbers with an exponent and rounds a half away from zero. A half at this
  // precision is a double whose last bit stands for 2^-(precision + 1).
  const isHalf = (x * 2 ** (precision + 1)) % 2 === 1;
  const engine = x < 1e21 && precision <= ENGINE_DIGITS && !isHalf;
  return signOf(value) + (engine ? x.toFixed(precision) : pointed(scaled(x, precision), precision));
}

/** Python's `format(value, ".{precision}e")`: `formatExponent(1.5e-5, 2)` is `1.50e-05`. */
export function formatExponent(value: number, precision: number): string {
  checkPrecision(precision, "e");
  if (!Number.isFinite(value)) return nonFinite(value);
  const [mantissa, exponent] = exponentParts(Math.abs(value), precision);
  return `${signOf(value)}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function exponentParts(x: number, precision: number): [mantissa: string, exponent: number] {
  if (x === 0) return [pointed(0n, precision), 0];
  // toExponential too is exact but for halves; a half has a 5, and nothing else, as its next digit.
  if (precision < ENGINE_DIGITS && !x.toExponential(precision + 1).includes("5e")) {
    const [mantissa, exponent] = x.toExponential(precision).split("e");
    return [mantissa!, Number(exponent)];
  }
  const end = 10n ** BigInt(precision + 1);
  // log10 can round up to the next power of ten, so begin one below; the digits of a smaller exponent are too many.
  let exponent = Math.floor(Math.log10(x)) - 1;
  let digits = scaled(x, precision - exponent);
  while (digits >= end) digits = scaled(x, precision - ++exponent);
  return [pointed(digits, precision), exponent];
}

/** `x` * 10^`places` as a whole number, a half going to the even one; `x` is finite and not negative. */
function scaled(x: number, places: number): bigint {
  const [significand, exponent] = binary(x);
  const numerator = significand * power(10n, places) * power(2n, exponent);
  const denominator = power(10n, -places) * power(2n, -exponent);
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function power(base: bigint, exponent: number): bigint {
  return exponent > 0 ? base ** BigInt(exponent) : 1n;
}

const bits = new DataView(new ArrayBuffer(8));

/** `x` = significand * 2^exponent, read off its IEEE 754 bits. */
function binary(x: number): [significand: bigint, exponent: number] {
  bits.setFloat64(0, x);
  const word = bits.getBigUint64(0);
  const fraction = word & ((1n << 52n) - 1n);
  const exponent = Number(word >> 52n);
  return exponent === 0 ? [fraction, -1074] : [fraction | (1n << 52n), exponent - 1075];
}

/** Puts the decimal point before the last `places` digits. */
function pointed(digits: bigint, places: number): string {
  const text = String(digits).padStart(places + 1, "0");
  const point = text.length - places;
  return places === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

function nonFinite(value: number): string {
  return Number.isNaN(value) ? "nan" : `${signOf(value)}inf`;
}

function checkPrecision(precision: number, code: string): void {
  if (Number.isInteger(precision) && precision >= 0) return;
  throw new ValueError(
    Number.isFinite(precision) && precision > 0
      ? `Invalid format specifier '.${precision}${code}' for object of type 'float'`
      : "Format specifier missing precision",
  );
}
