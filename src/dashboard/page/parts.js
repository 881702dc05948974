// The tiles, and the parts of the resident set, line by line.
function showNow() {
  const limit = figures.limit_kind === "machine" ? "Machine's memory" : "Limit (cgroup)";
  const tiles = [
    ["Resident set", size(figures.resident)],
    ["Live heap", size(figures.live)],
    ["Beyond live heap", size(figures.held)],
    [limit, size(figures.limit)],
    ["Up for", duration(figures.at - figures.began_at)],
  ];
  const place = find("#now");
  while (place.children.length < tiles.length) {
    const tile = document.createElement("div");
    tile.append(element("dt", ""), element("dd", ""));
    place.append(tile);
  }
  tiles.forEach(([name, value], index) => {
    say(place.children[index].firstChild, name);
    say(place.children[index].lastChild, value);
  });
}

const total = (figure) => figures.routes.reduce((sum, route) => sum + (figure(route) ?? 0), 0);
const inFlight = (route) => route.live === null ? 0 : Math.max(0, route.live - route.retained - route.unsent - route.running);
// The routes with the largest values of a figure.
function mostly(figure) {
  const most = figures.routes.filter((route) => figure(route) > 0).sort((a, b) => figure(b) - figure(a)).slice(0, 3);
  return most.length ? ` ${most.map((route) => `${shorten(route.route)} ${size(figure(route))}`).join(", ")}.` : "";
}
function partsOf() {
  const { resident, shared, live, held, nobody, allocator } = figures;
  if (resident === null) return [];
  const files = ["files", "Files and shared memory", shared, "Program code, mapped files, shared pages. The kernel takes pages of files back when memory is short."];
  if (live === null) return [["held", "Anonymous memory", resident - shared, "Heap, stacks, C code: without a heap meter they can't be told apart."], files];
  const keeps = allocator && allocator !== "unknown" ? `Freed pages that the allocator keeps (${allocator})` : "Freed pages that the allocator keeps";
  const rest = [
    ["held", "Memory outside Rust's live heap", held, `${keeps}, thread stacks, and memory of C code. Only their sum is known.`],
    files,
  ];
  if (nobody === null) return [["kept", "Live heap", live, "Allocated and not freed. With this meter, blocks have no owner."], ...rest];
  const oldest = Math.max(0, ...figures.routes.map((route) => route.oldest_running ?? 0));
  return [
    ["kept", "Kept after responses", total((route) => Math.max(0, route.retained ?? 0)), "Memory that outlives its request: caches, sessions, queues, leaks." + mostly((route) => route.retained)],
    ["in-flight", "Requests in flight", total(inFlight), "In use until their responses end." + mostly(inFlight)],
    ["unsent", "Unsent responses", total((route) => route.unsent), "Waiting for clients to read them." + mostly((route) => route.unsent)],
    ["running", "Running work", total((route) => route.running),
      "In use by work that outlives its request" + (oldest ? `, the oldest for ${duration(oldest)}.` : ".") + mostly((route) => route.running)],
    ["nobody", "Owned by nobody", nobody, "Connections, start-up, and tasks that carry no request. If it keeps rising, copy the small Bytes and header values that you keep: each pins a whole read buffer."],
    ...rest,
  ];
}
let partsShown = "";
function showParts() {
  const parts = partsOf();
  const whole = parts.reduce((sum, [, , bytes]) => sum + bytes, 0);
  const untouched = figures.live === null || figures.resident === null ? 0 : Math.max(0, figures.live - (figures.resident - figures.shared));
  const names = parts.map(([kind]) => kind).join();
  const list = find("#parts"), bar = find("#bar");
  if (names !== partsShown) {
    partsShown = names;
    bar.replaceChildren(...parts.map(([kind]) => element("span", "", kind)));
    list.replaceChildren(...[...parts, ["untouched"]].map(([kind]) => {
      const line = document.createElement("li");
      line.append(element("span", "", `swatch ${kind}`), element("strong", ""), element("span", "", "bytes"), element("span", "", "share"), element("p", ""));
      return line;
    }));
  }
  parts.forEach(([, name, bytes, meaning], index) => {
    bar.children[index].style.width = `${100 * bytes / whole}%`;
    [name, size(bytes), percent(bytes, whole), meaning].forEach((text, place) => say(list.children[index].children[place + 1], text));
  });
  const last = list.lastChild;
  if (!last) return;
  last.hidden = !untouched;
  ["Reserved but untouched", size(untouched), "", "The part of the live heap above that is not resident because nothing has been written to it yet."]
    .forEach((text, place) => say(last.children[place + 1], text));
}
