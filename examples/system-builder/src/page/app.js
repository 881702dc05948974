// The page: lists the systems, shows the one that the address names, and takes uploads.

import { attempt } from "./attempt.js";
import { route } from "./system.js";
import { listSystems } from "./systems.js";
import "./upload.js";

addEventListener("hashchange", () => attempt(route));

attempt(async () => {
  await listSystems();
  await route();
});
