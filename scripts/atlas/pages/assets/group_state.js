/** What is chosen on the page of a group, and the address that says it. */

import { hashOf, told } from "./permalink.js";

export const VIEWS = ["map", "tree", "heatmap"];
const ORDERS = ["tree", "roster", "colour"];
const MOST_CHOSEN = 2;
const DIGITS = 6;
const ALL_VIEWS_FROM = 1500;

/** Component, measure, colour, filters, and the one or two chosen models. */
export class State {
  constructor(data) {
    this.data = data;
    this.forget();
  }

  /** Set all as it is when the page opens. */
  forget() {
    const { facts } = this.data;
    this.component = facts.start.component;
    this.measure = facts.start.measure;
    this.colour = facts.start.colour;
    this.order = ORDERS[0];
    this.views = new Set(window.innerWidth < ALL_VIEWS_FROM ? ["map", "heatmap"] : VIEWS);
    this.chosen = [];
    this.filters = new Map();
    this.search = "";
    this.toggled = new Set();
    this.cut = "auto";
    this.zoom = { map: null, heatmap: null };
  }

  get column() {
    return this.data.facts.columns[this.colour] ?? null;
  }

  /** Choose a model, or a second one beside it; one that is chosen is let go. */
  choose(model, isSecond = false) {
    if (this.chosen.includes(model)) this.chosen = this.chosen.filter((each) => each !== model);
    else if (isSecond && this.chosen.length) this.chosen = [this.chosen[0], model].slice(0, MOST_CHOSEN);
    else this.chosen = [model];
  }

  /** Put a value into or out of a filter. */
  filter(facet, code, isOn) {
    const codes = this.filters.get(facet) ?? new Set();
    if (isOn) codes.add(code);
    else codes.delete(code);
    if (codes.size) this.filters.set(facet, codes);
    else this.filters.delete(facet);
  }

  /** Return which models pass all filters: of one facet any of the values. */
  passing() {
    const { facets } = this.data.facts;
    const wanted = [...this.filters].map(([name, codes]) => [facets.find((f) => f.name === name), codes]);
    return this.data.ids.map((_, model) =>
      wanted.every(([facet, codes]) => facet.codes[model].some((code) => codes.has(code))));
  }

  /** Return the models that a search finds, by label, id or tag. */
  found() {
    const wanted = this.search.trim().toLowerCase();
    if (!wanted) return null;
    return new Set(this.data.facts.texts.flatMap((text, model) => (text.includes(wanted) ? [model] : [])));
  }

  /** Return the hash of the address; zooms are [factor, x, y] of what is in the middle. */
  address() {
    const { data } = this;
    const { facts } = data;
    const start = new State(data);
    const pairs = [];
    const say = (key, own, first, value) => own !== first && pairs.push([key, value]);
    say("component", this.component, start.component, facts.components[this.component].name);
    say("measure", this.measure, start.measure, facts.measures[this.measure].name);
    say("colour", this.colour, start.colour, this.column?.name ?? "");
    say("order", this.order, start.order, this.order);
    const views = [...this.views].join(",");
    say("views", views, [...start.views].join(","), views);
    if (this.chosen.length) pairs.push(["model", data.ids[this.chosen[0]]]);
    if (this.chosen.length > 1) pairs.push(["with", data.ids[this.chosen[1]]]);
    for (const [name, codes] of this.filters) {
      const { categories } = facts.facets.find((facet) => facet.name === name);
      pairs.push([`only.${name}`, JSON.stringify([...codes].sort((a, b) => a - b).map((code) => categories[code]))]);
    }
    if (this.search.trim()) pairs.push(["find", this.search]);
    say("cut", this.cut, start.cut, this.cut);
    if (this.toggled.size) pairs.push(["clades", [...this.toggled].sort((a, b) => a - b).join(".")]);
    for (const [view, zoom] of Object.entries(this.zoom)) {
      if (zoom) pairs.push([`zoom.${view}`, zoom.map((each) => Number(each.toPrecision(DIGITS))).join(",")]);
    }
    return hashOf(pairs);
  }

  /** Set all as an address's hash says. */
  follow(hash) {
    this.forget();
    const said = told(hash);
    const { data } = this;
    const { facts } = data;
    const named = (list, name, otherwise) => {
      const at = list.findIndex((each) => each.name === name);
      return at < 0 ? otherwise : at;
    };
    this.component = named(facts.components, said.get("component"), this.component);
    this.measure = named(facts.measures, said.get("measure"), this.measure);
    this.colour = said.get("colour") === "" ? -1 : named(facts.columns, said.get("colour"), this.colour);
    if (ORDERS.includes(said.get("order"))) this.order = said.get("order");
    const views = (said.get("views") ?? "").split(",").filter((view) => VIEWS.includes(view));
    if (views.length) this.views = new Set(views);
    this.chosen = [said.get("model"), said.get("with")].map((id) => data.place.get(id))
      .filter((model, at, all) => model !== undefined && all.indexOf(model) === at);
    for (const facet of facts.facets) {
      for (const name of listOf(said.get(`only.${facet.name}`))) {
        const code = facet.categories.indexOf(name);
        if (code >= 0) this.filter(facet.name, code, true);
      }
    }
    this.search = said.get("find") ?? "";
    if (["auto", "open", "closed"].includes(said.get("cut"))) this.cut = said.get("cut");
    for (const view of Object.keys(this.zoom)) this.zoom[view] = threeOf(said.get(`zoom.${view}`));
    this.toggled = new Set((said.get("clades") ?? "").split(".").filter(Boolean).map(Number).filter(Number.isInteger));
  }
}

function threeOf(text) {
  const values = (text ?? "").split(",").map(Number);
  return text && values.length === 3 && values.every(Number.isFinite) ? values : null;
}

function listOf(text) {
  try {
    const list = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch (error) {
    console.info("the address names no list", error.message);
    return [];
  }
}
