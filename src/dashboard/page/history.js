// The warnings, and the figures of processes before a restart, which stay on the page.
const before = [];
const PROCESSES = 3;
// The last figures of a process, and when the next began.
function restart(last, next) {
  before.unshift({ last, next });
  before.length = Math.min(before.length, PROCESSES);
  interrupt(last.at + 0.001);
  pasts.clear();
  rows.clear();
  find("#routes tbody").replaceChildren();
  showBefore();
}
const allWarnings = () => before.reduce((all, { last }) => all.concat(last.warnings), figures.warnings);

function showBefore() {
  find("#before").hidden = !before.length;
  find("#processes").replaceChildren(...before.map(({ last, next }, index) => {
    const process = document.createElement("details");
    process.open = index === 0;
    const of = `Restarted at ${moment(next)} UTC. Last figures of the previous process: ${moment(last.at)} UTC`;
    const table = document.createElement("table");
    const heads = ["Route", "Live", "Retained", "Growth", "Requests"];
    const head = document.createElement("tr");
    head.append(...heads.map((name) => element("th", name)));
    const lines = last.routes.slice(0, FEW).map((route) => {
      const line = document.createElement("tr");
      const name = element("th", "");
      name.title = route.route;
      name.append(...nameOf(route.route));
      line.append(name, ...[size(route.live), size(route.retained), size(route.growth.sum), count(route.requests)].map((text) => element("td", text)));
      return line;
    });
    table.append(head, ...lines);
    const wide = element("div", "", "wide");
    wide.append(table);
    process.append(element("summary", of), element("p", [last.headline, last.sentence].filter(Boolean).join(". ") + "."), ...(lines.length ? [wide] : []));
    return process;
  }));
}

function warningItem(warning) {
  const item = document.createElement("li");
  const when = element("time", `${day(warning.at)} ${clock(warning.at)} UTC `, "when");
  when.dateTime = iso(warning.at);
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
}
let newest = null;
function showWarnings() {
  const { warnings } = figures;
  const known = allWarnings();
  find("#no-warnings").hidden = known.length > 0;
  const key = known.length ? `${known[0].at} ${known[0].route} ${known.length} ${warnings.length}` : null;
  if (key === newest) return;
  newest = key;
  const items = warnings.map(warningItem);
  for (const { last, next } of before) {
    if (last.warnings.length) items.push(element("li", `Before the restart at ${moment(next)} UTC`, "gap"));
    for (const warning of last.warnings) {
      const item = warningItem(warning);
      item.classList.add("past");
      items.push(item);
    }
  }
  find("#warnings").replaceChildren(...items);
}
