// Charts, drawn by ECharts, which comes from this server too, once there is something to draw.

import { Refusal } from "./api.js";
import { attempt } from "./attempt.js";
import { element } from "./elements.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

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
export async function draw(target, describe, option) {
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

export function erase(target) {
  drawn.get(target)?.chart.dispose();
  drawn.delete(target);
  resized.unobserve(target);
}

dark.addEventListener("change", () => {
  for (const [target, { describe, option }] of drawn) attempt(() => draw(target, describe, option));
});
