"use strict";
const find = (selector) => document.querySelector(selector);

// Binary units with one decimal, as in the log.
function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Math.abs(bytes), unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return (bytes < 0 ? "−" : "") + (unit ? value.toFixed(1) : value) + " " + units[unit];
}
const signed = (bytes) => (bytes > 0 ? "+" : "") + size(bytes);
const none = (text) => (bytes) => (bytes ? text(bytes) : "–");
const count = (number) => number.toLocaleString("en");
function percent(part, whole) {
  if (!whole) return "–";
  return (part && part / whole < .005 ? "< 1" : (100 * part / whole).toFixed(0)) + " %";
}

// UTC and 24 hours, as in the log.
const iso = (seconds) => new Date(seconds * 1000).toISOString();
const day = (seconds) => iso(seconds).slice(0, 10);
const clock = (seconds) => iso(seconds).slice(11, 19);
const hour = (seconds, step) => iso(seconds).slice(11, step < 60 ? 19 : 16);
// With the day, unless it is today.
const moment = (at) => (day(at) === day(Date.now() / 1000) ? "" : day(at).slice(5) + " ") + clock(at);

function duration(seconds) {
  if (seconds < 120) return Math.floor(seconds) + " s";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
  return Math.floor(seconds / 86400) + " days";
}

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
// Leaves unchanged text alone, so a selection survives.
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
// Shortens a long name in its middle, because routes often differ at the end.
function shorten(name) {
  const letters = [...name];
  return letters.length > 40 ? letters.slice(0, 22).join("") + "…" + letters.slice(-17).join("") : name;
}
// The same, as wide as there is room, and whole when selected or read aloud.
function nameOf(name) {
  const letters = [...name];
  if (letters.length <= 20) return [name];
  const whole = element("span", "", "name");
  whole.append(element("span", letters.slice(0, -12).join("")), element("span", letters.slice(-12).join("")));
  return [whole];
}
