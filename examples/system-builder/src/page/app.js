"use strict";

// Text from files reaches the page as text nodes only; see `element`.

/** Objects of one class that are listed at once; a search finds the others. */
const LISTED = 200;

const byId = (id) => document.getElementById(id);
const bodyLimit = Number(document.body.dataset.bodyLimit);

/** The system that is shown: its summary and its objects. */
let shown = null;

// ---- elements ----

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Text in which `backticks` mark code. */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function megabytes(bytes) {
  return (bytes / 2 ** 20).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

// ---- the API ----

class Refusal extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** An answer that broke off, or came from something between here and the server. */
function unreadable() {
  return new Refusal({ title: "No answer", detail: "What came back could not be read: try again." });
}

async function api(path, method = "GET") {
  let response;
  try {
    response = await fetch(path, { method, headers: { accept: "application/json" } });
  } catch {
    throw new Refusal({ title: "No answer", detail: "The server could not be reached: check that it still runs." });
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => { throw unreadable(); });
  if (!response.ok) throw new Refusal(answer);
  return answer;
}

/** Shows how a piece of work was refused, if it was. */
async function attempt(work) {
  byId("problem").hidden = true;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    showProblem(error.problem);
  }
}

function showProblem(problem) {
  const place = ["class", "object", "attribute", "line", "column"].filter((name) => name in problem);
  byId("problem").replaceChildren(
    element("h3", {}, problem.title),
    element("p", {}, ...prose(problem.detail)),
    facts(Object.fromEntries(place.map((name) => [name, problem[name]]))),
  );
  byId("problem").hidden = false;
}

// ---- uploading ----

/** Sends a file. `XMLHttpRequest`, since `fetch` doesn't tell how much was sent. */
function send(file, request, progress) {
  return new Promise((resolve, reject) => {
    const fail = (title, detail) => reject(new Refusal({ title, detail }));
    request.upload.onprogress = (event) => progress(event.loaded, event.total);
    request.onload = () => {
      let answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        reject(unreadable());
        return;
      }
      if (request.status === 201) resolve(answer);
      else reject(new Refusal(answer));
    };
    request.onerror = () => fail("Not sent", "The connection broke off: check that the server still runs, then send the file again.");
    request.onabort = () => resolve(null);
    request.open("POST", "/api/systems");
    request.setRequestHeader("content-type", "application/json");
    request.setRequestHeader("accept", "application/json");
    request.send(file);
  });
}

async function upload(file) {
  if (file.size > bodyLimit) {
    throw new Refusal({
      title: "Too large",
      detail: `${file.name} has ${megabytes(file.size)} MiB; the server reads ${megabytes(bodyLimit)} MiB at most.`,
    });
  }
  const request = new XMLHttpRequest();
  const bar = byId("progress");
  const state = byId("uploading-state");
  byId("uploading-name").textContent = file.name;
  byId("cancel").onclick = () => request.abort();
  state.textContent = "";
  bar.value = 0;
  byId("upload").hidden = true;
  byId("uploading").hidden = false;
  try {
    const loaded = await send(file, request, (sent, total) => {
      bar.value = sent / total;
      state.textContent = sent < total ? `${megabytes(sent)} of ${megabytes(total)} MiB` : "sent, being read";
    });
    if (loaded) {
      await listSystems();
      location.hash = `/${loaded.id}`;
    }
  } finally {
    byId("uploading").hidden = true;
    byId("upload").hidden = false;
    byId("upload").reset();
  }
}

byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) attempt(() => upload(file));
});

const drop = byId("drop");
for (const [type, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", over);
  });
}
drop.addEventListener("drop", (event) => {
  const [file] = event.dataTransfer.files;
  if (file) attempt(() => upload(file));
});
// A file that misses the target must not replace the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

// ---- the list of systems ----

async function listSystems() {
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

function markShown() {
  for (const row of byId("systems").children) {
    const link = row.firstElementChild;
    if (row.dataset.id === shown?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function remove(system) {
  if (!confirm(`Remove “${system.name}” from the server?`)) return;
  await api(`/api/systems/${system.id}`, "DELETE");
  if (shown?.id === system.id) location.hash = "";
  await listSystems();
  byId("systems-title").scrollIntoView({ block: "nearest" });
}

// ---- one system: `#/SYSTEM` or `#/SYSTEM/OBJECT` ----

/** Part of an address; as it is where someone typed a percent sign that encodes nothing. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function route() {
  const [, id, objectId] = location.hash.split("/").map(decoded);
  if (!id) {
    shown = null;
    byId("system").hidden = true;
    byId("results").hidden = true;
  } else if (shown?.id !== id) {
    await showSystem(id);
  }
  markShown();
  if (shown && objectId) reveal(objectId);
}

async function showSystem(id) {
  byId("system").hidden = true;
  byId("results").hidden = true;
  shown = null;
  const objects = await api(`/api/systems/${encodeURIComponent(id)}/objects`);
  const name = objects.find((object) => object.class === "System")?.name || "(no name)";
  shown = { id, objects, names: new Map(objects.map((object) => [object.id, object.name])) };
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
  const found = shown.objects.filter((object) => {
    const text = `${object.name}\n${object.id}\n${object.class}`.toLowerCase();
    return object.id === first || words.every((word) => text.includes(word));
  });
  found.sort((a, b) => (b.id === first) - (a.id === first));
  const classes = Map.groupBy(found, (object) => object.class);
  const open = words.length > 0 || found.length <= 20;
  const all = count(shown.objects.length, "object");
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
  const path = `/api/systems/${shown.id}/objects/${encodeURIComponent(object.id)}`;
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
  if (!shown.names.has(id)) return;
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
addEventListener("hashchange", () => attempt(route));

// ---- the attributes of one object ----

function attributeTable(attributes) {
  const rows = Object.entries(attributes)
    .filter(([name]) => name !== "id" && name !== "name")
    .flatMap(([name, value]) => attributeRows(name, value));
  if (!rows.length) return element("p", { class: "more" }, "No attributes.");
  const titles = ["Attribute", "Value", "Unit"].map((title) => element("th", { scope: "col" }, title));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...rows),
  );
}

function attributeRows(name, value) {
  if (Array.isArray(value)) return [row(name, text(value.length ? listed(value.map(reference)) : "none"))];
  if (typeof value === "string" && shown.names.has(value)) return [row(name, text(reference(value)))];
  if (value === null || typeof value !== "object" || "label" in value) return [row(name, explained(value))];
  // A relationship: how often, or how much, of each other object.
  const entries = Object.entries(value);
  if (!entries.length) return [row(name, text("none"))];
  return entries.map(([id, weight]) => row(name, explained(weight), " → ", reference(id)));
}

function row(name, cells, ...about) {
  // Long names may break after an underscore.
  const words = name.split(/(?<=_)/).flatMap((word, index) => (index ? [element("wbr"), word] : [word]));
  return element("tr", {}, element("th", { scope: "row" }, ...words, ...about), ...cells);
}

/** The cell of a value that is no quantity: it takes the unit's place too. */
function text(value) {
  return [element("td", { colspan: 2 }, ...[value].flat())];
}

function listed(items) {
  return items.flatMap((item, index) => (index ? [", ", item] : [item]));
}

function reference(id) {
  if (!shown.names.has(id)) return element("code", {}, id);
  return element("a", { href: `#/${shown.id}/${encodeURIComponent(id)}` }, shown.names.get(id) || id);
}

/** The cells of an explainable value, by the keys it has. */
function explained(value) {
  if (value === null) return text("none");
  if (typeof value !== "object") return text(String(value));
  const { unit = "" } = value;
  if ("zone" in value) return text(value.zone);
  if ("compressed_values" in value || "values" in value) {
    return text(`${unit} by the hour, from ${String(value.start_date).slice(0, 16)}`);
  }
  if ("recurring_values" in value) return text(`${unit} by the hour of a week`);
  if ("form_inputs" in value) return text(facts(value.form_inputs));
  if (unit) return [element("td", { class: "number" }, number(value.value)), element("td", { class: "unit" }, unit)];
  return text(plain(value.value));
}

function facts(object) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of Object.entries(object)) {
    list.append(element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, plain(value)));
  }
  return list;
}

function plain(value) {
  if (value === null) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function number(value) {
  return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 20 }) : String(value);
}

// The other script is there by then.
addEventListener("DOMContentLoaded", () => attempt(async () => {
  await listSystems();
  await route();
}));
