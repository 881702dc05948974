// Elements of the page. Text from files reaches it as text nodes only; see `element`.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Text in which `backticks` mark code. */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function megabytes(bytes) {
  return (bytes / 2 ** 20).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

export function facts(object) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of Object.entries(object)) {
    list.append(element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, plain(value)));
  }
  return list;
}

export function plain(value) {
  if (value === null) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
