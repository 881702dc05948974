// Work that may be refused, and how the page says so.

import { Refusal } from "./api.js";
import { byId, element, facts, prose } from "./elements.js";

/** Shows how a piece of work was refused, if it was. */
export async function attempt(work) {
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
