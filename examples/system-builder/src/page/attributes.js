// The attributes of one object.

import { element, facts, plain } from "./elements.js";
import { page } from "./page.js";

export function attributeTable(attributes) {
  const rows = Object.entries(attributes)
    .filter(([name]) => name !== "id" && name !== "name")
    .flatMap(([name, value]) => attributeRows(name, value));
  if (!rows.length) return element("p", { class: "more" }, "No attributes.");
  const titles = ["Attribute", "Value", "Unit"].map((title) => element("th", { scope: "col" }, title));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...rows),
  );
}

function attributeRows(name, value) {
  if (Array.isArray(value)) return [row(name, text(value.length ? listed(value.map(reference)) : "none"))];
  if (typeof value === "string" && page.shown.names.has(value)) return [row(name, text(reference(value)))];
  if (value === null || typeof value !== "object" || "label" in value) return [row(name, explained(value))];
  // A relationship: how often, or how much, of each other object.
  const entries = Object.entries(value);
  if (!entries.length) return [row(name, text("none"))];
  return entries.map(([id, weight]) => row(name, explained(weight), " → ", reference(id)));
}

export function row(name, cells, ...about) {
  // Long names may break after an underscore.
  const words = name.split(/(?<=_)/).flatMap((word, index) => (index ? [element("wbr"), word] : [word]));
  return element("tr", {}, element("th", { scope: "row" }, ...words, ...about), ...cells);
}

/** The cell of a value that is no quantity: it takes the unit's place too. */
export function text(value) {
  return [element("td", { colspan: 2 }, ...[value].flat())];
}

function listed(items) {
  return items.flatMap((item, index) => (index ? [", ", item] : [item]));
}

function reference(id) {
  if (!page.shown.names.has(id)) return element("code", {}, id);
  return element("a", { href: `#/${page.shown.id}/${encodeURIComponent(id)}` }, page.shown.names.get(id) || id);
}

/** The cells of an explainable value, by the keys it has. */
function explained(value) {
  if (value === null) return text("none");
  if (typeof value !== "object") return text(String(value));
  const { unit = "" } = value;
  if ("zone" in value) return text(value.zone);
  if ("compressed_values" in value || "values" in value) {
    const start = element("span", { class: "whole" }, String(value.start_date).slice(0, 16));
    return text([`${unit} by the hour, from `, start]);
  }
  if ("recurring_values" in value) return text(`${unit} by the hour of a week`);
  if ("form_inputs" in value) return text(facts(value.form_inputs));
  if (unit) return [element("td", { class: "number" }, number(value.value)), element("td", { class: "unit" }, unit)];
  return text(plain(value.value));
}

function number(value) {
  return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 20 }) : String(value);
}
