/** The list of models at the left: search, filters, and a row for each. */

import { element } from "./elements.js";

const HEALTH = [
  { sign: "", said: "" },
  { sign: "•", said: "there is something to know of it" },
  { sign: "!", said: "it could not be read, or not all of it" },
];
const FEW_VALUES = 12;
const REST_MS = 120; // what the cursor passes over moves nothing

export class ModelList {
  /** @param {object} acts light(models), choose(model, isSecond), changed() */
  constructor(data, state, acts) {
    this.data = data;
    this.state = state;
    this.acts = acts;
    this.search = element("input", {
      type: "search", placeholder: "search label, id, tag", "aria-label": "search models",
      on: {
        input: () => {
          state.search = this.search.value;
          acts.changed();
        },
        keydown: (event) => {
          if (event.key === "Enter") this.chooseFound();
        },
      },
    });
    this.count = element("output", { class: "hint", "aria-live": "polite" });
    this.filters = element("div", { class: "filters" });
    this.rows = data.ids.map((_, model) => this.rowOf(model));
    this.none = element("p", { class: "hint", hidden: true, text: "No model is like that." });
    this.list = element("ol", { class: "models" }, ...this.rows);
    this.whole = element("nav", { class: "list", "aria-label": "models" },
      element("div", { class: "find" }, this.search, this.count), this.filters, this.none, this.list);
  }

  rowOf(model) {
    const { facts, ids, labels } = this.data;
    const { sign, said } = HEALTH[facts.health[model]];
    const names = [element("b", { text: labels[model] })];
    if (labels[model] !== ids[model]) names.push(element("span", { text: ids[model] }));
    const press = element("button", {
      type: "button", "data-model": ids[model], title: `${labels[model]} (${ids[model]})${said ? `: ${said}` : ""}`,
      on: {
        click: (event) => this.acts.choose(model, event.shiftKey),
        pointerenter: () => this.acts.light([model]),
        pointerleave: () => this.acts.light([]),
        focus: () => this.acts.light([model]),
        blur: () => this.acts.light([]),
      },
    }, element("span", { class: "dot" }), element("span", { class: "who" }, ...names),
    element("span", { class: facts.health[model] > 1 ? "health broken" : "health", text: sign, title: said || null }));
    return element("li", {}, press);
  }

  chooseFound() {
    const first = this.rows.findIndex((row) => !row.hidden);
    if (first >= 0) this.acts.choose(first, false);
  }

  /** Bring the list in step. */
  show(passes, colours) {
    const { state } = this;
    const found = state.found();
    let count = 0;
    this.rows.forEach((row, model) => {
      const isShown = passes[model] && (found === null || found.has(model));
      row.hidden = !isShown;
      count += isShown;
      row.querySelector(".dot").style.backgroundColor = colours[model];
      row.firstChild.setAttribute("aria-pressed", String(state.chosen.includes(model)));
    });
    this.none.hidden = count > 0;
    const size = this.data.size.toLocaleString("en");
    this.count.textContent = count === this.data.size ? `${size} models` : `${count.toLocaleString("en")} of ${size}`;
    if (document.activeElement !== this.search) this.search.value = state.search;
    this.showFilters();
  }

  showFilters() {
    const { facets } = this.data.facts;
    const { filters } = this.state;
    const chips = [...filters].flatMap(([name, codes]) => {
      const facet = facets.find((each) => each.name === name);
      return [...codes].map((code) => element("button", {
        type: "button", class: "chip", text: `${facet.title}: ${facet.categories[code]} ×`, title: "Take this filter away",
        on: { click: () => this.filter(name, code, false) },
      }));
    });
    const add = element("select", {
      "aria-label": "filter by", on: { change: () => this.add(add.value) },
    }, element("option", { value: "", text: "filter by …" }));
    facets.forEach((facet, at) => {
      const group = element("optgroup", { label: facet.title });
      facet.categories.forEach((text, code) => {
        if (filters.get(facet.name)?.has(code)) return;
        group.append(element("option", { value: `${at}.${code}`, text: `${text || "(empty)"} · ${facet.counts[code]}` }));
      });
      if (group.children.length) add.append(group);
    });
    const clear = chips.length > 1 ? [element("button", {
      type: "button", class: "chip", text: "show all", on: { click: () => this.clear() },
    })] : [];
    this.filters.replaceChildren(...(add.children.length > 1 ? [add] : []), ...chips, ...clear);
  }

  add(value) {
    if (!value) return;
    const [at, code] = value.split(".").map(Number);
    this.filter(this.data.facts.facets[at].name, code, true);
  }

  filter(name, code, isOn) {
    this.state.filter(name, code, isOn);
    this.acts.changed();
  }

  clear() {
    this.state.filters.clear();
    this.acts.changed();
  }

  /** Light the rows of some models; of a few, scroll the first into sight when the cursor rests. */
  light(models, from) {
    for (const row of this.lit ?? []) row.classList.remove("lit");
    this.lit = models.map((model) => this.rows[model]);
    for (const row of this.lit) row.classList.add("lit");
    clearTimeout(this.later);
    if (!models.length || models.length > FEW_VALUES || from === "list") return;
    this.later = setTimeout(() => this.rows[models[0]].scrollIntoView({ block: "nearest" }), REST_MS);
  }
}
