/** What is asked on the page to ask, as the address says it. */

import { hashOf, told } from "./permalink.js";

export const GUIDANCES = [["own", "each one's own way"], ["one", "one forward a step"], ["two", "two forwards a step"]];
export const MODES = [
  ["resident", "all weights on the GPU"],
  ["by_component", "one component at a time"],
  ["by_layer", "one layer at a time"],
];
export const SPLITS = [["part", "by part of the pipeline"], ["kind", "by kind of work"]];
const MOST = { width: 16384, height: 16384, steps: 1000, batch: 64 };

/** The question, checked: what an address says that can't be is left as it was. */
export class Asked {
  constructor(facts) {
    this.facts = facts;
    this.choices = {
      prompt: facts.prompts,
      guidance: GUIDANCES.map(([name]) => name),
      precision: facts.precisionNames,
      device: facts.deviceNames,
      caching: ["none", ...facts.caching.map((way) => way.name)],
      mode: MODES.map(([name]) => name),
      split: SPLITS.map(([name]) => name),
      size: ["same", "native"],
    };
    this.reset();
  }

  reset() {
    const { start } = this.facts;
    Object.assign(this, {
      chosen: [...start.chosen], size: "same", width: 1024, height: 1024, steps: 0, prompt: "cap",
      batch: 1, guidance: "own", precision: "bf16", device: start.device, caching: "none",
      mode: "resident", split: "part",
    });
  }

  /** Set one thing; return whether that can be. */
  set(name, value) {
    if (name in this.choices) {
      if (!this.choices[name].includes(value)) return false;
      this[name] = value;
      return true;
    }
    const number = Number(value);
    const least = name === "steps" ? 0 : 1;
    if (!Number.isInteger(number) || number < least || number > MOST[name]) return false;
    this[name] = number;
    return true;
  }

  choose(name, isOn) {
    const kept = this.chosen.filter((each) => each !== name);
    const order = this.facts.subjects.map((subject) => subject.name);
    this.chosen = (isOn ? [...kept, name] : kept).sort((a, b) => order.indexOf(a) - order.indexOf(b));
  }

  address() {
    const names = ["size", "width", "height", "steps", "prompt", "batch", "guidance", "precision",
      "device", "caching", "mode", "split"];
    return hashOf([["of", this.chosen.join(" ")], ...names.map((name) => [name, String(this[name])])]);
  }

  follow(hash) {
    this.reset();
    for (const [name, value] of told(hash)) {
      if (name === "of") {
        const wanted = new Set(value.split(" "));
        this.chosen = this.facts.subjects.map((each) => each.name).filter((each) => wanted.has(each));
      } else if (name in this.choices || name in MOST) this.set(name, value);
    }
  }

  /** Return the question for one architecture. */
  question(subject) {
    const [width, height] = this.size === "native" ? subject.native : [this.width, this.height];
    const way = this.facts.caching.find((each) => each.name === this.caching);
    return {
      width, height, batch: this.batch, prompt: this.prompt, steps: this.steps,
      guidance: this.guidance === "own" ? null : this.guidance === "two",
      precision: this.precision, work: way ? way.work : 1,
    };
  }
}
