/** The kernels of pooling. Where windows lie evenly, a vector holds one element of each of several neighbours; all others are folded one by one. */
import { Assembler } from "./assembler.ts";
import { compileKernel, features, type Kernel } from "./engine.ts";
import { whileTrue, type FloatType } from "./gemm-code.ts";

/**
 * Bytes at which the parameters lie in the block. `depth`, `height` and `width` are tables of ENTRY words for each window: where it
 * begins and ends, in bytes from the start of its plane or row, and how many positions it counts for. The windows from `evenFrom` to
 * `evenTo` along the width are alike, `stride` bytes apart. `volume` is the bytes of a plane of the input; `divisor` is 0 where windows count.
 */
export const poolingFields = {
  input: 0, out: 4, positions: 8, depth: 12, height: 16, width: 20, depths: 24, heights: 28, widths: 32,
  volume: 36, depthStep: 40, heightStep: 44, widthStep: 48, evenFrom: 52, evenTo: 56, stride: 60, divisor: 64,
} as const;
export const POOLING_BYTES = 72;
/** Words of a table's entry. */
export const ENTRY = 3;

/** The local with the address of the block. */
const PARAMETERS = 0;
type Field = (name: Exclude<keyof typeof poolingFields, "divisor">) => Assembler;

/** What is made of a window's elements, in code. */
interface Fold {
  /** A window begins; its first element lies at the distance `first`. */
  begin(first: number): void;
  /** Takes the vector `value` in, whose elements lie at the distance `at`, and `stride` farther for each lane. */
  take(value: number, at: number): void;
  /** Leaves the result as a vector; `count` is how many positions a window counts for. */
  end(count: number): void;
  /** Stores what else there is for the window of this number, for all lanes or for the first. */
  store(window: number, all: boolean): void;
}

/** The module's constant: the numbers of the lanes. */
const LANES = 0;
const laneNumbers = { 4: new Uint8Array(new Int32Array([0, 1, 2, 3]).buffer), 2: new Uint8Array(new BigInt64Array([0n, 1n]).buffer) };

/** Compiles a kernel; `write` gives the code before the loop over units, and returns what writes that of a unit. */
function compileUnits(type: FloatType, write: (a: Assembler, field: Field, unit: number) => () => void): Kernel {
  const a = new Assembler(3);
  const [unit, to] = [1, 2];
  const body = write(a, (name) => a.get(PARAMETERS).memory("i32.load", poolingFields[name]), unit);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    body();
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  const run = { name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a } as const;
  return compileKernel({ functions: [run], constants: [laneNumbers[type.lanes]] });
}

/** The locals of a fold's code: addresses and distances in bytes. */
interface Place {
  /** The plane, and the distance from it that is at hand. */
  readonly base: number;
  readonly at: number;
  /** Does the vector hold neighbours, and how far apart? */
  readonly all: number;
  readonly stride: number;
  readonly address: number;
  readonly value: number;
}

/** Loads the elements of neighbours, or of a single window into all lanes. */
function loadNeighbours(a: Assembler, type: FloatType, sideBySide: boolean, { base, at, all, stride, address, value }: Place): void {
  const bits = type.bytes === 4 ? 32 : 64;
  a.get(base).get(at).op("i32.add").tee(address);
  if (sideBySide) {
    a.memory(`v128.load${bits}_splat`).set(value);
    a.get(all).when(() => a.get(address).memory("v128.load").set(value));
    return;
  }
  a.memory(`v128.load${bits}_zero`).set(value);
  for (let lane = 1; lane < type.lanes; lane++) a.get(address).get(stride).op("i32.add").tee(address).get(value).loadLane(bits, lane).set(value);
}

/** Compiles a fold of windows; neighbours lie `sideBySide` where the stride is one element. A unit is a row of windows. */
const compileFold = (type: FloatType, sideBySide: boolean, make: (a: Assembler, field: Field) => Fold): Kernel =>
  compileUnits(type, (a, field, unit) => {
    const [d0, d1, h0, h1, d, h, end, rowCount, o, window, entry, first, count] = Array.from({ length: 13 }, () => a.local("i32"));
    const [base, at, all, stride, address] = Array.from({ length: 5 }, () => a.local("i32"));
    const place: Place = { base, at, all, stride, address, value: a.local("v128") };
    const fold = make(a, field);
    const findEntry = (table: "depth" | "height" | "width", index: () => void): Assembler => {
      index();
      a.i32(4 * ENTRY).op("i32.mul");
      return field(table).op("i32.add").tee(entry);
    };
    const takeElements = (): void => {
      a.get(d0).set(d);
      whileTrue(a, () => a.get(d).get(d1).op("i32.lt_s"), () => {
        a.get(d).get(h0).op("i32.add").set(h);
        whileTrue(a, () => a.get(h).get(d).get(h1).op("i32.add").op("i32.lt_s"), () => {
          a.get(h).get(entry).memory("i32.load").op("i32.add").set(at);
          a.get(h).get(entry).memory("i32.load", 4).op("i32.add").set(end);
          whileTrue(a, () => a.get(at).get(end).op("i32.lt_s"), () => {
            loadNeighbours(a, type, sideBySide, place);
            fold.take(place.value, at);
            a.get(at); field("widthStep").op("i32.add").set(at);
          });
          a.get(h); field("heightStep").op("i32.add").set(h);
        });
        a.get(d); field("depthStep").op("i32.add").set(d);
      });
    };
    const store = (lanes: number, write: () => void): void => {
      a.get(address);
      fold.end(count);
      write();
      fold.store(window, lanes > 1);
      a.get(o).i32(lanes).op("i32.add").set(o);
    };
    /** Windows from `o` on: as many as a vector holds where they are alike, else one. */
    const windows = (): void => {
      a.get(o); field("evenFrom").op("i32.ge_s").get(o); field("evenTo").op("i32.lt_s").op("i32.and").tee(all).when(() => {
        // The last vector of a row repeats windows of the one before.
        field("evenTo").i32(type.lanes).op("i32.sub").tee(address).get(o).get(address).get(o).op("i32.lt_s").op("select").set(o);
      });
      field("stride").i32(0).get(all).op("select").set(stride);
      findEntry("width", () => a.get(o)).memory("i32.load").get(d0).op("i32.add").get(h0).op("i32.add").set(first);
      fold.begin(first);
      takeElements();
      a.get(rowCount).get(entry).memory("i32.load", 8).op("i32.mul").set(count);
      a.get(unit); field("widths").op("i32.mul").get(o).op("i32.add").set(window);
      field("out").get(window).i32(type.bytes).op("i32.mul").op("i32.add").set(address);
      a.get(all).choose(() => store(type.lanes, () => a.memory("v128.store")), () => store(1, () => a.storeLane(type.bytes === 4 ? 32 : 64, 0)));
    };
    return () => {
      a.get(unit); field("heights").op("i32.div_u"); field("depths").op("i32.div_u"); field("volume").op("i32.mul"); field("input").op("i32.add").set(base);
      findEntry("depth", () => { a.get(unit); field("heights").op("i32.div_u"); field("depths").op("i32.rem_u"); }).memory("i32.load").set(d0);
      a.get(entry).memory("i32.load", 4).set(d1).get(entry).memory("i32.load", 8).set(rowCount);
      findEntry("height", () => { a.get(unit); field("heights").op("i32.rem_u"); }).memory("i32.load").set(h0);
      a.get(entry).memory("i32.load", 4).set(h1).get(entry).memory("i32.load", 8).get(rowCount).op("i32.mul").set(rowCount);
      a.i32(0).set(o);
      whileTrue(a, () => { a.get(o); field("widths").op("i32.ne"); }, windows);
    };
  });

/** The largest elements, and where they lie in their planes, as int64s; a NaN is the largest. */
export const compileMaxima = (type: FloatType, sideBySide: boolean): Kernel =>
  compileFold(type, sideBySide, (a, field) => {
    const integers = type.lanes === 4 ? "i32x4" : "i64x2";
    const blend = features.relaxed ? (`${integers}.relaxed_laneselect` as const) : "v128.bitselect";
    const [lowest, best, where, mask, lanes] = Array.from({ length: 5 }, () => a.local("v128"));
    const place = a.local("i32");
    const spread = (distance: number): void => {
      a.get(distance);
      if (type.lanes === 2) a.op("i64.extend_i32_u");
      a.op(`${integers}.splat`);
    };
    a[type.name](-Infinity).op(`${type.shape}.splat`).set(lowest);
    a.global(LANES);
    field("stride");
    if (type.lanes === 2) a.op("i64.extend_i32_s");
    a.op(`${integers}.splat`).op(`${integers}.mul`).set(lanes);
    return {
      begin(first) {
        a.get(lowest).set(best);
        spread(first);
        a.set(where);
      },
      take(value, at) {
        a.get(value).get(best).op(`${type.shape}.gt`).get(value).get(value).op(`${type.shape}.ne`).op("v128.or").set(mask);
        a.get(value).get(best).get(mask).op(blend).set(best);
        spread(at);
        a.get(where).get(mask).op(blend).set(where);
      },
      end: () => void a.get(best),
      store(window, all) {
        field("positions").get(window).i32(3).op("i32.shl").op("i32.add").set(place);
        a.get(where).get(lanes).op(`${integers}.add`).i32(type.bytes === 4 ? 2 : 3).op(`${integers}.shr_u`).set(where);
        const extended = (half: "low" | "high"): Assembler => (type.lanes === 2 ? a.get(where) : a.get(where).op(`i64x2.extend_${half}_i32x4_u`));
        a.get(place);
        extended("low");
        if (!all) return void a.storeLane(64, 0);
        a.memory("v128.store");
        if (type.lanes === 4) a.get(place).get(where).op("i64x2.extend_high_i32x4_u").memory("v128.store", 16);
      },
    };
  });

/** Leaves on the stack what a window's sum is divided by. */
function pushDivisor(a: Assembler, type: FloatType, count: number): void {
  const given = (): Assembler => a.get(PARAMETERS).memory("f64.load", poolingFields.divisor);
  given();
  a.get(count).op("f64.convert_i32_s");
  given();
  a.f64(0).op("f64.ne").op("select");
  if (type.bytes === 4) a.op("f32.demote_f64");
}

/** Sums, each divided by the divisor or by how many positions its window counts for. */
export const compileAverages = (type: FloatType, sideBySide: boolean): Kernel =>
  compileFold(type, sideBySide, (a) => {
    const [zero, sum] = [a.local("v128"), a.local("v128")];
    return {
      begin: () => void a.get(zero).set(sum),
      take: (value) => void a.get(sum).get(value).op(`${type.shape}.add`).set(sum),
      end(count) {
        a.get(sum);
        pushDivisor(a, type, count);
        a.op(`${type.shape}.splat`).op(`${type.shape}.div`);
      },
      store: () => {},
    };
  });

/** Starts the code of a unit that is a plane: fills the plane with zeros and leaves its address in `plane`. */
function clearPlane(field: Field, unit: number, plane: number): void {
  field("out").get(unit); field("volume").op("i32.mul").op("i32.add").tee(plane).i32(0); field("volume").memoryFill();
}

/** Adds each gradient to the element of its plane that was the largest; the rest are zeros. A unit is a plane. */
export const compileMaximaGradient = (type: FloatType): Kernel => compileUnits(type, (a, field, unit) => {
  const [plane, windows, grad, position, end, place] = Array.from({ length: 6 }, () => a.local("i32"));
  field("depths"); field("heights").op("i32.mul"); field("widths").op("i32.mul").set(windows);
  return () => {
    clearPlane(field, unit, plane);
    field("input").get(unit).get(windows).op("i32.mul").i32(type.bytes).op("i32.mul").op("i32.add").tee(grad);
    a.get(windows).i32(type.bytes).op("i32.mul").op("i32.add").set(end);
    field("positions").get(unit).get(windows).op("i32.mul").i32(8).op("i32.mul").op("i32.add").set(position);
    whileTrue(a, () => a.get(grad).get(end).op("i32.ne"), () => {
      a.get(plane).get(position).memory("i32.load").i32(type.bytes).op("i32.mul").op("i32.add").tee(place);
      a.get(place).memory(`${type.name}.load`).get(grad).memory(`${type.name}.load`).op(`${type.name}.add`).memory(`${type.name}.store`);
      a.get(grad).i32(type.bytes).op("i32.add").set(grad).get(position).i32(8).op("i32.add").set(position);
    });
  };
});

/** Adds to each element its share in the gradients of the windows that hold it. A unit is a plane. */
export const compileAveragesGradient = (type: FloatType): Kernel => compileUnits(type, (a, field, unit) => {
  const [plane, grad, depth, depthEnd, height, heightEnd, width, widthEnd] = Array.from({ length: 8 }, () => a.local("i32"));
  const [d, h, at, end, count] = Array.from({ length: 5 }, () => a.local("i32"));
  const [share, shares] = [a.local(type.name), a.local("v128")];
  /** Runs `body` for each entry of a table. */
  const each = (table: "depth" | "height" | "width", size: "depths" | "heights" | "widths", entry: number, last: number, body: () => void): void => {
    field(table).tee(entry); field(size).i32(4 * ENTRY).op("i32.mul").op("i32.add").set(last);
    whileTrue(a, () => a.get(entry).get(last).op("i32.ne"), () => {
      body();
      a.get(entry).i32(4 * ENTRY).op("i32.add").set(entry);
    });
  };
  /** Adds the share from `at` to `end`. */
  const addRow = (): void => {
    const advance = (bytes: number): Assembler => a.get(at).i32(bytes).op("i32.add").set(at);
    whileTrue(a, () => a.get(end).get(at).op("i32.sub").i32(16).op("i32.ge_s"), () => {
      a.get(at).get(at).memory("v128.load").get(shares).op(`${type.shape}.add`).memory("v128.store");
      advance(16);
    });
    whileTrue(a, () => a.get(at).get(end).op("i32.lt_s"), () => {
      a.get(at).get(at).memory(`${type.name}.load`).get(share).op(`${type.name}.add`).memory(`${type.name}.store`);
      advance(type.bytes);
    });
  };
  const window = (): void => {
    a.get(depth).memory("i32.load", 8).get(height).memory("i32.load", 8).op("i32.mul").get(width).memory("i32.load", 8).op("i32.mul").set(count);
    a.get(grad).memory(`${type.name}.load`);
    pushDivisor(a, type, count);
    a.op(`${type.name}.div`).tee(share).op(`${type.shape}.splat`).set(shares);
    a.get(plane).get(depth).memory("i32.load").op("i32.add").set(d);
    whileTrue(a, () => a.get(d).get(plane).get(depth).memory("i32.load", 4).op("i32.add").op("i32.lt_s"), () => {
      a.get(d).get(height).memory("i32.load").op("i32.add").set(h);
      whileTrue(a, () => a.get(h).get(d).get(height).memory("i32.load", 4).op("i32.add").op("i32.lt_s"), () => {
        a.get(h).get(width).memory("i32.load").op("i32.add").set(at);
        a.get(h).get(width).memory("i32.load", 4).op("i32.add").set(end);
        addRow();
        a.get(h); field("heightStep").op("i32.add").set(h);
      });
      a.get(d); field("depthStep").op("i32.add").set(d);
    });
    a.get(grad).i32(type.bytes).op("i32.add").set(grad);
  };
  return () => {
    clearPlane(field, unit, plane);
    field("input").get(unit); field("depths").op("i32.mul"); field("heights").op("i32.mul"); field("widths").op("i32.mul").i32(type.bytes).op("i32.mul").op("i32.add").set(grad);
    each("depth", "depths", depth, depthEnd, () => each("height", "heights", height, heightEnd, () => each("width", "widths", width, widthEnd, window)));
  };
});
