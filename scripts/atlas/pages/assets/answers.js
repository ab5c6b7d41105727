/** What an image costs, from formulas: exact in MACs (BigInt), bounds in time and memory. */

const GUIDED = 2;

/** Return why a model can't be asked about a size; empty where it can. */
export function faultOf(subject, width, height) {
  if (subject.problem) return `no formula: ${subject.problem}`;
  const { multiple, largest } = subject;
  if (!(width > 0 && height > 0) || width % multiple || height % multiple) {
    return `sides must be multiples of ${multiple} pixels`;
  }
  if (subject.isSquare && width !== height) return "sides must be equal";
  return Math.max(width, height) > largest ? `sides must be at most ${largest} pixels` : "";
}

function valueOf(polynomial, [image, text]) {
  if (!polynomial) return 0n;
  let sum = 0n;
  for (const [i, j, factor] of polynomial.terms) {
    sum += BigInt(factor) * BigInt(image) ** BigInt(i) * BigInt(text) ** BigInt(j);
  }
  return sum / BigInt(polynomial.below);
}

function paddedTo(formula, point) {
  return point.map((count, at) => Math.ceil(count / formula.padded[at]) * formula.padded[at]);
}

function quantityOf(formula, quantity, point, batch) {
  const padded = paddedTo(formula, point);
  return BigInt(batch) * valueOf(formula.image[quantity], padded)
    + valueOf(formula.shared[quantity], padded);
}

function tokensOf(subject, formula, width, height, text) {
  if (formula.part === "text") return [text.encoders[formula.component], 0];
  const columns = Math.floor(width / subject.downsampling);
  const rows = Math.floor(height / subject.downsampling);
  if (formula.part === "vae") return [columns * rows, 0];
  return [Math.floor(columns / subject.patch) * Math.floor(rows / subject.patch), text.denoiser];
}

function peakOf(formula, count, batch, isSingle) {
  const [padded] = paddedTo(formula, [count, 0]);
  let most = 0n;
  for (const [below, start, slope] of isSingle ? formula.single : formula.half) {
    const bytes = (BigInt(batch) * (BigInt(start) + BigInt(slope) * BigInt(padded))) / BigInt(below);
    if (bytes > most) most = bytes;
  }
  return Number(most);
}

/** Return {seconds, byArithmetic} of one call by the roofline; null where the GPU has no such units. */
function boundOf(formula, kinds, point, batch, precision, device) {
  const moved = quantityOf(formula, "layer elements", point, batch);
  const works = [
    [kinds.reduce((sum, [kind, count]) => (kind === "attention" ? sum : sum + count), 0n),
      Number(moved) * precision.activation + formula.weights * precision.weight, precision.layers],
    [kinds.find(([kind]) => kind === "attention")[1],
      Number(quantityOf(formula, "attention elements", point, batch)) * precision.activation,
      precision.attention],
  ];
  const bound = { seconds: 0, byArithmetic: 0 };
  for (const [macs, bytes, dtype] of works) {
    const rate = device.rates[dtype];
    if (rate === null) return null;
    const computing = (2 * Number(macs)) / rate;
    const moving = bytes / device.bandwidth;
    bound.seconds += Math.max(computing, moving);
    if (computing >= moving) bound.byArithmetic += computing;
  }
  return bound;
}

function added(one, other, factor = 1) {
  if (!one || !other) return null;
  return {
    seconds: one.seconds + factor * other.seconds,
    byArithmetic: one.byArithmetic + factor * other.byArithmetic,
  };
}

/**
 * Answer a question.
 *
 * @param {object} facts the page's: parts, kinds, modes, precisions by name
 * @param {object} subject an architecture without fault at this size
 * @param {object} question width, height, batch, prompt, steps (0: usual), guidance (null: own),
 *   precision, work
 * @param {object} device
 */
export function answered(facts, subject, question, device) {
  const { width, height, batch } = question;
  const text = subject.texts[question.prompt];
  const forwards = question.guidance === null ? subject.forwards : question.guidance ? GUIDED : 1;
  const steps = question.steps || subject.steps;
  const macs = {};
  const bounds = {};
  for (const part of facts.parts) {
    macs[part] = Object.fromEntries(facts.kinds.map((kind) => [kind, 0n]));
    bounds[part] = { seconds: 0, byArithmetic: 0 };
  }
  const weights = [];
  const largest = [];
  const peaks = [];
  for (const formula of subject.formulas) {
    const { part } = formula;
    const point = tokensOf(subject, formula, width, height, text);
    const runs = { denoiser: steps * forwards, text: forwards, vae: 1 }[part];
    for (const kind of facts.kinds) {
      macs[part][kind] += BigInt(runs) * quantityOf(formula, kind, point, batch);
    }
    const isUpcast = part === "vae" && subject.upcasts && question.precision === "f16";
    const precision = facts.precisions.get(isUpcast ? "f32" : question.precision);
    const atOnce = part === "denoiser" && subject.inCalls ? 1 : forwards;
    const images = batch * (part === "vae" ? 1 : atOnce);
    const kinds = facts.kinds.map((kind) => [kind, quantityOf(formula, kind, point, images)]);
    const one = boundOf(formula, kinds, point, images, precision, device);
    bounds[part] = added(bounds[part], one, part === "denoiser" ? forwards / atOnce : 1);
    const buffers = formula.buffers * precision.activation;
    weights.push(formula.parameters * precision.weight + buffers);
    largest.push(formula.largest * precision.weight + buffers);
    peaks.push(peakOf(formula, point[0], images, precision.activation === 4));
  }
  const none = { seconds: 0, byArithmetic: 0 };
  let whole = added(none, bounds.denoiser, steps * question.work);
  for (const part of ["text", "vae"]) whole = added(whole, bounds[part]);
  const total = facts.parts.reduce(
    (sum, part) => facts.kinds.reduce((own, kind) => own + macs[part][kind], sum), 0n);
  const denoising = facts.kinds.reduce((sum, kind) => sum + macs.denoiser[kind], 0n);
  const sums = (bytes) => Math.max(...bytes.map((own, at) => own + peaks[at]));
  return {
    steps, forwards, macs, bounds,
    textTokens: text.denoiser,
    imageMacs: total / BigInt(batch),
    stepMacs: denoising / BigInt(steps),
    seconds: whole && whole.seconds / batch,
    limit: whole && (2 * whole.byArithmetic >= whole.seconds ? "arithmetic" : "bandwidth"),
    memory: {
      resident: weights.reduce((sum, own) => sum + own, 0) + Math.max(...peaks),
      by_component: sums(weights),
      by_layer: sums(largest),
    },
  };
}
