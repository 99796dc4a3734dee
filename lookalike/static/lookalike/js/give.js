// Giving a photo: choose, drop or paste it. It is shown at once and made small before it is sent. Without this script the form works as it stands.

const form = document.getElementById("give");
const field = form.elements.photo;
const frame = document.getElementById("frame");
const preview = document.getElementById("preview");
const empty = document.getElementById("frame-empty");
const said = document.getElementById("photo-said");
const send = document.getElementById("send");
const words = form.dataset;
const READABLE = /^image\/(jpeg|png|webp|hei[cf](-sequence)?|avif|gif|mpo)$/;
const READABLE_NAME = /\.(jpe?g|jfif|png|webp|hei[cf]|hif|avif|gif|mpo)$/i;

// The photo being made smaller, so that sending can wait for it.
let preparing = null;

function say(sentence, isError = false) {
  said.textContent = sentence;
  said.classList.toggle("is-error", isError);
  if (isError) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function show(address) {
  if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
  if (address) preview.src = address;
  else preview.removeAttribute("src");
  preview.hidden = !address;
  empty.hidden = Boolean(address);
}

function isReadable(file) {
  return READABLE.test(file.type) || READABLE_NAME.test(file.name);
}

function put(file) {
  const holder = new DataTransfer();
  holder.items.add(file);
  field.files = holder.files;
}

function forget() {
  preparing = null;
  field.value = "";
  show("");
}

// Draws the picture upright at the size that the site keeps. Null where the browser cannot
// decode it, as most cannot with HEIC: then the original travels.
async function shrink(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const scale = Math.min(1, Number(words.side) / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const drawn = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  return drawn && new File([drawn], "photo.jpg", { type: "image/jpeg" });
}

async function prepare(file, from) {
  say(words.preparing);
  const small = await shrink(file);
  const chosen = small ?? file;
  if (chosen.size > Number(words.maxBytes)) {
    forget();
    return say(words.tooLarge, true);
  }
  put(chosen);
  show(small ? URL.createObjectURL(small) : "");
  say(small ? words.ready : words.noPreview);
  form.dispatchEvent(new CustomEvent("given", { detail: from }));
}

function take(files, from) {
  if (files.length > 1) {
    forget();
    return say(words.several, true);
  }
  if (!files.length || !isReadable(files[0])) {
    forget();
    return say(words.wrongType, true);
  }
  const mine = prepare(files[0], from).finally(() => {
    if (preparing === mine) preparing = null;
  });
  preparing = mine;
  return mine;
}

async function submit(event) {
  if (preparing) {
    event.preventDefault();
    await preparing;
    if (field.files.length) form.requestSubmit();
  } else if (!field.files.length) {
    event.preventDefault();
    say(words.nothing, true);
    field.focus();
  } else if (send.getAttribute("aria-disabled")) {
    event.preventDefault();
  } else {
    send.setAttribute("aria-disabled", "true");
    send.dataset.label = send.firstElementChild.textContent;
    send.firstElementChild.textContent = words.sending;
  }
}

function reset() {
  if (!send.getAttribute("aria-disabled")) return;
  send.removeAttribute("aria-disabled");
  send.firstElementChild.textContent = send.dataset.label;
}

async function pasteFromButton() {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((each) => each.startsWith("image/"));
      if (type) return take([new File([await item.getType(type)], "pasted", { type })], "paste");
    }
    say(words.noPicture, true);
  } catch {
    say(words.noClipboard, true);
  }
}

function markOver(event) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  frame.classList.toggle("is-over", event.type !== "drop");
}

field.addEventListener("change", () => field.files.length && take([...field.files], "file"));
form.addEventListener("photo", (event) => take([event.detail], "camera"));
form.addEventListener("submit", submit);
window.addEventListener("pageshow", reset);

document.addEventListener("dragenter", markOver);
document.addEventListener("dragover", markOver);
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) frame.classList.remove("is-over");
});
document.addEventListener("drop", (event) => {
  markOver(event);
  if (event.defaultPrevented) take([...event.dataTransfer.files], "drop");
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) {
    event.preventDefault();
    take(files, "paste");
  }
});

const pasteButton = document.getElementById("paste-photo");
pasteButton.hidden = !navigator.clipboard?.read;
pasteButton.addEventListener("click", pasteFromButton);

form.classList.add("is-live");
document.getElementById("frame-hint").hidden = false;
said.classList.toggle("is-error", said.textContent !== "");
// A browser that comes back to this page may have kept what was chosen.
if (field.files.length) take([...field.files], "file");
