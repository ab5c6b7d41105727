/** The model and the camera, as the address tells them. */

import { hashOf, told } from "./permalink.js";

const DIGITS = 6;
const OFF = "off";

function short(value) {
  return Number(value.toPrecision(DIGITS));
}

/** Return the hash of the page's address for what is seen. */
export function addressOf(model, camera, lasting) {
  const pairs = model.current.choice
    .filter(() => model.views.length > 1)
    .map(([name, value]) => [`view.${name}`, value]);
  const start = model.facts.colour ?? "";
  const colour = model.colour?.name ?? "";
  if (colour !== start) pairs.push(["colour", colour]);
  if (model.families && !model.wantsPaths) pairs.push(["paths", OFF]);
  if (model.hasLabels && !model.wantsLabels) pairs.push(["labels", OFF]);
  for (const [name, code] of model.only) {
    pairs.push([`only.${name}`, model.byName.get(name).categories[code]]);
  }
  for (const column of model.columns) {
    if (column.hidden.size) {
      const names = [...column.hidden].sort((a, b) => a - b).map((code) => column.categories[code]);
      pairs.push([`hide.${column.name}`, JSON.stringify(names)]);
    }
    if (column.range) pairs.push([`range.${column.name}`, column.range.map(short).join(",")]);
  }
  if (!camera.isWhole) {
    pairs.push(["zoom", [camera.zoom, ...camera.middle].map(short).join(",")]);
  }
  if (model.pinned >= 0) pairs.push(["point", model.ids[model.pinned]]);
  if (model.polygon) {
    pairs.push(["lasso", model.polygon.map((at) => at.map(short).join(",")).join(";")]);
  }
  if (model.search.trim()) pairs.push(["find", model.search]);
  return hashOf([...pairs, ...lasting]);
}

/** Set the model and the camera as an address's hash says; what it doesn't say is as at first. */
export function follow(hash, model, camera) {
  const said = told(hash);
  const wanted = model.views.map((view) =>
    view.choice.filter(([name, value]) => said.get(`view.${name}`) === value).length);
  model.view = Math.max(wanted.indexOf(Math.max(...wanted)), 0);
  const colour = said.has("colour") ? said.get("colour") : model.facts.colour;
  model.colour = model.byName.get(colour) ?? null;
  model.wantsPaths = model.families !== null && said.get("paths") !== OFF;
  model.wantsLabels = model.hasLabels && said.get("labels") !== OFF;
  model.only.clear();
  for (const name of model.facts.switches) {
    const code = model.byName.get(name).categories.indexOf(said.get(`only.${name}`));
    if (code >= 0) model.only.set(name, code);
  }
  for (const column of model.columns) {
    column.clear();
    if (column.isCategory) column.hidden = hiddenOf(column, said.get(`hide.${column.name}`));
    else column.range = numbers(said.get(`range.${column.name}`), 2);
  }
  camera.reset();
  const zoom = numbers(said.get("zoom"), 3);
  if (zoom) [camera.zoom, camera.x, camera.y] = zoom;
  model.pinned = model.place.get(said.get("point")) ?? -1;
  const corners = (said.get("lasso") ?? "").split(";").map((text) => numbers(text, 2));
  model.polygon = corners.length > 2 && corners.every(Boolean) ? corners : null;
  model.search = said.get("find") ?? "";
}

function hiddenOf(column, text) {
  try {
    const names = new Set(JSON.parse(text ?? "[]"));
    return new Set(column.categories.map((name, code) => (names.has(name) ? code : -1))
      .filter((code) => code >= 0));
  } catch (error) {
    console.info("the address names no categories", error.message);
    return new Set();
  }
}

function numbers(text, count) {
  const values = (text ?? "").split(",").map(Number);
  return text && values.length === count && values.every(Number.isFinite) ? values : null;
}
