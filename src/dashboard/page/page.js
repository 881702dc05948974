
"use strict";
const find = (selector) => document.querySelector(selector);

// Binary units with one decimal, as in the log.
function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Math.abs(bytes), unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return (bytes < 0 ? "−" : "") + (unit ? value.toFixed(1) : value) + " " + units[unit];
}
const count = (number) => number.toLocaleString("en");
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
const hour = (seconds, step) => new Date(seconds * 1000).toLocaleTimeString([], {
  hour: "2-digit", minute: "2-digit", second: step < 60 ? "2-digit" : undefined,
});
const day = (seconds) => new Date(seconds * 1000).toLocaleDateString();

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
// Leaves what is unchanged alone, so that selected text stays selected.
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

let figures = null;
const kept = { seconds: null, minutes: null };
const spans = { seconds: 600, minutes: 86400 };
let range = "seconds";

// What comes replaces all from its first moment on.
function append(name, columns) {
  const old = kept[name];
  const from = columns.at.length ? columns.at[0] : Infinity;
  const oldest = figures.at - spans[name];
  const kinds = Object.keys(columns);
  const keep = old ? old.at.map((at) => at >= oldest && at < from) : [];
  kept[name] = Object.fromEntries(kinds.map((kind) => [
    kind, old ? old[kind].filter((_, index) => keep[index]).concat(columns[kind]) : columns[kind],
  ]));
}

// The figures of this moment.
function showNow() {
  const { seconds } = kept;
  const last = (kind) => seconds[kind].at(-1) ?? null;
  const tiles = [
    ["Resident set", size(last("resident"))],
    ["Live heap", size(last("live"))],
    ["Held by the allocator", size(last("held"))],
    ["Limit", size(figures.limit)],
    ["Running for", duration(figures.at - figures.began_at)],
  ];
  const place = find("#now");
  if (!place.children.length) {
    for (const [name] of tiles) {
      const tile = document.createElement("div");
      tile.append(element("dt", name), element("dd", ""));
      place.append(tile);
    }
  }
  tiles.forEach(([, value], index) => say(place.children[index].lastChild, value));
}
function duration(seconds) {
  if (seconds < 120) return Math.floor(seconds) + " s";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
  return Math.floor(seconds / 86400) + " days";
}

// The chart.
let chart = null;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
// A limit far above would press all else to the ground; the tile tells it.
const limitShown = () => figures.limit !== null && Math.max(...kept[range].resident) * 4 > figures.limit;
function data() {
  const { at, resident, live } = kept[range];
  return [at, resident, live, at.map(() => (limitShown() ? figures.limit : null))];
}
const width = () => find("#chart").clientWidth;
function draw() {
  if (chart) chart.destroy();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const line = (label, name, dash) => ({
    label, dash, stroke: colour(name), width: 2, points: { show: false }, value: (_, bytes) => size(bytes),
    // Nothing is sampled while nothing happens: what was last seen holds until then.
    paths: uPlot.paths.stepped({ align: 1 }),
  });
  chart = new uPlot({
    width: width(), height: 280,
    scales: {
      x: { range: () => [Math.max(figures.at - spans[range], Math.min(figures.began_at, figures.at - 60)), figures.at] },
      y: { range: (_, least, most) => [0, Math.max(most, 1048576) * 1.1] },
    },
    axes: [{ ...axis, space: 90, values: (_, times, __, ___, step) => times.map((at) => hour(at, step)) }, { ...axis, size: 76, values: (_, ticks) => ticks.map(size),
      // At multiples of binary units, which decimal steps are not.
      incrs: [...Array(40).keys()].flatMap((power) => [1, 2, 5].map((step) => step * 2 ** power * 1024)).sort((a, b) => a - b) }],
    series: [
      { value: (_, at) => (at === null ? "–" : clock(at)) },
      line("Resident set", "--rss"), line("Live heap", "--live"), line("Limit", "--limit", [6, 4]),
    ],
    hooks: { draw: [markWarnings] },
  }, data(), find("#chart"));
  showLast();
}
// The legend tells the last figures where the pointer points at no others.
function showLast() {
  if (chart.cursor.idx == null) chart.setLegend({ idx: kept[range].at.length - 1 });
}
function markWarnings(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("--warning");
  for (const { at, after } of figures.warnings) {
    if (at < figures.at - spans[range] || after === null) continue;
    const x = plot.valToPos(at, "x", true), y = Math.max(bbox.top, plot.valToPos(after, "y", true));
    const radius = 5 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x - radius, y - 1.7 * radius);
    ctx.lineTo(x + radius, y - 1.7 * radius);
    ctx.fill();
  }
  ctx.restore();
}

// The routes.
const warned = (route) => Object.entries(route.verdicts)
  .filter(([verdict]) => verdict !== "within_threshold" && verdict !== "unreadable");
// What matters first: a phone shows the first few.
const columns = [
  { name: "Route", value: (route) => route.route, show: String, title: (route) => route.route },
  { name: "Retained", value: (route) => route.retained, show: size },
  { name: "Growth", value: (route) => route.growth.sum, show: size },
  { name: "Warnings", value: (route) => warned(route).reduce((sum, [, times]) => sum + times, 0), show: count,
    title: (route) => warned(route).map((pair) => pair.join(": ")).join("\n") },
  { name: "Last warning", value: (route) => route.last_warning?.at ?? 0,
    show: (at) => (at ? clock(at) : "–"), title: (route) => route.last_warning?.sentence ?? "" },
  { name: "Requests", value: (route) => route.requests, show: count,
    title: (route) => Object.entries(route.outcomes).map((pair) => pair.join(": ")).join("\n") },
  { name: "Overlapping", value: (route) => route.overlapping / Math.max(route.requests, 1),
    show: (share) => (100 * share).toFixed(0) + " %" },
  { name: "mean", value: (route) => route.growth.mean, show: size },
  { name: "p50", value: (route) => route.growth.p50, show: size },
  { name: "p95", value: (route) => route.growth.p95, show: size },
  { name: "p99", value: (route) => route.growth.p99, show: size },
  { name: "max", value: (route) => route.growth.max, show: size },
  { name: "Shrink", value: (route) => route.shrink, show: size },
  { name: "Peak", value: (route) => route.peak, show: size },
  { name: "Allocated", value: (route) => route.allocated, show: size },
];
let sorted = { column: columns.findIndex(({ name }) => name === "Retained"), descending: true };
const rows = new Map();

function headTable() {
  columns.forEach(({ name }, index) => {
    const head = document.createElement("th");
    head.scope = "col";
    const button = element("button", name);
    button.type = "button";
    button.addEventListener("click", () => {
      // Names from A, figures from the largest.
      sorted = { column: index, descending: sorted.column === index ? !sorted.descending : index > 0 };
      showRoutes();
    });
    head.append(button);
    find("#routes thead tr").append(head);
  });
}
function rowOf(name) {
  if (!rows.has(name)) {
    const row = document.createElement("tr");
    columns.forEach(() => row.append(document.createElement("td")));
    rows.set(name, row);
  }
  return rows.get(name);
}
function showRoutes() {
  document.querySelectorAll("#routes th").forEach((head, index) => {
    if (index === sorted.column) head.setAttribute("aria-sort", sorted.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  const wanted = find("#filter").value.toLowerCase();
  const { value } = columns[sorted.column];
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (sorted.descending ? -1 : 1);
  const shown = figures.routes
    .filter(({ route }) => route.toLowerCase().includes(wanted))
    .sort((a, b) => compare(value(a), value(b)));
  const body = find("#routes tbody");
  shown.forEach((route, place) => {
    const row = rowOf(route.route);
    columns.forEach(({ value, show, title }, index) => {
      say(row.children[index], show(value(route)));
      if (title) row.children[index].title = title(route);
    });
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
  });
  while (body.children.length > shown.length) body.lastChild.remove();
  say(find("#shown"), wanted ? `${count(shown.length)} of ${count(figures.routes.length)}` : "");
}

// The warnings.
let newest = null;
function showWarnings() {
  const { warnings } = figures;
  find("#no-warnings").hidden = warnings.length > 0;
  const key = warnings.length ? `${warnings[0].at} ${warnings[0].route} ${warnings.length}` : null;
  if (key === newest) return;
  newest = key;
  find("#warnings").replaceChildren(...warnings.map((warning) => {
    const item = document.createElement("li");
    const when = element("time", `${day(warning.at)} ${clock(warning.at)} `, "when");
    when.dateTime = new Date(warning.at * 1000).toISOString();
    const answer = warning.status ?? warning.outcome;
    const grew = warning.before === null || warning.after === null
      ? "" : `, ${size(warning.before)} → ${size(warning.after)}`;
    item.append(
      when,
      element("strong", `${warning.method} ${warning.route}`), ` ${answer}${grew} `,
      element("span", warning.verdict, "verdict"),
      element("p", warning.sentence + (warning.next_step ? `. ${warning.next_step}` : "") + "."),
    );
    return item;
  }));
}

function show(news) {
  figures = news;
  append("seconds", news.seconds);
  append("minutes", news.minutes);
  find("#advice").dataset.level = news.level;
  say(find("#sentence"), news.sentence + ".");
  say(find("#next-step"), news.next_step ? news.next_step + "." : "Nothing to do.");
  showNow();
  if (chart) {
    chart.setData(data());
    showLast();
  } else draw();
  showRoutes();
  showWarnings();
}

// The stream, while somebody looks.
let stream = null;
function connection(text, lost) {
  const place = find("#connection");
  say(place, text);
  place.toggleAttribute("data-lost", lost);
}
function open() {
  // Wherever the page is nested, with a slash at its end or without.
  stream = new EventSource(location.pathname.replace(/\/$/, "") + "/events");
  stream.onmessage = ({ data }) => {
    lost = null;
    connection("live", false);
    show(JSON.parse(data));
  };
  stream.onerror = () => {
    lost ??= Date.now() / 1000;
    // The end of a stream is one, too: the next is here in a few seconds.
    if (Date.now() / 1000 - lost > 8) connection(`no connection since ${clock(lost)}`, true);
    // Refused, rather than lost: a browser does not ask again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, 5000);
  };
}
let lost = null;

headTable();
for (const button of document.querySelectorAll("#ranges button")) {
  button.addEventListener("click", () => {
    range = button.dataset.range;
    document.querySelectorAll("#ranges button").forEach((one) => one.setAttribute("aria-pressed", one === button));
    if (figures) draw();
  });
}
find("#filter").addEventListener("input", () => figures && showRoutes());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures && draw());
new ResizeObserver(() => chart?.setSize({ width: width(), height: 280 })).observe(find("#chart"));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream.close(); else open();
});
open();
