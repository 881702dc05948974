// The routes.
const warned = (route) => Object.entries(route.verdicts)
  .filter(([verdict]) => verdict !== "within_threshold" && verdict !== "unreadable");
const together = (text) => text.replace(" ", "\u00a0");
const counts = (pairs) => pairs.map(([name, times]) => `${count(times)} ${name}`).join(", ") || "–";

// Recent live heap of each route and of nobody, to show its change while the page is open.
const pasts = new Map();
const NOBODY = Symbol("nobody");
function remember(name, live) {
  if (live === null) return;
  if (!pasts.has(name)) pasts.set(name, []);
  const past = pasts.get(name);
  if (!past.length || figures.at - past.at(-1)[0] >= 10) past.push([figures.at, live]);
  while (past[0][0] < figures.at - 600) past.shift();
}
const change = (name, live) => (pasts.has(name) ? live - pasts.get(name)[0][1] : 0);

const owned = () => figures.nobody !== null;
const route = { name: "Route", value: (route) => route.route, show: String };
const requests = { name: "Requests", value: (route) => route.requests, show: count };
const lastWarning = { name: "Last warning", about: "UTC", value: (route) => route.last_warning?.at ?? 0, show: none(moment) };
const grown = (name, value, about) => ({ name, about, value, show: size });
const views = {
  heap: [
    route,
    { name: "Live", about: "Live bytes owned by requests of the route, whoever frees them", needs: owned, value: (route) => route.live, show: size },
    { name: "Share", about: "Share of the live heap of the process", needs: owned, value: (route) => route.live, show: (live) => percent(live, figures.live) },
    { name: "Change", about: "Change of live heap since this page was opened, or in the last 10 minutes", needs: owned, value: (route) => change(route.route, route.live), show: none(signed) },
    { name: "Unsent", about: "In responses that clients have not read yet", needs: owned, value: (route) => route.unsent, show: none(size) },
    { name: "Running", about: "In use by work that outlives its request, and the age of the oldest", needs: owned, value: (route) => route.running,
      kind: "wraps", show: (running, { oldest_running: oldest }) => (running || oldest ? together(size(running)) + (oldest ? `, ${together(duration(oldest))}` : "") : "–") },
    grown("Retained", (route) => route.retained, "Live bytes that outlive their request"),
    { ...grown("Growth", (route) => route.growth.sum, "Total growth of the process in requests"), needs: () => !owned() },
    requests,
    { name: "Warnings", value: (route) => warned(route).reduce((sum, [, times]) => sum + times, 0), show: none(count) },
    lastWarning,
  ],
  growth: [
    route,
    grown("Growth", (route) => route.growth.sum, "Total growth of the process in requests"),
    grown("Growth mean", (route) => route.growth.mean, "Mean growth of one request, in bytes"),
    grown("Growth p50", (route) => route.growth.p50, "Half of the requests grew the process by no more than this; not a latency"),
    grown("Growth p95", (route) => route.growth.p95, "95 % of requests grew the process by no more than this; not a latency"),
    grown("Growth p99", (route) => route.growth.p99, "99 % of requests grew the process by no more than this; not a latency"),
    grown("Growth max", (route) => route.growth.max, "The largest growth of one request"),
    grown("Shrink", (route) => route.shrink, "Total shrinking of the process in requests"),
    grown("Peak", (route) => route.peak, "The most heap that one request held at once"),
    grown("Allocated", (route) => route.allocated, "Total bytes allocated by requests and their late work"),
  ],
  verdicts: [
    route,
    requests,
    { name: "Overlapping", about: "Share of requests that ran alongside others", value: (route) => route.overlapping / Math.max(route.requests, 1), show: (share) => percent(share, 1) },
    { name: "Verdicts", value: (route) => counts(Object.entries(route.verdicts)), show: String },
    { name: "Outcomes", value: (route) => counts(Object.entries(route.outcomes)), show: String },
    { name: "Late work", about: "How often background work ended later than its request", value: (route) => route.late, show: none(count) },
    lastWarning,
  ],
};
let view = "heap";
let columns = [];
// Sorted by the server, by live heap, until the user chooses a column.
let sorted = null;
const rows = new Map();
const FEW = 10;
let isWhole = false;

function headTable() {
  const wanted = views[view].filter(({ needs }) => !needs || needs());
  if (wanted.map(({ name }) => name).join() === columns.map(({ name }) => name).join()) return;
  columns = wanted;
  sorted = null;
  rows.clear();
  find("#routes tbody").replaceChildren();
  find("#routes tfoot").replaceChildren();
  find("#routes thead tr").replaceChildren(...columns.map((column) => {
    const head = document.createElement("th");
    head.scope = "col";
    if (column.show === String) head.className = "words";
    const button = element("button", column.name);
    button.type = "button";
    if (column.about) button.title = column.about;
    button.addEventListener("click", () => {
      // Words in ascending order, figures from the largest.
      const words = column.show === String;
      sorted = { column, descending: sorted?.column === column ? !sorted.descending : !words };
      showRoutes();
    });
    head.append(button);
    return head;
  }));
}
function newRow(name) {
  const row = document.createElement("tr");
  row.append(...columns.map((column, index) => element(index ? "td" : "th", "", column.show === String ? "words" : column.kind)));
  row.firstChild.scope = "row";
  row.firstChild.title = name;
  row.firstChild.append(...nameOf(name));
  return row;
}
function rowOf(name) {
  if (!rows.has(name)) rows.set(name, newRow(name));
  return rows.get(name);
}
function fill(row, route) {
  columns.forEach(({ value, show }, index) => { if (index) say(row.children[index], show(value(route), route)); });
}
function showRoutes() {
  headTable();
  // In the server's order at first.
  const order = sorted ?? { column: columns[1], descending: true };
  document.querySelectorAll("#routes thead th").forEach((head, index) => {
    if ((sorted || (owned() && view === "heap")) && columns[index] === order.column) head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  const wanted = find("#filter").value.toLowerCase();
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (order.descending ? -1 : 1);
  const found = figures.routes.filter(({ route }) => route.toLowerCase().includes(wanted));
  if (sorted) found.sort((a, b) => compare(sorted.column.value(a), sorted.column.value(b)));
  const shown = isWhole ? found : found.slice(0, FEW);
  const body = find("#routes tbody");
  shown.forEach((route, place) => {
    const row = rowOf(route.route);
    fill(row, route);
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
  });
  while (body.children.length > shown.length) body.lastChild.remove();
  showSum();
  say(find("#shown"), wanted ? `${count(found.length)} of ${count(figures.routes.length)}` : "");
  find("#no-routes").hidden = found.length > 0;
  say(find("#no-routes"), figures.routes.length ? "No route has this in its name." : "No requests yet. A route appears with its first request.");
  const all = find("#all");
  all.hidden = found.length <= FEW;
  say(all, isWhole ? `Show the first ${FEW}` : `Show all ${count(found.length)} routes`);
}
// Nobody's live heap, and the sum of all.
function showSum() {
  const foot = find("#routes tfoot");
  if (view !== "heap" || !owned()) return foot.replaceChildren();
  if (!foot.children.length) {
    foot.append(newRow("nobody"), newRow("all live heap"));
    foot.firstChild.firstChild.title = "Connections, start-up, and tasks that carry no request";
  }
  const sums = [
    { live: figures.nobody, change: change(NOBODY, figures.nobody) },
    { live: figures.live, unsent: total((route) => route.unsent), running: total((route) => route.running), retained: total((route) => route.retained), requests: total((route) => route.requests) },
  ];
  sums.forEach((sum, index) => columns.forEach(({ name }, place) => {
    const text = { Live: size(sum.live), Share: percent(sum.live, figures.live), Change: sum.change ? signed(sum.change) : "",
      Unsent: sum.unsent ? size(sum.unsent) : "", Running: sum.running ? size(sum.running) : "", Retained: sum.retained ? size(sum.retained) : "",
      Requests: sum.requests ? count(sum.requests) : "" }[name];
    if (place) say(foot.children[index].children[place], text ?? "");
  }));
}
