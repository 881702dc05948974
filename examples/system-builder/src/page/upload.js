// Uploading a file.

import { Refusal, unreadable } from "./api.js";
import { attempt } from "./attempt.js";
import { byId, megabytes } from "./elements.js";
import { listSystems } from "./systems.js";

const bodyLimit = Number(document.body.dataset.bodyLimit);

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
      // A workspace holds several systems.
      location.hash = `/${[loaded].flat()[0].id}`;
    }
  } finally {
    byId("uploading").hidden = true;
    byId("upload").hidden = false;
    byId("upload").reset();
  }
}

byId("example").addEventListener("click", () => attempt(async () => {
  const example = await fetch("/example.json").catch(() => null);
  if (!example?.ok) throw unreadable();
  await upload(new File([await example.blob()], "example.json"));
}));

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
