// A system's footprint: the total, charts of it, and a table of its objects.

import { Refusal, api } from "./api.js";
import { attempt } from "./attempt.js";
import { draw } from "./charts.js";
import { byId, element, prose } from "./elements.js";
import { CATEGORIES, bars, flows } from "./figures.js";
import { column, mass, percent } from "./numbers.js";
import { page } from "./page.js";

/** What is shown: the system's id, its footprint, and how the table is sorted. */
let results = null;

/** Fetches a footprint. Where the system asks for something impossible, what there is of it. */
async function footprintOf(id, step) {
  try {
    return { footprint: await api(`/api/systems/${id}/footprint?step=${step}`), problems: [] };
  } catch (error) {
    if (!(error instanceof Refusal) || !error.problem.partial) throw error;
    return { footprint: error.problem.partial, problems: error.problem.problems ?? [error.problem] };
  }
}

export async function showResults(id) {
  const section = byId("results");
  section.hidden = true;
  results = null;
  const { footprint, problems } = await footprintOf(id, byId("step").value);
  if (page.shown?.id !== id) return;
  results = { id, footprint, problems, sort: "total", descending: true };
  const isWhole = footprint.complete && footprint.total !== null;
  byId("total").textContent = isWhole ? mass(footprint.total) : `${mass(footprint.total)}, a part of the total`;
  byId("period").replaceChildren(...(footprint.start
    ? ["CO2 equivalents, ", when(footprint.start), " to ", when(footprint.end)]
    : ["CO2 equivalents; nothing is used"]));
  listProblems(problems, footprint.complete);
  listCategories(footprint);
  sortObjects();
  const address = `/api/systems/${id}`;
  byId("download-json").href = `${address}/computed`;
  byId("download-objects").href = `${address}/footprint?format=csv`;
  downloadsOverTime();
  section.hidden = false;
  await Promise.all([drawOverTime(), drawFlows()]);
}

/** A date that stays in one piece. */
function when(time) {
  return element("span", { class: "whole" }, time.slice(0, 10));
}

function listProblems(problems, complete) {
  byId("impossible").hidden = complete;
  byId("impossible-list").replaceChildren(...problems.map((problem) => element(
    "li",
    {},
    ...prose(problem.detail),
    ...(problem.object ? [" ", element("a", { href: `#/${page.shown.id}/${encodeURIComponent(problem.object)}` }, "Show it")] : []),
  )));
}

/** The sum of two masses, if neither is missing. */
function sum(a, b) {
  return a === null || b === null ? null : a + b;
}

function listCategories({ categories, phases, total }) {
  const { unit, amount } = column([total]);
  const line = (name, manufacturing, use) => element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    ...[manufacturing, use, sum(manufacturing, use)].map((kg) => element("td", { class: "number" }, amount(kg))),
    element("td", { class: "number" }, total && sum(manufacturing, use) !== null ? percent(sum(manufacturing, use) / total) : ""),
  );
  byId("categories-unit").textContent = `In ${unit} of CO2 equivalents`;
  byId("categories").replaceChildren(
    ...categories.map(({ category, manufacturing, use }) => line(CATEGORIES[category].name, manufacturing, use)),
    line("Total", phases.Manufacturing, phases.Use),
  );
}

function downloadsOverTime() {
  byId("download-series").href = `/api/systems/${results.id}/footprint?format=csv&step=${byId("step").value}`;
}

async function drawOverTime() {
  const { over_time: overTime, total } = results.footprint;
  const step = overTime.step;
  await draw(byId("over-time"), `What the system emits by ${step}, by category and phase; ${mass(total)} in all. The table below has the totals.`, bars(overTime, step));
}

async function drawFlows() {
  const { id } = results;
  const query = new URLSearchParams({ threshold: byId("threshold").value });
  if (byId("phase").value) query.set("phase", byId("phase").value);
  const diagram = await api(`/api/systems/${id}/sankey?${query}`);
  if (results?.id !== id) return;
  // A column has to hold its labels; a narrow window scrolls.
  const columns = new Set(diagram.nodes.map((node) => node.column)).size;
  byId("flows").style.minWidth = `${columns * 8}rem`;
  const countries = diagram.nodes.filter((node) => node.column === "country").map((node) => `${node.name} ${mass(node.value)}`);
  await draw(byId("flows"), `Attribution of ${mass(diagram.total)}, from the system over ${countries.join(", ")} to the objects that emit.`, flows(diagram));
}

const SORTS = {
  name: (object) => object.name.toLowerCase(),
  class: (object) => object.class,
  manufacturing: (object) => object.manufacturing ?? -1,
  use: (object) => object.use ?? -1,
  total: (object) => (object.manufacturing ?? 0) + (object.use ?? 0),
};

/** Lists the objects that emit, in the order that was asked for. */
function sortObjects() {
  const { sort, descending, footprint, problems } = results;
  const key = SORTS[sort];
  const objects = footprint.objects.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1);
  });
  for (const heading of byId("emitters").querySelectorAll("th[data-sort]")) {
    const order = heading.dataset.sort === sort ? (descending ? "descending" : "ascending") : "none";
    heading.setAttribute("aria-sort", order);
  }
  const { unit, amount } = column(objects.map(SORTS.total));
  byId("emitters-unit").textContent = `In ${unit} of CO2 equivalents`;
  const troubled = new Map(problems.map((problem) => [problem.object, problem.detail]));
  byId("emitters").tBodies[0].replaceChildren(...objects.map((object) => element(
    "tr",
    { "data-id": object.id },
    element(
      "th",
      { scope: "row" },
      element("a", { href: `#/${results.id}/${encodeURIComponent(object.id)}` }, object.name),
      ...(troubled.has(object.id) ? [element("p", { class: "trouble" }, ...prose(troubled.get(object.id)))] : []),
    ),
    element("td", {}, object.class),
    ...[object.manufacturing, object.use].map((kg) => element("td", { class: "number" }, amount(kg))),
    element("td", { class: "number" }, amount(object.manufacturing === null || object.use === null ? null : SORTS.total(object))),
  )));
}

for (const heading of byId("emitters").querySelectorAll("th[data-sort]")) {
  heading.firstElementChild.addEventListener("click", () => {
    const { sort } = heading.dataset;
    results.descending = results.sort === sort ? !results.descending : !["name", "class"].includes(sort);
    results.sort = sort;
    sortObjects();
  });
}

byId("step").addEventListener("change", () => attempt(async () => {
  const { id } = results;
  const { footprint } = await footprintOf(id, byId("step").value);
  if (results?.id !== id) return;
  results.footprint = footprint;
  downloadsOverTime();
  await drawOverTime();
}));
for (const control of ["phase", "threshold"]) byId(control).addEventListener("change", () => attempt(drawFlows));
