// The last figures, and the stream that brings them while the page is visible.
let figures = null;

function show(news) {
  const last = figures;
  figures = news;
  if (last && last.began_at !== news.began_at) restart(last, news.began_at);
  append("seconds", news.seconds);
  append("minutes", news.minutes);
  for (const route of news.routes) remember(route.route, route.live);
  remember(NOBODY, news.nobody);
  find("#advice").dataset.level = news.level;
  say(find("#level"), news.level);
  find("#headline").hidden = !news.headline;
  say(find("#headline"), news.headline ? news.headline + "." : "");
  say(find("#sentence"), news.sentence + ".");
  const warned = news.level === "fine" ? "Nothing to do." : "See the warnings below.";
  say(find("#next-step"), news.next_step ? news.next_step + "." : warned);
  showNow();
  showRoutes();
  showParts();
  showChart();
  showWarnings();
}

// Names tell the tabs of several services apart.
function entitle(first) {
  const title = [first, location.host, "Memory"].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
}

let stream = null, retry = null;
// When the last figures came, when a stream was last requested, and when the page became visible.
let told = 0, asked = 0, looking = 0;
// Failed attempts in a row. Each stream ends with one.
let failures = 0;
const SILENT = 2000;
function connected() {
  delete document.body.dataset.stale;
  say(find("#connection"), "live");
  const { resident, limit } = figures;
  entitle(resident === null ? "unreadable" : limit === null ? size(resident) : percent(resident, limit));
}
function lost() {
  const age = Math.floor((Date.now() - told) / 1000);
  document.body.dataset.stale = "";
  say(find("#connection"), told ? `no figures since ${clock(told / 1000)} UTC, ${duration(age)} ago` : "no figures received");
  say(find("#level"), "no answer");
  entitle("no answer");
}
function close() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}
function open() {
  close();
  asked = Date.now();
  // Wherever the page is nested, with or without a trailing slash.
  const opened = new EventSource(location.pathname.replace(/\/$/, "") + "/events");
  opened.onmessage = ({ data }) => {
    told = Date.now();
    failures = 0;
    show(JSON.parse(data));
    connected();
  };
  // A browser tries again by itself, unless it was refused.
  opened.onerror = () => {
    failures += 1;
    if (opened.readyState === EventSource.CLOSED) retry = setTimeout(open, 1000);
    watch();
  };
  stream = opened;
}
function look() {
  if (document.hidden) {
    // A hidden page gets no figures, but its title can still be seen.
    entitle("");
    return close();
  }
  looking = Date.now();
  failures = 0;
  if (told && looking - told > SILENT) lost();
  open();
}
// A server that hangs, or a connection that disappears silently, raises no error.
function watch() {
  if (document.hidden) return;
  const silentFor = (since) => Date.now() - Math.max(told, since);
  if (silentFor(looking) > SILENT || failures > 1) lost();
  if (silentFor(asked) > 15000) open();
}

say(find("#host"), location.host || "this process");
say(find("#zone"), "Times are UTC, as in the log.");
entitle("");
const choose = (buttons, chosen) => buttons.forEach((one) => one.setAttribute("aria-pressed", one === chosen));
const ranges = document.querySelectorAll("#ranges button"), viewButtons = document.querySelectorAll("#views button");
for (const button of ranges) {
  button.addEventListener("click", () => {
    range = button.dataset.range;
    choose(ranges, button);
    if (figures) { draw(); showChart(); }
  });
}
for (const button of viewButtons) {
  button.addEventListener("click", () => {
    view = button.dataset.view;
    choose(viewButtons, button);
    say(find("#by-route"), `${button.textContent} by route`);
    if (figures) showRoutes();
  });
}
find("#all").addEventListener("click", () => { isWhole = !isWhole; showRoutes(); });
find("#filter").addEventListener("input", () => figures && showRoutes());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures && draw());
new ResizeObserver(() => {
  if (!chart) return;
  chart.setSize({ width: width(), height: 280 });
  showLast();
}).observe(find("#chart"));
document.addEventListener("visibilitychange", look);
setInterval(watch, 250);
look();
