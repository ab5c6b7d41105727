/** The page of a group: list, views and cards, kept in step with what is chosen. */

import { significant } from "./decimals.js";
import { button, dropDown, element } from "./elements.js";
import { GroupData } from "./group_data.js";
import { groupCard } from "./group_card.js";
import { State, VIEWS } from "./group_state.js";
import { HeatView } from "./heat_view.js";
import { keysDialog } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { modelCard } from "./model_card.js";
import { ModelList } from "./model_list.js";
import { pairCard } from "./pair_card.js";
import { Address } from "./permalink.js";
import { PointsView } from "./points_view.js";
import { forgetInks, modelColours } from "./shading.js";
import { isDark, onChange, turn } from "./theme.js";
import { TreeView } from "./tree_view.js";
import { unpacked } from "./unpack.js";

const TIP_GAP = 14;
const ORDER_TITLES = { tree: "by likeness", roster: "as in roster", colour: "by colour" };
const KEYS = [
  ["put the cursor on a model", "it lights up in all views"],
  ["click", "choose a model: its card"],
  ["Shift and click, a cell of the heatmap", "compare two models"],
  ["wheel, + and −", "come closer, go back"],
  ["drag", "move"],
  ["0", "see everything"],
  ["click on a fork of the tree", "collapse or open a clade"],
  ["1, 2, 3", "map, tree, heatmap: show or hide"],
  ["[ and ]", "previous, next component"],
  ["m", "next measure"],
  ["c", "colour by the next column"],
  ["n, p", "next, previous of the nearest to the chosen model"],
  ["x", "two models change places"],
  ["/", "search; Enter chooses the first that was found"],
  ["d", "dark or light"],
  ["Escape", "let go of a model, the search, the filters"],
  ["?", "this list"],
];

class AtlasPage {
  constructor(data) {
    this.data = data;
    this.state = new State(data);
    this.litModels = [];
    this.litCell = null;
    this.build();
    this.address = new Address(() => this.state.address(), (hash) => {
      this.state.follow(hash);
      this.ready = this.changed({ ...this.state.zoom });
    });
    this.watch();
    this.address.read();
  }

  build() {
    const { data, state } = this;
    const { facts } = data;
    const acts = {
      light: (models, cell = null, at = null, from = "view") => this.light(models, cell, at, from),
      lit: () => ({ models: this.litModels, cell: this.litCell }),
      choose: (model, isSecond) => this.choose(model, isSecond),
      pair: (one, other) => this.pair(one, other),
      only: (model) => this.set([model]),
      swap: () => this.set([...state.chosen].reverse()),
      letGo: () => this.set([]),
      changed: () => this.changed(),
      show: (component) => this.turnTo({ component }),
      zoomed: (view, zoom) => {
        state.zoom[view] = zoom;
        this.address.keep();
      },
      number: (value) => significant(value),
      percent: (share) => `${significant(100 * share)} %`,
      measureTitle: () => this.where(),
    };
    this.acts = acts;
    this.list = new ModelList(data, state, { ...acts, light: (models) => this.light(models, null, null, "list") });
    this.views = {
      map: new PointsView(data, state, acts), tree: new TreeView(data, state, acts), heatmap: new HeatView(data, state, acts),
    };
    const titles = (list) => list.map(({ title }) => title);
    this.component = dropDown("component", titles(facts.components), 0, (at) => this.turnTo({ component: at }));
    this.measure = dropDown("measure", titles(facts.measures), 0, (at) => this.turnTo({ measure: at }));
    this.colour = dropDown("colour", ["nothing", ...titles(facts.columns)], 0, (at) => this.turnTo({ colour: at - 1 }));
    this.order = dropDown("order", Object.values(ORDER_TITLES), 0, (at) => this.turnTo({ order: Object.keys(ORDER_TITLES)[at] }));
    this.switches = new Map(VIEWS.map((view, at) => [view, element("button", {
      type: "button", class: "tool", text: view, title: `Show or hide the ${view} (${at + 1})`, on: { click: () => this.flip(view) },
    })]));
    this.help = keysDialog(KEYS, "The address of this page holds all that you chose: keep or send it.");
    this.key = element("div", { class: "colour-key" });
    this.tip = element("div", { class: "card", hidden: true, role: "status" });
    this.side = element("aside", { "aria-label": "what is chosen" });
    this.middle = element("div", { class: "views" }, ...VIEWS.map((view) => this.views[view].whole));
    document.body.append(
      element("header", { class: "head" }, element("h1", { text: facts.title }), element("p", { text: facts.subtitle })),
      element("div", { class: "toolbar", role: "toolbar", "aria-label": "controls" },
        this.component.whole, this.measure.whole, this.colour.whole,
        element("span", { class: "switches", role: "group", "aria-label": "views" }, ...this.switches.values()),
        this.order.whole,
        button("Whole", "See everything (0)", () => this.whole()),
        button("◐", "Dark or light (d)", () => this.turnTheme()),
        button("?", "Mouse and keys (?)", () => this.help.showModal())),
      element("main", { class: "atlas" }, this.list.whole, element("div", { class: "middle" }, this.key, this.middle), this.side),
      this.tip, this.help,
    );
  }

  watch() {
    new ResizeObserver(() => this.resize()).observe(this.middle);
    window.addEventListener("scroll", () => this.measureViews(), { passive: true });
    listenToKeys(this.help, () => this.keys(), () => this.escape());
    onChange(() => this.changed());
  }

  where() {
    const { facts } = this.data;
    return `${facts.components[this.state.component].title}, ${facts.measures[this.state.measure].title}`;
  }

  turnTo(change) {
    Object.assign(this.state, change);
    if ("component" in change) this.state.toggled.clear();
    this.changed();
  }

  flip(view) {
    const { views } = this.state;
    if (!views.delete(view)) views.add(view);
    if (!views.size) views.add(view);
    this.changed();
  }

  /**
   * Bring everything in step after a choice.
   *
   * @param {?object} zoom how close views come, where an address says it
   */
  async changed(zoom = null) {
    const { data, state } = this;
    const asked = (this.asked = (this.asked ?? 0) + 1);
    this.square = await data.square(state.component, state.measure);
    if (asked !== this.asked) return; // another choice came meanwhile
    const dark = isDark();
    forgetInks();
    this.passes = state.passing();
    this.passing = this.passes.flatMap((passes, model) => (passes ? [model] : []));
    this.colours = modelColours(state.column, data.size, data.facts.look, dark);
    this.component.show(state.component);
    this.measure.show(state.measure);
    this.colour.show(state.colour + 1);
    this.order.show(Object.keys(ORDER_TITLES).indexOf(state.order));
    for (const [view, press] of this.switches) {
      press.setAttribute("aria-pressed", String(state.views.has(view)));
      this.views[view].whole.hidden = !state.views.has(view);
    }
    this.order.whole.hidden = !state.views.has("heatmap");
    this.middle.dataset.count = state.views.size;
    this.list.show(this.passes, this.colours);
    this.showKey(dark);
    if (state.views.has("map")) this.views.map.show(this.square, this.passes, this.colours);
    if (state.views.has("tree")) this.views.tree.show(this.square, this.passes, this.colours);
    if (state.views.has("heatmap")) this.views.heatmap.show(this.square, this.inOrder(), dark);
    if (zoom) for (const view of Object.keys(zoom)) this.views[view].take(zoom[view]);
    if (zoom) state.zoom = zoom;
    this.measureViews();
    document.body.dataset.painted ??= String(Math.round(performance.now()));
    await this.showSide(dark);
    this.address.keep();
  }

  /** Return the models that pass in the heatmap's order. */
  inOrder() {
    const { state } = this;
    const byTree = [...this.square.order].filter((model) => this.passes[model]);
    if (state.order === "roster") return [...byTree].sort((one, other) => one - other);
    if (state.order === "colour" && state.column) {
      const { values } = state.column;
      const rank = (model) => (values[model] < 0 ? Infinity : values[model]);
      return [...byTree].sort((one, other) => rank(one) - rank(other) || 0);
    }
    return byTree;
  }

  showKey(dark) {
    const { column } = this.state;
    const { look } = this.data.facts;
    this.key.replaceChildren();
    if (!column || column.kind === "model") return;
    const entry = (colour, text, code) => {
      const dot = element("i", { class: "dot", "aria-hidden": "true" });
      dot.style.backgroundColor = colour;
      const facet = this.data.facts.facets.find(({ name }) => name === column.name);
      if (!facet || code === null) return element("span", {}, dot, text);
      return element("button", {
        type: "button", title: "Only these; again: all", on: { click: () => this.onlyClass(facet, text) },
      }, dot, text);
    };
    if (column.kind === "order") {
      const colours = modelColours(column, this.data.size, look, dark);
      const [first, ...rest] = this.data.facts.order;
      this.key.append(element("span", { text: `${column.title}:` }), entry(colours[first], "first", null), entry(colours[rest[rest.length - 1]], "last", null));
      return;
    }
    const seen = new Map();
    column.values.forEach((code, model) => seen.set(code, this.colours[model]));
    const codes = [...seen.keys()].sort((a, b) => (a < 0) - (b < 0) || a - b);
    this.key.append(element("span", { text: `${column.title}:` }), ...codes.map((code) =>
      entry(seen.get(code), code < 0 ? column.lacking : column.categories[code], code < 0 ? null : code)));
  }

  onlyClass(facet, text) {
    const code = facet.categories.indexOf(text);
    const { filters } = this.state;
    const isOn = filters.get(facet.name)?.has(code);
    filters.delete(facet.name);
    if (!isOn) this.state.filter(facet.name, code, true);
    this.changed();
  }

  async showSide(dark = isDark()) {
    const { data, state, square, acts, passing } = this;
    const { look } = data.facts;
    const asked = (this.askedSide = (this.askedSide ?? 0) + 1);
    const [one, other] = state.chosen;
    const given = { data, component: state.component, acts, look, isDark: dark };
    let made;
    if (other !== undefined) made = await pairCard({ ...given, one, other });
    else if (one !== undefined) made = modelCard({ data, square, model: one, passing, acts, where: this.where() });
    else made = await groupCard(given);
    if (asked !== this.askedSide) return;
    const isSame = this.side.dataset.shown === state.chosen.join(" ");
    const { scrollTop } = this.side;
    this.side.replaceChildren(made);
    this.side.dataset.shown = state.chosen.join(" ");
    this.side.scrollTop = isSame ? scrollTop : 0;
    document.body.dataset.settled = String((this.settled = (this.settled ?? 0) + 1)); // all is in step
  }

  choose(model, isSecond = false) {
    this.state.choose(model, isSecond);
    this.afterChoice();
  }

  pair(one, other) {
    this.set([one, other]);
  }

  set(models) {
    this.state.chosen = models;
    this.afterChoice();
  }

  afterChoice() {
    this.list.show(this.passes, this.colours);
    this.drawSeen();
    const [first] = this.state.chosen;
    if (first !== undefined) {
      if (this.state.views.has("map")) this.views.map.reveal(first);
      if (this.state.views.has("tree")) this.views.tree.reveal(first);
    }
    this.showSide();
    this.address.keep();
  }

  drawSeen() {
    for (const view of VIEWS) if (this.state.views.has(view)) this.views[view].draw();
  }

  /** Light models in all views; a cell is a pair of the heatmap, `at` a pixel of the view under the cursor. */
  light(models, cell = null, at = null, from = "view") {
    const isSame = models.length === this.litModels.length && models.every((model, place) => model === this.litModels[place])
      && String(cell) === String(this.litCell);
    if (isSame) return;
    this.litModels = models;
    this.litCell = cell && cell[0] !== cell[1] ? cell : null;
    this.showTip(models, this.litCell, at, from);
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.list.light(this.litModels, from);
      if (this.state.views.has("map")) this.views.map.drawAbove();
      if (this.state.views.has("tree")) this.views.tree.drawAbove();
      if (this.state.views.has("heatmap")) this.views.heatmap.drawAbove();
    });
  }

  showTip(models, cell, at, from) {
    if (!models.length || at === null || from === "list") {
      this.tip.hidden = true;
      return;
    }
    const { data, square, state } = this;
    const lines = models.slice(0, 6).map((model) => element("p", { class: "id", text: data.labels[model] }));
    if (models.length > 6) lines.push(element("p", { text: `and ${models.length - 6} more` }));
    if (cell) {
      const share = data.coverage(state.component, ...cell);
      lines.push(element("p", { class: "value", text: square.text(...cell) }), element("p", { class: "hint", text: this.where() }));
      if (share !== "") lines.push(element("p", { class: "hint", text: `compared on ${significant(100 * share)} % of the parameters` }));
    }
    this.tip.replaceChildren(...lines);
    this.tip.hidden = false;
    this.placeTip(this.views[from], at);
  }

  /** Put the tip beside the cursor, on the side where there is more room; nothing is measured. */
  placeTip(view, [x, y]) {
    const { left, top } = view.corner;
    const [px, py] = [left + x, top + y];
    const isRight = px > this.window.width * 0.6;
    const isLow = py > this.window.height * 0.6;
    const { style } = this.tip;
    style.left = isRight ? "" : `${px + TIP_GAP}px`;
    style.right = isRight ? `${this.window.width - px + TIP_GAP}px` : "";
    style.top = isLow ? "" : `${py + TIP_GAP}px`;
    style.bottom = isLow ? `${this.window.height - py + TIP_GAP}px` : "";
  }

  /** Measure where views are, which is slow: not while the cursor moves. */
  measureViews() {
    this.window = { width: window.innerWidth, height: window.innerHeight };
    for (const view of VIEWS) this.views[view].corner = this.views[view].area.getBoundingClientRect();
  }

  resize() {
    for (const view of VIEWS) if (this.state.views.has(view)) this.views[view].resize();
    this.measureViews();
  }

  whole() {
    this.views.map.reset();
    this.views.heatmap.reset();
  }

  turnTheme() {
    turn();
    this.changed();
  }

  keys() {
    const { state } = this;
    const { components, measures, columns } = this.data.facts;
    const step = (by) => this.turnTo({ component: (state.component + by + components.length) % components.length });
    const zoom = (factor) => {
      this.views.map.approach(factor);
      this.views.heatmap.approach(factor);
    };
    return {
      1: () => this.flip(VIEWS[0]), 2: () => this.flip(VIEWS[1]), 3: () => this.flip(VIEWS[2]),
      "[": () => step(-1), "]": () => step(1), m: () => this.turnTo({ measure: (state.measure + 1) % measures.length }),
      c: () => this.turnTo({ colour: state.colour + 1 < columns.length ? state.colour + 1 : -1 }),
      n: () => this.toNeighbour(1), p: () => this.toNeighbour(-1),
      x: () => state.chosen.length > 1 && this.set([...state.chosen].reverse()),
      "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: () => this.whole(),
      "/": () => this.list.search.focus(), d: () => this.turnTheme(), "?": () => this.help.showModal(),
    };
  }

  /** Compare the chosen model with the next of its nearest. */
  toNeighbour(step) {
    const [one, other] = this.state.chosen;
    if (one === undefined) return;
    const near = this.square.nearest(one, this.passing, this.data.size).map(({ model }) => model);
    if (!near.length) return;
    const at = near.indexOf(other);
    this.pair(one, near[(at < 0 ? (step > 0 ? 0 : near.length - 1) : at + step + near.length) % near.length]);
  }

  /** Let go of one thing: the second model, the model, the search, the filters. */
  escape() {
    const { state } = this;
    if (state.chosen.length) this.set(state.chosen.slice(0, -1));
    else if (state.search) {
      state.search = "";
      this.list.search.value = "";
      this.changed();
    } else if (state.filters.size) {
      state.filters.clear();
      this.changed();
    }
  }

}

async function begin() {
  try {
    const { facts, arrays } = await unpacked("data");
    const data = new GroupData(facts, arrays);
    const shown = new AtlasPage(data);
    await shown.ready;
    const model = (id) => data.place.get(id);
    window.atlas = Object.freeze({
      lit: () => shown.litModels.map((each) => data.ids[each]),
      litIn: () => ({ models: shown.litModels.map((each) => data.ids[each]), cell: shown.litCell?.map((each) => data.ids[each]) ?? null }),
      chosen: () => shown.state.chosen.map((each) => data.ids[each]),
      passing: () => shown.passing.map((each) => data.ids[each]),
      text: (one, other) => shown.square.text(model(one), model(other)),
      map: (id) => shown.views.map.screen(model(id)),
      tree: (id) => shown.views.tree.screen(model(id)),
      heatmap: (one, other) => shown.views.heatmap.screen(model(one), model(other)),
      zoomTo: (one, other) => shown.views.heatmap.zoomTo(model(one), model(other)),
      rows: () => shown.views.tree.rows.map((row) => (row.model === undefined ? row.count : data.ids[row.model])),
      order: () => shown.views.heatmap.order.map((each) => data.ids[each]),
    });
    document.body.dataset.ready = "";
  } catch (error) {
    const told = `This page can't be shown: ${error.message}. It needs a browser of 2023 or newer.`;
    document.body.append(element("p", { class: "broken", text: told }));
    throw error;
  }
}

begin();
