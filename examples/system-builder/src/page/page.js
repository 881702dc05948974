// What the page shows, for all scripts of it.

/** `shown` is the system that is shown: its summary and its objects. */
export const page = { shown: null };
