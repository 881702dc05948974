// The list of systems.

import { api } from "./api.js";
import { attempt } from "./attempt.js";
import { byId, count, element } from "./elements.js";
import { page } from "./page.js";

export async function listSystems() {
  const systems = await api("/api/systems");
  byId("no-systems").hidden = systems.length > 0;
  byId("systems").replaceChildren(...systems.map(systemRow));
  markShown();
  return systems;
}

function systemRow(system) {
  const button = element("button", { type: "button", "aria-label": `Remove ${system.name}` }, "Remove");
  button.addEventListener("click", () => attempt(() => remove(system)));
  return element(
    "li",
    { "data-id": system.id },
    element("a", { href: `#/${system.id}`, class: "name" }, system.name || "(no name)"),
    element("span", { class: "count" }, count(system.objects, "object")),
    element("a", { href: `/api/systems/${system.id}`, download: true, "aria-label": `Download ${system.name}` }, "Download"),
    button,
  );
}

export function markShown() {
  for (const row of byId("systems").children) {
    const link = row.firstElementChild;
    if (row.dataset.id === page.shown?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function remove(system) {
  if (!confirm(`Remove “${system.name}” from the server?`)) return;
  await api(`/api/systems/${system.id}`, "DELETE");
  if (page.shown?.id === system.id) location.hash = "";
  await listSystems();
  byId("systems-title").scrollIntoView({ block: "nearest" });
}
