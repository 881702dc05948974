// One system: `#/SYSTEM` or `#/SYSTEM/OBJECT`.

import { api } from "./api.js";
import { attempt } from "./attempt.js";
import { attributeTable } from "./attributes.js";
import { computedTable } from "./computed.js";
import { byId, count, element } from "./elements.js";
import { page } from "./page.js";
import { showResults } from "./results.js";
import { markShown } from "./systems.js";

/** Objects of one class that are listed at once; a search finds the others. */
const LISTED = 200;

/** Part of an address; as it is where someone typed a percent sign that encodes nothing. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export async function route() {
  const [, id, objectId] = location.hash.split("/").map(decoded);
  if (!id) {
    page.shown = null;
    byId("system").hidden = true;
    byId("results").hidden = true;
  } else if (page.shown?.id !== id) {
    await showSystem(id);
  }
  markShown();
  if (page.shown && objectId) reveal(objectId);
}

async function showSystem(id) {
  byId("system").hidden = true;
  byId("results").hidden = true;
  page.shown = null;
  const objects = await api(`/api/systems/${encodeURIComponent(id)}/objects`);
  const name = objects.find((object) => object.class === "System")?.name || "(no name)";
  page.shown = { id, objects, names: new Map(objects.map((object) => [object.id, object.name])) };
  byId("system-title").textContent = name;
  byId("search").value = "";
  listObjects();
  byId("system").hidden = false;
  byId("system-title").scrollIntoView();
  byId("system-title").focus({ preventScroll: true });
  // The objects are there at once; what they emit is computed meanwhile.
  attempt(() => showResults(id));
}

/** Lists the objects that the search finds, and before them the one with the id `first`, if any. */
function listObjects(first) {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = page.shown.objects.filter((object) => {
    const text = `${object.name}\n${object.id}\n${object.class}`.toLowerCase();
    return object.id === first || words.every((word) => text.includes(word));
  });
  found.sort((a, b) => (b.id === first) - (a.id === first));
  const classes = Map.groupBy(found, (object) => object.class);
  const open = words.length > 0 || found.length <= 20;
  const all = count(page.shown.objects.length, "object");
  byId("found").textContent = words.length ? `${found.length.toLocaleString("en")} of ${all}` : all;
  byId("classes").replaceChildren(...[...classes].map(([name, objects]) => classGroup(name, objects, open)));
}

function classGroup(name, objects, open) {
  const group = element(
    "details",
    { class: "class", "data-class": name, open },
    element("summary", {}, name, element("span", { class: "count" }, objects.length.toLocaleString("en"))),
    ...objects.slice(0, LISTED).map(objectDetails),
  );
  if (objects.length > LISTED) {
    group.append(element("p", { class: "more" }, `${count(objects.length - LISTED, "more object")}: search to find them.`));
  }
  return group;
}

/** An object whose attributes are fetched when it is unfolded, until they have been. */
function objectDetails(object) {
  const path = `/api/systems/${page.shown.id}/objects/${encodeURIComponent(object.id)}`;
  let fetched = false;
  const fetchAttributes = async () => {
    fetched = true;
    try {
      const { computed, ...attributes } = await api(path);
      details.append(attributeTable(attributes), ...computedTable(path, computed));
    } catch (error) {
      fetched = false;
      throw error;
    }
  };
  const details = element(
    "details",
    { class: "object", "data-id": object.id },
    element("summary", {}, element("span", { class: "name" }, object.name), element("code", {}, object.id)),
  );
  details.addEventListener("toggle", () => {
    if (details.open && !fetched) attempt(fetchAttributes);
  });
  return details;
}

/** Unfolds an object that a link points to. */
function reveal(id) {
  if (!page.shown.names.has(id)) return;
  const find = () => byId("classes").querySelector(`.object[data-id="${CSS.escape(id)}"]`);
  if (!find()) {
    // It is beyond what is listed, or hidden by a search.
    byId("search").value = id;
    listObjects(id);
  }
  const object = find();
  object.parentElement.open = true;
  object.open = true;
  object.scrollIntoView();
  object.firstElementChild.focus({ preventScroll: true });
}

byId("search").addEventListener("input", () => listObjects());
