/** Small kernels made for tests of threads. */
import { Assembler } from "../../src/backends/wasm/assembler.ts";
import { compileKernel, type Kernel } from "../../src/backends/wasm/engine.ts";

/** `body` writes the code of one unit, whose number is in the local `unit`; the first parameter is the address of i32s. */
function perUnit(body: (a: Assembler, parameters: number, unit: number) => void): Kernel {
  const [parameters, unit, end] = [0, 1, 2];
  const a = new Assembler(3);
  a.get(unit).get(end).op("i32.lt_s").when(() => {
    a.loop(() => {
      body(a, parameters, unit);
      a.get(unit).i32(1).op("i32.add").tee(unit).get(end).op("i32.lt_s");
    });
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

const addressOf = (a: Assembler, parameters: number, unit: number): Assembler =>
  a.get(parameters).memory("i32.load").get(unit).i32(2).op("i32.shl").op("i32.add");

/** x[unit] = 3 · x[unit] + unit. */
export const affine = (): Kernel =>
  perUnit((a, parameters, unit) => {
    addressOf(a, parameters, unit);
    addressOf(a, parameters, unit).memory("i32.load").i32(3).op("i32.mul").get(unit).op("i32.add").memory("i32.store");
  });

/** x[unit] = 1; then waits a while for x[1 - unit] to be 1, and writes 2 if it was: for two units that run at once. */
export const meeting = (): Kernel =>
  perUnit((a, parameters, unit) => {
    const [other, tries] = [a.local("i32"), a.local("i32")];
    a.i32(1).get(unit).op("i32.sub").set(other).i32(1 << 20).set(tries);
    addressOf(a, parameters, unit).i32(1).memory("i32.store");
    a.loop(() => {
      addressOf(a, parameters, other).memory("i32.load").i32(0).op("i32.ne").when(() => {
        addressOf(a, parameters, unit).i32(2).memory("i32.store");
        a.i32(1).set(tries);
      });
      a.get(tries).i32(1).op("i32.sub").tee(tries);
    });
  });

/** Writes beyond the memory. */
export const failing = (): Kernel => perUnit((a) => a.i32(-4).i32(0).memory("i32.store", 16));
