"use strict";

// What a system emits: the total, charts of it, and a table of its objects. Charts are drawn by
// ECharts, which comes from this server too, once there is something to draw.

/** Categories in the order of the API: what people read, and a colour that both schemes show. */
const CATEGORIES = {
  Servers: { name: "Servers", colour: "#4477aa" },
  Storage: { name: "Storage", colour: "#aa3377" },
  ExternalAPIs: { name: "External APIs", colour: "#ccaa33" },
  Network: { name: "Network", colour: "#3399bb" },
  Devices: { name: "Devices", colour: "#228833" },
  EdgeDevices: { name: "Edge devices", colour: "#dd6655" },
};

/** What is shown: the system's id, its footprint, and how the table is sorted. */
let results = null;

const dark = matchMedia("(prefers-color-scheme: dark)");

// ---- numbers ----

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** A mass of CO2 equivalents in the unit that reads best. */
function mass(kg) {
  if (kg === null) return "?";
  const size = Math.abs(kg);
  if (size === 0) return "0 kg";
  if (size < 0.1) return `${digits.format(kg * 1e3)} g`;
  return size < 1e4 ? `${digits.format(kg)} kg` : `${digits.format(kg / 1e3)} t`;
}

// ---- charts ----

let library = null;

/** Loads the library, once. */
function charts() {
  library ??= new Promise((resolve, reject) => {
    const script = element("script", { src: document.body.dataset.charts });
    script.onload = () => resolve(globalThis.echarts);
    script.onerror = () => {
      library = null;
      script.remove();
      reject(new Refusal({ title: "No charts", detail: "The charts could not be loaded: check that the server still runs, then reload the page." }));
    };
    document.head.append(script);
  });
  return library;
}

const drawn = new Map();
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) drawn.get(target)?.chart.resize();
});

/** Draws a chart, which describes itself to who can't see it and follows the colours of the page. */
async function draw(target, describe, option) {
  const { init } = await charts();
  if (!target.isConnected) return;
  erase(target);
  const chart = init(target, dark.matches ? "dark" : null, { renderer: "canvas" });
  const text = getComputedStyle(document.body).color;
  chart.setOption({
    backgroundColor: "transparent",
    textStyle: { color: text, fontFamily: "system-ui, sans-serif" },
    animation: false,
    // Drawn into the picture: the policy of the page allows no styles within markup.
    tooltip: { renderMode: "richText", confine: true },
    ...option(text),
  });
  target.setAttribute("role", "img");
  target.setAttribute("aria-label", describe);
  drawn.set(target, { chart, describe, option });
  resized.observe(target);
}

function erase(target) {
  drawn.get(target)?.chart.dispose();
  drawn.delete(target);
  resized.unobserve(target);
}

dark.addEventListener("change", () => {
  for (const [target, { describe, option }] of drawn) attempt(() => draw(target, describe, option));
});

/** Bars over time, one on the other. */
function bars({ starts, series }, step) {
  const length = { hour: 16, day: 10, month: 7, year: 4 }[step];
  return (text) => ({
    tooltip: { renderMode: "richText", confine: true, trigger: "axis", valueFormatter: mass },
    legend: { type: "scroll", top: 8, textStyle: { color: text } },
    grid: { left: 8, right: 16, top: 48, bottom: starts.length > 40 ? 60 : 8, containLabel: true },
    dataZoom: starts.length > 40 ? [{ type: "slider", height: 24 }] : [],
    xAxis: { type: "category", data: starts.map((start) => start.slice(0, length).replace("T", " ")) },
    yAxis: { type: "value", axisLabel: { formatter: mass } },
    series: series.filter(({ values }) => values.some((kg) => kg !== 0)).map(({ category, phase, values }) => ({
      name: `${CATEGORIES[category].name}, ${phase.toLowerCase()}`,
      type: "bar",
      stack: "all",
      itemStyle: { color: CATEGORIES[category].colour, opacity: phase === "Use" ? 0.6 : 1 },
      large: values.length > 2000,
      data: values,
    })),
  });
}

function flows({ nodes, links }) {
  const name = (place) => String(place);
  const columns = [...new Set(nodes.map((node) => node.column))];
  return (text) => ({
    tooltip: {
      renderMode: "richText",
      confine: true,
      formatter: ({ dataType, data, value }) => dataType === "edge"
        ? `${nodes[data.source].name} → ${nodes[data.target].name}: ${mass(value)}`
        : `${nodes[data.name].name}: ${mass(nodes[data.name].value)}`,
    },
    series: [{
      type: "sankey",
      left: 4,
      right: 120,
      top: 8,
      bottom: 8,
      nodeGap: 6,
      nodeWidth: 14,
      draggable: false,
      emphasis: { focus: "adjacency" },
      label: { color: text, width: 108, overflow: "truncate", formatter: ({ name }) => nodes[name].name },
      lineStyle: { color: "gradient", opacity: 0.35 },
      data: nodes.map((node, place) => ({ name: name(place), depth: columns.indexOf(node.column) })),
      links: links.map(({ source, target, value }) => ({ source: name(source), target: name(target), value })),
    }],
  });
}

// ---- a system's results ----

/** Fetches a footprint. Where the system asks for something impossible, what there is of it. */
async function footprintOf(id, step) {
  try {
    return { footprint: await api(`/api/systems/${id}/footprint?step=${step}`), problems: [] };
  } catch (error) {
    if (!(error instanceof Refusal) || !error.problem.partial) throw error;
    return { footprint: error.problem.partial, problems: error.problem.problems ?? [error.problem] };
  }
}

async function showResults(id) {
  const section = byId("results");
  section.hidden = true;
  results = null;
  const { footprint, problems } = await footprintOf(id, byId("step").value);
  if (shown?.id !== id) return;
  results = { id, footprint, problems, sort: "total", descending: true };
  byId("total").textContent = mass(footprint.total);
  byId("period").textContent = footprint.start
    ? `CO2 equivalents, ${footprint.start.slice(0, 10)} to ${footprint.end.slice(0, 10)}`
    : "CO2 equivalents; nothing is used";
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

function listProblems(problems, complete) {
  byId("impossible").hidden = complete;
  byId("impossible-list").replaceChildren(...problems.map((problem) => element(
    "li",
    {},
    ...prose(problem.detail),
    ...(problem.object ? [" ", element("a", { href: `#/${shown.id}/${encodeURIComponent(problem.object)}` }, "Show it")] : []),
  )));
}

function listCategories({ categories, phases, total }) {
  const line = (name, manufacturing, use) => element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    ...[manufacturing, use, manufacturing + use].map((kg) => element("td", { class: "number" }, mass(kg))),
    element("td", { class: "number" }, total ? `${digits.format(((manufacturing + use) / total) * 100)} %` : ""),
  );
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
  await draw(byId("flows"), `Who causes ${mass(diagram.total)}, from the system over ${countries.join(", ")} to the objects that emit.`, flows(diagram));
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
    ...[object.manufacturing, object.use].map((kg) => element("td", { class: "number" }, mass(kg))),
    element("td", { class: "number" }, object.manufacturing === null || object.use === null ? "?" : mass(SORTS.total(object))),
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

// ---- the computed attributes of one object ----

/** A table of what was computed of an object, with the formulas in words. */
function computedTable(path, computed) {
  if (!computed.length) return [];
  const titles = ["Computed", "Value", "Unit"].map((title) => element("th", { scope: "col" }, title));
  return [element(
    "table",
    { class: "computed" },
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...computed.flatMap((attribute) => computedRows(path, attribute))),
  )];
}

function computedRows(path, { name, formula, section, value }) {
  const about = element("p", { class: "formula" }, `${formula} (§ ${section})`);
  if (value.kind !== "dict") return [computedRow(path, name, [about], value, null)];
  const entries = Object.entries(value.entries);
  if (!entries.length) return [row(name, text("none"), about)];
  return entries.map(([key, entry], index) => {
    const place = key.split("/").map((id) => shown.names.get(id) ?? id).join(" / ");
    return computedRow(path, name, [" → ", place, ...(index ? [] : [about])], entry, key);
  });
}

function computedRow(path, name, about, value, key) {
  switch (value.kind) {
    case "empty": return row(name, text("none"), ...about);
    case "error": return row(name, text(element("span", { class: "trouble" }, ...prose(value.error))), ...about);
    case "scalar": return row(name, [
      element("td", { class: "number" }, digits.format(value.value)),
      element("td", { class: "unit" }, value.unit),
    ], ...about);
    default: {
      const amounts = `${digits.format(value.min)} to ${digits.format(value.max)} by the hour, ${digits.format(value.sum)} in all`;
      const cells = [element("td", { class: "number" }, amounts), element("td", { class: "unit" }, value.unit)];
      const line = row(name, cells, ...about);
      if (value.kind === "hourly") {
        const button = element("button", { type: "button", "aria-label": `Chart of ${name}` }, "Chart");
        button.addEventListener("click", () => attempt(() => chartSeries(line, `${path}/series`, name, key)));
        cells[0].append(" ", button);
      }
      return line;
    }
  }
}

/** Draws a series below its row, or takes it away. */
async function chartSeries(line, path, name, key) {
  if (line.nextElementSibling?.classList.contains("series")) {
    const target = line.nextElementSibling.querySelector(".chart");
    erase(target);
    line.nextElementSibling.remove();
    return;
  }
  const query = new URLSearchParams({ attribute: name, ...(key && { key }) });
  const { unit, mean, starts, values } = await api(`${path}?${query}`);
  const chart = element("div", { class: "chart" });
  const download = element("a", { href: `${path}?${query}&format=csv`, download: true }, "CSV");
  line.after(element("tr", { class: "series" }, element("td", { colspan: 3 }, chart, download)));
  await draw(chart, `${name}, by the day, in ${unit}`, () => ({
    tooltip: { renderMode: "richText", confine: true, trigger: "axis", valueFormatter: (value) => `${digits.format(value)} ${unit}` },
    grid: { left: 8, right: 16, top: 30, bottom: 60, containLabel: true },
    dataZoom: [{ type: "slider", height: 24 }],
    xAxis: { type: "category", data: starts.map((start) => start.slice(0, 10)) },
    yAxis: { type: "value", name: `${unit}${mean ? ", mean of the day" : " a day"}`, nameTextStyle: { align: "left" } },
    series: [{ type: "line", showSymbol: values.length < 50, sampling: "lttb", data: values }],
  }));
}
