/** The row of controls: views, switches, colour, search, and buttons. */

import { button, dropDown, element, toggle } from "./elements.js";

/** Build the controls; `acts` says what each does. */
export class Toolbar {
  constructor(model, acts) {
    this.model = model;
    this.facets = facetsOf(model.facts.views);
    this.lists = new Map();
    this.whole = element("div", { class: "toolbar", role: "toolbar", "aria-label": "controls" });
    for (const [name, values] of this.facets) {
      if (values.length < 2) continue;
      const list = dropDown(name, values, 0, () => acts.view(this.chosenView()));
      this.lists.set(name, list);
      this.whole.append(list.whole);
    }
    this.switches = new Map();
    for (const name of model.facts.switches) {
      const column = model.byName.get(name);
      const options = ["all", ...column.categories];
      const list = dropDown(column.title, options, 0, (at) => acts.only(name, at - 1));
      this.switches.set(name, list);
      this.whole.append(list.whole);
    }
    const titles = ["nothing", ...model.columns.map((column) => column.title)];
    this.colour = dropDown("colour", titles, 0, (at) => acts.colour(model.columns[at - 1] ?? null));
    this.search = element("input", {
      type: "search", placeholder: "search", "aria-label": "search ids and texts",
      on: {
        input: () => acts.search(this.search.value),
        keydown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          acts.nextMatch(event.shiftKey ? -1 : 1);
        },
      },
    });
    this.found = element("output", { class: "found", "aria-live": "polite" });
    this.lasso = button("Lasso", "Draw around points (l, or shift and drag)", acts.lasso);
    this.lasso.setAttribute("aria-pressed", "false");
    this.paths = toggle("paths", "Lines to where points come from (o)", acts.paths);
    this.labels = toggle("labels", "Texts beside points (t)", acts.labels);
    this.whole.append(
      this.colour.whole,
      ...(model.families ? [this.paths.whole] : []),
      ...(model.hasLabels ? [this.labels.whole] : []),
      element("span", { class: "search" }, this.search, this.found),
      this.lasso,
      button("Whole map", "See everything (0)", acts.whole),
      button("◐", "Dark or light (d)", acts.theme),
      button("?", "Mouse and keys (?)", acts.help),
    );
  }

  /** Return the number of the view that the lists choose: the nearest where there is none such. */
  chosenView() {
    const wanted = new Map([...this.lists].map(([name, { list }]) =>
      [name, this.facets.get(name)[list.selectedIndex]]));
    let [best, most] = [0, -1];
    this.model.facts.views.forEach((view, number) => {
      const same = view.choice.filter(([name, value]) => wanted.get(name) === value).length;
      if (same > most) [best, most] = [number, same];
    });
    return best;
  }

  /** Show what the model has now. */
  show() {
    const { model } = this;
    for (const [name, value] of model.current.choice) {
      this.lists.get(name)?.show(this.facets.get(name).indexOf(value));
    }
    for (const [name, list] of this.switches) list.show((model.only.get(name) ?? -1) + 1);
    this.paths.show(model.wantsPaths);
    this.labels.show(model.wantsLabels);
    this.colour.show(model.columns.indexOf(model.colour) + 1);
    if (document.activeElement !== this.search) this.search.value = model.search;
    const count = model.matches.length.toLocaleString("en");
    this.found.textContent = model.search.trim() ? `${count} found` : "";
  }
}

function facetsOf(views) {
  const facets = new Map();
  for (const { choice } of views) {
    for (const [name, value] of choice) {
      if (!facets.has(name)) facets.set(name, []);
      if (!facets.get(name).includes(value)) facets.get(name).push(value);
    }
  }
  return facets;
}
