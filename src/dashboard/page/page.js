
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
const steps = { seconds: 1, minutes: 60 };
let range = "seconds";

// What comes replaces all from its first moment on.
function append(name, columns) {
  const old = kept[name];
  // The same moment is told with some milliseconds of difference.
  const from = columns.at.length ? columns.at[0] - steps[name] / 2 : Infinity;
  const oldest = figures.at - spans[name];
  const kinds = Object.keys(columns);
  const keep = old ? old.at.map((at) => at >= oldest && at < from) : [];
  kept[name] = Object.fromEntries(kinds.map((kind) => [
    kind, old ? old[kind].filter((_, index) => keep[index]).concat(columns[kind]) : columns[kind],
  ]));
}

// The figures of this moment.
function showNow() {
  const tiles = [
    ["Resident set", size(figures.resident)],
    ["Live heap", size(figures.live)],
    ["Held by the allocator", size(figures.held)],
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
// All samples and, at their end, this moment.
function data() {
  const { at, resident, live } = kept[range];
  const moments = [...at, figures.at];
  // A limit far above would press all else to the ground; the tile tells it.
  const shown = figures.limit !== null && Math.max(...resident, figures.resident) * 4 > figures.limit;
  return [moments, [...resident, figures.resident], [...live, figures.live], moments.map(() => (shown ? figures.limit : null))];
}
const width = () => find("#chart").clientWidth;
function draw() {
  if (chart) chart.destroy();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const line = (label, name, { dash, ...more } = {}) => ({
    label, dash, stroke: colour(name), width: 2, points: { show: false }, value: (_, bytes) => size(bytes),
    ...more,
    // Nothing is sampled while nothing happens: what was last seen holds until then.
    paths: uPlot.paths.stepped({ align: 1 }),
  });
  chart = new uPlot({
    width: width(), height: 280,
    scales: {
      x: { range: () => [Math.max(figures.at - spans[range], Math.min(figures.began_at, figures.at - 60)), figures.at] },
      y: { range: (_, least, most) => [0, Math.max(most, 1048576) * 1.1] },
    },
    axes: [
      { ...axis, space: 90, values: (_, times, __, ___, step) => times.map((at) => hour(at, step)) },
      // Steps that double and are few: one decimal tells each exactly.
      { ...axis, space: 45, size: 76, values: (_, ticks) => ticks.map(size), incrs: [...Array(43).keys()].map((power) => 1024 * 2 ** power) },
    ],
    series: [
      { value: (_, at) => (at === null ? "–" : clock(at)) },
      line("Resident set", "--rss"), line("Live heap", "--live"), line("Limit", "--limit", { dash: [6, 4], value: () => size(figures.limit) }),
    ],
    hooks: { draw: [markWarnings] },
  }, data(), find("#chart"));
  showLast();
}
// The legend tells the last figures where the pointer points at no others.
function showLast() {
  if (chart.cursor.idx == null) chart.setLegend({ idx: chart.data[0].length - 1 });
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
const counts = (pairs) => pairs.map(([name, times]) => `${count(times)} ${name}`).join(", ") || "–";
// With the day, if that is not today's.
const moment = (at) => (day(at) === day(Date.now() / 1000) ? "" : day(at) + " ") + clock(at);
// What matters first: a phone shows the first few.
const columns = [
  { name: "Route", value: (route) => route.route, show: String },
  { name: "Retained", value: (route) => route.retained, show: size },
  { name: "Growth", value: (route) => route.growth.sum, show: size },
  { name: "Warnings", value: (route) => warned(route).reduce((sum, [, times]) => sum + times, 0), show: count },
  { name: "Last warning", value: (route) => route.last_warning?.at ?? 0, show: (at) => (at ? moment(at) : "–") },
  { name: "Requests", value: (route) => route.requests, show: count },
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
  { name: "Verdicts", value: (route) => counts(Object.entries(route.verdicts)), show: String },
  { name: "Outcomes", value: (route) => counts(Object.entries(route.outcomes)), show: String },
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
      // Words from A, figures from the largest.
      const words = columns[index].show === String;
      sorted = { column: index, descending: sorted.column === index ? !sorted.descending : !words };
      showRoutes();
    });
    head.append(button);
    find("#routes thead tr").append(head);
  });
}
function rowOf(name) {
  if (!rows.has(name)) {
    const row = document.createElement("tr");
    columns.forEach((_, index) => row.append(document.createElement(index ? "td" : "th")));
    row.firstChild.scope = "row";
    // A narrow page cuts a long one off.
    row.firstChild.title = name;
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
    columns.forEach(({ value, show }, index) => say(row.children[index], show(value(route))));
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
    const answer = warning.status ?? warning.outcome ?? "work left behind";
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
  // Another process: nothing of the one before belongs to it.
  if (figures && figures.began_at !== news.began_at) {
    kept.seconds = kept.minutes = null;
    rows.clear();
    find("#routes tbody").replaceChildren();
  }
  figures = news;
  append("seconds", news.seconds);
  append("minutes", news.minutes);
  find("#advice").dataset.level = news.level;
  say(find("#level"), news.level);
  say(find("#sentence"), news.sentence + ".");
  const warned = news.level === "fine" ? "Nothing to do." : "See the warnings below.";
  say(find("#next-step"), news.next_step ? news.next_step + "." : warned);
  showNow();
  if (chart) {
    chart.setData(data());
    showLast();
  } else draw();
  showRoutes();
  showWarnings();
}

// The stream, while somebody looks.
let stream = null, retry = null;
// When the last figures came, when a stream was last asked for, and since when somebody looks.
let told = 0, asked = 0, looking = 0;
function connection(text, lost) {
  const place = find("#connection");
  say(place, text);
  place.toggleAttribute("data-lost", lost);
}
function close() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}
function open() {
  close();
  asked = Date.now();
  // Wherever the page is nested, with a slash at its end or without.
  const opened = new EventSource(location.pathname.replace(/\/$/, "") + "/events");
  opened.onmessage = ({ data }) => {
    told = Date.now();
    connection("live", false);
    show(JSON.parse(data));
  };
  // A browser asks again by itself, but not where it was refused.
  opened.onerror = () => {
    if (opened.readyState === EventSource.CLOSED) retry = setTimeout(open, 5000);
  };
  stream = opened;
}
function look() {
  if (document.hidden) return close();
  looking = Date.now();
  open();
}
// A server that hangs, and a connection that is gone without a word, raise no error.
function watch() {
  if (document.hidden) return;
  const silentFor = (since) => Date.now() - Math.max(told, since);
  if (silentFor(looking) > 8000) connection(told ? `no figures since ${clock(told / 1000)}` : "no figures come", true);
  if (silentFor(asked) > 15000) open();
}

say(find("#zone"), `Times are those of ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`);
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
document.addEventListener("visibilitychange", look);
setInterval(watch, 1000);
look();
