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
