// Giving a photo: choose, take, drop or paste it. Without this script the form works as it stands.

import { forgetPhoto, expectReturn, keepOptions, keepPhoto, recallOptions, recallPhoto, takeShared } from "./keep.js";
import { Refused, readPhoto, shrink } from "./photo.js";
import { send } from "./send.js";

const form = document.getElementById("give");
const stage = form.closest(".first");
const field = form.elements.photo;
const lens = document.getElementById("take-photo");
const frame = document.getElementById("frame");
const preview = document.getElementById("preview");
const said = document.getElementById("photo-said");
const refusal = document.getElementById("refusal");
const button = document.getElementById("send");
const words = form.dataset;
const limits = {
  bytes: Number(words.maxBytes),
  pixels: Number(words.maxPixels),
  side: Number(words.side),
  shortSide: Number(words.shortSide),
};

let photo = null;
let given = 0; // Counts what was given, so that only the last counts.

function say(sentence, isError = false) {
  said.textContent = sentence;
  said.classList.toggle("is-error", isError);
  if (isError) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function show(file) {
  if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
  if (file) preview.src = URL.createObjectURL(file);
  else preview.removeAttribute("src");
  preview.hidden = !file;
}

// The second step: this photo, the consent, the button.
function put(file, opens) {
  photo = file;
  show(opens ? file : null);
  stage.classList.toggle("has-photo", Boolean(file));
  frame.classList.toggle("is-unseen", Boolean(file) && !opens);
}

async function prepare(files) {
  const chosen = await readPhoto(files);
  const { opens, smaller } = await shrink(chosen, limits);
  const file = smaller ?? chosen;
  if (file.size > limits.bytes) throw new Refused("tooLarge");
  return { file, opens, words: opens ? "ready" : chosen.type === "image/heic" ? "noPreview" : "doubtful" };
}

export async function take(files, from) {
  const mine = ++given;
  refusal.replaceChildren();
  say(words.preparing);
  form.dispatchEvent(new CustomEvent("given", { detail: from }));
  let ready;
  try {
    ready = await prepare(files);
  } catch (error) {
    if (mine !== given) return;
    // What stood there before still stands.
    return say(words[error instanceof Refused ? error.message : "vanished"], true);
  }
  if (mine !== given) return;
  put(ready.file, ready.opens);
  say(words[ready.words]);
  await keepPhoto(ready.file);
  form.dispatchEvent(new CustomEvent("ready", { detail: from }));
}

function label(text) {
  button.firstElementChild.textContent = text;
}

function refuse(elements) {
  refusal.replaceChildren(...elements);
  for (const element of elements) element.hidden = false;
  refusal.focus();
  refusal.scrollIntoView({ block: "center" });
}

async function submit(event) {
  event.preventDefault();
  if (button.getAttribute("aria-disabled")) return;
  if (!photo) {
    say(words.nothing, true);
    return field.focus();
  }
  keepOptions(form);
  refusal.replaceChildren();
  button.setAttribute("aria-disabled", "true");
  button.dataset.label = button.firstElementChild.textContent;
  label(words.sending);
  const progress = (share) => label(`${words.sending} ${Math.round(100 * share)} %`);
  const { address, refusal: why } = await send(form, photo, { words, progress });
  if (address) return location.assign(address);
  reset();
  refuse(why);
}

function reset() {
  if (!button.getAttribute("aria-disabled")) return;
  button.removeAttribute("aria-disabled");
  label(button.dataset.label);
}

// Everything that is dragged over the page is stopped: the browser would open it, and the form
// would be gone.
function drag(event) {
  if (!event.dataTransfer) return;
  event.preventDefault();
  frame.classList.toggle("is-over", event.type !== "drop");
  if (event.type !== "drop") return;
  const files = [...event.dataTransfer.files];
  if (files.length) take(files, "drop");
  else if (event.dataTransfer.types.includes("text/uri-list")) say(words.dropAddress, true);
}

for (const input of [field, lens]) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    if (files.length) take(files, "file").finally(() => (input.value = ""));
  });
}
form.addEventListener("photo", (event) => take([event.detail], "camera"));
form.addEventListener("submit", submit);
for (const type of ["dragenter", "dragover", "drop"]) document.addEventListener(type, drag);
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) frame.classList.remove("is-over");
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  take(files, "paste");
});
document.querySelector(".language")?.addEventListener("submit", () => photo && expectReturn());
document.getElementById("start-over").addEventListener("click", () => {
  given += 1;
  put(null, false);
  forgetPhoto();
  say("");
  field.focus();
});
window.addEventListener("pageshow", (event) => {
  reset();
  // The consent is given for each photo that is sent.
  if (event.persisted) form.elements.consent.checked = false;
});

recallOptions(form);
navigator.serviceWorker?.register(words.serviceWorker).catch(() => {});
form.classList.add("is-live");
const kept = (await takeShared()) ?? recallPhoto();
if (kept) take([kept], "kept");
else if (kept === "") say(words.chooseAgain, true);
else if (field.files.length) take([...field.files], "file");
