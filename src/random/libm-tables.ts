/**
 * The tables of glibc's log, exp, sin, cos, tan and logf, worked out from their definitions at first use, with 128 bits
 * after the point. Stored are only the points that glibc's authors found by a search.
 */
const POINT = 128n;
const ONE = 1n << POINT;

/** The number `x`, a multiple of 2^-100, in fixed point. */
const fixed = (x: number): bigint => BigInt(x * 2 ** 100) << (POINT - 100n);
/** The float64 nearest to a number in fixed point. */
const nearest = (v: bigint): number => Number(v) * 2 ** -128;
const times = (a: bigint, b: bigint): bigint => (a * b) >> POINT;
const over = (a: bigint, b: bigint): bigint => (a << POINT) / b;

/** sin x and cos x by Taylor's series. */
function sinCos(x: bigint): [sin: bigint, cos: bigint] {
  let sin = 0n;
  let cos = 0n;
  let term = ONE;
  for (let n = 1n; term !== 0n; n += 2n) {
    cos += term;
    term = times(term, x) / n;
    sin += term;
    term = -times(term, x) / (n + 1n);
  }
  return [sin, cos];
}

/** log x = 2 artanh((x - 1) / (x + 1)) by its series. */
function logarithm(x: bigint): bigint {
  const ratio = over(x - ONE, x + ONE);
  const square = times(ratio, ratio);
  let sum = 0n;
  let power = 2n * ratio;
  for (let n = 1n; n < 200n; n += 2n) {
    sum += power / n;
    power = times(power, square);
  }
  return sum;
}

/** The square root by Newton's iteration. */
function squareRoot(x: bigint): bigint {
  let root = x;
  for (let next = (root + over(x, root)) / 2n; next < root; next = (root + over(x, root)) / 2n) root = next;
  return root;
}

/** The float64 that lies `steps` float64 values above `x`. */
function stepped(x: number, steps: number): number {
  const value = Float64Array.of(x);
  const bits = new BigInt64Array(value.buffer);
  bits[0] = bits[0]! + BigInt(steps);
  return value[0]!;
}

/** A table of `rows` rows, filled when it is first asked for. */
function lazy(rows: number, row: (i: number) => number[]): () => Float64Array {
  let table: Float64Array | undefined;
  return () => (table ??= Float64Array.from(Array.from({ length: rows }, (_, i) => row(i)).flat()));
}

/** The float64 nearest to a number in fixed point, and what it lacks. */
function headAndRest(exact: bigint): [head: number, rest: number] {
  const head = nearest(exact);
  return [head, nearest(exact - fixed(head))];
}

/** For k = 0..109: sin(k/128), what it lacks, cos(k/128), what it lacks. */
export const sinCosTable = lazy(110, (k) => sinCos(fixed(k / 128)).flatMap(headAndRest));

/** For k = 0..127: what 2^(k/128) lacks as a float64, relatively, and 2^(k/128). */
export const expTable = lazy(128, (k) => {
  let exact = 2n * ONE;
  let power = ONE;
  for (let bit = 64; bit >= 1; bit /= 2) {
    exact = squareRoot(exact);
    if ((k & bit) !== 0) power = times(power, exact);
  }
  const [head, rest] = headAndRest(power);
  return [rest / head, head];
});

/** For each of the 128 pieces of [0.6875, 1.375): 1/c for a c near its middle, and log c to 43 bits after the point. */
export const logTable = lazy(128, (i) => {
  const middle = (stepped(0.6875, i * 2 ** 45) + stepped(0.6875, (i + 1) * 2 ** 45)) / 2;
  const inverse = stepped(1 / middle, LOG_STEPS[i]!);
  return [inverse, -Math.round(nearest(logarithm(fixed(inverse))) * 2 ** 43) * 2 ** -43];
});

/** For i = 0..185: an x near (i + 16) / 256, tan x and cot x. */
export const tanTable = lazy(186, (i) => {
  const x = stepped((i + 16) / 256, TAN_STEPS[i]!);
  const [sin, cos] = sinCos(fixed(x));
  return [x, nearest(over(sin, cos)), nearest(over(cos, sin))];
});

/** For each of logf's 16 pieces: 1/c for a c near its middle, and log c. */
export const logfTable = lazy(16, (i) => [LOGF_INVERSES[i]!, nearest(-logarithm(fixed(LOGF_INVERSES[i]!)))]);

/** How many float64 values each 1/c of log lies above 1 / middle (glibc 2.28, sysdeps/ieee754/dbl-64/e_log_data.c). */
const LOG_STEPS = [
  -23142382, -57643754, -234334839, -124664804, 19045012, -123323398, -501163255, 342479926, -234593306, 57421184,
  513617488, -240891478, 85169741, 28659150, 284053799, 342563057, -68420459, -346144712, -90113766, -464022980,
  285342708, -489548825, 376054848, 47397812, -423637851, -260988534, 336107021, 448241578, 154177355, 447893384,
  241227555, -420636714, -218426730, -96876684, -205835218, -368178198, -345128710, -510284502, 481763731, 209336112,
  429336310, 15489329, 442353177, -417834330, 73183371, 515232680, 507984536, 83787275, 330409952, 151596684,
  377744204, 198302857, 214798271, -345957716, 356163107, 215510022, -229897960, -131709726, 215213618, -464519207,
  -332821996, 385780520, -400344786, 256208139, 478356527, 345720337, 128466877, 217515751, -162048343, 295127580,
  -235892775, -69369347, 93666841, -272860130, 91915174, 29018059, 258893229, 386009280, -241633007, 68399381,
  386341370, 408940642, 65060217, -120872168, 189498853, -32395328, -49955913, 154042178, -346113480, 148348366,
  -396488327, -427431396, 107119491, -500798201, 212184347, 305888811, -330297730, -91422864, 6707636, 273897542,
  -512931067, -500150233, 485589437, -280752730, 106848032, 30953893, -291342514, -408884927, 149302919, -107851081,
  225432558, 460497078, -452391632, -490679353, 508304210, 493208081, 336502878, 526975298, -457361038, -312310462,
  -365194252, -421357131, 362015322, 310793228, -441535439, -69145545, -528727990, 433364383,
];

/** How many float64 values each x of tan lies above (i + 16) / 256 (glibc, sysdeps/ieee754/dbl-64/utan.tbl). */
const TAN_STEPS = [
  508665184, 454717456, 621142864, -52673966, -469793633, -305571569, 15631351, -351933887, -603646473, -477833301,
  -461167801, 658850019, -21025125, 592613445, -663574487, -13485180, 216502677, -297735912, 213946877, 228144801,
  -312528504, 99641937, -29543522, -309818001, 46793997, -229433508, 326584722, -304231635, -199669344, -130755679,
  -40827158, 258251343, -284771368, 35414836, -208861354, 273611937, 155286320, -350477332, -82371565, 179979454,
  289221182, -190971698, 100012459, 343297259, 347925110, -42363459, 214127670, 30530099, 101454770, 59266194,
  86989331, 45751029, -144293183, 53871344, -16967149, -149408163, -16769536, -29205910, 94290395, 905345, -65155797,
  -155134816, 112289683, 120950691, -63235889, 905896, -72075501, -82756620, -135231543, 143341588, -137012890,
  146744464, 167413055, 123297738, 51808218, -171388958, -132255183, -93243298, 38444075, 48980664, 88756945,
  -113639261, -69430847, -154003994, 49755375, 82770100, 69125994, 134499911, 33039195, -74682616, -79862815,
  -168534968, 84456268, 176451852, -158144040, 42004813, 1122769, -17407318, 159668248, -83586113, -44919265,
  -31254108, -95558250, -26043799, 165046274, -81717673, 171902602, 28160096, -10744575, -113418292, -99757681,
  -46489830, -62385152, -11306900, -18677321, 7222975, -43996605, 58155752, -14915295, -16313013, 50126244, 30282048,
  80802645, 16452746, 40833203, -49710856, -40598517, -69591391, -57109197, 19631398, 83154607, -54494246, 70096441,
  62794144, -89579758, -24622959, -24701653, -4085983, -9395342, 70707254, -54618559, -4794678, 76763116, 66441087,
  86510297, 77527909, 3525814, 53765911, 50341237, 89912193, 80613603, 23879905, -6918390, 7792363, 64040251,
  -51905907, 53589098, -65764210, -75705451, 904256, 49271548, -21493622, 15976966, -23149836, 64239974, -88705149,
  -55156855, -61470295, -61935738, 5085363, -65712011, 77120003, -14789066, 36099162, 38839722, 75692078, 33882174,
  -67529711, 38331299, 21348695, 36057529, 73365544, -3766577, -41532218, -28411593, 70591775,
];

/** 1/c of logf (glibc 2.27, sysdeps/ieee754/flt-32/e_logf_data.c). */
const LOGF_INVERSES = [
  1.398907162146528, 1.3403141896637998, 1.286432210124115, 1.2367150214269895, 1.1906977166711752,
  1.1479821020556429, 1.1082251448272158, 1.0711297413057381, 1.036437278977283, 1.0, 0.9492859795739057,
  0.8951049428609004, 0.8476821620351103, 0.8050314851692001, 0.7664671008843108, 0.731428603316328,
];
