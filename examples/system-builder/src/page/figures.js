// The figures that charts draw of a footprint.

import { mass } from "./numbers.js";

/** Categories in the order of the API: what people read, and a colour that both schemes show. */
export const CATEGORIES = {
  Servers: { name: "Servers", colour: "#4477aa" },
  Storage: { name: "Storage", colour: "#aa3377" },
  ExternalAPIs: { name: "External APIs", colour: "#ccaa33" },
  Network: { name: "Network", colour: "#3399bb" },
  Devices: { name: "Devices", colour: "#228833" },
  EdgeDevices: { name: "Edge devices", colour: "#dd6655" },
};

/** Bars over time, one on the other. */
export function bars({ starts, series }, step) {
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

export function flows({ nodes, links }) {
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
