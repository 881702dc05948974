// Numbers and masses, as people read them.

export const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** A mass of CO2 equivalents in the unit that reads best. */
export function mass(kg) {
  if (kg === null) return "?";
  const size = Math.abs(kg);
  if (size === 0) return "0 kg";
  if (size < 0.1) return `${digits.format(kg * 1e3)} g`;
  return size < 1e4 ? `${digits.format(kg)} kg` : `${digits.format(kg / 1e3)} t`;
}

const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

const UNITS = [["t", 1e3, 1e4], ["kg", 1, 0.1], ["g", 1e-3, 0]];

/** One unit for a column of masses, the one that suits the largest: its name, and how an amount reads in it. */
export function column(masses) {
  const largest = Math.max(0, ...masses.map((kg) => Math.abs(kg ?? 0)));
  const [unit, kilograms] = UNITS.find(([, , least]) => largest >= least);
  return { unit, amount: (kg) => (kg === null ? "?" : short(kg / kilograms, 0.001)) };
}

export function percent(share) {
  return `${short(share * 100, 0.1)} %`;
}

/** Three digits, and of what is less than that matters, only that it is less. */
function short(number, least) {
  if (number === 0) return "0";
  return Math.abs(number) < least ? `${number < 0 ? "> −" : "< "}${least}` : three.format(number);
}
