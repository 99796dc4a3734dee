// The camera in the page, for devices without one of their own at hand: opened by a button, shown
// in the photo's frame, closed as soon as it has a photo.

const COUNT = 3; // seconds, so that one can sit back

const form = document.getElementById("give");
const frame = document.getElementById("frame");
const opener = document.getElementById("open-camera");
const camera = document.getElementById("camera");
const view = document.getElementById("camera-view");
const shutter = document.getElementById("shutter");
const timer = document.getElementById("camera-timer");
const turn = document.getElementById("camera-turn");
const count = document.getElementById("camera-count");
const retake = document.getElementById("retake");
const said = document.getElementById("photo-said");

let stream = null;
let facing = "user";
let counting = null;

function stop() {
  clearInterval(counting);
  count.textContent = "";
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  view.srcObject = null;
  camera.hidden = true;
  frame.classList.remove("has-camera");
}

function close() {
  stop();
  opener.focus();
}

function describe(error) {
  if (error.name === "NotAllowedError") return camera.dataset.refused;
  if (error.name === "NotReadableError") return camera.dataset.busy;
  return camera.dataset.missing;
}

async function open() {
  stop();
  said.textContent = "";
  said.classList.remove("is-error");
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: facing, width: { ideal: 1920 }, height: { ideal: 1440 } },
      audio: false,
    });
  } catch (error) {
    said.textContent = describe(error);
    said.classList.add("is-error");
    return;
  }
  retake.hidden = true;
  view.srcObject = stream;
  view.classList.toggle("is-mirrored", facing === "user");
  camera.hidden = false;
  frame.classList.add("has-camera");
  await view.play().catch(() => {}); // Closed before it began.
  if (!stream) return;
  const devices = await navigator.mediaDevices.enumerateDevices();
  turn.hidden = devices.filter((device) => device.kind === "videoinput").length < 2;
  shutter.focus();
}

// The photo is the whole picture that the view shows, the right way round.
function shoot() {
  if (!view.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  const mirrored = facing === "user";
  stop();
  canvas.toBlob((drawn) => {
    form.dispatchEvent(new CustomEvent("photo", { detail: drawn }));
    frame.classList.toggle("is-mirrored", mirrored);
  }, "image/jpeg", 0.92);
}

function shootLater() {
  let left = COUNT;
  clearInterval(counting);
  count.textContent = left;
  counting = setInterval(() => {
    left -= 1;
    count.textContent = left || "";
    if (!left) shoot();
  }, 1000);
}

form.addEventListener("given", (event) => {
  stop();
  frame.classList.remove("is-mirrored");
  retake.hidden = event.detail !== "camera";
});
document.addEventListener("keydown", (event) => {
  if (!camera.hidden && event.key === "Escape") close();
});
opener.addEventListener("click", open);
retake.addEventListener("click", open);
shutter.addEventListener("click", shoot);
timer.addEventListener("click", shootLater);
turn.addEventListener("click", () => {
  facing = facing === "user" ? "environment" : "user";
  open();
});
document.getElementById("camera-close").addEventListener("click", close);
window.addEventListener("pagehide", stop);

opener.hidden = !navigator.mediaDevices?.getUserMedia;
opener.disabled = false;
