// The chart and its samples, including those of processes before a restart.
const kept = { seconds: null, minutes: null };
const spans = { seconds: 600, minutes: 86400 };
const steps = { seconds: 1, minutes: 60 };
let range = "seconds";

// New samples replace all old ones from their first moment on.
function append(name, columns) {
  const old = kept[name];
  // The same moment may differ by some milliseconds.
  const from = columns.at.length ? columns.at[0] - steps[name] / 2 : Infinity;
  const oldest = figures.at - spans[name];
  const kinds = Object.keys(columns);
  const keep = old ? old.at.map((at) => at >= oldest && at < from) : [];
  kept[name] = Object.fromEntries(kinds.map((kind) => [
    kind, old ? old[kind].filter((_, index) => keep[index]).concat(columns[kind]) : columns[kind],
  ]));
}
// Leaves a gap between the last figures of a process and the first of the next.
function interrupt(at) {
  for (const name of Object.keys(kept)) {
    for (const [kind, column] of Object.entries(kept[name])) column.push(kind === "at" ? at : null);
  }
}

let chart = null;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
// A limit far above would flatten everything else. The tile still shows it.
const isLimitShown = () => figures.limit !== null && Math.max(...kept[range].resident, figures.resident) * 4 > figures.limit;
// All samples, followed by the present.
function data() {
  const { at, resident, live } = kept[range];
  const moments = [...at, figures.at];
  const limit = isLimitShown() ? figures.limit : null;
  return [moments, [...resident, figures.resident], [...live, figures.live], moments.map(() => limit)];
}
const width = () => find("#chart").clientWidth;
function draw() {
  if (chart) chart.destroy();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const line = (label, name, { dash, ...more } = {}) => ({
    label, dash, stroke: colour(name), width: 2, points: { show: false }, value: (_, bytes) => size(bytes),
    ...more,
    // There are no samples while nothing happens, so the last one holds until the next.
    paths: uPlot.paths.stepped({ align: 1 }),
  });
  const first = () => Math.min(figures.began_at, kept[range].at[0] ?? figures.at, figures.at - 60);
  chart = new uPlot({
    width: width(), height: 280,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    scales: {
      x: { range: () => [Math.max(figures.at - spans[range], first()), figures.at] },
      y: { range: (_, least, most) => [0, Math.max(most, 1048576) * 1.1] },
    },
    axes: [
      { ...axis, space: 90, values: (_, times, __, ___, step) => times.map((at) => hour(at, step)) },
      // Few steps that double: one decimal is exact for each.
      { ...axis, space: 45, size: 76, values: (_, ticks) => ticks.map(size), incrs: [...Array(43).keys()].map((power) => 1024 * 2 ** power) },
    ],
    legend: { markers: { dash: (plot, index) => (plot.series[index].dash ? "dashed" : "solid") } },
    series: [
      { label: "UTC", value: (_, at) => (at === null ? "–" : clock(at)) },
      line("Resident set", "--rss"), line("Live heap", "--live"),
      line(figures.limit_kind === "machine" ? "Machine's memory" : "Limit", "--limit", { dash: [6, 4], value: () => size(figures.limit) }),
    ],
    hooks: { draw: [markRestarts, markWarnings] },
  }, data(), find("#chart"));
  showLast();
}
// The legend shows the last figures unless the pointer is on others.
function showLast() {
  if (chart.cursor.idx == null) chart.setLegend({ idx: chart.data[0].length - 1 });
}
function showChart() {
  if (chart) {
    chart.setData(data());
    showLast();
  } else draw();
  find("#limit-mark").hidden = figures.limit === null;
  const name = figures.limit_kind === "machine" ? "the machine's memory; the process has no limit of its own" : "limit of the cgroup";
  say(find("#limit-name"), name + (isLimitShown() ? "" : ": far above, not drawn"));
  find("#restart-mark").hidden = !before.length;
}
function markWarnings(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("--warning");
  for (const { at, after } of allWarnings()) {
    if (at < plot.scales.x.min || after === null) continue;
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
function markRestarts(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--quiet");
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  for (const { next } of before) {
    const x = plot.valToPos(next, "x", true);
    if (x < bbox.left) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // On the side that has room.
    ctx.textAlign = x > bbox.left + bbox.width / 2 ? "right" : "left";
    ctx.fillText(" restarted ", x, bbox.top + bbox.height - 8 * devicePixelRatio);
  }
  ctx.restore();
}
