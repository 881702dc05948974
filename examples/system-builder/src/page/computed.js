// The computed attributes of one object.

import { api } from "./api.js";
import { attempt } from "./attempt.js";
import { row, text } from "./attributes.js";
import { draw, erase } from "./charts.js";
import { element, prose } from "./elements.js";
import { digits } from "./numbers.js";
import { page } from "./page.js";

/** A table of what was computed of an object, with the formulas in words. */
export function computedTable(path, computed) {
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
    const place = key.split("/").map((id) => page.shown.names.get(id) ?? id).join(" / ");
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
      const whole = (number) => element("span", { class: "whole" }, digits.format(number));
      const amounts = [whole(value.min), " to ", whole(value.max), " by the hour, ", whole(value.sum), " in all"];
      const cells = [element("td", { class: "amounts" }, ...amounts), element("td", { class: "unit" }, value.unit)];
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
