/** The page to ask what images cost: choose, and see cost, memory and a bound on time. */

import { answered, faultOf } from "./answers.js";
import { categoryColours, css } from "./colours.js";
import { button, dropDown, element } from "./elements.js";
import { bars, duration, GB, colourKey, rounded, table, teras } from "./explorer_charts.js";
import { Asked, GUIDANCES, MODES, SPLITS } from "./explorer_state.js";
import { keysDialog } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { Address } from "./permalink.js";
import { isDark, onChange, turn } from "./theme.js";
import { unpacked } from "./unpack.js";

const TITLES = { denoiser: "denoiser", text: "text encoders", vae: "decoder of the VAE" };
const SIZES = [[512, 512], [768, 768], [1024, 1024], [1344, 768], [1536, 1536], [2048, 2048]];
const KEYS_TOLD = [
  ["/", "search architectures"],
  ["n", "each one's own size, or one size for all"],
  ["[ and ]", "previous, next GPU"],
  ["m", "next way to hold the weights"],
  ["s", "split bars by part, or by kind of work"],
  ["0", "as at the beginning"],
  ["d", "dark or light"],
  ["Escape", "let go of the search"],
  ["?", "this list"],
];

class ExplorerPage {
  constructor(facts) {
    this.facts = facts;
    this.asked = new Asked(facts);
    this.fields = {};
    this.build();
    this.address = new Address(() => this.asked.address(), (hash) => {
      this.asked.follow(hash);
      this.show();
    });
    this.address.read();
    onChange(() => this.show());
  }

  build() {
    const { facts } = this;
    this.bar = element("div", { class: "toolbar", role: "group", "aria-label": "what is asked" });
    this.size();
    this.number("steps", "steps", "empty: each one's usual", 0);
    this.choice("prompt", "prompt", facts.prompts.map((name) => [name,
      name === "cap" ? "as long as the cap" : `${name} tokens`]));
    this.number("batch", "images at once", "a batch", 1);
    this.choice("guidance", "guidance", GUIDANCES);
    this.choice("precision", "dtype", [...facts.precisions.values()].map((each) => [each.name, each.label]));
    this.choice("device", "GPU", [...facts.devices.values()].map((each) => [each.name, each.label]));
    this.choice("mode", "weights", MODES);
    this.choice("caching", "caching", [["none", "none"], ...facts.caching.map((way) => [way.name, way.label])]);
    this.choice("split", "bars", SPLITS);
    this.help = keysDialog(KEYS_TOLD, "The address of this page holds all that you asked: keep or send it.");
    this.bar.append(
      button("☾", "Dark or light (d)", () => this.turned()), button("?", "Mouse and keys (?)", () => this.help.showModal()));
    this.search = element("input", {
      type: "search", placeholder: "search", "aria-label": "search architectures",
      on: { input: () => this.list() },
    });
    this.models = element("ul", { class: "models" });
    this.charts = element("div", { class: "charts" });
    this.below = element("div", { class: "below" });
    this.told = element("p", { class: "told", role: "status" });
    document.body.classList.add("explorer");
    document.body.append(
      element("header", { class: "head" }, element("h1", { text: facts.title }),
        element("p", { text: "Multiply-accumulates are exact, by formulas of the tokens that were checked. "
          + "Times are bounds: no GPU can be faster, and all are slower. Nothing is a prediction." })),
      this.bar,
      element("main", {},
        element("aside", {}, this.search, this.models),
        element("div", { class: "seen" }, this.told, this.charts, this.below)),
      this.help);
    listenToKeys(this.help, () => this.keys(), () => {
      this.search.value = "";
      this.list();
    });
  }

  size() {
    const options = [...SIZES.map(([w, h]) => `${w} × ${h}`), "each one's own", "another"];
    const list = dropDown("pixels", options, 2, (at) => {
      if (at < SIZES.length) {
        this.asked.set("size", "same");
        [this.asked.width, this.asked.height] = SIZES[at];
      } else if (at === SIZES.length) this.asked.set("size", "native");
      else this.asked.set("size", "same");
      this.changed();
    });
    this.bar.append(list.whole);
    this.sizes = list;
    this.number("width", "width", "pixels", 1);
    this.number("height", "height", "pixels", 1);
  }

  number(name, label, title, least) {
    const input = element("input", {
      type: "number", min: least, step: least === 1 && name !== "batch" ? 64 : 1, title, "aria-label": label,
      placeholder: least ? null : "usual",
      on: { change: () => {
        if (name === "width" || name === "height") this.asked.set("size", "same");
        this.asked.set(name, input.value);
        this.changed();
      } },
    });
    this.bar.append(element("label", { class: "control" }, element("span", { text: label }), input));
    this.fields[name] = () => (input.value = this.asked[name] || "");
  }

  choice(name, label, options) {
    const names = options.map(([each]) => each);
    const list = dropDown(label, options.map(([, text]) => text), 0, (at) => {
      this.asked.set(name, names[at]);
      this.changed();
    });
    this.bar.append(list.whole);
    this.fields[name] = () => list.show(names.indexOf(this.asked[name]));
  }

  keys() {
    const { asked } = this;
    const step = (name, by) => () => {
      const names = asked.choices[name];
      asked.set(name, names[(names.indexOf(asked[name]) + by + names.length) % names.length]);
      this.changed();
    };
    return {
      "/": () => this.search.focus(),
      n: step("size", 1), m: step("mode", 1), s: step("split", 1),
      "]": step("device", 1), "[": step("device", -1),
      0: () => { asked.reset(); this.changed(); },
      d: () => this.turned(),
      "?": () => this.help.showModal(),
    };
  }

  turned() {
    turn();
    this.show();
  }

  changed() {
    this.show();
    this.address.keep();
  }

  list() {
    const wanted = this.search.value.trim().toLowerCase();
    const chosen = new Set(this.asked.chosen);
    const fitting = this.facts.subjects.filter((subject) =>
      `${subject.label} ${subject.name}`.toLowerCase().includes(wanted));
    this.models.replaceChildren(...fitting.map((subject) => {
      const box = element("input", {
        type: "checkbox", on: { change: () => {
          this.asked.choose(subject.name, box.checked);
          this.changed();
        } },
      });
      box.checked = chosen.has(subject.name);
      return element("li", {}, element("label", { title: subject.name }, box,
        element("span", { text: subject.label })));
    }));
    if (!fitting.length) this.models.append(element("li", { class: "hint", text: "none is called so" }));
  }

  entries() {
    const { facts, asked } = this;
    const device = facts.devices.get(asked.device);
    return asked.chosen.map((name) => {
      const subject = facts.subjects.find((each) => each.name === name);
      const question = asked.question(subject);
      const fault = faultOf(subject, question.width, question.height);
      if (fault) return { subject, question, fault };
      const found = answered(facts, subject, question, device);
      const mode = MODES.find(([each]) => found.memory[each] <= device.bytes);
      return { subject, question, found, fits: mode ? mode[1] : "no", isBig: !mode };
    });
  }

  show() {
    const { facts, asked } = this;
    for (const field of Object.values(this.fields)) field();
    const at = SIZES.findIndex(([w, h]) => w === asked.width && h === asked.height);
    this.sizes.show(asked.size === "native" ? SIZES.length : at < 0 ? SIZES.length + 1 : at);
    this.list();
    const device = facts.devices.get(asked.device);
    const entries = this.entries();
    const names = asked.split === "part" ? facts.parts : facts.kinds;
    const { colours } = categoryColours(facts.look, names.length, isDark());
    const colour = new Map(names.map((name, place) => [name, css(colours[place])]));
    this.told.textContent = this.sentence(device);
    const base = ({ subject, fault }) => ({ label: subject.label, fault, pieces: [], told: "" });
    const split = (found) => names.map((name) => [TITLES[name] ?? name,
      teras(asked.split === "part"
        ? facts.kinds.reduce((sum, kind) => sum + found.macs[name][kind], 0n)
        : facts.parts.reduce((sum, part) => sum + found.macs[part][name], 0n)) / asked.batch,
      colour.get(name)]);
    const plain = css(colours[0]);
    const cost = entries.map((entry) => (entry.fault ? base(entry) : {
      label: entry.subject.label, pieces: split(entry.found), told: rounded(teras(entry.found.imageMacs)),
    }));
    const memory = entries.map((entry) => (entry.fault ? base(entry) : {
      label: entry.subject.label, told: rounded(entry.found.memory[asked.mode] / GB),
      pieces: [["bytes", entry.found.memory[asked.mode] / GB, plain]],
      isOver: entry.found.memory[asked.mode] > device.bytes,
    }));
    const time = entries.map((entry) => {
      if (entry.fault) return base(entry);
      const { found, subject } = entry;
      if (found.seconds === null) return { ...base(entry), fault: `${device.label} has no units for this dtype` };
      return {
        label: subject.label, told: duration(found.seconds), pieces: [["seconds", found.seconds, plain]],
      };
    });
    this.charts.replaceChildren(
      bars({ title: "Cost of an image, TMAC", note: "1 TMAC = 2 TFLOPs; where it goes by colour", rows: cost }),
      bars({
        title: "Memory, GB of 10⁹ bytes", rows: memory, line: { value: device.bytes / GB, label: device.label },
        note: `weights and the largest activations; line: ${device.label}, ${rounded(device.bytes / GB)} GB`,
      }),
      bars({ title: "Bound on the time of an image", note: `at least so long on ${device.label}`, rows: time }));
    this.charts.firstChild.append(colourKey(names.map((name) => [TITLES[name] ?? name, colour.get(name)])));
    this.below.replaceChildren(table(entries), this.formulas(entries), this.sources(device));
    document.body.dataset.ready = "";
  }

  sentence(device) {
    const { facts, asked } = this;
    const way = facts.caching.find((each) => each.name === asked.caching);
    const told = [asked.chosen.length ? "" : "Choose architectures on the left."];
    if (way) {
      told.push(`${way.label}: the denoiser's time if ${rounded(100 * way.work)} % of its work is left`
        + `${way.certain ? "" : " (not certain)"}; costs in MACs are without it.`);
    }
    if (!device.certain) told.push(`${device.label}: peaks worked out, not stated by a document.`);
    return told.filter(Boolean).join(" ");
  }

  formulas(entries) {
    const lists = entries.filter(({ subject }) => !subject.problem).map(({ subject }) => {
      const lines = subject.formulas.flatMap((formula) => [
        element("dt", { text: `${formula.class}, ${formula.call}` }),
        element("dd", {}, element("code", { text: formula.told }), element("span", { text: this.terms(formula) })),
      ]);
      return element("details", {}, element("summary", { text: subject.label }), element("dl", {}, ...lines));
    });
    return element("section", { class: "formulas" }, element("h2", { text: "Formulas" }),
      element("p", { class: "hint", text: "MACs of a forward of one image; n and t are tokens." }), ...lists);
  }

  terms(formula) {
    const padded = formula.padded.some((step) => step > 1)
      ? `, n and t padded to multiples of ${formula.padded.join(" and ")}` : "";
    const near = formula.memory ? `; memory: ${formula.memory}` : "";
    return `n: ${formula.variable}${padded}; checked at ${formula.checked.join("; ")}${near}`;
  }

  sources(device) {
    const { facts, asked } = this;
    const way = facts.caching.find((each) => each.name === asked.caching);
    const lines = [`${device.label}: ${device.source}.`, ...(way ? [`${way.label}: ${way.source}.`] : [])];
    return element("section", { class: "sources" }, element("h2", { text: "Sources" }),
      ...lines.map((text) => element("p", { text })),
      element("p", { text: "Time: layers and attention of each call take at least FLOPs ÷ peak and bytes ÷ "
        + "bandwidth, whichever is longer (roofline). Memory: guidance's forwards in one batch; the device's "
        + "context, some 300 to 500 MB, and losses of the allocator come on top." }));
  }
}

async function begin() {
  try {
    const { facts } = await unpacked("data");
    const byName = (list) => new Map(list.map((each) => [each.name, each]));
    const shown = new ExplorerPage({
      ...facts,
      precisionNames: facts.precisions.map((each) => each.name),
      deviceNames: facts.devices.map((each) => each.name),
      precisions: byName(facts.precisions), devices: byName(facts.devices),
    });
    window.explorer = Object.freeze({
      answers: () => shown.entries().map(({ subject, fault, found }) => ({
        name: subject.name, fault: fault ?? "",
        ...(found && {
          imageMacs: String(found.imageMacs), stepMacs: String(found.stepMacs), seconds: found.seconds,
          step: found.bounds.denoiser?.seconds ?? null, limit: found.limit, memory: found.memory,
        }),
      })),
      address: () => shown.asked.address(),
    });
  } catch (error) {
    const told = `This page can't be shown: ${error.message}. It needs a browser of 2023 or newer.`;
    document.body.append(element("p", { class: "broken", text: told }));
    throw error;
  }
}

begin();
