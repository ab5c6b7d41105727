/** What the page of a group knows: its models, and matrices that are unpacked when first asked for. */

import { IDENTICAL, NOT_COMPARED, Numbers, Scale, SHARED, ZERO } from "./decimals.js";
import { unpacked } from "./unpack.js";

const SHADES = 250;
const LOOK_MS = 5;
export const SHADE_NONE = 251;
export const SHADE_SAME = 252;
export const SHADE_ZERO = 253;
export const SHADE_SHARED = 254;

const SHADE_OF = { [NOT_COMPARED]: SHADE_NONE, [IDENTICAL]: SHADE_SAME, [ZERO]: SHADE_ZERO, [SHARED]: SHADE_SHARED };

/** Return where a place from 0 to 1 lies among the shades. */
export function shadeOf(place) {
  return Math.round(place * SHADES);
}

/** Return the place from 0 to 1 of a shade. */
export function placeOf(shade) {
  return shade / SHADES;
}

/** Where a pair lies in the upper triangle of a square with its diagonal. */
function corner(one, other, size) {
  const [low, high] = one < other ? [one, other] : [other, one];
  return low * size - (low * (low - 1)) / 2 + high - low;
}

/** One measure of one component between all models. */
export class Square {
  constructor(facts, arrays, sets, count) {
    this.sets = sets;
    this.count = count;
    this.numbers = new Numbers(facts.numbers, arrays);
    this.order = arrays.get(facts.order);
    this.scale = new Scale(facts.scale);
    this.map = facts.map && {
      ...facts.map, x: arrays.get(facts.map.x), y: arrays.get(facts.map.y), edges: arrays.get(facts.map.edges),
    };
    this.tree = facts.tree && {
      ...facts.tree, parent: arrays.get(facts.tree.parent), depth: arrays.get(facts.tree.depth),
      negative: arrays.get(facts.tree.negative), tip: arrays.get(facts.tree.tip),
    };
    this.shades = null;
  }

  at(one, other) {
    return corner(this.sets[one], this.sets[other], this.count);
  }

  code(one, other) {
    return this.numbers.code(this.at(one, other));
  }

  value(one, other) {
    return this.numbers.value(this.at(one, other));
  }

  text(one, other) {
    return this.numbers.text(this.at(one, other));
  }

  /** Return the shades of all pairs of sets, made once. */
  shaded() {
    if (this.shades === null) {
      const { numbers, scale } = this;
      this.shades = Uint8Array.from(numbers.digits, (_, at) => {
        const code = numbers.code(at);
        return code < 0 ? shadeOf(scale.place(numbers.value(at))) : SHADE_OF[code];
      });
    }
    return this.shades;
  }

  /** Return {model, at} of the nearest of some models to one, the nearest first. */
  nearest(model, among, most) {
    const found = [];
    for (const other of among) {
      if (other === model) continue;
      const value = this.value(model, other);
      if (!Number.isNaN(value)) found.push({ model: other, value, isSame: this.code(model, other) === IDENTICAL });
    }
    found.sort((a, b) => a.value - b.value || Number(b.isSame) - Number(a.isSame) || a.model - b.model);
    return found.slice(0, most);
  }
}

/** The parts of a component and how far each moved, for the pairs that the page tells of. */
class Blocks {
  constructor(facts, arrays) {
    this.parts = facts.parts;
    this.column = arrays.get(facts.column);
    this.numbers = new Numbers(facts.numbers, arrays);
    this.partial = arrays.get(facts.partial);
    this.scale = new Scale(facts.scale);
    this.byPart = new Map(facts.parts.map(([block, role], part) => [`${block}\n${role}`, part]));
    this.blocks = [...new Set(facts.parts.map(([block]) => block))];
    this.roles = [...new Set(facts.parts.map(([, role]) => role))];
  }

  /** Return where the number of a block and role lies, or -1. */
  at(pair, block, role) {
    const part = this.byPart.get(`${block}\n${role}`);
    return part === undefined ? -1 : this.column[pair] * this.parts.length + part;
  }
}

/** Return a promise that is kept when an element of the page has been read: large ones come last. */
function arrived(name) {
  return new Promise((resolve) => {
    const look = () => {
      const next = document.getElementById(name)?.nextSibling;
      if (next || document.readyState !== "loading") resolve();
      else setTimeout(look, LOOK_MS);
    };
    look();
  });
}

/** All that is known of a group. */
export class GroupData {
  constructor(facts, arrays) {
    this.facts = facts;
    this.arrays = arrays;
    this.ids = facts.ids;
    this.labels = facts.labels;
    this.size = facts.ids.length;
    this.place = new Map(facts.ids.map((id, model) => [id, model]));
    this.kept = new Map();
    this.shares = new Map(); // of parameters that were compared, by component
    this.told = facts.pairs?.is_all === false ? new Map() : null;
    if (this.told) {
      const [one, other] = [arrays.get(facts.pairs.one), arrays.get(facts.pairs.other)];
      one.forEach((model, pair) => this.told.set(model * this.size + other[pair], pair));
    }
  }

  /** Return a promise of what an element of the page holds, unpacked once. */
  part(name, make) {
    if (!this.kept.has(name)) {
      this.kept.set(name, arrived(name).then(() => unpacked(name)).then(({ facts, arrays }) => make(facts, arrays)));
    }
    return this.kept.get(name);
  }

  /** Return a promise of a square. */
  square(component, measure) {
    const { sets, count } = this.facts.components[component];
    return this.part(`square-${component}-${measure}`, (facts, arrays) =>
      new Square(facts, arrays, this.arrays.get(sets), count));
  }

  /** Return the share of parameters that a number rests on, as text, or "" where it is all. */
  coverage(component, one, other) {
    const { sets, count, coverage } = this.facts.components[component];
    if (!coverage) return "";
    const of = this.arrays.get(sets);
    if (!this.shares.has(component)) this.shares.set(component, new Numbers(coverage, this.arrays));
    const share = this.shares.get(component).value(corner(of[one], of[other], count));
    return share < 1 ? share : "";
  }

  /** Return the number of a pair among those that blocks and tensors are told of, or -1. */
  pairOf(one, other) {
    if (!this.facts.pairs || one === other) return -1;
    const [low, high] = one < other ? [one, other] : [other, one];
    if (this.told) return this.told.get(low * this.size + high) ?? -1;
    return low * this.size - (low * (low + 1)) / 2 + high - low - 1;
  }

  hasPart(name) {
    return this.facts.parts.includes(name);
  }

  /** Return a promise of a component's blocks, or of null. */
  async blocks(component) {
    const name = `blocks-${component}`;
    return this.hasPart(name) ? this.part(name, (facts, arrays) => new Blocks(facts, arrays)) : null;
  }

  /** Return a promise of the tensors of a pair that moved most, the farthest first. */
  async tensors(pair) {
    if (!this.hasPart("tensors") || pair < 0) return [];
    const held = await this.part("tensors", (facts, arrays) => ({
      names: facts.names, most: facts.most, name: arrays.get(facts.name),
      numbers: new Numbers(facts.numbers, arrays),
    }));
    const found = [];
    for (let at = pair * held.most; at < (pair + 1) * held.most && held.name[at] >= 0; at += 1) {
      const [name, component, block, role] = held.names[held.name[at]];
      found.push({ name, component, block, role, text: held.numbers.text(at), plain: held.numbers.plain(at) });
    }
    return found;
  }

  /** Return a promise of the histogram of a pair's tensors in a component. */
  async spread(component, pair) {
    if (!this.hasPart("spread") || pair < 0) return null;
    const held = await this.part("spread", (facts, arrays) => ({ ...facts, counts: arrays.get(facts.counts) }));
    const at = held.components.indexOf(component);
    if (at < 0) return null;
    const width = held.edges.length - 1 + held.beside.length;
    const start = (pair * held.components.length + at) * width;
    const counts = [...held.counts.subarray(start, start + width)];
    const beside = Object.fromEntries(held.beside.map((name, place) => [name, counts[place]]));
    return { edges: held.edges, beside, bins: counts.slice(held.beside.length) };
  }

  /** Return a promise of what is said of two models' components: [{component, verdict, what}]. */
  async identity(one, other) {
    if (!this.hasPart("identity")) return [];
    const held = await this.part("identity", (facts, arrays) => ({
      ...facts, verdict: arrays.get(facts.verdict), what: arrays.get(facts.what),
    }));
    const [low, high] = one < other ? [one, other] : [other, one];
    const pair = low * this.size - (low * (low + 1)) / 2 + high - low - 1;
    const pairs = (this.size * (this.size - 1)) / 2;
    const told = this.pairOf(one, other);
    const toldOf = held.what.length / held.components.length;
    return held.components.flatMap((component, at) => {
      const verdict = held.verdicts[held.verdict[at * pairs + pair]];
      if (!verdict) return [];
      const what = told < 0 ? "" : held.whats[held.what[at * toldOf + told]] ?? "";
      const [a, b] = this.ids[low] < this.ids[high] ? [low, high] : [high, low];
      const said = verdict.replace(/^only in ([ab])$/, (_, side) => `only in ${this.labels[side === "a" ? a : b]}`);
      return [{ component, verdict: said, what: what === verdict ? "" : what }];
    });
  }
}
