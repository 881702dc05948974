// The API of the server.

export class Refusal extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** An answer that broke off, or came from something between here and the server. */
export function unreadable() {
  return new Refusal({ title: "No answer", detail: "What came back could not be read: try again." });
}

export async function api(path, method = "GET") {
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
